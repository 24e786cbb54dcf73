import { print } from '../output.ts';
import { pause } from '../pause.ts';
import { style } from '../terminal/style.ts';
import { padEnd, printable } from '../terminal/text-width.ts';

type Who = 'broker' | 'amqp' | 'kafka' | 'http';

const COLOURS = { broker: 'bold', amqp: 'yellow', kafka: 'cyan', http: 'green' } as const;
const WIDTH = 7;

/** Tells what happens, no faster than it can be read. */
export class Narrator {
  readonly #paceMs: number;
  readonly #signal: AbortSignal;
  #step = 0;

  constructor(paceMs: number, signal: AbortSignal) {
    this.#paceMs = paceMs;
    this.#signal = signal;
  }

  /** What comes next. */
  async step(title: string): Promise<void> {
    await this.#wait(this.#paceMs);
    await print('');
    await print(style('bold', `${++this.#step}. ${title}`));
  }

  /** Who does what. */
  async tell(who: Who, text: string): Promise<void> {
    await this.#wait(this.#paceMs / 4);
    await print(`   ${style(COLOURS[who], padEnd(who, WIDTH))} ${printable(text)}`);
  }

  /** When somebody has broken it off, nothing more is told: the process is about to end. */
  async #wait(ms: number): Promise<void> {
    await pause(ms, this.#signal);
    if (this.#signal.aborted) await new Promise<never>(() => {});
  }
}
