import { alterReplicaLogDirs } from '../codec/apis/alter-replica-log-dirs.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler } from '../handler.ts';
import { LOG_DIR } from './describe-log-dirs.ts';

/** In which directory partitions are to be: there is one, in which all are. */
export const alterReplicaLogDirsHandler = handler(alterReplicaLogDirs, ({ dirs }, { broker: { streams } }) => ({
  results: dirs.flatMap(({ path, topics }) =>
    topics.map(({ name: topicName, partitions }) => ({
      topicName,
      partitions: partitions.map((partitionIndex) => {
        const isThere = streams.get(topicName)?.partitions[partitionIndex] !== undefined;
        const errorCode =
          path !== LOG_DIR
            ? KafkaError.LOG_DIR_NOT_FOUND
            : isThere
              ? KafkaError.NONE
              : KafkaError.UNKNOWN_TOPIC_OR_PARTITION;
        return { partitionIndex, errorCode };
      }),
    })),
  ),
}));
