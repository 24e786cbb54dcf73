import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const BIN = fileURLToPath(new URL('../../bin/sluice.js', import.meta.url));

/** What a command did. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly stdin?: string | Buffer;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the command to its end, with nothing of the outer environment that could configure it. */
export async function sluice(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const process = new SluiceProcess(args, options);
  process.child.stdin?.end(options.stdin ?? '');
  return process.finished;
}

/** A command that is under way; the end of the test ends it. */
export class SluiceProcess {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  #stdout = '';
  #stderr = '';

  constructor(args: readonly string[], { cwd, env }: RunOptions = {}) {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('SLUICE_'));
    this.child = spawn(process.execPath, [BIN, ...args], { cwd, env: { ...Object.fromEntries(inherited), ...env } });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    // A command that refuses its arguments does not read what it is given.
    this.child.stdin?.on('error', () => {});
    this.finished = once(this.child, 'close').then(([code]) => ({ code, stdout: this.#stdout, stderr: this.#stderr }));
    onTestFinished(async () => {
      this.child.kill('SIGKILL');
      await this.finished;
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Waits until standard output says something; throws when the command ends before. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#stdout);
      if (match !== null) return match;
      const ended = await Promise.race([
        once(this.child.stdout as NonNullable<ChildProcess['stdout']>, 'data'),
        this.finished,
      ]);
      if ('code' in ended && !pattern.test(this.#stdout)) {
        throw new Error(`ended with ${ended.code} before it said ${pattern}: ${this.#stderr}`);
      }
    }
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Finished> {
    this.child.kill(signal);
    return this.finished;
  }
}

/** A broker of its own process. */
export class BrokerProcess extends SluiceProcess {
  /** `HOST:PORT` of the Kafka listener. */
  address = '';

  /** On a free port and in memory, unless the arguments say otherwise. */
  static async start(
    args: readonly string[] = ['--storage', 'memory'],
    options: RunOptions = {},
  ): Promise<BrokerProcess> {
    const broker = new BrokerProcess(['start', '--listen', 'kafka://127.0.0.1:0', ...args], options);
    const [, address] = await broker.says(/^sluice ready kafka:\/\/(\S+).*\n/m);
    broker.address = address as string;
    return broker;
  }

  /** Runs a command against this broker. */
  run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return sluice([...args, '--broker', this.address], options);
  }

  /** As `run`, for what must succeed: the answer's JSON. */
  async json(args: readonly string[], options: RunOptions = {}): Promise<unknown> {
    const { code, stdout, stderr } = await this.run([...args, '--json'], options);
    if (code !== 0) throw new Error(`sluice ${args.join(' ')} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout);
  }
}

/** An empty directory for this test alone. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-cli-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
