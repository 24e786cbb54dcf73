import { KafkaError } from './codec/error-codes.ts';
import { errorNumber } from './errors.ts';
import type { RequestContext } from './handler.ts';
import { type ShareSession, shareSessionKey } from './share-sessions.ts';
import { traceAnswered } from './traces.ts';

// What ShareFetch and ShareAcknowledge have in common: who asks, and what is acknowledged.

/** A session epoch that begins a session, and one that ends it. */
export const INITIAL_EPOCH = 0;
export const FINAL_EPOCH = -1;
/** Kafka's: the length of a UUID in text. */
const MAX_MEMBER_ID_LENGTH = 36;
const RENEW = 4;
const LAST_TYPE_BEFORE_RENEW = 3;

/** Of this broker's partitions there is no other leader to go to. */
export const NO_LEADER = { leaderId: -1, leaderEpoch: -1 };

/** Why a member cannot be one; undefined when it can. */
export function wrongMemberId(memberId: string | null): string | undefined {
  const good = memberId !== null && memberId !== '' && memberId.length <= MAX_MEMBER_ID_LENGTH;
  return good ? undefined : 'Invalid member id in the request.';
}

/** Who makes a request, when it can be anybody: what is wrong, otherwise. */
export function requester({
  groupId,
  memberId,
}: {
  readonly groupId: string | null;
  readonly memberId: string | null;
}): { readonly groupId: string; readonly memberId: string } | string {
  if (groupId === null || groupId === '') return 'Invalid group id in the request.';
  return memberId === null ? 'Invalid member id in the request.' : (wrongMemberId(memberId) ?? { groupId, memberId });
}

interface AcknowledgementBatch {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly acknowledgeTypes: readonly number[];
}

interface AcknowledgedTopic {
  readonly topicId: string;
  readonly partitions: readonly {
    readonly partitionIndex: number;
    readonly acknowledgementBatches: readonly AcknowledgementBatch[];
  }[];
}

/** What became of the acknowledgements of a partition. */
export interface AcknowledgedPartition {
  readonly topicId: string;
  readonly partitionIndex: number;
  readonly errorCode: number;
}

/**
 * Takes what a request acknowledges: whatever the member gets after that, it does not get those records. The answers resolve, and do not
 * reject, when they are durable.
 */
export function acknowledge(
  session: ShareSession,
  { topics, isRenewAck }: { readonly topics: readonly AcknowledgedTopic[]; readonly isRenewAck: boolean },
  context: RequestContext,
): Promise<AcknowledgedPartition>[] {
  const answers: Promise<AcknowledgedPartition>[] = [];
  for (const { topicId, partitions } of topics) {
    for (const { partitionIndex, acknowledgementBatches: batches } of partitions) {
      if (batches.length === 0) continue;
      const answer = (errorCode: number): AcknowledgedPartition => ({ topicId, partitionIndex, errorCode });
      const failure = (error: unknown) => answer(errorNumber(error, context.logger));
      const refused = refusal(topicId, partitionIndex, batches, isRenewAck, context);
      if (refused !== 0) {
        answers.push(Promise.resolve(answer(refused)));
        continue;
      }
      // What the session has fetched nothing of, it has no records of.
      const state = session.partitions.get(shareSessionKey({ topicId, partition: partitionIndex }))?.state;
      if (state === undefined) {
        answers.push(Promise.resolve(answer(KafkaError.INVALID_RECORD_STATE)));
        continue;
      }
      const acknowledgements = batches.map(({ firstOffset, lastOffset, acknowledgeTypes: types }) => ({
        ...{ firstOffset, lastOffset, types },
      }));
      const done = () => {
        if (context.broker.turns.tracing.on)
          traceAnswered(session.groupId, { topicId, partition: partitionIndex }, acknowledgements, context);
        return answer(0);
      };
      answers.push(state.acknowledge(session.owner, acknowledgements).then(done, failure));
    }
  }
  return answers;
}

/** Kafka's number for why a partition is not read; 0 when it can be. */
export function unreadable(topicId: string, partition: number, { broker, access }: RequestContext): number {
  const stream = broker.streams.getById(topicId);
  if (stream === undefined) return KafkaError.UNKNOWN_TOPIC_ID;
  if (!access.may('read', 'topic', stream.name)) return KafkaError.TOPIC_AUTHORIZATION_FAILED;
  return stream.partitions[partition] === undefined ? KafkaError.UNKNOWN_TOPIC_OR_PARTITION : KafkaError.NONE;
}

function refusal(
  topicId: string,
  partition: number,
  batches: readonly AcknowledgementBatch[],
  isRenewAck: boolean,
  context: RequestContext,
): number {
  const refused = unreadable(topicId, partition, context);
  if (refused === KafkaError.UNKNOWN_TOPIC_ID) return refused;
  return areValid(batches, isRenewAck) ? refused : KafkaError.INVALID_REQUEST;
}

/** Whether they are in order, and say of each record what can be said of it. */
function areValid(batches: readonly AcknowledgementBatch[], isRenewAck: boolean): boolean {
  let next = 0;
  return batches.every(({ firstOffset, lastOffset, acknowledgeTypes }) => {
    if (firstOffset < next || lastOffset < firstOffset) return false;
    next = lastOffset + 1;
    const count = acknowledgeTypes.length;
    if (count === 0 || (count > 1 && count !== lastOffset - firstOffset + 1)) return false;
    const last = isRenewAck ? RENEW : LAST_TYPE_BEFORE_RENEW;
    return acknowledgeTypes.every((type) => type >= 0 && type <= last);
  });
}
