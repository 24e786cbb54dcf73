import { BrokerError, type ErrorCode } from '../errors.ts';
import { KafkaError, type KafkaErrorName, kafkaErrorName } from '../protocols/kafka/codec/error-codes.ts';

interface Meaning {
  readonly code: ErrorCode;
  readonly message: string;
  /** Whether what the broker adds says it better: what is wrong with this very request. */
  readonly detailed?: true;
}

/** What an error that people meet means in our words, where Kafka's name alone would leave them puzzled. */
const MEANINGS: Partial<Record<KafkaErrorName, Meaning>> = {
  UNKNOWN_TOPIC_OR_PARTITION: { code: 'not-found', message: 'there is no such topic or partition' },
  UNKNOWN_TOPIC_ID: { code: 'not-found', message: 'the topic is gone' },
  GROUP_ID_NOT_FOUND: { code: 'not-found', message: 'there is no such group' },
  TOPIC_ALREADY_EXISTS: { code: 'already-exists', message: 'a topic of this name exists already' },
  INVALID_TOPIC_EXCEPTION: {
    code: 'invalid-argument',
    message: 'a topic is named by letters, digits, dots, underscores and dashes, 249 at most',
  },
  INVALID_PARTITIONS: {
    code: 'invalid-argument',
    message: 'that number of partitions cannot be; it can only grow',
    detailed: true,
  },
  INVALID_CONFIG: { code: 'invalid-configuration', message: 'a setting or its value is none', detailed: true },
  NON_EMPTY_GROUP: { code: 'group-not-empty', message: 'the group has members; stop its consumers first' },
  UNKNOWN_MEMBER_ID: { code: 'group-not-empty', message: 'the group has members; stop its consumers first' },
  MESSAGE_TOO_LARGE: {
    code: 'message-too-large',
    message: "a record is larger than the topic's max.message.bytes",
    detailed: true,
  },
  RECORD_LIST_TOO_LARGE: { code: 'message-too-large', message: "a batch is larger than the topic's segment.bytes" },
  OFFSET_OUT_OF_RANGE: { code: 'offset-out-of-range', message: 'the partition has no such offset' },
  INVALID_RECORD: { code: 'invalid-record', message: 'the broker refused the record', detailed: true },
  KAFKA_STORAGE_ERROR: { code: 'storage-failed', message: 'the broker cannot write to its storage; see its log' },
  TOPIC_AUTHORIZATION_FAILED: { code: 'not-authorized', message: 'not allowed for this user' },
  GROUP_AUTHORIZATION_FAILED: { code: 'not-authorized', message: 'not allowed for this user' },
  CLUSTER_AUTHORIZATION_FAILED: { code: 'not-authorized', message: 'not allowed for this user' },
  SASL_AUTHENTICATION_FAILED: { code: 'not-authorized', message: 'could not log in', detailed: true },
  UNSUPPORTED_VERSION: { code: 'unsupported', message: 'the broker does not support this', detailed: true },
};

/** Throws when the code is one of an error. `subject` says of what; `detail` is what the broker adds. */
export function throwOnError(code: number, subject: string, detail?: string | null): void {
  if (code !== KafkaError.NONE) throw kafkaError(code, subject, detail);
}

/** The error of a code in an answer. */
export function kafkaError(code: number, subject: string, detail?: string | null): BrokerError {
  const name = kafkaErrorName(code);
  const meaning = name && MEANINGS[name];
  const usual = meaning?.message ?? name?.toLowerCase().replaceAll('_', ' ') ?? `error ${code}`;
  const message = meaning === undefined || meaning.detailed ? detail || usual : usual;
  return new BrokerError(meaning?.code ?? 'internal', `${subject}: ${message}`);
}
