import type { Stream } from '../../../broker/index.ts';
import { countRecords } from '../../../records/index.ts';
import { type FetchRequest, type FetchResponse, fetch } from '../codec/apis/fetch.ts';
import { KafkaError } from '../codec/error-codes.ts';
import type { FetchSession, SessionPartition } from '../fetch-session.ts';
import { sessionKey } from '../fetch-sessions.ts';
import { handler, type RequestContext } from '../handler.ts';
import { type Found, fetchPartition, unread } from '../partition-fetch.ts';
import { PROTOCOL } from '../protocol.ts';
import { traceFetched } from '../traces.ts';

type Responses = FetchResponse['responses'];
type PartitionResponse = Responses[number]['partitions'][number];

/** The most that one answer carries, whatever the client asks; Kafka's fetch.max.bytes. */
const MAX_FETCH_BYTES = 55 * 1024 * 1024;
const FINAL_EPOCH = -1;
const INITIAL_EPOCH = 0;
/** The isolation level of readers who see nothing of open transactions, and are told which were aborted. */
const READ_COMMITTED = 1;

/** Record batches from many partitions; waits, within the client's bounds, until there are enough. */
export const fetchHandler = handler(
  fetch,
  async (request, context) => {
    const opened = openSession(request, context);
    if ('errorCode' in opened) return { errorCode: opened.errorCode, sessionId: 0, responses: [] };
    const { session } = opened;
    const found = await collectEnough(request, opened, context);
    countFetched(found, context);
    if (context.broker.turns.tracing.on) traceFetched(found, context);
    if (session === undefined) return { errorCode: 0, sessionId: 0, responses: group(found) };
    const changed = opened.isNew ? found : found.filter(({ asked, response }) => isNews(asked, response));
    for (const { asked, response } of found) remember(session, asked, response);
    return { errorCode: 0, sessionId: session.id, responses: group(changed) };
  },
  { answersMuch: true },
);

function countFetched(found: readonly Found[], { broker }: RequestContext): void {
  const { messages } = broker.meters.protocol(PROTOCOL);
  for (const { partition, bytes, response } of found) {
    if (partition === undefined || bytes === 0) continue;
    // What was read of a log is in pieces.
    const records = countRecords(response.records as readonly Buffer[]);
    partition.counts.recordsOut += records;
    partition.counts.bytesOut += bytes;
    messages.deliveredNoAck += records;
    messages.bytesOut += bytes;
  }
}

interface Opened {
  readonly session: FetchSession | undefined;
  /** The answer is to have all partitions, whatever there is to say of them. */
  readonly isNew: boolean;
  /** What is fetched without a session. */
  readonly asked: readonly SessionPartition[];
}

/** Finds or makes the session that the request belongs to, and what is to be fetched in it (KIP-227). */
function openSession(request: FetchRequest, context: RequestContext): Opened | { readonly errorCode: number } {
  const { fetchSessions, broker, version, access } = context;
  const { sessionId, sessionEpoch, isolationLevel } = request;
  const asked = askedFor(request, context);
  const viewer = { client: access.client, accessVersion: access.version, isolationLevel };
  if (sessionEpoch === FINAL_EPOCH || sessionEpoch === INITIAL_EPOCH) {
    if (sessionId !== 0) fetchSessions.remove(sessionId);
    const session = sessionEpoch === INITIAL_EPOCH && version >= 7 ? fetchSessions.create(asked) : undefined;
    session?.seenBy(viewer);
    return { session, isNew: true, asked };
  }
  const session = fetchSessions.get(sessionId);
  if (session === undefined) return { errorCode: KafkaError.FETCH_SESSION_ID_NOT_FOUND };
  if (session.epoch !== sessionEpoch) return { errorCode: KafkaError.INVALID_FETCH_SESSION_EPOCH };
  session.epoch = session.epoch === 0x7fff_ffff ? 1 : session.epoch + 1;
  session.seenBy(viewer);
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
      session.wake(known);
    }
  }
  return { session, isNew: false, asked };
}

function askedFor(request: FetchRequest, { broker, version }: RequestContext): SessionPartition[] {
  const asked: SessionPartition[] = [];
  for (const { topic, topicId, partitions } of request.topics) {
    const name = version >= 13 ? (broker.streams.getById(topicId)?.name ?? '') : topic;
    for (const { partition, fetchOffset, partitionMaxBytes, currentLeaderEpoch, lastFetchedEpoch } of partitions) {
      asked.push({
        topic: name,
        topicId,
        partition,
        fetchOffset,
        maxBytes: partitionMaxBytes,
        currentLeaderEpoch,
        lastFetchedEpoch,
        knownHighWatermark: -1,
        knownStartOffset: -1,
      });
    }
  }
  return asked;
}

