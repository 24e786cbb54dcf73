import { appendTogether } from '../event-log.ts';
import type { Groups } from '../groups/groups.ts';
import type { Partition, PartitionAppend } from '../streams/partition.ts';
import type { Stream } from '../streams/stream.ts';

/** The group whose offsets say how far the dead letters of streams were re-driven. */
export const REDRIVE_GROUP = 'sluice-redrive';
/** A hundred years: longer than any dead letter is kept. */
const KEPT_MS = 100 * 365 * 86_400_000;

/** How far the dead letters in a stream were re-driven as a whole: committed offsets, as any group has them. */
export class RedrivePositions {
  readonly #groups: Pick<Groups, 'coordinatorOf' | 'shardOf' | 'stageOffset'>;
  readonly #now: () => number;

  constructor(groups: Pick<Groups, 'coordinatorOf' | 'shardOf' | 'stageOffset'>, now: () => number) {
    this.#groups = groups;
    this.#now = now;
  }

  /** The offset that comes next. */
  async of({ name, id }: Pick<Stream, 'name' | 'id'>, partition: Partition): Promise<number> {
    const topics = [{ topic: name, topicId: id, partitions: [partition.index] }];
    const coordinator = this.#groups.coordinatorOf(REDRIVE_GROUP);
    const [topic] = await coordinator.fetchOffsets({ groupId: REDRIVE_GROUP, topics, requireStable: false });
    return Math.max(topic?.partitions[0]?.offset ?? 0, partition.log.startOffset);
  }

  async commit(stream: Pick<Stream, 'name' | 'id'>, partition: Partition, offset: number): Promise<void> {
    await appendTogether(this.#groups.shardOf(REDRIVE_GROUP), [this.#stage(stream, partition, offset)]).settled;
  }

  /** Appends a batch, and commits what came of it: in one append where the partition is in the group's shard. */
  async appendAndCommit(
    target: Partition,
    batch: Buffer,
    from: { readonly stream: Pick<Stream, 'name' | 'id'>; readonly partition: Partition; readonly next: number },
  ): Promise<void> {
    const shard = this.#groups.shardOf(REDRIVE_GROUP);
    if (target.shard !== shard) {
      await target.append(batch, 'durable').settled;
      await this.commit(from.stream, from.partition, from.next);
      return;
    }
    let together: Promise<void> | undefined;
    const appended: PartitionAppend = target.append(batch, 'durable', {
      append: (entries) => {
        const all = appendTogether(shard, [this.#stage(from.stream, from.partition, from.next)], entries);
        together = all.settled;
        return all;
      },
    });
    await appended.settled;
    await together;
  }

  #stage(stream: Pick<Stream, 'name' | 'id'>, partition: Partition, offset: number) {
    return this.#groups.stageOffset(REDRIVE_GROUP, {
      ...{ topic: stream.name, topicId: stream.id, partition: partition.index, offset },
      now: this.#now(),
      expires: this.#now() + KEPT_MS,
    });
  }
}
