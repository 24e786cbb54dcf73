import type { Channel, ConfirmChannel, ConsumeMessage } from 'amqplib';
import type { SeededRandom } from '../../src/environment/seeded-random.ts';
import { nameOf } from './amqp-publisher.ts';
import { type Session, sessions } from './amqp-session.ts';

const PREFETCH = 100;
/** Messages that are acknowledged between two markers. */
const MARK_EVERY = 20;

/** Where the markers go. */
const MARKERS = 'markers';

/**
 * Consumes one queue over one connection at a time: acknowledges most messages, some of them together, gives some back and,
 * if told to, rejects some. After some acknowledgements it publishes a marker on the same connection: when the marker is
 * confirmed, they are safe, and must not come back whatever happens. Throws when something does not add up.
 */
export class VerifiedConsumer {
  /** Messages that were acknowledged at some time, as `PUBLISHER NUMBER`. */
  readonly done = new Set<string>();
  /** Deliveries of messages that were acknowledged before. */
  repeated = 0;
  readonly #queue: string;
  readonly #rejects: boolean;
  readonly #ordered: boolean;
  readonly #random: SeededRandom;
  readonly #url: () => string;
  /** Those of which a marker says so. */
  readonly #safe = new Set<string>();
  #draining = false;
  #stopping = false;
  #failure: Error | undefined;
  #current: { readonly channel: Channel; readonly seen: Seen } | undefined;

  /** `ordered`: messages of one publisher come in their order, but for those that are delivered again. */
  constructor(
    queue: string,
    { rejects, ordered }: { readonly rejects: boolean; readonly ordered: boolean },
    random: SeededRandom,
    url: () => string,
  ) {
    this.#queue = queue;
    this.#rejects = rejects;
    this.#ordered = ordered;
    this.#random = random;
    this.#url = url;
  }

  async run(): Promise<void> {
    await sessions(
      this.#url,
      () => this.#isOver,
      (session) => this.#session(session),
    );
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** From now on everything is acknowledged at once. */
  drain(): void {
    this.#draining = true;
    if (this.#current === undefined) return;
    const { channel, seen } = this.#current;
    seen.held.length = 0;
    seen.outstanding.clear();
    channel.nackAll(true);
  }

  stop(): void {
    this.#stopping = true;
  }

  get #isOver(): boolean {
    return this.#stopping || this.#failure !== undefined;
  }

  async #session(session: Session): Promise<void> {
    const { connection } = session;
    connection.on('close', () => {
      this.#current = undefined;
    });
    const [channel, marks] = [await connection.createChannel(), await connection.createConfirmChannel()];
    for (const each of [channel, marks]) each.on('error', () => {});
    await marks.assertQueue(MARKERS, { arguments: { 'x-max-length': 1 } });
    await channel.prefetch(PREFETCH);
    const seen = new Seen(this.#queue, this.#ordered);
    this.#current = { channel, seen };
    await channel.consume(this.#queue, (message) => {
      if (message !== null && this.#failure === undefined) this.#take(message, channel, marks, seen);
    });
    while (!session.closed && !this.#isOver) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  #take(message: ConsumeMessage, channel: Channel, marks: ConfirmChannel, seen: Seen): void {
    const { publisher, number } = nameOf(message.content);
    const name = `${publisher} ${number}`;
    this.#failure ??= seen.check(publisher, number, message.fields.redelivered);
    if (this.#safe.has(name)) this.#failure ??= new Error(`${this.#queue}: '${name}' came back`);
    if (this.done.has(name)) this.repeated++;
    const chance = this.#draining ? 0 : this.#random.below(100);
    if (chance < 70) {
      channel.ack(message);
      this.#acknowledged(seen, name);
    } else if (chance < 75) {
      seen.outstanding.delete(name);
      channel.nack(message);
    } else if (chance < 85 && this.#rejects) {
      // When it moves to the dead letters depends on when it has been read.
      channel.reject(message, false);
    } else if (chance < 88) {
      // With all before it that nothing was said of.
      channel.ack(message, true);
      this.#acknowledged(seen, ...seen.held.splice(0), name);
    } else {
      seen.held.push(name);
    }
    if (seen.acknowledged.length < MARK_EVERY) return;
    const before = seen.acknowledged.splice(0);
    marks.sendToQueue(MARKERS, Buffer.from('mark'), { persistent: true }, (error) => {
      if (error === null) for (const each of before) this.#safe.add(each);
    });
  }

  #acknowledged(seen: Seen, ...names: readonly string[]): void {
    seen.acknowledged.push(...names);
    for (const name of names) this.done.add(name);
  }
}

/** What a consumer saw over one connection. */
class Seen {
  /** Since the last marker. */
  readonly acknowledged: string[] = [];
  /** Neither acknowledged nor given back. */
  readonly held: string[] = [];
  readonly outstanding = new Set<string>();
  readonly #last = new Map<string, number>();
  readonly #queue: string;
  readonly #ordered: boolean;

  constructor(queue: string, ordered: boolean) {
    this.#queue = queue;
    this.#ordered = ordered;
  }

  check(publisher: string, number: number, redelivered: boolean): Error | undefined {
    const name = `${publisher} ${number}`;
    if (this.outstanding.has(name)) return new Error(`${this.#queue}: '${name}' came twice on one connection`);
    this.outstanding.add(name);
    if (redelivered || !this.#ordered) return undefined;
    const last = this.#last.get(publisher) ?? -1;
    this.#last.set(publisher, number);
    if (number > last) return undefined;
    return new Error(`${this.#queue}: '${name}' came after '${publisher} ${last}'`);
  }
}
