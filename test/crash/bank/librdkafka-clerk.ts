import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { PYTHON } from '../../kafka/clients/available.ts';
import { ACCOUNTS_TOPIC, PARTITIONS, type RequestTopic, SESSION_MS } from './accounts.ts';
import type { Outcomes } from './ledger.ts';

const PROGRAM = fileURLToPath(new URL('clerk.py', import.meta.url));

/** Carries out what is asked for with librdkafka, in a process of its own, as one of several in their group. */
export class LibrdkafkaClerk {
  readonly troubles = new Map<string, number>();
  readonly #child: ChildProcess;
  readonly #finished: Promise<void>;

  constructor(name: string, { topic }: RequestTopic, address: string, seed: number, outcomes: Outcomes) {
    const args = [PROGRAM, address, name, topic, ACCOUNTS_TOPIC, `${PARTITIONS}`, `${SESSION_MS}`, `${seed}`];
    const child = spawn(PYTHON, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [what, ...words] = line.split(' ');
      const text = words.join(' ');
      if (what === 'committed') outcomes.committed.add(text);
      else if (what === 'aborted') outcomes.aborted.add(text);
      else this.troubles.set(text, (this.troubles.get(text) ?? 0) + 1);
    });
    this.#finished = once(child, 'close').then(([code]) => {
      if (code !== 0) throw new Error(`${name} ended with ${code}`);
    });
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await this.#finished.catch(() => {});
    });
  }

  stop(): void {
    this.#child.stdin?.end();
  }

  /** Rejects when the process ends otherwise than because it was told to. */
  run(): Promise<void> {
    return this.#finished;
  }
}
