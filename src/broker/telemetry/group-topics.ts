import type { Groups } from '../groups/groups.ts';
import type { Stream } from '../streams/stream.ts';
import type { Streams } from '../streams/streams.ts';
import type { Counted } from './sample-book.ts';

/** Offsets by partition, as a group keeps them. */
type Offsets = ReadonlyMap<number, { readonly offset: number }>;

/** Where a group stands in a topic. */
export class GroupTopic implements Counted {
  readonly groupId: string;
  readonly topic: string;
  /** What is committed was there before anybody looked. */
  sampled = -1;
  readonly #offsets: Offsets;
  readonly #stream: Stream;

  constructor(groupId: string, stream: Stream, offsets: Offsets) {
    this.groupId = groupId;
    this.topic = stream.name;
    this.#stream = stream;
    this.#offsets = offsets;
  }

  /** Those that the group has committed an offset of. */
  get partitions(): number {
    return this.#offsets.size;
  }

  /** Records that the group has not come to, in these partitions. */
  get lag(): number {
    let lag = 0;
    for (const [index, { offset }] of this.#offsets) {
      const end = this.#stream.partitions[index]?.log.highWatermark ?? 0;
      lag += Math.max(0, end - offset);
    }
    return lag;
  }

  /** The sum of the offsets. */
  get committed(): number {
    let sum = 0;
    for (const { offset } of this.#offsets.values()) sum += offset;
    return sum;
  }

  get activity(): number {
    return this.committed + this.lag;
  }
}

/** Of all groups or of one; `known` has those that were made before. */
export function* groupTopics(
  groups: Groups,
  streams: Streams,
  known: WeakMap<object, GroupTopic>,
  groupId?: string,
): Iterable<GroupTopic> {
  for (const { groupId: id, topicId, partitions } of groups.committedTopics(groupId)) {
    const stream = streams.getById(topicId);
    if (stream === undefined) continue;
    let topic = known.get(partitions);
    if (topic === undefined) {
      topic = new GroupTopic(id, stream, partitions);
      known.set(partitions, topic);
    }
    yield topic;
  }
}
