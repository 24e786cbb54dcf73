import type { CommittedRead, Partition, Stream } from '../../../broker/index.ts';
import { type FetchRequest, type FetchResponse, fetch } from '../codec/apis/fetch.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { errorNumber } from '../errors.ts';
import { type FetchSession, type SessionPartition, sessionKey } from '../fetch-sessions.ts';
import { handler, type RequestContext } from '../handler.ts';
import { checkLeaderEpoch } from '../leader-epoch.ts';

type Responses = FetchResponse['responses'];
type PartitionResponse = Responses[number]['partitions'][number];

/** The most that one answer carries, whatever the client asks; Kafka's fetch.max.bytes. */
const MAX_FETCH_BYTES = 55 * 1024 * 1024;
const FINAL_EPOCH = -1;
/** The isolation level of readers who see nothing of open transactions, and are told which were aborted. */
const READ_COMMITTED = 1;
const NO_TRANSACTIONS: CommittedRead['aborted'] = [];
const INITIAL_EPOCH = 0;

/** Record batches from many partitions; waits, within the client's bounds, until there are enough. */
export const fetchHandler = handler(
  fetch,
  async (request, context) => {
    const opened = openSession(request, context);
    if ('errorCode' in opened) return { errorCode: opened.errorCode, sessionId: 0, responses: [] };
    const { session, partitions } = opened;
    const found = await collectEnough(request, partitions, context);
    if (session === undefined) return { errorCode: 0, sessionId: 0, responses: group(found) };
    const changed = opened.isNew ? found : found.filter(({ asked, response }) => isNews(asked, response));
    for (const { asked, response } of found) remember(session, asked, response);
    return { errorCode: 0, sessionId: session.id, responses: group(changed) };
  },
  { answersMuch: true },
);

type Opened =
  | {
      readonly session: FetchSession | undefined;
      readonly isNew: boolean;
      readonly partitions: readonly SessionPartition[];
    }
  | { readonly errorCode: number };

/** Finds or makes the session that the request belongs to, and what is to be fetched in it (KIP-227). */
function openSession(request: FetchRequest, { fetchSessions, broker, version }: RequestContext): Opened {
  const { sessionId, sessionEpoch } = request;
  const asked = request.topics.flatMap(({ topic, topicId, partitions }) =>
    partitions.map((p): SessionPartition => {
      const name = version >= 13 ? (broker.streams.getById(topicId)?.name ?? '') : topic;
      return {
        ...p,
        topic: name,
        topicId,
        maxBytes: p.partitionMaxBytes,
        knownHighWatermark: -1,
        knownStartOffset: -1,
      };
    }),
  );
  if (sessionEpoch === FINAL_EPOCH || sessionEpoch === INITIAL_EPOCH) {
    if (sessionId !== 0) fetchSessions.remove(sessionId);
    const session = sessionEpoch === INITIAL_EPOCH && version >= 7 ? fetchSessions.create(asked) : undefined;
    return { session, isNew: true, partitions: asked };
  }
  const session = fetchSessions.get(sessionId);
  if (session === undefined) return { errorCode: KafkaError.FETCH_SESSION_ID_NOT_FOUND };
  if (session.epoch !== sessionEpoch) return { errorCode: KafkaError.INVALID_FETCH_SESSION_EPOCH };
  session.epoch = session.epoch === 0x7fff_ffff ? 1 : session.epoch + 1;
  for (const { topic, topicId, partitions } of request.forgottenTopicsData) {
    const name = version >= 13 ? (broker.streams.getById(topicId)?.name ?? '') : topic;
    for (const index of partitions) fetchSessions.forget(session, sessionKey(name, topicId, index));
  }
  for (const partition of asked) {
    const key = sessionKey(partition.topic, partition.topicId, partition.partition);
    const known = session.partitions.get(key);
    if (known === undefined || known.topicId !== partition.topicId) {
      // The client begins anew, and without a session where there is still no room.
      if (!fetchSessions.add(session, partition)) return { errorCode: KafkaError.FETCH_SESSION_ID_NOT_FOUND };
    } else {
      known.fetchOffset = partition.fetchOffset;
      known.maxBytes = partition.maxBytes;
      known.currentLeaderEpoch = partition.currentLeaderEpoch;
      known.lastFetchedEpoch = partition.lastFetchedEpoch;
    }
  }
  return { session, isNew: false, partitions: [...session.partitions.values()] };
}

