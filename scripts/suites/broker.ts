import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { SettingsInput } from '../../src/config/index.ts';
import { Child } from './child.ts';

export const SLUICE = fileURLToPath(new URL('../../bin/sluice.js', import.meta.url));

/** Severity of an error in the log's lines. */
const ERROR = 50;

/** The broker as users start it: a process of its own. */
export class SuiteBroker {
  readonly #child: Child;
  readonly #log: string;

  private constructor(child: Child, log: string) {
    this.#child = child;
    this.#log = log;
  }

  /** Resolves when it accepts connections; rejects with what it said when it ends before. */
  static async start(settings: SettingsInput, directory: string): Promise<SuiteBroker> {
    const config = join(directory, 'sluice.yaml');
    const log = join(directory, 'sluice.log');
    await writeFile(config, stringify(settings));
    // What is set for other brokers on this machine does not count.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SLUICE_')));
    const child = new Child(process.execPath, [SLUICE, 'start', '--config', config], { env, log, stdout: 'pipe' });
    const broker = new SuiteBroker(child, log);
    if (await broker.#isReady()) return broker;
    await broker.stop();
    throw new Error(`the broker did not start: ${(await broker.#lines()).join('\n')}`);
  }

  /** What the broker logged as its own failures. */
  async errors(): Promise<string[]> {
    return (await this.#lines()).filter((line) => {
      try {
        return (JSON.parse(line) as { level: number }).level >= ERROR;
      } catch {
        return true;
      }
    });
  }

  /** When it fell over, every test after that failed for that reason alone. */
  get running(): boolean {
    return this.#child.process.exitCode === null && this.#child.process.signalCode === null;
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }

  #isReady(): Promise<boolean> {
    return new Promise((resolve) => {
      const { stdout } = this.#child.process;
      if (stdout !== null) {
        createInterface(stdout).on('line', (line) => {
          if (line.startsWith('sluice ready')) resolve(true);
        });
      }
      const ended = () => resolve(false);
      this.#child.ended.then(ended, ended);
    });
  }

  async #lines(): Promise<string[]> {
    const lines: string[] = [];
    for await (const line of createInterface(createReadStream(this.#log))) lines.push(line);
    return lines;
  }
}
