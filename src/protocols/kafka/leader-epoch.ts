import type { Partition } from '../../broker/index.ts';
import { KafkaError } from './codec/error-codes.ts';

/** Whether client and broker speak of the same leader (KIP-320): an error number, or 0. */
export function checkLeaderEpoch({ leaderEpoch }: Partition, clientsEpoch: number): number {
  if (clientsEpoch < 0 || clientsEpoch === leaderEpoch) return KafkaError.NONE;
  return clientsEpoch < leaderEpoch ? KafkaError.FENCED_LEADER_EPOCH : KafkaError.UNKNOWN_LEADER_EPOCH;
}
