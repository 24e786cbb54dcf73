import type { BrokerSettings, CreateStream } from '../../../broker/index.ts';
import { BrokerError } from '../../../errors.ts';
import { type CreateTopicsRequest, type CreateTopicsResponse, createTopics } from '../codec/apis/create-topics.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { ZERO_UUID } from '../codec/uuid.ts';
import { handler, type RequestContext } from '../handler.ts';
import { MutationQuota } from './admin/mutation-quota.ts';
import { type Outcome, Refusal, refused } from './admin/refusal.ts';
import { checkReplicas, REPLICATION_FACTOR } from './admin/replica-assignment.ts';
import { topicConfigs } from './admin/topic-configs.ts';

type NewTopic = CreateTopicsRequest['topics'][number];
type Result = CreateTopicsResponse['topics'][number];

const DUPLICATE: Outcome = { errorCode: KafkaError.INVALID_REQUEST, errorMessage: 'Duplicate topic name.' };

/** Makes topics, each on its own, or only says whether they could be made. */
export const createTopicsHandler = handler(createTopics, async ({ topics, validateOnly }, context) => {
  const wanted: CreateStream[] = [];
  const results = new Map<string, Result>();
  for (const [name, [topic, ...others]] of Map.groupBy(topics, ({ name }) => name)) {
    // Its place among the results; those that are wanted are answered below.
    results.set(name, failed(name, DUPLICATE));
    if (topic === undefined || others.length > 0) continue;
    try {
      wanted.push({ name, partitions: partitionCount(topic, context.broker.settings), config: ownConfig(topic) });
    } catch (error) {
      results.set(name, failed(name, refusal(error, context)));
    }
  }
  const quota = new MutationQuota(context, { strictFrom: 6 });
  const answers = validateOnly ? wanted.map((stream) => check(stream, context)) : await create(wanted, quota, context);
  for (const answer of answers) results.set(answer.name, answer);
  return { throttleTimeMs: quota.throttleMs, topics: [...results.values()] };
});

function check(stream: CreateStream, context: RequestContext): Result {
  try {
    context.broker.streams.check(stream);
    // What is not made has no id, where Kafka answers one that nothing ever has.
    return done(stream, ZERO_UUID, context);
  } catch (error) {
    return failed(stream.name, refusal(error, context));
  }
}

async function create(
  wanted: readonly CreateStream[],
  quota: MutationQuota,
  context: RequestContext,
): Promise<Result[]> {
  const results: Result[] = [];
  const granted: CreateStream[] = [];
  for (const stream of wanted) {
    try {
      context.broker.streams.check(stream);
      quota.take(stream.partitions);
      granted.push(stream);
    } catch (error) {
      results.push(failed(stream.name, refusal(error, context)));
    }
  }
  try {
    const made = await context.broker.streams.createAll(granted);
    // As many outcomes as streams, in their order.
    for (const [i, stream] of made.entries()) {
      results.push(
        stream instanceof BrokerError
          ? failed(granted[i]!.name, refusal(stream, context))
          : done(granted[i]!, stream.id, context),
      );
    }
  } catch (error) {
    for (const { name } of granted) results.push(failed(name, refusal(error, context)));
  }
  return results;
}

function done({ name, partitions, config = {} }: CreateStream, topicId: string, { broker }: RequestContext): Result {
  return {
    name,
    topicId,
    errorCode: KafkaError.NONE,
    topicConfigErrorCode: KafkaError.NONE,
    numPartitions: partitions,
    replicationFactor: REPLICATION_FACTOR,
    configs: topicConfigs(config, broker.configs),
  };
}

const refusal = (error: unknown, context: RequestContext) =>
  refused(error, context, { 'invalid-argument': KafkaError.INVALID_TOPIC_EXCEPTION });

/** Refuses what cannot be; otherwise answers how many partitions are asked for. */
function partitionCount(
  { numPartitions, replicationFactor, assignments }: NewTopic,
  { nodeId, defaultPartitions }: BrokerSettings,
): number {
  if (assignments.length > 0) {
    const but = (setting: string) =>
      new Refusal(
        KafkaError.INVALID_REQUEST,
        `A manual partition assignment was specified, but ${setting} was not set to -1.`,
      );
    if (replicationFactor !== -1) throw but('replication factor');
    if (numPartitions !== -1) throw but('numPartitions');
    checkAssignments(assignments, nodeId);
    return assignments.length;
  }
  // Any number of replicas is taken, and one is reported, as there is one broker: clients come with the number that their
  // Kafka cluster had, and it says how durable they want it, which here the storage sees to.
  if (replicationFactor < -1 || replicationFactor === 0) {
    throw new Refusal(
      KafkaError.INVALID_REPLICATION_FACTOR,
      'Replication factor must be larger than 0, or -1 to use the default value.',
    );
  }
  if (numPartitions < -1 || numPartitions === 0) {
    throw new Refusal(KafkaError.INVALID_PARTITIONS, 'Number of partitions was set to an invalid non-positive value.');
  }
  return numPartitions === -1 ? defaultPartitions : numPartitions;
}

function checkAssignments(assignments: NewTopic['assignments'], nodeId: number): void {
  const refuse = (why: string) => {
    throw new Refusal(KafkaError.INVALID_REPLICA_ASSIGNMENT, why);
  };
  const seen = new Set<number>();
  for (const { partitionIndex, brokerIds } of assignments) {
    if (seen.has(partitionIndex)) refuse(`Found multiple manual partition assignments for partition ${partitionIndex}`);
    checkReplicas(brokerIds, nodeId);
    seen.add(partitionIndex);
  }
  for (let index = 0; index < assignments.length; index++)
    if (!seen.has(index)) refuse('partitions should be a consecutive 0-based integer sequence');
}

function ownConfig({ configs }: NewTopic): Record<string, string> {
  const missing = configs.filter(({ value }) => value === null).map(({ name }) => name);
  if (missing.length > 0) {
    throw new Refusal(KafkaError.INVALID_CONFIG, `Null value not supported for topic configs: ${missing.join(',')}`);
  }
  return Object.fromEntries(configs.map(({ name, value }) => [name, value ?? '']));
}

function failed(name: string, outcome: Outcome): Result {
  return { name, topicId: ZERO_UUID, ...outcome, configs: [] };
}
