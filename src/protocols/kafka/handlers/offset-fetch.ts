import type { FetchOffsetsRequest } from '../../../broker/index.ts';
import { offsetFetch } from '../codec/apis/offset-fetch.ts';
import { groupCodeNumber, groupErrorNumber } from '../errors.ts';
import { handler, type RequestContext } from '../handler.ts';

interface Wanted {
  readonly groupId: string;
  readonly topics: readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[] | null;
  readonly memberId?: string | null;
  readonly memberEpoch?: number;
}

/** How far groups have come. */
export const offsetFetchHandler = handler(
  offsetFetch,
  async (request, context) => {
    if (context.version >= 8) {
      return {
        groups: await Promise.all(
          distinct(request.groups).map((group) => committed(group, request.requireStable, context)),
        ),
      };
    }
    const { topics, errorCode } = await committed(
      { groupId: request.groupId, topics: request.topics },
      request.requireStable,
      context,
    );
    return { topics, errorCode };
  },
  { answersMuch: true },
);

/** A group that is asked for more than once is answered once, as it was asked for last. */
function distinct<Group extends { readonly groupId: string }>(groups: readonly Group[]): Group[] {
  return [...new Map(groups.map((group) => [group.groupId, group])).values()];
}

async function committed(
  { groupId, topics, memberId, memberEpoch }: Wanted,
  requireStable: boolean,
  { broker, logger }: RequestContext,
) {
  const wanted: FetchOffsetsRequest['topics'] =
    topics?.map(({ name, partitionIndexes }) => ({
      topic: name,
      topicId: broker.streams.get(name)?.id ?? null,
      partitions: partitionIndexes,
    })) ?? null;
  try {
    const member = memberId == null ? {} : { memberId, memberEpoch: memberEpoch ?? -1 };
    const found = await broker.groups
      .coordinatorOf(groupId)
      .fetchOffsets({ groupId, topics: wanted, requireStable, ...member });
    return {
      groupId,
      errorCode: 0,
      topics: found.map(({ topic, partitions }) => ({
        name: topic,
        partitions: partitions.map((p) => ({
          partitionIndex: p.partition,
          committedOffset: p.offset,
          committedLeaderEpoch: p.leaderEpoch,
          metadata: p.metadata,
          errorCode: groupCodeNumber(p.error),
        })),
      })),
    };
  } catch (error) {
    return { groupId, errorCode: groupErrorNumber(error, logger), topics: [] };
  }
}
