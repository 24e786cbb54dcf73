import type { Partition, Stream } from '../../broker/index.ts';
import { batchesIn, recordCount } from '../../records/index.ts';
import type { RequestContext } from './handler.ts';
import type { Found } from './partition-fetch.ts';

// What Kafka's clients do with records, for traces: once for each piece of a partition. Only called while tracing is on.

/** A batch was taken from a producer. */
export function traceAppended(
  { name }: Stream,
  partition: Partition,
  batch: Buffer,
  appended: { readonly baseOffset: number; readonly duplicate: boolean; readonly settled: Promise<void> },
  { broker, participant }: RequestContext,
): void {
  const { tracing } = broker.turns;
  const { baseOffset, duplicate, settled } = appended;
  if (duplicate) return;
  const by = participant();
  tracing.appended(name, partition, baseOffset, baseOffset + recordCount(batch, 0), by);
  const { spans } = tracing;
  if (spans === undefined) return;
  const startMs = broker.environment.clock.now();
  // Who waits for the batch is told that it is lost.
  settled.then(
    () => spans.appended(name, partition.index, batch, baseOffset, by, startMs),
    () => {},
  );
}

/** Records were read. Which group reads them, Kafka's clients do not say. */
export function traceFetched(found: readonly Found[], { broker, participant }: RequestContext): void {
  const { tracing } = broker.turns;
  for (const { asked, partition, bytes, response } of found) {
    if (partition === undefined || bytes === 0) continue;
    const records = whole(response.records as readonly Buffer[]);
    const end = endOf(records);
    const by = participant();
    if (end > asked.fetchOffset) tracing.fetched(asked.topic, partition, asked.fetchOffset, end, by);
    tracing.spans?.fetched(asked.topic, partition.index, batchesOf(records), by);
  }
}

/** A group said how far it is. */
export function traceCommitted(
  groupId: string,
  topics: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly offset: number }[];
  }[],
  { broker, participant }: Pick<RequestContext, 'broker' | 'participant'>,
): void {
  for (const { topic, partitions } of topics) {
    const stream = broker.streams.get(topic);
    for (const { partition: index, offset } of partitions) {
      const partition = stream?.partitions[index];
      if (partition !== undefined)
        broker.turns.tracing.committed(topic, partition, Math.max(0, offset), participant(), groupId);
    }
  }
}

/** A member of a share group has records from now on. */
export function traceAcquired(
  groupId: string,
  place: { readonly topicId: string; readonly partition: number },
  ranges: readonly { readonly firstOffset: number; readonly lastOffset: number; readonly deliveryCount: number }[],
  { broker, participant }: RequestContext,
): void {
  const stream = broker.streams.getById(place.topicId);
  const partition = stream?.partitions[place.partition];
  if (stream === undefined || partition === undefined) return;
  for (const { firstOffset: offset, lastOffset, deliveryCount: count } of ranges)
    broker.turns.tracing.acquired(
      stream.name,
      partition,
      { offset, end: lastOffset + 1, count },
      participant(),
      groupId,
    );
}

/** By the numbers of Kafka's protocol; 0 says of offsets that there is no record. */
const SETTLEMENTS = [undefined, 'accepted', 'released', 'rejected', 'renewed'] as const;

/** It said what became of them. */
export function traceAnswered(
  groupId: string,
  place: { readonly topicId: string; readonly partition: number },
  batches: readonly { readonly firstOffset: number; readonly lastOffset: number; readonly types: readonly number[] }[],
  { broker, participant }: RequestContext,
): void {
  const stream = broker.streams.getById(place.topicId);
  const partition = stream?.partitions[place.partition];
  if (stream === undefined || partition === undefined) return;
  for (const { firstOffset, lastOffset, types } of batches) {
    for (let offset = firstOffset; offset <= lastOffset; ) {
      const type = types[types.length === 1 ? 0 : offset - firstOffset] ?? 0;
      let end = types.length === 1 ? lastOffset + 1 : offset + 1;
      while (end <= lastOffset && types[end - firstOffset] === type) end++;
      const settlement = SETTLEMENTS[type];
      if (settlement !== undefined)
        broker.turns.tracing.answered(stream.name, partition, { offset, end, settlement }, participant(), groupId);
      offset = end;
    }
  }
}

/** What was read of a log is in whole batches, though a stamped header may be a piece of its own. */
function whole(chunks: readonly Buffer[]): Buffer {
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

/** The offset after the last record. */
function endOf(batches: Buffer): number {
  let end = 0;
  for (const batch of batchesIn(batches)) end = batch.lastOffset + 1;
  return end;
}

function* batchesOf(batches: Buffer): Generator<Buffer, void> {
  for (const batch of batchesIn(batches)) yield batch.bytes;
}
