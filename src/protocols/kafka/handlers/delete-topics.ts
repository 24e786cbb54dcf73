import type { Stream } from '../../../broker/index.ts';
import { type DeleteTopicsRequest, type DeleteTopicsResponse, deleteTopics } from '../codec/apis/delete-topics.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { ZERO_UUID } from '../codec/uuid.ts';
import { handler, type RequestContext } from '../handler.ts';
import { MutationQuota } from './admin/mutation-quota.ts';
import { DONE, type Outcome, refused, UNKNOWN_TOPIC, UNKNOWN_TOPIC_ID } from './admin/refusal.ts';

type Result = DeleteTopicsResponse['responses'][number];

const invalid = (errorMessage: string): Outcome => ({ errorCode: KafkaError.INVALID_REQUEST, errorMessage });

/** Deletes topics, by name or by id, each on its own. Whoever names one more than once, in whatever way, deletes it not at all. */
export const deleteTopicsHandler = handler(deleteTopics, async (request, context) => {
  const { streams } = context.broker;
  const { names, ids, responses } = sortOut(request);
  const byId = new Map<string, Stream>();
  for (const id of ids) {
    const stream = streams.getById(id);
    if (stream === undefined) responses.push({ name: null, topicId: id, ...UNKNOWN_TOPIC_ID });
    else byId.set(id, stream);
  }
  const givenIds = new Set(request.topics.map(({ topicId }) => topicId));
  const byName: Stream[] = [];
  for (const name of names) {
    const stream = streams.get(name);
    if (stream === undefined) {
      responses.push({ name, topicId: ZERO_UUID, ...UNKNOWN_TOPIC });
    } else if (givenIds.has(stream.id)) {
      byId.delete(stream.id);
      const outcome = invalid('The provided topic name maps to an ID that was already supplied.');
      responses.push({ name, topicId: stream.id, ...outcome });
    } else {
      byName.push(stream);
    }
  }
  const quota = new MutationQuota(context, { strictFrom: 5 });
  const remove = async (stream: Stream, notFound: number) =>
    void responses.push({
      name: stream.name,
      topicId: stream.id,
      ...(await outcome(stream, quota, context, notFound)),
    });
  for (const stream of byId.values()) await remove(stream, KafkaError.UNKNOWN_TOPIC_ID);
  for (const stream of byName) await remove(stream, KafkaError.UNKNOWN_TOPIC_OR_PARTITION);
  return { throttleTimeMs: quota.throttleMs, responses };
});

/** The names and ids that are given once; what is wrong with the others is answered. */
function sortOut({ topics, topicNames }: DeleteTopicsRequest) {
  const names = new Map<string, number>();
  const ids = new Map<string, number>();
  const responses: Result[] = [];
  const count = (key: string, counts: Map<string, number>) => counts.set(key, (counts.get(key) ?? 0) + 1);
  for (const name of topicNames) count(name, names);
  for (const { name, topicId } of topics) {
    if (name !== null && topicId === ZERO_UUID) count(name, names);
    else if (name === null && topicId !== ZERO_UUID) count(topicId, ids);
    else {
      const wrong =
        name === null
          ? 'Neither topic name nor id were specified.'
          : 'You may not specify both topic name and topic id.';
      responses.push({ name, topicId, ...invalid(wrong) });
    }
  }
  const once = (counts: Map<string, number>, duplicate: (key: string) => Result) => {
    for (const [key, times] of counts) {
      if (times === 1) continue;
      counts.delete(key);
      responses.push(duplicate(key));
    }
    return [...counts.keys()];
  };
  return {
    names: once(names, (name) => ({ name, topicId: ZERO_UUID, ...invalid('Duplicate topic name.') })),
    ids: once(ids, (topicId) => ({ name: null, topicId, ...invalid('Duplicate topic id.') })),
    responses,
  };
}

/** `notFound` is what a client is told when somebody else deleted the topic meanwhile. */
async function outcome(
  { name, id, partitions }: Stream,
  quota: MutationQuota,
  context: RequestContext,
  notFound: number,
): Promise<Outcome> {
  try {
    quota.take(partitions.length);
    await context.broker.streams.delete(name, id);
    return DONE;
  } catch (error) {
    return refused(error, context, { 'not-found': notFound });
  }
}
