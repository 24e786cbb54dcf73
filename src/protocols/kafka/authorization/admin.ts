import { alterClientQuotas } from '../codec/apis/alter-client-quotas.ts';
import { alterConfigs } from '../codec/apis/alter-configs.ts';
import { alterPartitionReassignments } from '../codec/apis/alter-partition-reassignments.ts';
import { alterReplicaLogDirs } from '../codec/apis/alter-replica-log-dirs.ts';
import { alterUserScramCredentials } from '../codec/apis/alter-user-scram-credentials.ts';
import { createAcls } from '../codec/apis/create-acls.ts';
import { createDelegationToken } from '../codec/apis/create-delegation-token.ts';
import { createPartitions } from '../codec/apis/create-partitions.ts';
import { createTopics } from '../codec/apis/create-topics.ts';
import { deleteAcls } from '../codec/apis/delete-acls.ts';
import { type DeleteTopicsResponse, deleteTopics } from '../codec/apis/delete-topics.ts';
import { describeAcls } from '../codec/apis/describe-acls.ts';
import { describeClientQuotas } from '../codec/apis/describe-client-quotas.ts';
import { describeCluster } from '../codec/apis/describe-cluster.ts';
import { describeConfigs } from '../codec/apis/describe-configs.ts';
import { describeDelegationToken } from '../codec/apis/describe-delegation-token.ts';
import { describeLogDirs } from '../codec/apis/describe-log-dirs.ts';
import { describeQuorum } from '../codec/apis/describe-quorum.ts';
import { describeUserScramCredentials } from '../codec/apis/describe-user-scram-credentials.ts';
import { electLeaders } from '../codec/apis/elect-leaders.ts';
import { expireDelegationToken } from '../codec/apis/expire-delegation-token.ts';
import { getTelemetrySubscriptions } from '../codec/apis/get-telemetry-subscriptions.ts';
import { incrementalAlterConfigs } from '../codec/apis/incremental-alter-configs.ts';
import { listConfigResources } from '../codec/apis/list-config-resources.ts';
import { listPartitionReassignments } from '../codec/apis/list-partition-reassignments.ts';
import { pushTelemetry } from '../codec/apis/push-telemetry.ts';
import { renewDelegationToken } from '../codec/apis/renew-delegation-token.ts';
import { unregisterBroker } from '../codec/apis/unregister-broker.ts';
import { updateFeatures } from '../codec/apis/update-features.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { ZERO_UUID } from '../codec/uuid.ts';
import type { RequestContext } from '../handler.ts';
import {
  clusterRule,
  divide,
  everybody,
  mayCluster,
  mayGroup,
  mayTopic,
  nameOfTopic,
  type Rule,
  rule,
} from './rule.ts';
import { clusterOperations } from './topics.ts';

const NOT_THE_CLUSTER = {
  errorCode: KafkaError.CLUSTER_AUTHORIZATION_FAILED,
  errorMessage: 'Cluster authorization failed.',
} as const;
const NOT_THE_TOPIC = {
  errorCode: KafkaError.TOPIC_AUTHORIZATION_FAILED,
  errorMessage: 'Authorization failed.',
} as const;
const NOT_THE_GROUP = { errorCode: KafkaError.GROUP_AUTHORIZATION_FAILED, errorMessage: null } as const;

/** Kafka's numbers of what has settings. */
const TOPIC = 2;
const GROUP = 32;

interface Resource {
  readonly resourceType: number;
  readonly resourceName: string;
}

