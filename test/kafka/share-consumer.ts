import { onTestFinished } from 'vitest';
import { createTopics } from '../../src/protocols/kafka/codec/apis/create-topics.ts';
import { incrementalAlterConfigs } from '../../src/protocols/kafka/codec/apis/incremental-alter-configs.ts';
import { metadata } from '../../src/protocols/kafka/codec/apis/metadata.ts';
import { produce } from '../../src/protocols/kafka/codec/apis/produce.ts';
import { shareAcknowledge } from '../../src/protocols/kafka/codec/apis/share-acknowledge.ts';
import { type ShareFetchRequest, shareFetch } from '../../src/protocols/kafka/codec/apis/share-fetch.ts';
import {
  type ShareGroupHeartbeatRequest,
  shareGroupHeartbeat,
} from '../../src/protocols/kafka/codec/apis/share-group-heartbeat.ts';
import { batchesIn, decodeRecords, encodeBatch } from '../../src/records/index.ts';
import { ask, RawClient } from './raw-client.ts';

export const ACCEPT = 1;
export const RELEASE = 2;
export const REJECT = 3;
export const RENEW = 4;

export interface Delivery {
  readonly partition: number;
  readonly offset: number;
  readonly value: string;
  readonly deliveryCount: number;
}

/** What a partition's records are said of: from the first to the last offset, one type for all. */
export type Verdict = readonly [partition: number, firstOffset: number, lastOffset: number, type: number];

export async function connectTo(address: string): Promise<RawClient> {
  const client = await RawClient.connect(Number(address.split(':')[1]));
  onTestFinished(() => client.destroy());
  return client;
}

/** A topic, by its id. */
export async function makeTopic(
  client: RawClient,
  name: string,
  numPartitions = 1,
  configs: readonly { readonly name: string; readonly value: string }[] = [],
): Promise<string> {
  const topic = { name, numPartitions, replicationFactor: 1, assignments: [], configs };
  await ask(client, createTopics, 5, { topics: [topic], timeoutMs: 1000, validateOnly: false });
  const { topics } = await ask(client, metadata, 12, { topics: [{ name }], allowAutoTopicCreation: false });
  return topics[0]?.topicId ?? '';
}

/** Each value is a batch of its own. */
export async function append(client: RawClient, name: string, values: readonly string[], partition = 0): Promise<void> {
  for (const value of values) {
    const records = encodeBatch({ records: [{ timestamp: 0, value: Buffer.from(value) }] });
    const topicData = [{ name, partitionData: [{ index: partition, records }] }];
    await ask(client, produce, 9, { transactionalId: null, acks: -1, timeoutMs: 1000, topicData });
  }
}

export async function configureGroup(
  client: RawClient,
  groupId: string,
  configs: Readonly<Record<string, string>>,
): Promise<void> {
  const set = Object.entries(configs).map(([name, value]) => ({ name, value, configOperation: 0 }));
  const resources = [{ resourceType: 32, resourceName: groupId, configs: set }];
  const { responses } = await ask(client, incrementalAlterConfigs, 1, { resources, validateOnly: false });
  if (responses[0]?.errorCode !== 0) throw new Error(`${groupId}: ${responses[0]?.errorMessage}`);
}

/** A member of a share group, request by request, over a connection of its own. */
export class ShareConsumer {
  readonly client: RawClient;
  readonly groupId: string;
  readonly memberId: string;
  readonly topicId: string;
  sessionEpoch = 0;

  constructor(
    client: RawClient,
    { groupId = 'g', memberId, topicId }: { groupId?: string; memberId: string; topicId: string },
  ) {
    this.client = client;
    this.groupId = groupId;
    this.memberId = memberId;
    this.topicId = topicId;
  }

