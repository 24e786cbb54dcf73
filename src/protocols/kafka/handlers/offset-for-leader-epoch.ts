import { offsetForLeaderEpoch } from '../codec/apis/offset-for-leader-epoch.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler } from '../handler.ts';
import { checkLeaderEpoch } from '../leader-epoch.ts';

/** Where an epoch ended: a consumer that read beyond that learns that what it read is gone (KIP-320). */
export const offsetForLeaderEpochHandler = handler(offsetForLeaderEpoch, ({ topics }, { broker }) => ({
  topics: topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch }) => {
      const partition = broker.streams.get(topic)?.partitions[index];
      if (partition === undefined) return { partition: index, errorCode: KafkaError.UNKNOWN_TOPIC_OR_PARTITION };
      const errorCode = checkLeaderEpoch(partition, currentLeaderEpoch);
      if (errorCode !== 0) return { partition: index, errorCode };
      const end = partition.log.endOfEpoch(leaderEpoch);
      return { partition: index, errorCode: 0, leaderEpoch: end?.epoch ?? -1, endOffset: end?.endOffset ?? -1 };
    }),
  })),
}));
