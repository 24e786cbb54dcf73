import { setTimeout as delay } from 'node:timers/promises';
import { findTopic, KafkaClient, latestOffsets, type Topic } from '../../src/client/index.ts';
import { fetch } from '../../src/protocols/kafka/codec/apis/fetch.ts';
import { produce } from '../../src/protocols/kafka/codec/apis/produce.ts';
import { BrokerRun } from '../broker-run.ts';
import type { Peer } from '../peers/peer.ts';
import { type BatchTemplate, batchTemplate } from './batch-template.ts';
import { type ConsumedRange, ConsumeLoad, type ConsumeLoadOptions } from './consume-load.ts';
import { FETCH_VERSION } from './fetch-requests.ts';
import { PRODUCE_VERSION, ProduceLoad, type ProduceLoadOptions } from './produce-load.ts';
import type { Work } from './work.ts';

const TOPIC = 'bench';
/** What fills a topic is written in large batches under way together, whatever is measured then. */
const FILL_IN_FLIGHT = 8;
const LEADER_TRIES = 100;
const LEADER_WAIT_MS = 100;

/** One broker with one topic, as a bench uses it. */
export class Session {
  readonly run: BrokerRun;
  readonly templates: readonly BatchTemplate[];
  readonly #connections: number;

  private constructor(run: BrokerRun, work: Work) {
    this.run = run;
    this.#connections = work.connections;
    this.templates = Array.from({ length: work.partitions }, (_, partition) => batchTemplate(partition, work));
  }

  /** Does something with a broker that has an empty topic; the broker is stopped in the end. */
  static use<T>(peer: Peer, directory: string, work: Work, body: (session: Session) => Promise<T>): Promise<T> {
    return BrokerRun.use(peer, directory, async (run) => {
      const session = new Session(run, work);
      await session.#createTopic(work.partitions);
      return body(session);
    });
  }

  /** Loads over the session's partitions, each on a connection of its own; not started. */
  async produceLoads(
    options: Pick<
      ProduceLoadOptions,
      'acks' | 'inFlight' | 'batchesPerSecond' | 'latency' | 'onAcknowledged' | 'onSent'
    >,
  ): Promise<ProduceLoad[]> {
    return this.run.open(this.#dealt(this.templates), (templates) =>
      ProduceLoad.open({ ...options, ...this.#common, templates, maxBatches: Number.POSITIVE_INFINITY }),
    );
  }

  async consumeLoads(
    ranges: readonly ConsumedRange[],
    options: Pick<ConsumeLoadOptions, 'fetchBytes' | 'fetchSessions' | 'latency' | 'onBatch' | 'onConsumed'>,
  ): Promise<ConsumeLoad[]> {
    return this.run.open(this.#dealt(ranges), (dealt) =>
      ConsumeLoad.open({ ...options, ...this.#common, ranges: dealt }),
    );
  }

  /** Writes so many bytes, in whole batches, as many to each partition. Answers how many batches each has. */
  async fill(bytes: number): Promise<number> {
    const rounds = Math.max(Math.round(bytes / this.templates.reduce((sum, each) => sum + each.bytes.length, 0)), 1);
    const loads = await this.run.open(this.#dealt(this.templates), (templates) =>
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
    await this.run.orFailed(Promise.all(loads.map((load) => load.finished)));
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

  get #common() {
    return { ...this.run.broker.address, topic: TOPIC, onFailed: this.run.fail };
  }

  /** By connection. */
  #dealt<T>(parts: readonly T[]): T[][] {
    return Array.from({ length: this.#connections }, (_, connection) =>
      parts.filter((_part, index) => index % this.#connections === connection),
    );
  }

  async #connect(): Promise<KafkaClient> {
    return KafkaClient.connect(this.run.broker.address);
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
