import { listPartitionReassignments } from '../codec/apis/list-partition-reassignments.ts';
import { handler } from '../handler.ts';
import { DONE } from './admin/refusal.ts';

/** Partitions that are on their way to other brokers: none ever is, for each is where it can be. Kafka's tools ask all the same. */
export const listPartitionReassignmentsHandler = handler(listPartitionReassignments, () => ({ ...DONE, topics: [] }));