/** Reads until there are `minBytes`, an error, or `maxWaitMs` is over. */
async function collectEnough(
  request: FetchRequest,
  opened: Opened,
  context: RequestContext,
): Promise<readonly Found[]> {
  const { session, asked } = opened;
  const { clock } = context.broker.environment;
  const deadline = clock.monotonic() + request.maxWaitMs;
  // An answer that is full is not waited with, and neither is one that says where the client's log is another than this.
  const enough = Math.min(request.minBytes, Math.max(request.maxBytes, 1), MAX_FETCH_BYTES);
  /** What was found of those that rested afterwards, which may be news. */
  const before = new Map<SessionPartition, Found>();
  for (;;) {
    const wakes = session?.wakes;
    const { found, isFull } = await collect(request, opened, context);
    let bytes = 0;
    let failed = false;
    for (const one of found) {
      bytes += one.bytes;
      failed ||= one.response.errorCode !== 0 || one.response.divergingEpoch !== undefined;
    }
    if (before.size > 0) for (const { asked } of found) before.delete(asked);
    const left = deadline - clock.monotonic();
    const nothing = (session?.partitions.size ?? asked.length) === 0;
    const isOver = isFull || bytes >= enough || failed || left <= 0 || nothing;
    if (isOver || (await growth(found, session, wakes, left, context)) === 'closed')
      return before.size === 0 ? found : [...before.values(), ...found];
    // Those that do not rest are looked at again.
    if (session !== undefined) for (const one of found) if (one.isAtEnd) before.set(one.asked, one);
  }
}

async function collect(
  request: FetchRequest,
  { session, isNew, asked: all }: Opened,
  context: RequestContext,
): Promise<{ readonly found: readonly Found[]; readonly isFull: boolean }> {
  const limit = Math.min(request.maxBytes, MAX_FETCH_BYTES);
  const committed = request.isolationLevel === READ_COMMITTED;
  let bytes = 0;
  let isFull = false;
  const found: Found[] = [];
  for (const asked of session?.due ?? all) {
    // In a session the others have their turn before these the next time.
    if (isFull && !isNew) break;
    const stream = streamOf(asked, context);
    if (!mayRead(stream?.name ?? asked.topic, context)) {
      found.push(unread(asked, KafkaError.TOPIC_AUTHORIZATION_FAILED));
      continue;
    }
    const partition = stream?.partitions[asked.partition];
    if (partition === undefined) {
      const unknownId = stream === undefined && context.version >= 13;
      found.push(unread(asked, unknownId ? KafkaError.UNKNOWN_TOPIC_ID : KafkaError.UNKNOWN_TOPIC_OR_PARTITION));
      continue;
    }
    const left = isFull ? 0 : limit - bytes;
    const one = fetchPartition(partition, asked, { left, isFirst: bytes === 0, committed }, context);
    const result = one instanceof Promise ? await one : one;
    bytes += result.bytes;
    isFull ||= bytes > 0 && (bytes >= limit || result.isTooMuch);
    found.push(result);
    if (result.isAtEnd) session?.rest(asked, partition.log);
  }
  return { found, isFull };
}

/** A topic that has an id and no name is none that anybody could read. */
function mayRead(name: string, { access }: RequestContext): boolean {
  return name === '' || access.may('read', 'topic', name);
}

function streamOf({ topic, topicId }: SessionPartition, { broker, version }: RequestContext): Stream | undefined {
  return version >= 13 ? broker.streams.getById(topicId) : broker.streams.get(topic);
}

/**
 * Waits for any of the partitions to grow (or go), for the time to be over, or for the connection to end. `wakes`: the session's, before it was
 * looked for what was found.
 */
function growth(
  found: readonly Found[],
  session: FetchSession | undefined,
  wakes: number | undefined,
  waitMs: number,
  context: RequestContext,
): Promise<'grown' | 'over' | 'closed'> {
  const others = session === undefined ? found : found.filter(({ asked }) => !session.isResting(asked));
  // While some partitions were read from disk, others may have grown.
  const hasGrown = others.some(
    ({ partition, response }) => partition !== undefined && partition.log.highWatermark !== response.highWatermark,
  );
  if (hasGrown || session?.wakes !== wakes) return Promise.resolve('grown');
  return new Promise((resolve) => {
    const stops: (() => void)[] = [];
    const done = (why: 'grown' | 'over' | 'closed') => {
      for (const stop of stops) stop();
      resolve(why);
    };
    const grown = () => done('grown');
    const timer = context.broker.environment.clock.setTimer(waitMs, () => done('over'));
    stops.push(() => timer.cancel());
    stops.push(context.onClose(() => done('closed')));
    if (session !== undefined) stops.push(session.onWake(grown));
    for (const { partition } of others) if (partition !== undefined) stops.push(partition.log.onGrowth(grown));
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
  // Clients take nothing else from an answer with an error: when that is over, they are told again.
  const failed = response.errorCode !== 0;
  asked.knownHighWatermark = failed ? -1 : response.highWatermark;
  asked.knownStartOffset = failed ? -1 : (response.logStartOffset ?? -1);
  if (!failed && (response.records?.length ?? 0) === 0) return;
  // What gave something (or failed) comes last the next time, so that a busy partition does not starve the others.
  session.serveLast(asked);
}

function group(found: readonly Found[]): Responses {
  const topics = new Map<string, { topic: string; topicId: string; partitions: PartitionResponse[] }>();
  let topic: { topic: string; topicId: string; partitions: PartitionResponse[] } | undefined;
  for (const { asked, response } of found) {
    // Most of the time it is the topic of the partition before.
    if (topic?.topic !== asked.topic || topic.topicId !== asked.topicId) {
      const key = asked.topicId + asked.topic;
      topic = topics.get(key) ?? { topic: asked.topic, topicId: asked.topicId, partitions: [] };
      topics.set(key, topic);
    }
    topic.partitions.push(response);
  }
  return [...topics.values()];
}
