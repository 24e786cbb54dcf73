import type { Acquired } from '../../../broker/index.ts';
import { BrokerError } from '../../../errors.ts';
import { type ShareFetchRequest, type ShareFetchResponse, shareFetch } from '../codec/apis/share-fetch.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { errorNumber, errorText } from '../errors.ts';
import { handler, type RequestContext } from '../handler.ts';
import { PROTOCOL } from '../protocol.ts';
import { ShareAvailability } from '../share-availability.ts';
import {
  type AcknowledgedPartition,
  acknowledge,
  FINAL_EPOCH,
  INITIAL_EPOCH,
  NO_LEADER,
  requester,
  unreadable,
} from '../share-requests.ts';
import type { ShareSession, ShareSessionPartition } from '../share-sessions.ts';
import { traceAcquired } from '../traces.ts';

type PartitionResponse = ShareFetchResponse['responses'][number]['partitions'][number];

/** The most that one answer carries, whatever the client asks; Kafka's fetch.max.bytes. */
const MAX_FETCH_BYTES = 55 * 1024 * 1024;
const RECORD_LIMIT = 1;
const MAX_INT16 = 0x7fff;

/** Records of many partitions for a member of a share group, which has them from then on; before that, what it says of those it had. */
export const shareFetchHandler = handler(
  shareFetch,
  async (request, context) => {
    const who = requester(request);
    const wrong = typeof who === 'string' ? who : whatIsWrong(request);
    if (typeof who === 'string' || wrong !== undefined) return refused(KafkaError.INVALID_REQUEST, wrong);
    const { broker, shareSessions } = context;
    if (!broker.groups.coordinatorOf(who.groupId).share.has(who.groupId))
      return refused(KafkaError.GROUP_ID_NOT_FOUND, errorText(`Share group ${who.groupId} not found.`));
    const session = await sessionOf(request, who, context);
    if (typeof session === 'number') return refused(session);
    const answers = acknowledge(session, request, context);
    const isFinal = request.shareSessionEpoch === FINAL_EPOCH;
    const fetches = !isFinal && !request.isRenewAck && request.maxRecords > 0 && request.maxBytes > 0;
    const found = fetches ? await fetchEnough(request, session, context) : [];
    const acknowledged = await Promise.all(answers);
    if (isFinal) await shareSessions.close(session);
    return {
      errorCode: 0,
      acquisitionLockTimeoutMs: broker.groupConfigs.of(who.groupId).shareRecordLockDurationMs,
      responses: together(found, acknowledged),
      nodeEndpoints: [],
    };
  },
  { answersMuch: true },
);

function refused(errorCode: number, errorMessage: string | null = null): ShareFetchResponse {
  return { errorCode, errorMessage, acquisitionLockTimeoutMs: 0, responses: [], nodeEndpoints: [] };
}

function whatIsWrong(request: ShareFetchRequest): string | undefined {
  const { isRenewAck, maxBytes, minBytes, maxRecords, maxWaitMs, shareSessionEpoch: epoch, topics } = request;
  if (isRenewAck && (maxBytes !== 0 || minBytes !== 0 || maxRecords !== 0 || maxWaitMs !== 0))
    return 'maxBytes, minBytes, maxRecords and maxWaitMs must be set to 0, if isRenewAck is true.';
  const acknowledges = topics.some(({ partitions }) =>
    partitions.some(({ acknowledgementBatches }) => acknowledgementBatches.length > 0),
  );
  return epoch === INITIAL_EPOCH && acknowledges ? 'The first request of a session acknowledges nothing.' : undefined;
}

