import { type Channel, type ConfirmChannel, type ConsumeMessage, connect } from 'amqplib';
import type { SeededRandom } from '../../src/environment/seeded-random.ts';
import { isLoss, nameOf } from './amqp-publisher.ts';

const PREFETCH = 100;
const RECONNECT_MS = 10;
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
  #current: { readonly channel: Channel; readonly session: Session } | undefined;

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
    while (!this.#stopping) {
      try {
        await this.#session();
      } catch (error) {
        if (!isLoss(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
      }
      if (this.#failure !== undefined) throw this.#failure;
    }
  }

  /** From now on everything is acknowledged at once. */
  drain(): void {
    this.#draining = true;
    if (this.#current === undefined) return;
    const { channel, session } = this.#current;
    session.held.length = 0;
    session.outstanding.clear();
    channel.nackAll(true);
  }

  stop(): void {
    this.#stopping = true;
  }

  async #session(): Promise<void> {
    const connection = await connect(this.#url());
    let closed = false;
    connection.on('error', () => {});
    connection.on('close', () => {
      closed = true;
      this.#current = undefined;
    });
    const [channel, marks] = [await connection.createChannel(), await connection.createConfirmChannel()];
    for (const each of [channel, marks]) each.on('error', () => {});
    await marks.assertQueue(MARKERS, { arguments: { 'x-max-length': 1 } });
    await channel.prefetch(PREFETCH);
    const session = new Session(this.#queue, this.#ordered);
    this.#current = { channel, session };
    await channel.consume(this.#queue, (message) => {
      if (message !== null && this.#failure === undefined) this.#take(message, channel, marks, session);
    });
    while (!closed && !this.#stopping && this.#failure === undefined)
      await new Promise((resolve) => setTimeout(resolve, 5));
    if (!closed) await connection.close();
  }

  #take(message: ConsumeMessage, channel: Channel, marks: ConfirmChannel, session: Session): void {
    const { publisher, number } = nameOf(message.content);
    const name = `${publisher} ${number}`;
    this.#failure ??= session.check(publisher, number, message.fields.redelivered);
    if (this.#safe.has(name)) this.#failure ??= new Error(`${this.#queue}: '${name}' came back`);
    if (this.done.has(name)) this.repeated++;
    const chance = this.#draining ? 0 : this.#random.below(100);
    if (chance < 70) {
      channel.ack(message);
      this.#acknowledged(session, name);
    } else if (chance < 75) {
      session.outstanding.delete(name);
      channel.nack(message);
    } else if (chance < 85 && this.#rejects) {
      // When it moves to the dead letters depends on when it has been read.
      channel.reject(message, false);
    } else if (chance < 88) {
      // With all before it that nothing was said of.
      channel.ack(message, true);
      this.#acknowledged(session, ...session.held.splice(0), name);
    } else {
      session.held.push(name);
    }
    if (session.acknowledged.length < MARK_EVERY) return;
    const before = session.acknowledged.splice(0);
    marks.sendToQueue(MARKERS, Buffer.from('mark'), { persistent: true }, (error) => {
      if (error === null) for (const each of before) this.#safe.add(each);
    });
  }

  #acknowledged(session: Session, ...names: readonly string[]): void {
    session.acknowledged.push(...names);
    for (const name of names) this.done.add(name);
  }
}

/** What a consumer saw over one connection. */
class Session {
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
