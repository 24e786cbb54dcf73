import {
  type AlterPartitionReassignmentsRequest,
  alterPartitionReassignments,
} from '../codec/apis/alter-partition-reassignments.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler, type RequestContext } from '../handler.ts';
import { DONE, type Outcome, Refusal, refused } from './admin/refusal.ts';
import { checkReplicas } from './admin/replica-assignment.ts';

type NewPlace = AlterPartitionReassignmentsRequest['topics'][number]['partitions'][number];

/** Where partitions are to be: they can only be where they are, on this broker. */
export const alterPartitionReassignmentsHandler = handler(alterPartitionReassignments, ({ topics }, context) => ({
  ...DONE,
  responses: topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((place) => ({
      partitionIndex: place.partitionIndex,
      ...reassign(name, place, context),
    })),
  })),
}));

function reassign(topic: string, { partitionIndex, replicas }: NewPlace, context: RequestContext): Outcome {
  const { streams, settings } = context.broker;
  try {
    const stream = streams.get(topic);
    if (stream === undefined)
      throw new Refusal(KafkaError.UNKNOWN_TOPIC_OR_PARTITION, `Unable to find a topic named ${topic}.`);
    if (stream.partitions[partitionIndex] === undefined)
      throw new Refusal(KafkaError.UNKNOWN_TOPIC_OR_PARTITION, `Unable to find partition ${topic}:${partitionIndex}.`);
    // No replicas cancel what is under way.
    if (replicas === null)
      throw new Refusal(KafkaError.NO_REASSIGNMENT_IN_PROGRESS, 'No partition reassignment is in progress.');
    checkReplicas(replicas, settings.nodeId);
    return DONE;
  } catch (error) {
    return refused(error, context);
  }
}