/** What administrators do. */
export const ADMIN_RULES: readonly Rule[] = [
  rule(createTopics, async (request, context, next) => {
    const mayAll = mayCluster(context, 'create');
    const [allowed, refused] = divide(request.topics, ({ name }) => mayAll || mayTopic(context, 'create', name));
    const answer = await next({ ...request, topics: allowed });
    const made = (answer?.topics ?? []).map((topic) =>
      topic.errorCode !== 0 || mayTopic(context, 'describe-configs', topic.name)
        ? topic
        : {
            ...topic,
            topicConfigErrorCode: KafkaError.TOPIC_AUTHORIZATION_FAILED,
            ...{ numPartitions: -1, replicationFactor: -1, configs: [] },
          },
    );
    const names = new Set(refused.map(({ name }) => name));
    const others = Array.from(names, (name) => ({ name, topicId: ZERO_UUID, ...NOT_THE_TOPIC, configs: [] }));
    return { ...answer, topics: [...made, ...others] };
  }),
  rule(deleteTopics, async (request, context, next) => {
    const refused: DeleteTopicsResponse['responses'][number][] = [];
    const mayDelete = (name: string) => mayCluster(context, 'delete') || mayTopic(context, 'delete', name);
    const topicNames = request.topicNames.filter((name) => {
      if (mayDelete(name)) return true;
      refused.push({ name, topicId: ZERO_UUID, ...NOT_THE_TOPIC });
      return false;
    });
    const topics = request.topics.filter(({ name, topicId }) => {
      const topic = name ?? nameOfTopic(context, topicId);
      if (topic === undefined || mayDelete(topic)) return true;
      // Whoever may not describe a topic does not learn its name.
      const told = name ?? (mayTopic(context, 'describe', topic) ? topic : null);
      refused.push({ name: told, topicId, ...NOT_THE_TOPIC });
      return false;
    });
    const answer = await next({ ...request, topicNames, topics });
    return { ...answer, responses: [...(answer?.responses ?? []), ...refused] };
  }),
  rule(createPartitions, async (request, context, next) => {
    const [allowed, refused] = divide(request.topics, ({ name }) => mayTopic(context, 'alter', name));
    const answer = await next({ ...request, topics: allowed });
    const others = refused.map(({ name }) => ({ name, ...NOT_THE_TOPIC }));
    return { ...answer, results: [...(answer?.results ?? []), ...others] };
  }),
  rule(describeConfigs, async (request, context, next) => {
    const [allowed, refused] = divide(request.resources, (each) => !isRefused(each, 'describe-configs', context));
    const answer = await next({ ...request, resources: allowed });
    const others = refused.map((resource) => ({ ...refusal(resource), configs: [] }));
    return { ...answer, results: [...(answer?.results ?? []), ...others] };
  }),
  rule(alterConfigs, async (request, context, next) => {
    const [allowed, refused] = divide(request.resources, (each) => !isRefused(each, 'alter-configs', context));
    const answer = await next({ ...request, resources: allowed });
    return { ...answer, responses: [...(answer?.responses ?? []), ...refused.map(refusal)] };
  }),
  rule(incrementalAlterConfigs, async (request, context, next) => {
    const [allowed, refused] = divide(request.resources, (each) => !isRefused(each, 'alter-configs', context));
    const answer = await next({ ...request, resources: allowed });
    return { ...answer, responses: [...(answer?.responses ?? []), ...refused.map(refusal)] };
  }),
  rule(describeCluster, async (request, context, next) => {
    const answer = await next(request);
    if (answer === undefined || !request.includeClusterAuthorizedOperations) return answer;
    return { ...answer, clusterAuthorizedOperations: clusterOperations(context) };
  }),
  clusterRule(describeLogDirs, 'describe', () => ({ errorCode: NOT_THE_CLUSTER.errorCode, results: [] })),
  clusterRule(alterReplicaLogDirs, 'alter', ({ dirs }) => ({
    results: dirs.flatMap(({ topics }) =>
      topics.map(({ name, partitions }) => ({
        topicName: name,
        partitions: partitions.map((partitionIndex) => ({ partitionIndex, errorCode: NOT_THE_CLUSTER.errorCode })),
      })),
    ),
  })),
  clusterRule(alterPartitionReassignments, 'alter', () => ({ ...NOT_THE_CLUSTER, responses: [] })),
  clusterRule(listPartitionReassignments, 'describe', () => ({ ...NOT_THE_CLUSTER, topics: [] })),
  clusterRule(electLeaders, 'alter', () => ({ errorCode: NOT_THE_CLUSTER.errorCode, replicaElectionResults: [] })),
  clusterRule(updateFeatures, 'alter', () => NOT_THE_CLUSTER),
  clusterRule(unregisterBroker, 'alter', () => NOT_THE_CLUSTER),
  clusterRule(describeQuorum, 'describe', () => ({ ...NOT_THE_CLUSTER, topics: [] })),
  clusterRule(listConfigResources, 'describe-configs', () => ({
    errorCode: NOT_THE_CLUSTER.errorCode,
    configResources: [],
  })),
  // What a client says of itself, it may say; and there are no tokens.
  everybody(getTelemetrySubscriptions),
  everybody(pushTelemetry),
  everybody(createDelegationToken),
  everybody(renewDelegationToken),
  everybody(expireDelegationToken),
  everybody(describeDelegationToken),
  clusterRule(describeAcls, 'describe', () => ({ ...NOT_THE_CLUSTER, resources: [] })),
  clusterRule(createAcls, 'alter', ({ creations }) => ({ results: creations.map(() => NOT_THE_CLUSTER) })),
  clusterRule(deleteAcls, 'alter', ({ filters }) => ({
    filterResults: filters.map(() => ({ ...NOT_THE_CLUSTER, matchingAcls: [] })),
  })),
  clusterRule(describeClientQuotas, 'describe-configs', () => ({ ...NOT_THE_CLUSTER, entries: null })),
  clusterRule(alterClientQuotas, 'alter-configs', ({ entries }) => ({
    entries: entries.map(({ entity }) => ({ ...NOT_THE_CLUSTER, entity })),
  })),
  clusterRule(describeUserScramCredentials, 'describe', () => ({ ...NOT_THE_CLUSTER, results: [] })),
  clusterRule(alterUserScramCredentials, 'alter', ({ deletions, upsertions }) => ({
    results: [...new Set([...deletions, ...upsertions].map(({ name }) => name))].map((user) => ({
      user,
      ...NOT_THE_CLUSTER,
    })),
  })),
];

/** Brokers' settings, those of their loggers and of clients' metrics are the cluster's. */
function isRefused(
  { resourceType, resourceName }: Resource,
  operation: 'describe-configs' | 'alter-configs',
  context: RequestContext,
): boolean {
  if (resourceType === TOPIC) return !mayTopic(context, operation, resourceName);
  if (resourceType === GROUP) return !mayGroup(context, operation, resourceName);
  return !mayCluster(context, operation);
}

function refusal({ resourceType, resourceName }: Resource) {
  const outcome = resourceType === TOPIC ? NOT_THE_TOPIC : resourceType === GROUP ? NOT_THE_GROUP : NOT_THE_CLUSTER;
  return { ...outcome, resourceType, resourceName };
}
