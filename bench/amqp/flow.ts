import { setTimeout as delay } from 'node:timers/promises';
import { Histogram } from '../../src/cli/bench/histogram.ts';
import type { Measurement } from '../measurement.ts';
import type { Peer } from '../peers/peer.ts';
import { whileProgressing } from '../progress.ts';
import { type Counted, Window } from '../window.ts';
import type { ConsumeLoad } from './consume-load.ts';
import type { PublishLoad } from './publish-load.ts';
import { AmqpSession } from './session.ts';
import type { AmqpWork } from './work.ts';

/** Publishes and consumes at once. A message counts when every queue that it goes to has given it to its consumer. */
export function amqpFlow(bench: string, peer: Peer, directory: string, work: AmqpWork): Promise<Measurement> {
  return AmqpSession.use(peer, directory, work, async (session) => {
    await session.declare();
    const flow = await Flow.open(session, work);
    await flow.consume();
    const measurement = await flow.measure(bench);
    await flow.finish();
    return measurement;
  });
}

/** The loads of a session that publish and consume at once. */
export class Flow {
  readonly #session: AmqpSession;
  readonly #work: AmqpWork;
  readonly #latency = new Histogram();
  readonly #confirmLatency = new Histogram();
  #publishers: PublishLoad[] = [];
  #consumers: ConsumeLoad[] = [];
  /** Called back when something was consumed. */
  #onConsumed: (() => void) | undefined;

  private constructor(session: AmqpSession, work: AmqpWork) {
    this.#session = session;
    this.#work = work;
  }

  /** `consumers`: connections that consume, if not as many as publish. */
  static async open(session: AmqpSession, work: AmqpWork, consumers = work.connections): Promise<Flow> {
    const flow = new Flow(session, work);
    const released = work.confirms
      ? undefined
      : (publisher: number, sequence: number) => flow.#publishers[publisher]?.release(sequence);
    flow.#consumers = await session.consumeLoads(
      {
        latency: flow.#latency,
        onDelivered: released,
        onConsumed: () => {
          if (!work.confirms) for (const load of flow.#publishers) load.publish();
          flow.#onConsumed?.();
        },
      },
      consumers,
    );
    flow.#publishers = await session.publishLoads({
      messages: Number.POSITIVE_INFINITY,
      confirmLatency: work.confirms ? flow.#confirmLatency : undefined,
    });
    return flow;
  }

  /** Queues that a message goes to. */
  get #copies(): number {
    return this.#work.exchange === 'fanout' ? this.#work.queues : 1;
  }

  get #published(): number {
    return this.#publishers.reduce((sum, { published }) => sum + published, 0);
  }

  /** Messages that publishers need not wait for any more. */
  get #released(): number {
    return this.#publishers.reduce((sum, { released }) => sum + released, 0);
  }

  /** Messages, once for each queue. */
  get #consumed(): number {
    return this.#consumers.reduce((sum, { records }) => sum + records, 0);
  }

  /** Resolves when the broker has all consumers. */
  async consume(): Promise<void> {
    await this.#session.run.orFailed(Promise.all(this.#consumers.map((load) => load.start())));
  }

  /** Publishes from now on, and measures after a while. */
  async measure(bench: string): Promise<Measurement> {
    const { run } = this.#session;
    for (const load of this.#publishers) load.start();
    const { warmUpSeconds, seconds, messages, confirms } = this.#work;
    await run.orFailed(delay(warmUpSeconds * 1000));
    this.#latency.reset();
    this.#confirmLatency.reset();
    const flow = this;
    const counted: Counted = {
      get records() {
        return Math.floor(flow.#consumed / flow.#copies);
      },
      get bytes() {
        return this.records * flow.#work.messageBytes;
      },
    };
    const window = new Window(run.broker, [counted]);
    const enough = this.#until(() => window.records >= messages);
    await run.orFailed(Promise.race([delay(seconds * 1000), enough]));
    const waiting = this.#published - counted.records;
    const confirmLatency = confirms ? this.#confirmLatency : undefined;
    return { ...window.end({ bench, unit: 'messages', latency: this.#latency, confirmLatency }), waiting };
  }

  /** Waits until all that was published is confirmed, consumed and acknowledged, and makes sure of it. */
  async finish(): Promise<void> {
    const { run } = this.#session;
    const published = Promise.all(this.#publishers.map((load) => load.stop()));
    await run.orFailed(whileProgressing('messages confirmed', () => this.#released, published));
    const wanted = this.#published * this.#copies;
    const consumed = this.#until(() => this.#consumed >= wanted);
    await run.orFailed(whileProgressing(`messages consumed of ${wanted}`, () => this.#consumed, consumed));
    await run.orFailed(Promise.all(this.#consumers.map((load) => load.finish())));
    if (this.#consumed !== wanted) throw new Error(`${this.#consumed} messages came, ${wanted} were published`);
    await this.#session.expectWaiting(0);
  }

  /** Resolves when the condition holds after something was consumed, or holds already. */
  #until(condition: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = () => {
      if (condition()) resolve();
    };
    this.#onConsumed = check;
    check();
    return promise;
  }
}
