import { expect, test } from 'vitest';
import { KafkaClient } from '../../src/client/index.ts';
import { createBroker } from '../../src/index.ts';
import { createTopics } from '../../src/protocols/kafka/codec/apis/create-topics.ts';
import { fetch } from '../../src/protocols/kafka/codec/apis/fetch.ts';
import { listOffsets } from '../../src/protocols/kafka/codec/apis/list-offsets.ts';
import { metadata } from '../../src/protocols/kafka/codec/apis/metadata.ts';
import { offsetForLeaderEpoch } from '../../src/protocols/kafka/codec/apis/offset-for-leader-epoch.ts';
import { produce } from '../../src/protocols/kafka/codec/apis/produce.ts';
import { KafkaError } from '../../src/protocols/kafka/codec/error-codes.ts';
import { encodeBatch } from '../../src/records/index.ts';
import { temporaryDirectory } from './fixture.ts';

// By the epoch of what it read last a consumer learns that the log was cut back behind it, and where to (KIP-320).

const TOPIC = 't';

async function withBroker<T>(directory: string, act: (client: KafkaClient) => Promise<T>): Promise<T> {
  const broker = await createBroker({ storage: 'disk', directory, listeners: ['kafka://127.0.0.1:0'] });
  const client = await KafkaClient.connect({ host: '127.0.0.1', port: broker.listeners[0]?.port ?? 0 });
  try {
    return await act(client);
  } finally {
    await client.close();
    await broker.close();
  }
}

async function append(client: KafkaClient, count: number): Promise<void> {
  const records = Array.from({ length: count }, () => ({ value: Buffer.from('v') }));
  const topicData = [{ name: TOPIC, partitionData: [{ index: 0, records: encodeBatch({ records, timestamp: 1 }) }] }];
  const { responses } = await client.request(produce, { acks: -1, timeoutMs: 5_000, topicData }, { maxVersion: 12 });
  expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(KafkaError.NONE);
}

async function currentEpoch(client: KafkaClient): Promise<number> {
  const { topics } = await client.request(metadata, { topics: [{ name: TOPIC }] }, { maxVersion: 9 });
  return topics[0]?.partitions[0]?.leaderEpoch ?? -1;
}

async function endOf(client: KafkaClient, leaderEpoch: number, currentLeaderEpoch = -1) {
  const partitions = [{ partition: 0, currentLeaderEpoch, leaderEpoch }];
  const { topics } = await client.request(offsetForLeaderEpoch, {
    replicaId: -1,
    topics: [{ topic: TOPIC, partitions }],
  });
  return topics[0]?.partitions[0];
}

async function read(client: KafkaClient, fetchOffset: number, lastFetchedEpoch: number, currentLeaderEpoch = -1) {
  const partitions = [{ partition: 0, fetchOffset, lastFetchedEpoch, currentLeaderEpoch, partitionMaxBytes: 1_000 }];
  const body = { maxWaitMs: 0, minBytes: 0, topics: [{ topic: TOPIC, partitions }] };
  const { responses } = await client.request(fetch, body, { maxVersion: 12 });
  return responses[0]?.partitions[0];
}

test('each start is an epoch, and a consumer is told where the one ended that it goes by', async () => {
  const directory = await temporaryDirectory();
  const first = await withBroker(directory, async (client) => {
    const topic = { name: TOPIC, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] };
    await client.request(createTopics, { topics: [topic], timeoutMs: 5_000 });
    await append(client, 3);
    return currentEpoch(client);
  });
  await withBroker(directory, async (client) => {
    const second = await currentEpoch(client);
    expect(second).toBeGreaterThan(first);
    await append(client, 2);

    expect(await endOf(client, first)).toMatchObject({ errorCode: KafkaError.NONE, leaderEpoch: first, endOffset: 3 });
    expect(await endOf(client, second)).toMatchObject({ leaderEpoch: second, endOffset: 5 });
    const topics = [{ name: TOPIC, partitions: [{ partitionIndex: 0, timestamp: -2 }] }];
    const earliest = await client.request(listOffsets, { replicaId: -1, topics }, { maxVersion: 6 });
    expect(earliest.topics[0]?.partitions[0]).toMatchObject({ offset: 0, leaderEpoch: first });

    // It read four records in the first epoch, of which three are left.
    const cut = await read(client, 4, first);
    expect(cut).toMatchObject({ errorCode: KafkaError.NONE, divergingEpoch: { epoch: first, endOffset: 3 } });
    expect(cut?.records ?? Buffer.alloc(0)).toHaveLength(0);
    const going = await read(client, 3, first);
    expect(going?.divergingEpoch).toMatchObject({ epoch: -1 });
    expect(going?.records?.length).toBeGreaterThan(0);
  });
});

test('who goes by another epoch than that of now is told so', async () => {
  const directory = await temporaryDirectory();
  await withBroker(directory, async (client) => {
    const topic = { name: TOPIC, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] };
    await client.request(createTopics, { topics: [topic], timeoutMs: 5_000 });
  });
  await withBroker(directory, async (client) => {
    const now = await currentEpoch(client);
    for (const [epoch, errorCode] of [
      [now - 1, KafkaError.FENCED_LEADER_EPOCH],
      [now, KafkaError.NONE],
      [now + 1, KafkaError.UNKNOWN_LEADER_EPOCH],
    ] as const) {
      expect(await endOf(client, now, epoch)).toMatchObject({ errorCode });
      expect(await read(client, 0, -1, epoch)).toMatchObject({ errorCode });
    }
  });
});
