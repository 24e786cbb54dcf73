import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { until } from '../fixture.ts';
import type { Running, TutorialClient } from './client.ts';

/**
 * A client library of another language, in a program that is told what to do by its arguments:
 *
 *     send URL QUEUE durable|transient BODY...        work URL QUEUE durable|transient acknowledge|hold
 *     emit URL EXCHANGE TYPE (KEY BODY)...            subscribe URL EXCHANGE TYPE KEY...
 *     call URL QUEUE NUMBER...                        serve URL QUEUE
 *     confirm URL QUEUE BODY...
 *
 * Those on the right write `ready` when they consume, then a line for each message, and end when standard input does;
 * `call` writes a line for each answer.
 */
export function programClient(name: string, command: string, args: readonly string[]): TutorialClient {
  const run = (...more: string[]) => runToEnd(name, command, [...args, ...more]);
  const start = (...more: string[]) => RunningProgram.start(name, command, [...args, ...more]);
  const durability = (durable: boolean) => (durable ? 'durable' : 'transient');
  return {
    name,
    send: async (url, queue, bodies) => void (await run('send', url, queue.name, durability(queue.durable), ...bodies)),
    work: (url, queue, work) => start('work', url, queue.name, durability(queue.durable), work),
    emit: async (url, exchange, messages) =>
      void (await run('emit', url, exchange.name, exchange.type, ...messages.flat())),
    subscribe: (url, exchange, keys) => start('subscribe', url, exchange.name, exchange.type, ...keys),
    call: async (url, queue, numbers) => (await run('call', url, queue, ...numbers.map(String))).map(Number),
    serve: (url, queue) => start('serve', url, queue),
    confirm: async (url, queue, bodies) => void (await run('confirm', url, queue, ...bodies)),
  };
}

async function runToEnd(name: string, command: string, args: readonly string[]): Promise<string[]> {
  const program = new RunningProgram(name, command, args);
  await program.ended();
  return program.lines;
}

class RunningProgram implements Running {
  readonly lines: string[] = [];
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown[]>;
  #errors = '';
  #isReady = false;
  #isClosed = false;

  constructor(name: string, command: string, args: readonly string[]) {
    this.#name = `${name} ${args.at(-1)}`;
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    this.#closed = once(child, 'close');
    this.#closed.catch(() => {});
    child.on('close', () => {
      this.#isClosed = true;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
    createInterface(child.stdout).on('line', (line) => {
      if (line === 'ready') this.#isReady = true;
      else this.lines.push(line);
    });
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await this.#closed;
    });
  }

  static async start(name: string, command: string, args: readonly string[]): Promise<RunningProgram> {
    const program = new RunningProgram(name, command, args);
    await until(() => program.#isReady || program.#isClosed);
    if (!program.#isReady) await program.ended();
    return program;
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end();
    await this.ended();
  }

  /** Rejects with what it said when it failed. */
  async ended(): Promise<void> {
    const [code] = await this.#closed;
    if (code !== 0) throw new Error(`${this.#name} ended with ${code}: ${this.#errors}`);
  }
}
