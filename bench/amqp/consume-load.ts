import type { Histogram } from '../../src/cli/bench/histogram.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { body, dueAt, publisher, STAMP_BYTES, sequence } from './body.ts';
import { AmqpConnection, type Delivered } from './connection.ts';
import { long, METHOD, octet, short, shortString, table } from './frames.ts';

/** Of so many messages one is compared byte by byte; of all others, the stamp and the size. */
const COMPARE_EVERY = 16;
/** A consumer's flag: messages count as acknowledged when they are sent. */
const NO_ACK = 2;

export interface ConsumeLoadOptions {
  readonly host: string;
  readonly port: number;
  /** Each gets a consumer of its own. */
  readonly queues: readonly string[];
  readonly messageBytes: number;
  readonly publishers: number;
  /** Of each consumer. */
  readonly prefetch: number;
  /** As `AmqpWork.ackEvery`. */
  readonly ackEvery: number;
  /** Where the time from a message being due to its coming goes. */
  readonly latency?: Histogram | undefined;
  readonly onDelivered?: ((publisher: number, sequence: number) => void) | undefined;
  /** What came with one read of the socket was consumed. */
  readonly onConsumed?: (() => void) | undefined;
  /**
   * How many are to be consumed by all loads that share this; what comes beyond is left alone, so that it returns to its
   * queue and comes again another time. Without, everything is to be consumed the first time that it comes.
   */
  readonly budget?: { left: number } | undefined;
  readonly onFailed: (error: Error) => void;
}

/** One connection that consumes from its queues and acknowledges, and sees to it that messages are as they were published. */
export class ConsumeLoad {
  /** Messages. */
  records = 0;
  /** Of their bodies. */
  bytes = 0;
  readonly #options: ConsumeLoadOptions;
  readonly #content: Buffer;
  /** What came last, by consumer and publisher: a queue keeps the order of each publisher. */
  readonly #last: Float64Array;
  #connection: AmqpConnection | undefined;
  readonly #acknowledgements: Acknowledgements;
  #now = 0;
  #unacknowledged = 0;
  #lastTag = 0;

  private constructor(options: ConsumeLoadOptions) {
    this.#options = options;
    this.#content = body(options.messageBytes);
    this.#last = new Float64Array(options.queues.length * options.publishers).fill(-1);
    this.#acknowledgements = new Acknowledgements(options.ackEvery > 1, (bytes, sent) =>
      this.#connection?.send(bytes, sent),
    );
  }

  /** Messages come after `start`. */
  static async open(options: ConsumeLoadOptions): Promise<ConsumeLoad> {
    const load = new ConsumeLoad(options);
    load.#connection = await AmqpConnection.open({
      host: options.host,
      port: options.port,
      onBeforeRead: () => {
        load.#now = performance.now();
      },
      onMessage: (delivered, bytes, start, end) => load.#consumed(delivered, bytes, start, end),
      onRead: () => load.#read(),
      onLost: options.onFailed,
    });
    return load;
  }

  /** Resolves when the broker has all consumers. */
  async start(): Promise<void> {
    const { queues, prefetch, ackEvery } = this.#options;
    const size = long(0);
    // With RabbitMQ, each consumer's rather than the whole channel's.
    const global = octet(0);
    await this.#call(METHOD.basicQos, METHOD.basicQosOk, size, short(prefetch), global);
    const consumed = queues.map((queue, index) =>
      this.#call(
        METHOD.basicConsume,
        METHOD.basicConsumeOk,
        short(0),
        shortString(queue),
        shortString(String(index)),
        octet(ackEvery === 0 ? NO_ACK : 0),
        table({}),
      ),
    );
    await Promise.all(consumed);
  }

  /**
   * Ends the consumers, and gives back what the broker takes for unacknowledged. Resolves when the broker has done so: a
   * message that is in a queue then was not acknowledged, whatever was sent.
   */
  async finish(): Promise<void> {
    if (this.#unacknowledged > 0) this.#acknowledge(this.#lastTag);
    this.#acknowledgements.flush();
    const cancelled = this.#options.queues.map((_, index) =>
      this.#call(METHOD.basicCancel, METHOD.basicCancelOk, shortString(String(index)), octet(0)),
    );
    await Promise.all(cancelled);
    const requeue = octet(1);
    await this.#call(METHOD.basicRecover, METHOD.basicRecoverOk, requeue);
  }

  close(): void {
    this.#connection?.end();
  }

  async #call(method: number, answer: number, ...fields: readonly Buffer[]): Promise<void> {
    await this.#connection?.call(method, answer, ...fields);
  }

  #consumed({ consumer, deliveryTag, redelivered, size }: Delivered, bytes: Buffer, start: number, end: number): void {
    const { messageBytes, publishers, ackEvery, latency, onDelivered, budget } = this.#options;
    if (budget !== undefined && --budget.left < 0) {
      budget.left = 0;
      return;
    }
    const wrong = redelivered && budget === undefined;
    const [from, number] = [publisher(bytes, start), sequence(bytes, start)];
    const index = consumer * publishers + from;
    const last = this.#last[index];
    if (last === undefined || size !== messageBytes || wrong || number <= last)
      throw new Error(
        `consumer ${consumer}: message ${number} of publisher ${from}, ${size} bytes${redelivered ? ', redelivered' : ''}, ` +
          `came after message ${last}`,
      );
    this.#last[index] = number;
    if (this.records % COMPARE_EVERY === 0) {
      const differs = this.#content.compare(bytes, start + STAMP_BYTES, end, STAMP_BYTES, end - start) !== 0;
      if (differs) throw new Error(`consumer ${consumer}: message ${number} of publisher ${from} has other bytes`);
    }
    this.records++;
    this.bytes += size;
    latency?.record(this.#now - dueAt(bytes, start));
    onDelivered?.(from, number);
    if (ackEvery === 0) return;
    this.#lastTag = deliveryTag;
    if (++this.#unacknowledged >= ackEvery) this.#acknowledge(deliveryTag);
  }

  #acknowledge(deliveryTag: number): void {
    this.#acknowledgements.add(deliveryTag);
    this.#unacknowledged = 0;
  }

  #read(): void {
    this.#acknowledgements.flush();
    this.#options.onConsumed?.();
  }
}
