import type { Stream } from '../../../broker/index.ts';
import { describeLogDirs } from '../codec/apis/describe-log-dirs.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler } from '../handler.ts';

/** Partitions are in shards, and shards wherever their storage puts them: to clients that is one place, without a path. */
export const LOG_DIR = 'sluice';

/** How many bytes partitions take. Of those that are asked for, the ones that are not here are left out, as Kafka does. */
export const describeLogDirsHandler = handler(
  describeLogDirs,
  ({ topics }, { broker: { streams } }) => {
    const results =
      topics === null
        ? Array.from(streams.all(), (stream) => sizes(stream))
        : Array.from(
            Map.groupBy(topics, ({ topic }) => topic),
            ([name, asked]) => {
              const chosen = new Set(asked.flatMap(({ partitions }) => partitions));
              const stream = streams.get(name);
              return stream === undefined ? { name, partitions: [] } : sizes(stream, chosen);
            },
          );
    return {
      errorCode: KafkaError.NONE,
      results: [
        {
          errorCode: KafkaError.NONE,
          logDir: LOG_DIR,
          topics: results.filter(({ partitions }) => partitions.length > 0),
        },
      ],
    };
  },
  { answersMuch: true },
);

function sizes({ name, partitions }: Stream, chosen?: ReadonlySet<number>) {
  return {
    name,
    partitions: partitions
      .filter(({ index }) => chosen === undefined || chosen.has(index))
      .map(({ index, log }) => ({
        partitionIndex: index,
        partitionSize: log.sizeBytes,
        offsetLag: 0,
        isFutureKey: false,
      })),
  };
}
