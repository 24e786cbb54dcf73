import {
  type DescribeShareGroupOffsetsRequest,
  type DescribeShareGroupOffsetsResponse,
  describeShareGroupOffsets,
} from '../codec/apis/describe-share-group-offsets.ts';
import { ZERO_UUID } from '../codec/uuid.ts';
import { handler, type RequestContext } from '../handler.ts';

type GroupResponse = DescribeShareGroupOffsetsResponse['groups'][number];

/** What stands for the offset of a partition in which the group has not begun. */
const UNINITIALIZED = { startOffset: -1, leaderEpoch: 0, lag: -1, errorCode: 0 };

/** Where share groups stand, of each once. A group that is not there stands nowhere. */
export const describeShareGroupOffsetsHandler = handler(
  describeShareGroupOffsets,
  ({ groups }, context) => ({
    groups: Array.from(new Map(groups.map((group) => [group.groupId, group])).values(), (group) =>
      describe(group, context),
    ),
  }),
  { answersMuch: true },
);

function describe(
  { groupId, topics }: DescribeShareGroupOffsetsRequest['groups'][number],
  { broker }: RequestContext,
): GroupResponse {
  const byTopic = Map.groupBy(broker.shareGroups.offsets(groupId), ({ streamId }) => streamId);
  if (topics === null) {
    const found = [...byTopic].flatMap(([topicId, offsets]) => {
      const stream = broker.streams.getById(topicId);
      const partitions = offsets.map(({ partition, startOffset, leaderEpoch, lag }) => ({
        ...{ partitionIndex: partition, startOffset, leaderEpoch, lag, errorCode: 0 },
      }));
      return stream === undefined ? [] : [{ topicName: stream.name, topicId, partitions }];
    });
    return { groupId, topics: found, errorCode: 0 };
  }
  const found = topics.map(({ topicName, partitions }) => {
    const topicId = broker.streams.get(topicName)?.id ?? ZERO_UUID;
    const known = new Map(byTopic.get(topicId)?.map((offset) => [offset.partition, offset]));
    return {
      ...{ topicName, topicId },
      partitions: partitions.map((partitionIndex) => {
        const offset = known.get(partitionIndex);
        if (offset === undefined) return { partitionIndex, ...UNINITIALIZED };
        const { startOffset, leaderEpoch, lag } = offset;
        return { partitionIndex, startOffset, leaderEpoch, lag, errorCode: 0 };
      }),
    };
  });
  return { groupId, topics: found, errorCode: 0 };
}
