import type { Histogram } from '../../src/cli/bench/histogram.ts';
import { Schedule } from '../schedule.ts';
import { body, stamp, stampPublisher } from './body.ts';
import { AmqpConnection, CHANNEL } from './connection.ts';
import { METHOD, octet, publishFrames } from './frames.ts';
import { Unreleased } from './unreleased.ts';

const PACE_MS = 1;
/** Slots per message of the window: what is confirmed out of order does not stop what comes after it. */
const SLOTS_PER_MESSAGE = 2;

export interface PublishLoadOptions {
  readonly host: string;
  readonly port: number;
  /** Which of the publishers this is. */
  readonly publisher: number;
  /** '' publishes to queues by their names. */
  readonly exchange: string;
  /** Take turns; of the same length each. */
  readonly routingKeys: readonly string[];
  readonly messageBytes: number;
  readonly persistent: boolean;
  /** Whether the broker is to confirm; otherwise, `release` says what was consumed. */
  readonly confirms: boolean;
  readonly window: number;
  /** Messages per second; Infinity to publish whenever the window has room. */
  readonly rate: number;
  /** The load stops by itself after so many. */
  readonly messages: number;
  /** Where the time from a message being due to its confirm goes. */
  readonly confirmLatency?: Histogram | undefined;
  readonly onFailed: (error: Error) => void;
}

/** One connection that publishes the same messages again and again, but for a stamp in each. */
export class PublishLoad {
  readonly #options: PublishLoadOptions;
  readonly #connection: AmqpConnection;
  readonly #unreleased: Unreleased;
  /** The messages, one behind the other. One is written over when it is released, and then it has long been sent. */
  readonly #bytes: Buffer;
  readonly #stride: number;
  readonly #bodyAt: number;
  readonly #dueAt: Float64Array;
  #schedule: Schedule | undefined;
  #pace: NodeJS.Timeout | undefined;
  #stopping = false;
  readonly #finished = Promise.withResolvers<void>();

  private constructor(options: PublishLoadOptions, connection: AmqpConnection) {
    this.#options = options;
    this.#connection = connection;
    const { routingKeys, window, exchange, persistent } = options;
    const rounds = Math.ceil((window * SLOTS_PER_MESSAGE) / routingKeys.length);
    this.#unreleased = new Unreleased(window, rounds * routingKeys.length);
    const content = body(options.messageBytes);
    stampPublisher(content, 0, options.publisher);
    const messages = routingKeys.map((routingKey) =>
      publishFrames(CHANNEL, connection.frameMax, { exchange, routingKey, persistent, body: content }),
    );
    const round = Buffer.concat(messages.map(({ bytes }) => bytes));
    this.#bytes = Buffer.concat(Array.from({ length: rounds }, () => round));
    this.#stride = round.length / routingKeys.length;
    this.#bodyAt = messages[0]?.bodyAt ?? 0;
    this.#dueAt = new Float64Array(this.#unreleased.slots);
  }

  static async open(options: PublishLoadOptions): Promise<PublishLoad> {
    // Confirms come only after something was published, and by then there is a load.
    let load: PublishLoad | undefined;
    let now = 0;
    const connection = await AmqpConnection.open({
      host: options.host,
      port: options.port,
      onBeforeRead: () => {
        now = performance.now();
      },
      onConfirm: (tag, multiple) => {
        if (load !== undefined) load.#confirmed(tag, multiple, now);
      },
      onRead: () => load?.publish(),
      onLost: options.onFailed,
    });
    if (options.confirms) await connection.call(METHOD.confirmSelect, METHOD.confirmSelectOk, octet(0));
    load = new PublishLoad(options, connection);
    return load;
  }

  /** How many were published. */
  get published(): number {
    return this.#unreleased.taken;
  }

  /** How many of them were confirmed or, without confirms, consumed. */
  get released(): number {
    return this.#unreleased.released;
  }

  start(): void {
    if (this.#options.rate !== Number.POSITIVE_INFINITY) {
      const schedule = new Schedule(this.#options.rate, performance.now());
      this.#schedule = schedule;
      this.#pace = setInterval(() => {
        schedule.tick(performance.now());
        this.publish();
      }, PACE_MS);
    }
    this.publish();
  }

  /** Publishes what is due and the window has room for. */
  publish(): void {
    const { messages } = this.#options;
    const unreleased = this.#unreleased;
    const first = unreleased.taken;
    const now = performance.now();
    while (!this.#stopping && unreleased.mayTake && unreleased.taken < messages) {
      const dueAt = this.#schedule === undefined ? now : this.#schedule.take();
      if (dueAt === undefined) break;
      const sequence = unreleased.taken;
      const slot = unreleased.take();
      this.#dueAt[slot] = dueAt;
      stamp(this.#bytes, slot * this.#stride + this.#bodyAt, dueAt, sequence);
    }
    this.#send(first, unreleased.taken);
    if (unreleased.taken >= messages) this.#stopping = true;
    this.#finishIfDone();
  }

  /** Of a message that is not confirmed: it was consumed. */
  release(sequence: number): void {
    this.#unreleased.release(sequence);
  }

  /** Publishes no more. Resolves when everything published is released; also of itself, after `messages`. */
  stop(): Promise<void> {
    this.#stopping = true;
    this.#finishIfDone();
    return this.#finished.promise;
  }

  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  close(): void {
    clearInterval(this.#pace);
    this.#connection.end();
  }

  #send(from: number, to: number): void {
    if (from === to) return;
    const { slots } = this.#unreleased;
    const [start, end] = [from % slots, ((to - 1) % slots) + 1];
    if (start < end) {
      this.#connection.send(this.#bytes.subarray(start * this.#stride, end * this.#stride));
    } else {
      this.#connection.send(this.#bytes.subarray(start * this.#stride));
      this.#connection.send(this.#bytes.subarray(0, end * this.#stride));
    }
  }

  /** Delivery tags count from 1. */
  #confirmed(tag: number, multiple: boolean, now: number): void {
    if (multiple) this.#unreleased.releaseUpTo(tag - 1, (sequence) => this.#recordConfirm(sequence, now));
    else {
      this.#recordConfirm(tag - 1, now);
      this.#unreleased.release(tag - 1);
    }
  }

  #recordConfirm(sequence: number, now: number): void {
    this.#options.confirmLatency?.record(now - (this.#dueAt[sequence % this.#unreleased.slots] ?? 0));
  }

  #finishIfDone(): void {
    if (!this.#stopping || this.#unreleased.released < this.#unreleased.taken) return;
    clearInterval(this.#pace);
    this.#finished.resolve();
  }
}