  static async join(
    address: string,
    topic: { readonly name: string; readonly topicId: string },
    memberId = 'm',
    groupId = 'g',
  ): Promise<ShareConsumer> {
    const consumer = new ShareConsumer(await connectTo(address), { groupId, memberId, topicId: topic.topicId });
    const { errorCode } = await consumer.heartbeat({ memberEpoch: 0, subscribedTopicNames: [topic.name] });
    if (errorCode !== 0) throw new Error(`${memberId} cannot join: ${errorCode}`);
    return consumer;
  }

  heartbeat(request: Partial<ShareGroupHeartbeatRequest>) {
    const { groupId, memberId } = this;
    return ask(this.client, shareGroupHeartbeat, 1, { groupId, memberId, memberEpoch: 0, ...request });
  }

  /** One request of the session; the partitions are told in the first one, and those with verdicts. */
  async fetch(
    {
      verdicts = [],
      partitions = this.sessionEpoch === 0 ? [0] : [],
      ...request
    }: Partial<ShareFetchRequest> & { verdicts?: readonly Verdict[]; partitions?: readonly number[] } = {},
    version = 2,
  ) {
    const { groupId, memberId, sessionEpoch: shareSessionEpoch } = this;
    const answer = await ask(this.client, shareFetch, version, {
      ...{ groupId, memberId, shareSessionEpoch, maxWaitMs: 0, minBytes: 1, maxBytes: 1_000_000 },
      ...{ maxRecords: 500, batchSize: 500, shareAcquireMode: 0, isRenewAck: false },
      topics: this.#topics(partitions, verdicts),
      forgottenTopicsData: [],
      ...request,
    });
    this.#asked(answer.errorCode);
    return answer;
  }

  /** What a fetch brings. */
  async deliveries(...args: Parameters<ShareConsumer['fetch']>): Promise<Delivery[]> {
    return deliveriesOf(await this.fetch(...args));
  }

  async acknowledge(verdicts: readonly Verdict[], { isRenewAck = false, epoch = this.sessionEpoch } = {}, version = 2) {
    const { groupId, memberId } = this;
    const topics = this.#topics([], verdicts);
    const answer = await ask(this.client, shareAcknowledge, version, {
      ...{ groupId, memberId, shareSessionEpoch: epoch, isRenewAck, topics },
    });
    this.#asked(answer.errorCode);
    return answer;
  }

  #asked(errorCode: number): void {
    if (errorCode === 0) this.sessionEpoch++;
  }

  #topics(partitions: readonly number[], verdicts: readonly Verdict[]) {
    const asked = [...new Set([...partitions, ...verdicts.map(([partition]) => partition)])];
    if (asked.length === 0) return [];
    const of = (index: number) =>
      verdicts
        .filter(([partition]) => partition === index)
        .map(([, firstOffset, lastOffset, type]) => ({ firstOffset, lastOffset, acknowledgeTypes: [type] }));
    const all = asked.map((partitionIndex) => ({ partitionIndex, acknowledgementBatches: of(partitionIndex) }));
    return [{ topicId: this.topicId, partitions: all }];
  }
}

/** Of all that an answer carries, what was acquired. */
export function deliveriesOf({ responses }: Awaited<ReturnType<ShareConsumer['fetch']>>): Delivery[] {
  return responses.flatMap(({ partitions }) =>
    partitions.flatMap(({ partitionIndex: partition, records, acquiredRecords }) =>
      [...batchesIn(records)].flatMap(({ bytes }) =>
        decodeRecords(bytes).flatMap(({ offset, value }) => {
          const range = acquiredRecords.find((each) => each.firstOffset <= offset && offset <= each.lastOffset);
          if (range === undefined) return [];
          return [{ partition, offset, value: String(value), deliveryCount: range.deliveryCount }];
        }),
      ),
    ),
  );
}

/** The errors of the partitions of an answer, fetching's and acknowledging's. */
export function errorsOf({ responses }: Awaited<ReturnType<ShareConsumer['fetch']>>): [number, number][] {
  return responses.flatMap(({ partitions }) =>
    partitions.map(({ errorCode, acknowledgeErrorCode }): [number, number] => [errorCode, acknowledgeErrorCode]),
  );
}
