import { addOffsetsToTxn } from '../codec/apis/add-offsets-to-txn.ts';
import { addPartitionsToTxn } from '../codec/apis/add-partitions-to-txn.ts';
import { describeTransactions } from '../codec/apis/describe-transactions.ts';
import { endTxn } from '../codec/apis/end-txn.ts';
import { findCoordinator } from '../codec/apis/find-coordinator.ts';
import { initProducerId } from '../codec/apis/init-producer-id.ts';
import { listTransactions } from '../codec/apis/list-transactions.ts';
import { txnOffsetCommit } from '../codec/apis/txn-offset-commit.ts';
import { writeTxnMarkers } from '../codec/apis/write-txn-markers.ts';
import { KafkaError } from '../codec/error-codes.ts';
import type { RequestContext } from '../handler.ts';
import { divide, mayCluster, mayGroup, mayTopic, mayTransaction, type Rule, rule } from './rule.ts';

const errorCode = KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
const groupErrorCode = KafkaError.GROUP_AUTHORIZATION_FAILED;
const topicErrorCode = KafkaError.TOPIC_AUTHORIZATION_FAILED;
const clusterErrorCode = KafkaError.CLUSTER_AUTHORIZATION_FAILED;

const GROUP = 0;
const TRANSACTION = 1;
const NOBODY = { nodeId: -1, host: '', port: -1 };

interface Topic {
  readonly name: string;
  readonly partitions: readonly number[];
}

/** Producers, their transactions, and who coordinates them. */
export const TRANSACTION_RULES: readonly Rule[] = [
  rule(findCoordinator, async (request, context, next) => {
    const { key, keyType, coordinatorKeys } = request;
    const code = coordinatorErrorCode(keyType);
    if (context.version < 4) {
      if (mayFind(keyType, key, context)) return next(request);
      return { ...NOBODY, errorCode: code, errorMessage: null };
    }
    const [allowed, refused] = divide(coordinatorKeys, (each) => mayFind(keyType, each, context));
    const answer = await next({ ...request, coordinatorKeys: allowed });
    const others = refused.map((each) => ({ key: each, ...NOBODY, errorCode: code }));
    return { ...answer, coordinators: [...(answer?.coordinators ?? []), ...others] };
  }),
  rule(initProducerId, (request, context, next) => {
    const { transactionalId } = request;
    const refused = (code: number) => ({ errorCode: code, producerId: -1, producerEpoch: -1 });
    if (transactionalId !== null)
      return mayTransaction(context, 'write', transactionalId) ? next(request) : refused(errorCode);
    const mayProduce = mayCluster(context, 'idempotent-write') || context.access.mayAny('write', 'topic');
    return mayProduce ? next(request) : refused(clusterErrorCode);
  }),
  rule(addPartitionsToTxn, async (request, context, next) => {
    if (context.version < 4) {
      const { v3AndBelowTransactionalId: id, v3AndBelowTopics: topics } = request;
      const refused = refusedTopics(id, topics, context);
      return refused === undefined ? next(request) : { resultsByTopicV3AndBelow: refused };
    }
    // As in Kafka these versions are the brokers' own.
    if (!mayCluster(context, 'cluster-action')) return { errorCode: clusterErrorCode };
    return next(request);
  }),
  rule(addOffsetsToTxn, (request, context, next) => {
    if (!mayTransaction(context, 'write', request.transactionalId)) return { errorCode };
    return mayGroup(context, 'read', request.groupId) ? next(request) : { errorCode: groupErrorCode };
  }),
  rule(endTxn, (request, context, next) =>
    mayTransaction(context, 'write', request.transactionalId) ? next(request) : { errorCode },
  ),
  rule(txnOffsetCommit, async (request, context, next) => {
    const { transactionalId, groupId } = request;
    const code = !mayTransaction(context, 'write', transactionalId)
      ? errorCode
      : !mayGroup(context, 'read', groupId)
        ? groupErrorCode
        : undefined;
    const [allowed, refused] = divide(
      request.topics,
      ({ name }) => code === undefined && mayTopic(context, 'read', name),
    );
    const answer = allowed.length > 0 || refused.length === 0 ? await next({ ...request, topics: allowed }) : undefined;
    const topics = refused.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: code ?? topicErrorCode })),
    }));
    return { ...answer, topics: [...(answer?.topics ?? []), ...topics] };
  }),
  rule(writeTxnMarkers, (request, context, next) => {
    if (mayCluster(context, 'alter') || mayCluster(context, 'cluster-action')) return next(request);
    return {
      markers: request.markers.map(({ producerId, topics }) => ({
        producerId,
        topics: topics.map(({ name, partitionIndexes: partitions }) =>
          topicResult({ name, partitions }, clusterErrorCode),
        ),
      })),
    };
  }),
  rule(describeTransactions, async (request, context, next) => {
    const [allowed, refused] = divide(request.transactionalIds, (id) => mayTransaction(context, 'describe', id));
    const answer = await next({ ...request, transactionalIds: allowed });
    // Topics that the client may not see are left out.
    const states = (answer?.transactionStates ?? []).map((state) => ({
      ...state,
      topics: state.topics.filter(({ topic }) => mayTopic(context, 'describe', topic)),
    }));
    const unknown = { transactionState: '', transactionTimeoutMs: 0, transactionStartTimeMs: 0, topics: [] };
    const others = refused.map((transactionalId) => ({
      ...{ errorCode, transactionalId, producerId: 0, producerEpoch: 0, ...unknown },
    }));
    return { ...answer, transactionStates: [...states, ...others] };
  }),
  rule(listTransactions, async (request, context, next) => {
    const answer = await next(request);
    if (answer === undefined) return undefined;
    const visible = answer.transactionStates.filter(({ transactionalId }) =>
      mayTransaction(context, 'describe', transactionalId),
    );
    return { ...answer, transactionStates: visible };
  }),
];

function mayFind(keyType: number, key: string, context: RequestContext): boolean {
  if (keyType === GROUP) return mayGroup(context, 'describe', key);
  if (keyType === TRANSACTION) return mayTransaction(context, 'describe', key);
  return mayCluster(context, 'cluster-action');
}

function coordinatorErrorCode(keyType: number): number {
  if (keyType === GROUP) return groupErrorCode;
  return keyType === TRANSACTION ? errorCode : clusterErrorCode;
}

/** What is answered when the client may not write to one of the topics: the others are not tried then. Undefined when it may. */
function refusedTopics(transactionalId: string, topics: readonly Topic[], context: RequestContext) {
  if (!mayTransaction(context, 'write', transactionalId)) return topics.map((topic) => txnResult(topic, errorCode));
  if (topics.every(({ name }) => mayTopic(context, 'write', name))) return undefined;
  return topics.map((topic) =>
    txnResult(topic, mayTopic(context, 'write', topic.name) ? KafkaError.OPERATION_NOT_ATTEMPTED : topicErrorCode),
  );
}

function txnResult({ name, partitions }: Topic, code: number) {
  return {
    name,
    resultsByPartition: partitions.map((partitionIndex) => ({ partitionIndex, partitionErrorCode: code })),
  };
}

function topicResult({ name, partitions }: Topic, code: number) {
  return { name, partitions: partitions.map((partitionIndex) => ({ partitionIndex, errorCode: code })) };
}