interface Found {
  readonly asked: SessionPartition;
  readonly response: PartitionResponse;
  readonly bytes: number;
}

/** Reads until there are `minBytes`, an error, or `maxWaitMs` is over. */
async function collectEnough(
  request: FetchRequest,
  partitions: readonly SessionPartition[],
  context: RequestContext,
): Promise<Found[]> {
  const { clock } = context.broker.environment;
  const deadline = clock.monotonic() + request.maxWaitMs;
  // An answer that is full is not waited with, and neither is one that says where the client's log is another than this.
  const enough = Math.min(request.minBytes, Math.max(request.maxBytes, 1), MAX_FETCH_BYTES);
  for (;;) {
    const found = await collect(request, partitions, context);
    const bytes = found.reduce((sum, partition) => sum + partition.bytes, 0);
    const failed = found.some(({ response }) => response.errorCode !== 0 || response.divergingEpoch !== undefined);
    const left = deadline - clock.monotonic();
    if (bytes >= enough || failed || left <= 0 || partitions.length === 0) return found;
    if ((await growth(found, left, context)) === 'closed') return found;
  }
}

async function collect(
  request: FetchRequest,
  partitions: readonly SessionPartition[],
  context: RequestContext,
): Promise<Found[]> {
  const limit = Math.min(request.maxBytes, MAX_FETCH_BYTES);
  let bytes = 0;
  const found: Found[] = [];
  for (const asked of partitions) {
    const stream = streamOf(asked, context);
    if (!mayRead(stream?.name ?? asked.topic, context)) {
      found.push(failure(asked, KafkaError.TOPIC_AUTHORIZATION_FAILED));
      continue;
    }
    const partition = stream?.partitions[asked.partition];
    if (partition === undefined) {
      const unknownId = stream === undefined && context.version >= 13;
      found.push(failure(asked, unknownId ? KafkaError.UNKNOWN_TOPIC_ID : KafkaError.UNKNOWN_TOPIC_OR_PARTITION));
      continue;
    }
    const committed = request.isolationLevel === READ_COMMITTED;
    const one = read(partition, asked, { left: limit - bytes, isFirst: bytes === 0, committed }, context);
    const result = one instanceof Promise ? await one : one;
    bytes += result.bytes;
    found.push(result);
  }
  return found;
}

/** A topic that has an id and no name is none that anybody could read. */
function mayRead(name: string, { access }: RequestContext): boolean {
  return name === '' || access.may('read', 'topic', name);
}

function streamOf({ topic, topicId }: SessionPartition, { broker, version }: RequestContext): Stream | undefined {
  return version >= 13 ? broker.streams.getById(topicId) : broker.streams.get(topic);
}

