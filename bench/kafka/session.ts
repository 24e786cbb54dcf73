import { setTimeout as delay } from 'node:timers/promises';
import { findTopic, KafkaClient, latestOffsets, type Topic } from '../../src/client/index.ts';
import { BrokerError } from '../../src/errors.ts';
import { fetch } from '../../src/protocols/kafka/codec/apis/fetch.ts';
import { produce } from '../../src/protocols/kafka/codec/apis/produce.ts';
import { BrokerRun } from '../broker-run.ts';
import type { Peer } from '../peers/peer.ts';
import { type BatchTemplate, batchTemplate } from './batch-template.ts';
import { type ConsumedRange, ConsumeLoad, type ConsumeLoadOptions } from './consume-load.ts';
import { FETCH_VERSION } from './fetch-requests.ts';
import { PRODUCE_VERSION, ProduceLoad, type ProduceLoadOptions } from './produce-load.ts';
import { TransactionLoad, type TransactionLoadOptions } from './transaction-load.ts';
import { beginProducer } from './transactional-producer.ts';
import type { Work } from './work.ts';

const TOPIC = 'bench';
/** What fills a topic is written in large batches under way together, whatever is measured then. */
const FILL_IN_FLIGHT = 8;
const LEADER_TRIES = 600;
const LEADER_WAIT_MS = 100;
const LATE_TRIES = 100;
const LATE_WAIT_MS = 100;

type SessionWork = Pick<Work, 'partitions' | 'connections' | 'recordBytes' | 'batchBytes' | 'compression'>;

/** One broker with one topic, as a bench uses it. */
export class Session {
  readonly run: BrokerRun;
  readonly #work: SessionWork;
  #templates: readonly BatchTemplate[] | undefined;

  private constructor(run: BrokerRun, work: SessionWork) {
    this.run = run;
    this.#work = work;
  }

  /** Does something with a broker that has an empty topic; the broker is stopped in the end. */
  static use<T>(peer: Peer, directory: string, work: SessionWork, body: (session: Session) => Promise<T>): Promise<T> {
    return BrokerRun.use(peer, directory, async (run) => {
      const session = new Session(run, work);
      await session.withClient((client) => session.#createTopic(client));
      return body(session);
    });
  }

  /** What is produced: a batch of each partition. */
  get templates(): readonly BatchTemplate[] {
    const { partitions } = this.#work;
    this.#templates ??= Array.from({ length: partitions }, (_, partition) => batchTemplate(partition, this.#work));
    return this.#templates;
  }

  /** Loads over the session's partitions, each on a connection of its own; not started. */
  async produceLoads(
    options: Pick<
      ProduceLoadOptions,
      'acks' | 'inFlight' | 'batchesPerSecond' | 'latency' | 'onAcknowledged' | 'onSent'
    >,
  ): Promise<ProduceLoad[]> {
    return this.run.open(this.#dealt(this.templates), (templates) =>
      ProduceLoad.open({ ...options, ...this.common, templates, maxBatches: Number.POSITIVE_INFINITY }),
    );
  }

  async consumeLoads(
    ranges: readonly ConsumedRange[],
    options: Pick<ConsumeLoadOptions, 'fetchBytes' | 'fetchSessions' | 'latency' | 'onBatch' | 'onConsumed'>,
  ): Promise<ConsumeLoad[]> {
    return this.run.open(this.#dealt(ranges), (dealt) =>
      ConsumeLoad.open({ ...options, ...this.common, ranges: dealt }),
    );
  }

  /** Loads that each have a transactional id, and all partitions; not started. */
  async transactionLoads(
    options: Pick<TransactionLoadOptions, 'protocol' | 'recordsOf' | 'recordBytes' | 'latency'>,
  ): Promise<TransactionLoad[]> {
    const ids = Array.from({ length: this.#work.connections }, (_, index) => `bench-${index}`);
    const producers = await this.withClient((client) => Promise.all(ids.map((id) => beginProducer(client, id))));
    return this.run.open(producers, (producer) => TransactionLoad.open({ ...options, ...this.common, producer }));
  }

  /** Writes so many bytes, in whole batches, as many to each partition. Answers how many batches each has. */
  async fill(bytes: number): Promise<number> {
    const rounds = Math.max(Math.round(bytes / this.templates.reduce((sum, each) => sum + each.bytes.length, 0)), 1);
    const loads = await this.run.open(this.#dealt(this.templates), (templates) =>
      ProduceLoad.open({
        ...this.common,
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

  /** As `expectOffsets`, of partitions that get the last of it from the broker itself, a little later. */
  async comeToOffsets(expected: ReadonlyMap<number, number>): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.expectOffsets(expected);
      } catch (error) {
        if (tries === LATE_TRIES) throw error;
        await delay(LATE_WAIT_MS);
      }
    }
  }

  async expectOffsets(expected: ReadonlyMap<number, number>): Promise<void> {
    const found = await this.withClient((client) => latestOffsets(client, TOPIC, [...expected.keys()]));
    for (const [partition, offset] of expected) {
      if (found.get(partition) !== offset)
        throw new Error(`partition ${partition} ends at ${found.get(partition)}; ${offset} records were acknowledged`);
    }
  }

  /** What every load is told. */
  get common() {
    return { ...this.run.broker.address, topic: TOPIC, onFailed: this.run.fail };
  }

  /** By connection. */
  #dealt<T>(parts: readonly T[]): T[][] {
    const { connections } = this.#work;
    return Array.from({ length: connections }, (_, connection) =>
      parts.filter((_part, index) => index % connections === connection),
    );
  }

  /** For what is not measured. */
  async withClient<T>(body: (client: KafkaClient) => Promise<T>): Promise<T> {
    const client = await KafkaClient.connect(this.run.broker.address);
    try {
      return await body(client);
    } finally {
      await client.close();
    }
  }

  async #createTopic(client: KafkaClient): Promise<void> {
    const { partitions } = this.#work;
    for (const [api, version] of [
      [produce, PRODUCE_VERSION],
      [fetch, FETCH_VERSION],
    ] as const)
      if (!client.supports(api, version)) throw new Error(`the broker does not do ${api.name} v${version}`);
    const topic = await findTopic(client, TOPIC, true);
    if (topic.partitions.length !== partitions)
      throw new Error(`the topic has ${topic.partitions.length} partitions, ${partitions} are wanted`);
    await isLed(client, topic);
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
      const isLost = error instanceof BrokerError && error.code === 'closed';
      if (isLost || tries === LEADER_TRIES) throw error;
      await delay(LEADER_WAIT_MS);
    }
  }
}
