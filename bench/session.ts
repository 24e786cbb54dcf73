import { setTimeout as delay } from 'node:timers/promises';
import { findTopic, KafkaClient, latestOffsets, type Topic } from '../src/client/index.ts';
import { fetch } from '../src/protocols/kafka/codec/apis/fetch.ts';
import { produce } from '../src/protocols/kafka/codec/apis/produce.ts';
import { type BatchTemplate, batchTemplate } from './batch-template.ts';
import type { BrokerProcess } from './broker-process.ts';
import { type ConsumedRange, ConsumeLoad, type ConsumeLoadOptions, FETCH_VERSION } from './consume-load.ts';
import type { Peer } from './peers/peer.ts';
import { PRODUCE_VERSION, ProduceLoad, type ProduceLoadOptions } from './produce-load.ts';
import type { Work } from './work.ts';

const TOPIC = 'bench';
/** What fills a topic is written in large batches under way together, whatever is measured then. */
const FILL_IN_FLIGHT = 8;
const LEADER_TRIES = 100;
const LEADER_WAIT_MS = 100;

/** One broker with one topic, as a bench uses it. */
export class Session {
  readonly #peer: Peer;
  readonly #directory: string;
  readonly templates: readonly BatchTemplate[];
  readonly #connections: number;
  #broker: BrokerProcess;
  readonly #failed = Promise.withResolvers<never>();
  readonly #loads: { close(): void }[] = [];

  private constructor(peer: Peer, directory: string, broker: BrokerProcess, work: Work) {
    this.#peer = peer;
    this.#directory = directory;
    this.#broker = broker;
    this.#connections = work.connections;
    this.templates = Array.from({ length: work.partitions }, (_, partition) =>
      batchTemplate(partition, work.recordBytes, work.batchBytes),
    );
    // Who does not wait for it at the moment need not know yet.
    this.#failed.promise.catch(() => {});
  }

  /** Does something with a broker that has an empty topic; the broker is stopped in the end. */
  static async use<T>(peer: Peer, directory: string, work: Work, body: (session: Session) => Promise<T>): Promise<T> {
    const session = new Session(peer, directory, await peer.start(directory), work);
    try {
      await session.#createTopic(work.partitions);
      const result = await Promise.race([body(session), session.#failed.promise]);
      session.#closeLoads();
      await session.#broker.stop();
      return result;
    } catch (error) {
      session.#closeLoads();
      await session.#broker.stop('SIGKILL');
      throw new Error(`${peer.name}: ${error instanceof Error ? error.message : error}\n${session.#broker.log}`, {
        cause: error,
      });
    }
  }

  get broker(): BrokerProcess {
    return this.#broker;
  }

  /** Resolves as the given promise does, unless a load fails before. */
  async orFailed<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#failed.promise]);
  }

  /** Loads over the session's partitions, each on a connection of its own; not started. */
  async produceLoads(
    options: Pick<
      ProduceLoadOptions,
      'acks' | 'inFlight' | 'batchesPerSecond' | 'latency' | 'onAcknowledged' | 'onSent'
    >,
  ): Promise<ProduceLoad[]> {
    return this.#open(this.#dealt(this.templates), (templates) =>
      ProduceLoad.open({ ...options, ...this.#common, templates, maxBatches: Number.POSITIVE_INFINITY }),
    );
  }

  async consumeLoads(
    ranges: readonly ConsumedRange[],
    options: Pick<ConsumeLoadOptions, 'fetchBytes' | 'latency' | 'onBatch' | 'onConsumed'>,
  ): Promise<ConsumeLoad[]> {
    return this.#open(this.#dealt(ranges), (dealt) => ConsumeLoad.open({ ...options, ...this.#common, ranges: dealt }));
  }

  /** Writes so many bytes, in whole batches, as many to each partition. Answers how many batches each has. */
  async fill(bytes: number): Promise<number> {
    const rounds = Math.max(Math.round(bytes / this.templates.reduce((sum, each) => sum + each.bytes.length, 0)), 1);
    const loads = await this.#open(this.#dealt(this.templates), (templates) =>
      ProduceLoad.open({
        ...this.#common,
        templates,
        acks: 'all',
        inFlight: FILL_IN_FLIGHT,
        batchesPerSecond: Number.POSITIVE_INFINITY,
        maxBatches: rounds * templates.length,
      }),
    );
    for (const load of loads) load.start();
    await this.orFailed(Promise.all(loads.map((load) => load.finished)));
    await this.checkOffsets(loads);
    for (const load of loads) load.close();
    return rounds;
  }

  /** Every partition must end where the acknowledgements say. */
  async checkOffsets(loads: readonly { readonly offsets: ReadonlyMap<number, number> }[]): Promise<void> {
    await this.expectOffsets(new Map(loads.flatMap(({ offsets }) => [...offsets])));
  }

  async expectOffsets(expected: ReadonlyMap<number, number>): Promise<void> {
    const client = await this.#connect();
    const found = await latestOffsets(client, TOPIC, [...expected.keys()]);
    await client.close();
    for (const [partition, offset] of expected) {
      if (found.get(partition) !== offset)
        throw new Error(`partition ${partition} ends at ${found.get(partition)}; ${offset} records were acknowledged`);
    }
  }

  /** Throws unless the broker can be restarted on its data. */
  mustBeDurable(): void {
    if (!this.#peer.durable) throw new Error(`${this.#peer.name} keeps nothing over a restart: use --storage disk`);
  }

  /** Stops the broker, or kills it, and starts it again on its data. */
  async restart(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    this.#closeLoads();
    await this.#broker.stop(signal);
    this.#broker = await this.#peer.start(this.#directory);
  }

  get #common() {
    return { ...this.#broker.address, topic: TOPIC, onFailed: (error: Error) => this.#failed.reject(error) };
  }

  async #open<T, Load extends { close(): void }>(
    dealt: readonly T[],
    open: (part: T) => Promise<Load>,
  ): Promise<Load[]> {
    const loads = await Promise.all(dealt.map(open));
    this.#loads.push(...loads);
    return loads;
  }

  #closeLoads(): void {
    for (const load of this.#loads.splice(0)) load.close();
  }

  /** By connection. */
  #dealt<T>(parts: readonly T[]): T[][] {
    return Array.from({ length: this.#connections }, (_, connection) =>
      parts.filter((_part, index) => index % this.#connections === connection),
    );
  }

  async #connect(): Promise<KafkaClient> {
    return KafkaClient.connect(this.#broker.address);
  }

  async #createTopic(partitions: number): Promise<void> {
    const client = await this.#connect();
    for (const [api, version] of [
      [produce, PRODUCE_VERSION],
      [fetch, FETCH_VERSION],
    ] as const)
      if (!client.supports(api, version)) throw new Error(`the broker does not do ${api.name} v${version}`);
    const topic = await findTopic(client, TOPIC, true);
    if (topic.partitions.length !== partitions)
      throw new Error(`the topic has ${topic.partitions.length} partitions, ${partitions} are wanted`);
    await isLed(client, topic);
    await client.close();
  }
}

/** A partition of a new topic may have no leader yet, who would be needed to say where it ends. */
async function isLed(client: KafkaClient, { name, partitions }: Topic): Promise<void> {
  const all = partitions.map(({ partition }) => partition);
  for (let tries = 1; ; tries++) {
    try {
      await latestOffsets(client, name, all);
      return;
    } catch (error) {
      if (tries === LEADER_TRIES) throw error;
      await delay(LEADER_WAIT_MS);
    }
  }
}
