import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { type ProcessUsage, processUsage } from './process-usage.ts';

/** What the broker says last is shown when it fails. */
const MAX_LOG_BYTES = 16 * 1024;
const STOP_TIMEOUT_MS = 60_000;
/** How a broker ends that was asked to; Java's way of saying so is 128 and the signal. */
const STOPPED: readonly string[] = ['exit code 0', 'exit code 143'];

export interface BrokerCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** On top of this process's own. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Resolves with where the broker listens as soon as it does. `output` calls back with each line of the broker's standard
   * output; the signal aborts when the broker ends before.
   */
  readonly ready: (output: (onLine: (line: string) => void) => void, ended: AbortSignal) => Promise<Address>;
  /** What was started for the broker is to end, now that the broker has. */
  readonly afterwards?: () => Promise<void>;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Brokers that are to go when this process does, however it ends. */
const running = new Set<ChildProcessByStdio<null, Readable, Readable>>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A broker in a process of its own. */
export class BrokerProcess {
  readonly name: string;
  readonly address: Address;
  /** From the process's start until it was ready. */
  readonly readyMs: number;
  readonly pid: number;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #log: BrokerLog;
  readonly #ended: Promise<string>;
  readonly #afterwards: (() => Promise<void>) | undefined;

  private constructor(
    { name, afterwards }: BrokerCommand,
    { child, log, ended }: Spawned,
    { address, readyMs }: { address: Address; readyMs: number },
  ) {
    this.name = name;
    this.#afterwards = afterwards;
    this.#child = child;
    this.#log = log;
    this.#ended = ended;
    this.address = address;
    this.readyMs = readyMs;
    // It was ready, so it has one.
    this.pid = child.pid as number;
  }

  static async start(command: BrokerCommand): Promise<BrokerProcess> {
    const startedAt = performance.now();
    const spawned = spawnBroker(command);
    const { child, log, ended } = spawned;
    const controller = new AbortController();
    const early = ended.then((why) => {
      controller.abort();
      throw new Error(`${command.name} ended before it was ready: ${why}\n${log.text}`);
    });
    early.catch(() => {});
    try {
      const address = await Promise.race([
        command.ready((onLine) => eachLine(child.stdout, onLine), controller.signal),
        early,
      ]);
      return new BrokerProcess(command, spawned, { address, readyMs: performance.now() - startedAt });
    } catch (error) {
      child.kill('SIGKILL');
      await ended;
      await command.afterwards?.();
      throw error;
    }
  }

  usage(): ProcessUsage {
    return processUsage(this.pid);
  }

  /** The last of what the broker logged. */
  get log(): string {
    return this.#log.text;
  }

  /** Asks the broker to stop and waits until it has. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    this.#child.kill(signal);
    const timeout = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    const how = await this.#ended;
    clearTimeout(timeout);
    await this.#afterwards?.();
    if (signal === 'SIGTERM' && !STOPPED.includes(how))
      throw new Error(`${this.name} did not stop as it should within ${STOP_TIMEOUT_MS} ms: ${how}\n${this.log}`);
  }
}

interface BrokerLog {
  text: string;
}

interface Spawned {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly log: BrokerLog;
  /** Resolves with how the process ended. */
  readonly ended: Promise<string>;
}

function spawnBroker({ name, command, args, environment }: BrokerCommand): Spawned {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  running.add(child);
  const log: BrokerLog = { text: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      log.text = (log.text + text).slice(-MAX_LOG_BYTES);
    });
  }
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`${name} cannot be run: ${error.message}`));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  ended.then(() => running.delete(child));
  return { child, log, ended };
}

function eachLine(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
}
