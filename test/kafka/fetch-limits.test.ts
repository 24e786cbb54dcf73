import { expect, onTestFinished, test } from 'vitest';
import { KafkaClient } from '../../src/client/index.ts';
import { createTopics } from '../../src/protocols/kafka/codec/apis/create-topics.ts';
import { fetch } from '../../src/protocols/kafka/codec/apis/fetch.ts';
import { produce } from '../../src/protocols/kafka/codec/apis/produce.ts';
import { batchesIn, encodeBatch } from '../../src/records/index.ts';
import { startBroker } from './fixture.ts';

// How much one answer to Fetch carries (KIP-74). The APIs are used in versions that know topics by name.

const TOPIC = 't';
const PARTITIONS = 3;
const BATCH = encodeBatch({ records: [{ value: Buffer.alloc(1_000) }], timestamp: 1 });

/** A client of a broker whose partitions have two batches each. */
async function clientOfFullTopic(): Promise<KafkaClient> {
  const { listeners } = await startBroker();
  const { host, port } = listeners[0] ?? { host: '', port: 0 };
  const client = await KafkaClient.connect({ host, port });
  onTestFinished(() => client.close());
  const topic = { name: TOPIC, numPartitions: PARTITIONS, replicationFactor: 1, assignments: [], configs: [] };
  await client.request(createTopics, { topics: [topic], timeoutMs: 5_000, validateOnly: false });
  const partitionData = Array.from({ length: PARTITIONS }, (_, index) => ({ index, records: Buffer.from(BATCH) }));
  for (let i = 0; i < 2; i++) {
    const body = { acks: -1, timeoutMs: 5_000, topicData: [{ name: TOPIC, partitionData }] };
    await client.request(produce, body, { maxVersion: 12 });
  }
  return client;
}

/** How many batches come from each partition. */
async function fetched(
  client: KafkaClient,
  limits: { maxBytes: number; partitionMaxBytes: number },
): Promise<number[]> {
  const { maxBytes, partitionMaxBytes } = limits;
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({
    partition,
    fetchOffset: 0,
    partitionMaxBytes,
  }));
  const body = { maxWaitMs: 0, minBytes: 0, maxBytes, topics: [{ topic: TOPIC, partitions }] };
  const { responses } = await client.request(fetch, body, { maxVersion: 12 });
  return (responses[0]?.partitions ?? []).map(({ records }) => [...batchesIn(records ?? Buffer.alloc(0))].length);
}

const size = BATCH.length;
const plenty = 1_000_000;

test.each([
  ['everything where there is room', { maxBytes: plenty, partitionMaxBytes: plenty }, [2, 2, 2]],
  ['one batch though it is too large, and then nothing that is', { maxBytes: 1, partitionMaxBytes: plenty }, [1, 0, 0]],
  ['one batch where there is to be none', { maxBytes: 0, partitionMaxBytes: plenty }, [1, 0, 0]],
  ['no batch that would be more than was asked for', { maxBytes: size * 2.5, partitionMaxBytes: plenty }, [2, 0, 0]],
  ['as many as fit', { maxBytes: size * 3, partitionMaxBytes: size }, [1, 1, 1]],
  ['of each partition no more than of each was asked for', { maxBytes: plenty, partitionMaxBytes: 1 }, [1, 0, 0]],
])('an answer has %s', async (_, limits, batches) => {
  const client = await clientOfFullTopic();
  expect(await fetched(client, { ...limits, maxBytes: Math.floor(limits.maxBytes) })).toEqual(batches);
});

test('in a session partitions take turns in answers that have no room for all', async () => {
  const client = await clientOfFullTopic();
  let asked = Array.from({ length: PARTITIONS }, (_, partition) => ({ partition, fetchOffset: 0 }));
  let sessionId = 0;
  const turns: number[] = [];
  for (let sessionEpoch = 0; sessionEpoch < 2 * PARTITIONS; sessionEpoch++) {
    const partitions = asked.map((each) => ({ ...each, partitionMaxBytes: plenty }));
    const limits = { maxWaitMs: 0, minBytes: 0, maxBytes: size };
    const body = { ...limits, sessionId, sessionEpoch, topics: [{ topic: TOPIC, partitions }] };
    const answer = await client.request(fetch, body, { maxVersion: 12 });
    ({ sessionId } = answer);
    const told = answer.responses.flatMap(({ partitions }) => partitions);
    const given = told.filter(({ records }) => (records?.length ?? 0) > 0);
    // As clients do: they name again those of which they have read.
    asked = given.map(({ partitionIndex }) => ({
      partition: partitionIndex,
      fetchOffset: turns.includes(partitionIndex) ? 2 : 1,
    }));
    turns.push(...given.map(({ partitionIndex }) => partitionIndex));
  }
  expect(turns).toEqual([0, 1, 2, 0, 1, 2]);
});
