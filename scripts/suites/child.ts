import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';

/** What a process that was told to end may take before it is killed. */
const STOP_TIMEOUT_MS = 10_000;

export interface ChildOptions extends Pick<SpawnOptions, 'cwd' | 'env'> {
  /** File that gets what it says on standard error, and on standard output unless that is asked for. */
  readonly log: string;
  readonly stdout?: 'log' | 'pipe';
}

/** A process with all that it starts: they end together. */
export class Child {
  readonly process: ChildProcess;
  /** Its exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>;

  constructor(command: string, args: readonly string[], { cwd, env, log, stdout }: ChildOptions) {
    const file = openSync(log, 'w');
    const stdio: SpawnOptions['stdio'] = ['ignore', stdout === 'pipe' ? 'pipe' : file, file];
    // A process group of its own, so that its children can be reached, and nobody else's.
    this.process = spawn(command, args, { cwd, env, stdio, detached: true });
    closeSync(file);
    this.ended = new Promise((resolve, reject) => {
      this.process.once('error', reject);
      this.process.once('close', (code) => resolve(code));
    });
    // Whoever is interested waits for it; who stopped it before is not.
    this.ended.catch(() => {});
  }

  async stop(): Promise<void> {
    this.#signal('SIGTERM');
    const timer = setTimeout(() => this.#signal('SIGKILL'), STOP_TIMEOUT_MS);
    await this.ended.catch(() => {});
    clearTimeout(timer);
    // What the process left behind.
    this.#signal('SIGKILL');
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.process;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** Runs a command to its end; when the signal aborts, ends it, and rejects with the signal's reason. */
export async function runToEnd(
  command: string,
  args: readonly string[],
  { signal, ...options }: ChildOptions & { readonly signal: AbortSignal },
): Promise<number | null> {
  signal.throwIfAborted();
  const child = new Child(command, args, options);
  await Promise.race([child.ended, once(signal, 'abort')]);
  if (signal.aborted) await child.stop();
  signal.throwIfAborted();
  return child.ended;
}
