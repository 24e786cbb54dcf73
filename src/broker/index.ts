export type { Durability, LogRead } from '../storage/index.ts';
export * from './audit/index.ts';
export * from './backups/index.ts';
export { Broker } from './broker.ts';
export { type BrokerOptions, type BrokerSettings, DEFAULT_BROKER_SETTINGS } from './broker-settings.ts';
export * from './browse/index.ts';
export * from './clients/index.ts';
export * from './configs/index.ts';
export {
  type Definitions,
  type DefinitionsInput,
  isPredeclared,
  type Json,
  jsonOfTable,
  parseDefinitions,
  tableOf,
} from './definitions/index.ts';
export { type AcceptedConnection, Acceptor } from './flow/acceptor.ts';
export type { ClientQuotaKey, Quota, QuotaChange, QuotaEntity } from './flow/client-quotas.ts';
export { plainAddress } from './flow/connection-limits.ts';
export {
  ASSIGNORS,
  type Assignment,
  DEFAULT_GROUP_SETTINGS,
  type EmbeddedProtocol,
  type FetchOffsetsRequest,
  type GroupListing,
  type GroupSettings,
  JOINS,
  LEAVES,
  LEAVES_FOR_NOW,
} from './groups/index.ts';
export * from './logs/index.ts';
export * from './messages/index.ts';
export { headerText } from './messages/record-mapping.ts';
export { RecordMessages } from './messages/record-messages.ts';
export type { Consumer, ConsumerOptions } from './queues/consumer.ts';
export type { Delivery } from './queues/delivery.ts';
export type { MessagePosition, MessageSource, SeenMessage } from './queues/message-source.ts';
export type { Queue } from './queues/queue.ts';
export type { Published, Turn, Turns, TurnWaiter } from './queues/turn.ts';
export { turnEnd } from './queues/turn-end.ts';
export type { Binding } from './routing/binding.ts';
export { erlangText, erlangType } from './routing/erlang-text.ts';
export type { RouteExplanation } from './routing/explanation.ts';
export { AttributesOfBytes } from './routing/message-attributes.ts';
export type { Route } from './routing/route.ts';
export * from './security/index.ts';
export { type RecordDeath, recordDeath } from './share-groups/dead-letter-record.ts';
export type * from './share-groups/index.ts';
export type { CommittedRead, Partition, PartitionAppend, TimestampedOffset } from './streams/partition.ts';
export { type RejectedRecord, RejectedRecords } from './streams/rejected-records.ts';
export type { Stream } from './streams/stream.ts';
export { configValue, STREAM_CONFIG_DEFINITIONS } from './streams/stream-config.ts';
export { StreamMessages } from './streams/stream-messages.ts';
export { QueueOverStream } from './streams/stream-queue.ts';
export type { StreamReaderOptions } from './streams/stream-reader.ts';
export { parseAge, type StreamStart } from './streams/stream-start.ts';
export type { CreateStream } from './streams/streams.ts';
export * from './telemetry/index.ts';
export * from './traces/index.ts';
export type { TransactionCoordinator } from './transactions/coordinator.ts';
export {
  DEFAULT_TRANSACTION_SETTINGS,
  TRANSACTION_STATES,
  type Transaction,
  type TransactionSettings,
  type TransactionState,
} from './transactions/index.ts';
export * from './transfers/index.ts';
export { type Death, type DeathTrail, deathTrail } from './virtual-hosts/death-trail.ts';
export { DelayedMessages } from './virtual-hosts/delayed-messages.ts';
export type { Destination, StreamQueue } from './virtual-hosts/destination.ts';
export type { ExchangeDeclaration, ExchangeEntry } from './virtual-hosts/exchange-entry.ts';
export { DEFAULT_TOPOLOGY_LIMITS, type TopologyLimits } from './virtual-hosts/limits.ts';
export { checkPolicy, type Policy, type PolicyScope } from './virtual-hosts/policy.ts';
export type { DeleteQueue, QueueDeclaration, QueueEntry, QueueType } from './virtual-hosts/queue-entry.ts';
export type { PublishOutcome, VirtualHost } from './virtual-hosts/virtual-host.ts';
export type { VirtualHosts } from './virtual-hosts/virtual-hosts.ts';
