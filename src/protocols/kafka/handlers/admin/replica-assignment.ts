import { KafkaError } from '../../codec/error-codes.ts';
import { Refusal } from './refusal.ts';

/** Each partition has one replica, on this broker: how often its data is kept is the storage's business. */
export const REPLICATION_FACTOR = 1;

/** Refuses the replicas that a client chose for a partition, unless they are the ones that it has anyway. */
export function checkReplicas(brokerIds: readonly number[], nodeId: number): void {
  const refuse = (why: string) => {
    throw new Refusal(KafkaError.INVALID_REPLICA_ASSIGNMENT, `The manual partition assignment includes ${why}`);
  };
  if (brokerIds.length === 0) refuse('an empty replica list.');
  const stranger = brokerIds.find((brokerId) => brokerId !== nodeId);
  if (stranger !== undefined) refuse(`broker ${stranger}, but no such broker is registered.`);
  if (brokerIds.length > REPLICATION_FACTOR) refuse(`the broker ${nodeId} more than once.`);
}
