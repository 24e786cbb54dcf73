import type { Assignment, Broker } from '../../broker/index.ts';

/** An assignment as descriptions of groups have it. A topic that was deleted has no name any more, and is not shown. */
export function namedAssignment(assignment: Assignment, { streams }: Broker) {
  return {
    topicPartitions: assignment.flatMap(({ topicId, partitions }) => {
      const topic = streams.getById(topicId);
      return topic === undefined ? [] : [{ topicId, topicName: topic.name, partitions }];
    }),
  };
}