/** Finds or makes the session that the request belongs to, and takes what changes of it; Kafka's number for why not. */
async function sessionOf(
  request: ShareFetchRequest,
  { groupId, memberId }: { readonly groupId: string; readonly memberId: string },
  context: RequestContext,
): Promise<ShareSession | number> {
  const { shareSessions } = context;
  const { shareSessionEpoch: epoch } = request;
  const wanted = request.topics.flatMap(({ topicId, partitions }) =>
    partitions.map(({ partitionIndex }) => ({ topicId, partition: partitionIndex })),
  );
  if (epoch === INITIAL_EPOCH) {
    const session = await shareSessions.begin(groupId, memberId, wanted);
    if (session === undefined) return await noRoom(request, context);
    session.leave = context.onDisconnect(() => void shareSessions.close(session));
    return session;
  }
  const known = shareSessions.get(groupId, memberId);
  if (known === undefined) return KafkaError.SHARE_SESSION_NOT_FOUND;
  if (epoch === FINAL_EPOCH) return known;
  if (epoch !== known.epoch) return KafkaError.INVALID_SHARE_SESSION_EPOCH;
  shareSessions.advance(known);
  const forgotten = request.forgottenTopicsData.flatMap(({ topicId, partitions }) =>
    partitions.map((partition) => ({ topicId, partition })),
  );
  if (shareSessions.change(known, wanted, forgotten)) return known;
  await shareSessions.close(known);
  return await noRoom(request, context);
}

/** The client would ask again at once: it is answered when it would have been if there were nothing to fetch. */
async function noRoom({ maxWaitMs }: ShareFetchRequest, context: RequestContext): Promise<number> {
  await new ShareAvailability(context).wait(Math.max(maxWaitMs, 0));
  return KafkaError.SHARE_SESSION_LIMIT_REACHED;
}

interface Found {
  readonly topicId: string;
  readonly response: PartitionResponse;
}

/** Acquires until there is something, or `maxWaitMs` is over. What is acquired is not waited with, whatever `minBytes` says: its lock runs. */
async function fetchEnough(
  request: ShareFetchRequest,
  session: ShareSession,
  context: RequestContext,
): Promise<readonly Found[]> {
  const { clock } = context.broker.environment;
  const deadline = clock.monotonic() + request.maxWaitMs;
  const availability = new ShareAvailability(context);
  try {
    for (let waited = false; ; waited = true) {
      availability.look();
      // What goes while it is waited for goes with its group or its topic: nothing is made anew of it.
      const found = await collect(request, session, availability, context, waited ? acquire : acquireAnew);
      const left = deadline - clock.monotonic();
      const gave = found.some(({ response }) => waited || response.errorCode === 0);
      if (gave || left <= 0 || session.closed || availability.isEmpty) return found;
      if (!(await availability.wait(left))) return found;
    }
  } finally {
    availability.end();
  }
}

/** What is available of the session's partitions, each time beginning with another of them. */
async function collect(
  request: ShareFetchRequest,
  session: ShareSession,
  availability: ShareAvailability,
  context: RequestContext,
  take: typeof acquire,
): Promise<Found[]> {
  const found: Found[] = [];
  const wanted = [...session.partitions.values()].filter((partition) => partition.wanted);
  const first = session.epoch % Math.max(wanted.length, 1);
  let maxRecords = request.maxRecords;
  let maxBytes = Math.min(request.maxBytes, MAX_FETCH_BYTES);
  for (const asked of [...wanted.slice(first), ...wanted.slice(0, first)]) {
    if (maxRecords <= 0 || maxBytes <= 0 || session.closed) break;
    const { topicId, partition } = asked;
    const fail = (errorCode: number) => found.push({ topicId, response: empty(partition, errorCode) });
    const refusal = unreadable(topicId, partition, context);
    if (refusal !== 0) {
      fail(refusal);
      continue;
    }
    try {
      const limits = { request, maxRecords, maxBytes };
      const { read, ranges } = await take(asked, limits, session, availability, context);
      if (ranges.length === 0) continue;
      if (context.broker.turns.tracing.on) traceAcquired(session.groupId, { topicId, partition }, ranges, context);
      maxBytes -= read.bytes;
      const records = ranges.reduce((sum, { firstOffset, lastOffset }) => sum + lastOffset - firstOffset + 1, 0);
      maxRecords -= records;
      countAcquired(topicId, records, read.bytes, context);
      found.push({ topicId, response: success(partition, read.chunks, ranges) });
    } catch (error) {
      fail(errorNumber(error, context.logger));
    }
  }
  return found;
}