/** When it is the first to give anything, it gives one batch however large that is, so that its reader gets on (KIP-74). */
function read(
  partition: Partition,
  asked: SessionPartition,
  { left, isFirst, committed }: { readonly left: number; readonly isFirst: boolean; readonly committed: boolean },
  { logger }: RequestContext,
): Found | Promise<Found> {
  const { log } = partition;
  const wrongEpoch = checkLeaderEpoch(partition, asked.currentLeaderEpoch);
  if (wrongEpoch !== 0) return failure(asked, wrongEpoch);
  const answer = (records: readonly Buffer[], bytes: number, aborted = NO_TRANSACTIONS): Found => ({
    asked,
    bytes,
    response: {
      partitionIndex: asked.partition,
      errorCode: 0,
      highWatermark: log.highWatermark,
      lastStableOffset: partition.lastStableOffset,
      logStartOffset: log.startOffset,
      abortedTransactions: committed
        ? aborted.map(({ producerId, firstOffset }) => ({ producerId, firstOffset }))
        : null,
      records,
    },
  });
  const fail = (error: unknown): Found => failure(asked, errorNumber(error, logger), partition);
  try {
    if (asked.lastFetchedEpoch >= 0) {
      const end = log.endOfEpoch(asked.lastFetchedEpoch);
      // An epoch without records of its own, as a start without appends leaves, is no divergence: nothing is missing.
      if (end !== undefined && end.endOffset < asked.fetchOffset) {
        const found = answer([], 0);
        return { ...found, response: { ...found.response, divergingEpoch: end } };
      }
    }
    // When the answer is full, what there is to say of the rest is said without records.
    if (!isFirst && left <= 0 && asked.fetchOffset >= log.startOffset && asked.fetchOffset <= log.nextOffset)
      return answer([], 0);
    const maxBytes = Math.max(Math.min(left, asked.maxBytes), 0);
    const fitting = ({ read: { chunks, bytes }, aborted }: CommittedRead) =>
      isFirst || bytes <= maxBytes ? answer(chunks, bytes, aborted) : answer([], 0);
    if (committed) {
      const found = partition.readCommitted(asked.fetchOffset, maxBytes);
      return found instanceof Promise ? found.then(fitting, fail) : fitting(found);
    }
    const found = partition.read(asked.fetchOffset, maxBytes);
    const all = (read: CommittedRead['read']) => fitting({ read, aborted: NO_TRANSACTIONS });
    return found instanceof Promise ? found.then(all, fail) : all(found);
  } catch (error) {
    return fail(error);
  }
}

function failure(asked: SessionPartition, errorCode: number, partition?: Partition): Found {
  const highWatermark = partition?.log.highWatermark ?? -1;
  const response = {
    partitionIndex: asked.partition,
    errorCode,
    highWatermark,
    lastStableOffset: partition?.lastStableOffset ?? -1,
    logStartOffset: partition?.log.startOffset ?? -1,
    abortedTransactions: null,
    records: [],
  };
  return { asked, bytes: 0, response };
}

/** Waits for any of the partitions to grow (or go), for the time to be over, or for the connection to end. */
function growth(
  found: readonly Found[],
  waitMs: number,
  context: RequestContext,
): Promise<'grown' | 'over' | 'closed'> {
  const logs = found.map(({ asked, response }) => ({
    log: streamOf(asked, context)?.partitions[asked.partition]?.log,
    seen: response.highWatermark,
  }));
  // While some partitions were read from disk, others may have grown.
  if (logs.some(({ log, seen }) => log !== undefined && log.highWatermark !== seen)) return Promise.resolve('grown');
  return new Promise((resolve) => {
    const stops: (() => void)[] = [];
    const done = (why: 'grown' | 'over' | 'closed') => {
      for (const stop of stops) stop();
      resolve(why);
    };
    const timer = context.broker.environment.clock.setTimer(waitMs, () => done('over'));
    stops.push(() => timer.cancel());
    stops.push(context.onClose(() => done('closed')));
    for (const { log } of logs) if (log !== undefined) stops.push(log.onGrowth(() => done('grown')));
  });
}

function isNews(asked: SessionPartition, response: PartitionResponse): boolean {
  return (
    response.errorCode !== 0 ||
    (response.records?.length ?? 0) > 0 ||
    response.divergingEpoch !== undefined ||
    response.highWatermark !== asked.knownHighWatermark ||
    response.logStartOffset !== asked.knownStartOffset
  );
}

function remember(session: FetchSession, asked: SessionPartition, response: PartitionResponse): void {
  asked.knownHighWatermark = response.highWatermark;
  asked.knownStartOffset = response.logStartOffset ?? -1;
  if (response.errorCode === 0 && (response.records?.length ?? 0) === 0) return;
  // What gave something (or failed) comes last the next time, so that a busy partition does not starve the others.
  const key = sessionKey(asked.topic, asked.topicId, asked.partition);
  if (session.partitions.delete(key)) session.partitions.set(key, asked);
}

function group(found: readonly Found[]): Responses {
  const topics = new Map<string, { topic: string; topicId: string; partitions: PartitionResponse[] }>();
  for (const { asked, response } of found) {
    const key = asked.topicId + asked.topic;
    const topic = topics.get(key);
    if (topic === undefined) topics.set(key, { topic: asked.topic, topicId: asked.topicId, partitions: [response] });
    else topic.partitions.push(response);
  }
  return [...topics.values()];
}
