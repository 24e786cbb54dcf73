import type { Logger } from '../../environment/logger.ts';
import { BrokerError, type ErrorCode } from '../../errors.ts';
import { CodecError } from './codec/codec-error.ts';
import { KafkaError } from './codec/error-codes.ts';

/** An error quotes what the client sent, which may be as long as a string can be: then it would not fit one itself. */
const MAX_TEXT_LENGTH = 1000;

/** What a client is told in words. */
export function errorText(message: string): string {
  return message.length <= MAX_TEXT_LENGTH ? message : `${message.slice(0, MAX_TEXT_LENGTH)}…`;
}

/** The broker's codes in Kafka's numbers. A handler that means another number says so itself. */
const NUMBERS: Readonly<Record<ErrorCode, number>> = {
  'invalid-argument': KafkaError.INVALID_REQUEST,
  'not-found': KafkaError.UNKNOWN_TOPIC_OR_PARTITION,
  'already-exists': KafkaError.TOPIC_ALREADY_EXISTS,
  'offset-out-of-range': KafkaError.OFFSET_OUT_OF_RANGE,
  'invalid-record': KafkaError.INVALID_RECORD,
  'corrupt-message': KafkaError.CORRUPT_MESSAGE,
  'message-too-large': KafkaError.MESSAGE_TOO_LARGE,
  unsupported: KafkaError.UNSUPPORTED_VERSION,
  'unsupported-compression': KafkaError.UNSUPPORTED_COMPRESSION_TYPE,
  'limit-exceeded': KafkaError.POLICY_VIOLATION,
  'not-authorized': KafkaError.TOPIC_AUTHORIZATION_FAILED,
  'access-refused': KafkaError.TOPIC_AUTHORIZATION_FAILED,
  'not-allowed': KafkaError.POLICY_VIOLATION,
  'precondition-failed': KafkaError.INVALID_REQUEST,
  'resource-locked': KafkaError.INVALID_REQUEST,
  'out-of-order-sequence': KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER,
  'producer-fenced': KafkaError.INVALID_PRODUCER_EPOCH,
  'invalid-timestamp': KafkaError.INVALID_TIMESTAMP,
  'invalid-transaction-state': KafkaError.INVALID_TXN_STATE,
  // Clients that know it abort the transaction and go on; Produce and TxnOffsetCommit tell older ones INVALID_TXN_STATE.
  'not-in-transaction': KafkaError.TRANSACTION_ABORTABLE,
  'concurrent-transactions': KafkaError.CONCURRENT_TRANSACTIONS,
  'unknown-producer-id': KafkaError.INVALID_PRODUCER_ID_MAPPING,
  'invalid-transaction-timeout': KafkaError.INVALID_TRANSACTION_TIMEOUT,
  'no-such-transaction': KafkaError.TRANSACTIONAL_ID_NOT_FOUND,
  'coordinator-fenced': KafkaError.TRANSACTION_COORDINATOR_FENCED,
  'unstable-offset': KafkaError.UNSTABLE_OFFSET_COMMIT,
  'invalid-configuration': KafkaError.INVALID_CONFIG,
  'storage-failed': KafkaError.KAFKA_STORAGE_ERROR,
  'storage-full': KafkaError.KAFKA_STORAGE_ERROR,
  'storage-damaged': KafkaError.KAFKA_STORAGE_ERROR,
  fenced: KafkaError.NOT_LEADER_OR_FOLLOWER,
  closed: KafkaError.NOT_LEADER_OR_FOLLOWER,
  internal: KafkaError.UNKNOWN_SERVER_ERROR,
  'unknown-member': KafkaError.UNKNOWN_MEMBER_ID,
  'illegal-generation': KafkaError.ILLEGAL_GENERATION,
  'rebalance-in-progress': KafkaError.REBALANCE_IN_PROGRESS,
  'inconsistent-group-protocol': KafkaError.INCONSISTENT_GROUP_PROTOCOL,
  'fenced-instance': KafkaError.FENCED_INSTANCE_ID,
  'invalid-group': KafkaError.INVALID_GROUP_ID,
  'invalid-session-timeout': KafkaError.INVALID_SESSION_TIMEOUT,
  'group-not-empty': KafkaError.NON_EMPTY_GROUP,
  'group-max-size': KafkaError.GROUP_MAX_SIZE_REACHED,
  'group-subscribed-to-topic': KafkaError.GROUP_SUBSCRIBED_TO_TOPIC,
  'stale-member-epoch': KafkaError.STALE_MEMBER_EPOCH,
  'fenced-member-epoch': KafkaError.FENCED_MEMBER_EPOCH,
  'unreleased-instance': KafkaError.UNRELEASED_INSTANCE_ID,
  'unsupported-assignor': KafkaError.UNSUPPORTED_ASSIGNOR,
  'invalid-regular-expression': KafkaError.INVALID_REGULAR_EXPRESSION,
  'invalid-record-state': KafkaError.INVALID_RECORD_STATE,
};

/** Kafka's number for whatever was thrown. A client that is told 'unknown server error' cannot say more: the log does. */
export function errorNumber(error: unknown, logger: Logger): number {
  if (error instanceof CodecError) return KafkaError.INVALID_REQUEST;
  if (error instanceof BrokerError && error.code !== 'internal') return NUMBERS[error.code];
  logger.error({ err: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 'the broker failed');
  return KafkaError.UNKNOWN_SERVER_ERROR;
}

/** Codes that mean something else when a group's coordinator says them. */
const GROUP_NUMBERS: Partial<Record<ErrorCode, number>> = {
  'not-found': KafkaError.GROUP_ID_NOT_FOUND,
  'storage-failed': KafkaError.COORDINATOR_NOT_AVAILABLE,
  'storage-full': KafkaError.COORDINATOR_NOT_AVAILABLE,
  fenced: KafkaError.NOT_COORDINATOR,
  closed: KafkaError.NOT_COORDINATOR,
};

/** Kafka's number for one of a coordinator's codes; 0 for none. */
export function groupCodeNumber(code: ErrorCode | null): number {
  return code === null ? KafkaError.NONE : (GROUP_NUMBERS[code] ?? NUMBERS[code]);
}

/** Kafka's number for whatever a coordinator threw. */
export function groupErrorNumber(error: unknown, logger: Logger): number {
  const known = error instanceof BrokerError && error.code !== 'internal';
  return known ? groupCodeNumber(error.code) : errorNumber(error, logger);
}