function countAcquired(topicId: string, records: number, bytes: number, { broker }: RequestContext): void {
  const { messages } = broker.meters.protocol(PROTOCOL);
  messages.delivered += records;
  messages.bytesOut += bytes;
  const counts = broker.streams.getById(topicId)?.counts;
  if (counts === undefined) return;
  counts.recordsOut += records;
  counts.bytesOut += bytes;
}

/** As `acquire`; when what the session remembers of the partition has gone, with what there is now: the group may have been made again. */
async function acquireAnew(...[asked, ...rest]: Parameters<typeof acquire>): Promise<Acquired> {
  const known = asked.state;
  try {
    return await acquire(asked, ...rest);
  } catch (error) {
    if (known === undefined || !(error instanceof BrokerError) || error.code !== 'not-found') throw error;
    asked.state = undefined;
    return await acquire(asked, ...rest);
  }
}

async function acquire(
  asked: ShareSessionPartition,
  limits: { readonly request: ShareFetchRequest; readonly maxRecords: number; readonly maxBytes: number },
  session: ShareSession,
  availability: ShareAvailability,
  context: RequestContext,
): Promise<Acquired> {
  const { request, maxRecords, maxBytes } = limits;
  asked.state ??= await context.broker.shareGroups.partition(session.groupId, asked.topicId, asked.partition);
  const { state } = asked;
  availability.watch(state);
  const acquired = await state.acquire(session.owner, {
    ...{ maxRecords, maxBytes, batchSize: Math.max(request.batchSize, 1) },
    mode: request.shareAcquireMode === RECORD_LIMIT ? 'record-limit' : 'batch-optimized',
  });
  // Nobody is there any more to get it.
  if (session.closed && acquired.ranges.length > 0) await state.releaseAll(session.owner);
  return acquired;
}

function success(partitionIndex: number, records: readonly Buffer[], ranges: Acquired['ranges']): PartitionResponse {
  return {
    ...empty(partitionIndex, KafkaError.NONE),
    records,
    acquiredRecords: ranges.map(({ firstOffset, lastOffset, deliveryCount }) => ({
      ...{ firstOffset, lastOffset, deliveryCount: Math.min(deliveryCount, MAX_INT16) },
    })),
  };
}

function empty(partitionIndex: number, errorCode: number): PartitionResponse {
  const nothing = { acknowledgeErrorCode: 0, currentLeader: NO_LEADER, records: [], acquiredRecords: [] };
  return { partitionIndex, errorCode, ...nothing };
}

/** By topic: of each partition what it gave, and what became of its acknowledgements. */
function together(
  found: readonly Found[],
  acknowledged: readonly AcknowledgedPartition[],
): ShareFetchResponse['responses'] {
  const topics = new Map<string, Map<number, PartitionResponse>>();
  const of = (topicId: string) => {
    const partitions = topics.get(topicId) ?? new Map<number, PartitionResponse>();
    topics.set(topicId, partitions);
    return partitions;
  };
  for (const { topicId, response } of found) of(topicId).set(response.partitionIndex, response);
  for (const { topicId, partitionIndex, errorCode: acknowledgeErrorCode } of acknowledged) {
    const partitions = of(topicId);
    const response = partitions.get(partitionIndex) ?? empty(partitionIndex, KafkaError.NONE);
    partitions.set(partitionIndex, { ...response, acknowledgeErrorCode });
  }
  return Array.from(topics, ([topicId, partitions]) => ({ topicId, partitions: [...partitions.values()] }));
}
