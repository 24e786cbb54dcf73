import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { BrokerError, toBrokerError } from '../errors.ts';
import type { Thread, Threads } from './environment.ts';
import type { ThreadAnswer } from './thread-entry.ts';

interface Waiting {
  resolve(value: unknown): void;
  reject(error: BrokerError): void;
}

/** Threads of this process. One does not keep the process alive. */
export const realThreads: Threads = { start: (module) => new RealThread(module) };

class RealThread implements Thread {
  readonly #worker: Worker;
  /** In the order in which they will be answered. */
  readonly #waiting: Waiting[] = [];
  #gone: BrokerError | undefined;

  constructor(module: URL) {
    // Beside this file, in the source as in what is built from it.
    const entry = new URL(`./thread-entry${extname(import.meta.url)}`, import.meta.url);
    this.#worker = new Worker(entry, { workerData: module.href, execArgv: [] });
    this.#worker.unref();
    this.#worker.on('message', (answer: ThreadAnswer) => this.#answered(answer));
    this.#worker.on('error', (error) => this.#end(toBrokerError(error)));
    this.#worker.on('exit', () => this.#end(new BrokerError('closed', 'the thread has ended')));
  }

  call(request: unknown): Promise<unknown> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(request);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #answered(answer: ThreadAnswer): void {
    const waiting = this.#waiting.shift();
    if ('error' in answer) waiting?.reject(new BrokerError(answer.error.code, answer.error.message));
    else waiting?.resolve(answer.value);
  }

  #end(why: BrokerError): void {
    this.#gone ??= why;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#gone);
  }
}
