import { type WriteTxnMarkersRequest, writeTxnMarkers } from '../codec/apis/write-txn-markers.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler, type RequestContext } from '../handler.ts';
import { transactionErrorNumber } from '../transaction-errors.ts';

type Marker = WriteTxnMarkersRequest['markers'][number];

/**
 * Ends transactions that no coordinator knows, as administrators do where one hangs. Those that a coordinator of this broker is to end are
 * refused: it writes its markers itself.
 */
export const writeTxnMarkersHandler = handler(writeTxnMarkers, async ({ markers }, context) => ({
  markers: await Promise.all(
    markers.map(async (marker) => ({
      producerId: marker.producerId,
      topics: await Promise.all(
        marker.topics.map(async ({ name, partitionIndexes }) => ({
          name,
          partitions: await Promise.all(
            partitionIndexes.map(async (partitionIndex) => ({
              partitionIndex,
              errorCode: await write(marker, name, partitionIndex, context),
            })),
          ),
        })),
      ),
    })),
  ),
}));

async function write(
  marker: Marker,
  topic: string,
  index: number,
  { broker, logger }: RequestContext,
): Promise<number> {
  const stream = broker.streams.get(topic);
  const partition = stream?.partitions[index];
  if (stream === undefined || partition === undefined) return KafkaError.UNKNOWN_TOPIC_OR_PARTITION;
  try {
    const outcome = marker.transactionResult ? 'commit' : 'abort';
    await broker.transactions.endUnknown(stream.id, partition, { ...marker, outcome });
    return KafkaError.NONE;
  } catch (error) {
    return transactionErrorNumber(error, { saysFenced: false }, logger);
  }
}
