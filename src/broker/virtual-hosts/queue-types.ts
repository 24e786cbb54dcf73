import { BrokerError } from '../../errors.ts';
import type { FieldTable } from '../messages/index.ts';
import type { QueueType } from './queue-entry.ts';

/** What is known of a kind of queue, in RabbitMQ's words where clients see them. */
export interface QueueTypeTraits {
  /** In error texts. */
  readonly module: string;
  /** Arguments that mean something to it; such that mean something only to others are refused, unknown ones are not. */
  readonly arguments: readonly string[];
  /** Settings in policies that are not for it: a policy that has one does not apply. */
  readonly unsupportedPolicies: readonly string[];
  /** What a policy says to apply to its kind only. */
  readonly policyScope: string;
  /** May it be exclusive, auto-delete or transient, and get its name from the broker? */
  readonly temporary: boolean;
}

/** In the order in which RabbitMQ compares arguments. */
export const QUEUE_TYPES: Readonly<Record<QueueType, QueueTypeTraits>> = {
  classic: {
    module: 'rabbit_classic_queue',
    arguments: [
      'x-expires',
      'x-message-ttl',
      'x-dead-letter-exchange',
      'x-dead-letter-routing-key',
      'x-max-length',
      'x-max-length-bytes',
      'x-max-priority',
      'x-overflow',
      'x-queue-mode',
      'x-queue-version',
      'x-single-active-consumer',
      'x-queue-type',
      'x-queue-master-locator',
      'x-queue-leader-locator',
    ],
    unsupportedPolicies: [
      'max-age',
      'stream-max-segment-size-bytes',
      'initial-cluster-size',
      'delivery-limit',
      'dead-letter-strategy',
      'max-in-memory-length',
      'max-in-memory-bytes',
      'target-group-size',
    ],
    policyScope: 'classic_queues',
    temporary: true,
  },
  quorum: {
    module: 'rabbit_quorum_queue',
    arguments: [
      'x-dead-letter-exchange',
      'x-dead-letter-routing-key',
      'x-dead-letter-strategy',
      'x-expires',
      'x-max-length',
      'x-max-length-bytes',
      'x-max-in-memory-length',
      'x-max-in-memory-bytes',
      'x-overflow',
      'x-single-active-consumer',
      'x-queue-type',
      'x-quorum-initial-group-size',
      'x-quorum-target-group-size',
      'x-delivery-limit',
      'x-message-ttl',
      'x-queue-leader-locator',
    ],
    unsupportedPolicies: [
      'max-priority',
      'queue-mode',
      'max-age',
      'stream-max-segment-size-bytes',
      'initial-cluster-size',
    ],
    policyScope: 'quorum_queues',
    temporary: false,
  },
  stream: {
    module: 'rabbit_stream_queue',
    arguments: [
      'x-max-length-bytes',
      'x-queue-type',
      'x-max-age',
      'x-stream-max-segment-size-bytes',
      'x-stream-filter-size-bytes',
      'x-initial-cluster-size',
      'x-queue-leader-locator',
    ],
    unsupportedPolicies: [
      'expires',
      'message-ttl',
      'dead-letter-exchange',
      'dead-letter-routing-key',
      'max-length',
      'max-in-memory-length',
      'max-in-memory-bytes',
      'max-priority',
      'overflow',
      'queue-mode',
      'delivery-limit',
      'dead-letter-strategy',
      'target-group-size',
    ],
    policyScope: 'streams',
    temporary: false,
  },
};

/** Every argument that means something to some kind of queue. */
export const ALL_QUEUE_ARGUMENTS: ReadonlySet<string> = new Set(
  Object.values(QUEUE_TYPES).flatMap((traits) => traits.arguments),
);

export function isQueueType(name: string): name is QueueType {
  return Object.hasOwn(QUEUE_TYPES, name);
}

/** The type that the arguments ask for, or else the host's default, where the queue can be of it. The arguments are checked. */
export function queueTypeOf(
  declaration: {
    readonly arguments: FieldTable;
    readonly durable: boolean;
    readonly exclusive: boolean;
    readonly autoDelete: boolean;
  },
  byDefault: QueueType,
): QueueType {
  const asked = declaration.arguments.get('x-queue-type');
  if (asked !== undefined) {
    const name = String(asked.value);
    if (!isQueueType(name)) throw new BrokerError('internal', `the queue type '${name}' was not checked`);
    return name;
  }
  const temporary = !declaration.durable || declaration.exclusive || declaration.autoDelete;
  return temporary && !QUEUE_TYPES[byDefault].temporary ? 'classic' : byDefault;
}
