import type { Broker, Partition, Stream } from '../../broker/index.ts';

/** Where a group stands in one partition. */
export interface GroupPosition {
  readonly stream: Stream;
  readonly partition: Partition;
  /** -1 for nowhere yet. */
  readonly offset: number;
  readonly lag: number;
  readonly metadata: string;
  /** Milliseconds since the epoch; null for share groups. */
  readonly committedAt: number | null;
  readonly delivery: { readonly acquired: number; readonly returned: number } | null;
}

/** Where a group stands in all partitions that it has offsets of. Of share groups that is where the first record is that is not done with. */
export function* positionsOf({ groups, streams, shareGroups }: Broker, group: string): Generator<GroupPosition, void> {
  for (const [topicId, { partitions }] of groups.committed(group) ?? []) {
    const stream = streams.getById(topicId);
    if (stream === undefined) continue;
    for (const [index, { offset, metadata, timestamp }] of partitions) {
      const partition = stream.partitions[index];
      if (partition === undefined) continue;
      const lag = lagFrom(partition, offset);
      yield { stream, partition, offset, lag, metadata, committedAt: timestamp, delivery: null };
    }
  }
  if (!groups.coordinatorOf(group).share.has(group)) return;
  for (const { streamId, partition: index, startOffset, lag, acquired, returned } of shareGroups.offsets(group)) {
    const stream = streams.getById(streamId);
    const partition = stream?.partitions[index];
    if (stream === undefined || partition === undefined) continue;
    const delivery = { acquired, returned };
    yield { stream, partition, offset: startOffset, lag, metadata: '', committedAt: null, delivery };
  }
}

/** Records from an offset on that are there yet. */
export function lagFrom({ log }: Partition, offset: number): number {
  return Math.max(0, log.highWatermark - Math.max(offset, log.startOffset));
}
