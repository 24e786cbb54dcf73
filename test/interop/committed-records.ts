import { kafkajs, until } from '../kafka/fixture.ts';

export interface CommittedRecord {
  readonly key: string | undefined;
  readonly value: string;
}

/** All records of a topic's first partition whose transactions were committed, in their order. There must be one at least. */
export async function committedRecords(address: string, topic: string): Promise<readonly CommittedRecord[]> {
  const kafka = kafkajs(address);
  const admin = kafka.admin();
  await admin.connect();
  const [partition] = await admin.fetchTopicOffsets(topic);
  await admin.disconnect();
  const end = BigInt(partition?.high ?? 0);
  const records: CommittedRecord[] = [];
  const consumer = kafka.consumer({ groupId: `reading ${topic}`, readUncommitted: false });
  let next = 0n;
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachBatchAutoResolve: true,
    eachBatch: async ({ batch }) => {
      for (const { key, value } of batch.messages) records.push({ key: key?.toString(), value: String(value) });
      // Beyond what is a marker, or was aborted.
      next = BigInt(batch.lastOffset()) + 1n;
    },
  });
  await until(() => next >= end);
  await consumer.disconnect();
  return records;
}
