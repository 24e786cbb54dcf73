import { listOffsets } from '../protocols/kafka/codec/apis/list-offsets.ts';
import type { KafkaClient } from './kafka-client.ts';
import { throwOnError } from './kafka-error.ts';

/** A place in each partition of a topic. */
export type Position =
  | { readonly kind: 'earliest' }
  | { readonly kind: 'latest' }
  | { readonly kind: 'offset'; readonly offset: number }
  /** So many records before the end. */
  | { readonly kind: 'last'; readonly count: number }
  /** The first record of that time or later; milliseconds since the epoch. */
  | { readonly kind: 'time'; readonly timestamp: number };

/** Offsets by partition. */
export type Offsets = ReadonlyMap<number, number>;

const LATEST = -1;
const EARLIEST = -2;
const CONSUMER = -1;
/** What is answered for a time after the last record. */
const NO_OFFSET = -1;

export function earliestOffsets(client: KafkaClient, topic: string, partitions: readonly number[]): Promise<Offsets> {
  return offsetsAt(client, topic, partitions, EARLIEST);
}

/** The offsets that the next records will have. */
export function latestOffsets(client: KafkaClient, topic: string, partitions: readonly number[]): Promise<Offsets> {
  return offsetsAt(client, topic, partitions, LATEST);
}

/** The offsets at a position; never before the first record nor beyond the end. */
export async function offsetsOf(
  client: KafkaClient,
  topic: string,
  partitions: readonly number[],
  position: Position,
): Promise<Offsets> {
  if (position.kind === 'earliest') return earliestOffsets(client, topic, partitions);
  if (position.kind === 'latest') return latestOffsets(client, topic, partitions);
  if (position.kind === 'time') {
    const [found, latest] = await Promise.all([
      offsetsAt(client, topic, partitions, position.timestamp),
      latestOffsets(client, topic, partitions),
    ]);
    return new Map([...latest].map(([partition, end]) => [partition, beforeEnd(found.get(partition), end)]));
  }
  return within(client, topic, partitions, (_, end) =>
    position.kind === 'last' ? end - position.count : position.offset,
  );
}

/** What `wanted` says of each partition, moved to where records are. */
export async function within(
  client: KafkaClient,
  topic: string,
  partitions: readonly number[],
  wanted: (partition: number, end: number) => number,
): Promise<Offsets> {
  const [earliest, latest] = await Promise.all([
    earliestOffsets(client, topic, partitions),
    latestOffsets(client, topic, partitions),
  ]);
  return new Map(
    [...latest].map(([partition, end]) => {
      const offset = Math.min(Math.max(wanted(partition, end), earliest.get(partition) ?? 0), end);
      return [partition, offset];
    }),
  );
}

function beforeEnd(found: number | undefined, end: number): number {
  return found === undefined || found === NO_OFFSET ? end : found;
}

async function offsetsAt(
  client: KafkaClient,
  topic: string,
  partitions: readonly number[],
  timestamp: number,
): Promise<Offsets> {
  const { topics } = await client.request(listOffsets, {
    replicaId: CONSUMER,
    topics: [{ name: topic, partitions: partitions.map((partitionIndex) => ({ partitionIndex, timestamp })) }],
  });
  const offsets = new Map<number, number>();
  for (const { partitionIndex, errorCode, offset } of topics.flatMap((each) => each.partitions)) {
    throwOnError(errorCode, `${topic} partition ${partitionIndex}`);
    offsets.set(partitionIndex, offset);
  }
  return offsets;
}
