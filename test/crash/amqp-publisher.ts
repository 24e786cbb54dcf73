import type { ConfirmChannel } from 'amqplib';
import type { SeededRandom } from '../../src/environment/seeded-random.ts';
import { type Session, sessions } from './amqp-session.ts';

/** Messages that may be unconfirmed at a time. */
const WINDOW = 200;

/** What a message says of itself. */
export interface MessageName {
  readonly publisher: string;
  /** Counts up from 0 for each publisher. */
  readonly number: number;
  readonly key: string;
}

export function nameOf(content: Buffer): MessageName {
  const [publisher = '', number = '', key = ''] = content.toString('latin1', 0, content.indexOf('\n')).split(' ');
  return { publisher, number: Number(number), key };
}

/** Publishes persistent messages with confirms, each of them once, over one connection at a time, and takes note of what is confirmed. */
export class VerifiedPublisher {
  /** In no particular order. */
  readonly confirmed: MessageName[] = [];
  readonly #name: string;
  readonly #exchange: string;
  readonly #keys: readonly string[];
  readonly #random: SeededRandom;
  readonly #url: () => string;
  #count = 0;
  #unconfirmed = 0;
  #stopping = false;

  /** Goes by one of the keys with each message; `url` says where the broker is now. */
  constructor(name: string, exchange: string, keys: readonly string[], random: SeededRandom, url: () => string) {
    this.#name = name;
    this.#exchange = exchange;
    this.#keys = keys;
    this.#random = random;
    this.#url = url;
  }

  /** Publishes until `stop` is called and everything is confirmed or lost. */
  run(): Promise<void> {
    return sessions(
      this.#url,
      () => this.#stopping,
      (session) => this.#session(session),
    );
  }

  stop(): void {
    this.#stopping = true;
  }

  async #session(session: Session): Promise<void> {
    const channel = await session.connection.createConfirmChannel();
    channel.on('error', () => {});
    this.#unconfirmed = 0;
    while (!session.closed && !this.#stopping) {
      while (this.#unconfirmed < WINDOW && !session.closed) this.#publish(channel);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    if (!session.closed) await channel.waitForConfirms();
  }

  #publish(channel: ConfirmChannel): void {
    const random = this.#random;
    const key = this.#keys[random.below(this.#keys.length)] ?? '';
    const message: MessageName = { publisher: this.#name, number: this.#count++, key };
    const padding = random.bytes(random.chance(0.02) ? random.below(300_000) : random.below(2_000));
    const content = Buffer.concat([Buffer.from(`${message.publisher} ${message.number} ${key}\n`), padding]);
    this.#unconfirmed++;
    channel.publish(this.#exchange, key, content, { persistent: true }, (error) => {
      this.#unconfirmed--;
      // What was not confirmed when the connection was lost may be there or not.
      if (error === null) this.confirmed.push(message);
    });
  }
}
