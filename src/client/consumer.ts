import { fetch } from '../protocols/kafka/codec/apis/fetch.ts';
import { KafkaError } from '../protocols/kafka/codec/error-codes.ts';
import { batchesIn, type LogRecord, recordsIn } from '../records/index.ts';
import type { KafkaClient } from './kafka-client.ts';
import { throwOnError } from './kafka-error.ts';
import { earliestOffsets, type Offsets } from './offsets.ts';

export interface ConsumeOptions {
  readonly topic: string;
  /** Where to begin, in each partition that is to be read. */
  readonly from: Offsets;
  /** Where to stop; without it the reading goes on until it is broken off. */
  readonly to?: Offsets | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ConsumedRecord extends LogRecord {
  readonly partition: number;
}

/** The last version that names topics by their names. */
const LAST_NAMED_VERSION = 12;
const MAX_WAIT_MS = 500;
const MAX_BYTES = 50 * 1024 * 1024;
const PARTITION_MAX_BYTES = 1024 * 1024;

/** The records of a topic, as each fetch brings them. Within a partition they are in order. */
export async function* consume(
  client: KafkaClient,
  options: ConsumeOptions,
): AsyncGenerator<ConsumedRecord[], void, undefined> {
  const { topic, to, signal } = options;
  const positions = new Map(options.from);
  const isDone = (partition: number, position: number) => to !== undefined && position >= (to.get(partition) ?? 0);
  while (!signal?.aborted) {
    const open = [...positions].filter(([partition, position]) => !isDone(partition, position));
    if (open.length === 0) return;
    const answer = await client.request(
      fetch,
      {
        maxWaitMs: MAX_WAIT_MS,
        minBytes: 1,
        maxBytes: MAX_BYTES,
        topics: [
          {
            topic,
            partitions: open.map(([partition, fetchOffset]) => ({
              partition,
              fetchOffset,
              partitionMaxBytes: PARTITION_MAX_BYTES,
            })),
          },
        ],
      },
      { maxVersion: LAST_NAMED_VERSION },
    );
    throwOnError(answer.errorCode, topic);
    const consumed: ConsumedRecord[] = [];
    for (const { partitionIndex, errorCode, records } of answer.responses.flatMap(({ partitions }) => partitions)) {
      const position = positions.get(partitionIndex) ?? 0;
      if (errorCode === KafkaError.OFFSET_OUT_OF_RANGE) {
        // Retention was faster than this reader: go on with what is left.
        positions.set(partitionIndex, await earliestAfter(client, topic, partitionIndex, position));
        continue;
      }
      throwOnError(errorCode, `${topic} partition ${partitionIndex}`);
      if (records === null) continue;
      const next = readInto(consumed, partitionIndex, records, position, to?.get(partitionIndex));
      positions.set(partitionIndex, next);
    }
    if (consumed.length > 0) yield consumed;
  }
}

/** Appends the records from `position` to before `end`; answers where to go on. */
function readInto(
  consumed: ConsumedRecord[],
  partition: number,
  bytes: Buffer,
  position: number,
  end = Number.POSITIVE_INFINITY,
): number {
  let next = position;
  for (const batch of batchesIn(bytes)) {
    if (batch.lastOffset < position) continue;
    if (!batch.isControl) {
      for (const record of recordsIn(batch.bytes)) {
        if (record.offset >= position && record.offset < end) consumed.push({ partition, ...record });
      }
    }
    next = batch.lastOffset + 1;
  }
  return next;
}

async function earliestAfter(client: KafkaClient, topic: string, partition: number, position: number): Promise<number> {
  const earliest = (await earliestOffsets(client, topic, [partition])).get(partition) ?? 0;
  if (earliest <= position)
    throwOnError(KafkaError.OFFSET_OUT_OF_RANGE, `${topic} partition ${partition}, offset ${position}`);
  return earliest;
}
