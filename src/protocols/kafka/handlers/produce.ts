import {
  type Broker,
  type Durability,
  type Partition,
  type PartitionAppend,
  type RejectedRecord,
  RejectedRecords,
  type Stream,
} from '../../../broker/index.ts';
import { BrokerError } from '../../../errors.ts';
import {
  BATCH_HEADER_BYTES,
  compression,
  isTransactional,
  producerEpoch,
  producerId,
  recordCount,
} from '../../../records/index.ts';
import { type ProduceRequest, type ProduceResponse, produce } from '../codec/apis/produce.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { errorNumber, errorText } from '../errors.ts';
import { handler, type RequestContext } from '../handler.ts';
import { PROTOCOL } from '../protocol.ts';
import { traceAppended } from '../traces.ts';
import { participantErrorNumber } from '../transaction-errors.ts';

/** From these versions on: a client can be told to abort its transaction; its partitions become part of it by this (KIP-890). */
const SAYS_ABORTABLE = 11;
const ADDS_PARTITIONS = 12;

/** Smaller batches are copied by whoever stores them. */
const COPIED_BYTES = 8 * 1024;
/** A batch may keep so many times its size in memory, which is counted once. */
const MAX_KEPT_RATIO = 8;

type Responses = ProduceResponse['responses'];
type PartitionResponse = Responses[number]['partitionResponses'][number];

const DURABILITY: ReadonlyMap<number, Durability> = new Map([
  [-1, 'durable'],
  [0, 'memory'],
  [1, 'written'],
]);

/** Appends record batches; answers when they are as safe as `acks` asks, or not at all for acks=0. */
export const produceHandler = handler(produce, (request, context) => {
  const durability = DURABILITY.get(request.acks);
  if (durability === undefined) return { responses: refuseAll(request, KafkaError.INVALID_REQUIRED_ACKS) };
  const waiting: Promise<void>[] = [];
  const meter = context.broker.meters.protocol(PROTOCOL);
  const { clock } = context.broker.environment;
  const begun = clock.monotonic();
  /** Records that were taken, as far as nothing else is known by now. */
  let taken = 0;
  const responses: { name: string; topicId: string; partitionResponses: PartitionResponse[] }[] = [];
  // All appends happen in this turn of the event loop, in order; only their outcome is waited for.
  addPartitions(request, context);
  for (const topic of request.topicData) {
    const { name, topicId, partitionData } = topic;
    const stream = streamOf(topic, context);
    const partitionResponses: PartitionResponse[] = [];
    responses.push({ name, topicId, partitionResponses });
    partitionData.forEach(({ index, records }, i) => {
      const partition = stream?.partitions[index];
      if (partition === undefined) {
        partitionResponses.push(refused(index, unknownTopic(stream, context)));
        return;
      }
      try {
        if (records === null || records.length === 0) throw new BrokerError('invalid-record', 'there are no records');
        checkCompression(records, context.version);
        const appended = append(stream, partition, kept(records), durability, request, context);
        let count = 0;
        const took = (result: PartitionAppend) => {
          count = recordCount(records, 0);
          taken += count;
          meter.messages.published += count;
          meter.messages.bytesIn += records.length;
          if (context.broker.turns.tracing.on && stream !== undefined)
            traceAppended(stream, partition, records, result, context);
        };
        const lost = (error: unknown) => {
          taken -= count;
          partitionResponses[i] = refused(index, numberOf(error, context), error);
        };
        if (appended instanceof Promise) {
          partitionResponses.push(refused(index, KafkaError.UNKNOWN_SERVER_ERROR));
          const answered = appended.then((result) => {
            took(result);
            partitionResponses[i] = accepted(partition, result.baseOffset, result.appendTime);
            return result.settled;
          });
          waiting.push(answered.catch(lost));
          return;
        }
        took(appended);
        const { baseOffset, appendTime, settled } = appended;
        partitionResponses.push(accepted(partition, baseOffset, appendTime));
        if (durability === 'memory') return;
        waiting.push(settled.catch(lost));
      } catch (error) {
        partitionResponses.push(refused(index, numberOf(error, context), error));
      }
    });
  }
  if (request.acks === 0) {
    const failed = responses.flatMap((topic) => topic.partitionResponses).find(({ errorCode }) => errorCode !== 0);
    // Nobody reads an answer; as in Kafka, losing the connection is how the client learns of it.
    if (failed !== undefined)
      throw new BrokerError(
        'invalid-record',
        `acks=0 produce refused: ${failed.errorMessage ?? `error ${failed.errorCode}`}`,
      );
    return undefined;
  }
  if (waiting.length === 0) return { responses };
  return Promise.all(waiting).then(() => {
    meter.messages.confirmed += taken;
    meter.confirmTime.observe(clock.monotonic() - begun, taken);
    return { responses };
  });
});

function streamOf(
  { name, topicId }: Pick<ProduceRequest['topicData'][number], 'name' | 'topicId'>,
  { broker, version }: RequestContext,
): Stream | undefined {
  return version >= 13 ? broker.streams.getById(topicId) : broker.streams.get(name);
}

/**
 * Partitions that become part of a transaction by this request do so in one append, ahead of their batches, which are durable only if that is: one by
 * one, each would have to be written down, and looked for among those before it.
 */
function addPartitions({ transactionalId, topicData }: ProduceRequest, context: RequestContext): void {
  if (transactionalId === null || context.version < ADDS_PARTITIONS) return;
  let batch: Buffer | undefined;
  let count = 0;
  const partitions = topicData.map((topic) => {
    const stream = streamOf(topic, context);
    const transactional = topic.partitionData.filter(({ index, records }) => {
      const belongs = records !== null && isOfTransaction(records) && stream?.partitions[index] !== undefined;
      if (belongs) batch ??= records;
      return belongs;
    });
    count += transactional.length;
    return { streamId: stream?.id ?? '', partitions: transactional.map(({ index }) => index) };
  });
  // One alone becomes part of it in the append of its batch.
  if (batch === undefined || count === 1) return;
  const producer = { producerId: producerId(batch, 0), producerEpoch: producerEpoch(batch, 0) };
  const transactions: Broker['transactions'] = context.broker.transactions;
  // What is wrong with it is said of each batch.
  transactions
    .coordinatorOf(transactionalId)
    .add({ ...producer, transactionalId, partitions })
    .catch(() => {});
}

function isOfTransaction(batch: Buffer): boolean {
  return batch.length >= BATCH_HEADER_BYTES && isTransactional(batch, 0);
}

/** A batch of a transaction goes by its coordinator, which may have to make the partition part of it first. */
function append(
  stream: Stream | undefined,
  partition: Partition,
  batch: Buffer,
  durability: Durability,
  { transactionalId }: ProduceRequest,
  { broker, version }: RequestContext,
): PartitionAppend | Promise<PartitionAppend> {
  if (stream === undefined || !isOfTransaction(batch)) return partition.append(batch, durability);
  const transactions: Broker['transactions'] = broker.transactions;
  transactions.checkBatch(batch, transactionalId);
  const addsPartition = version >= ADDS_PARTITIONS;
  return transactions
    .coordinatorOf(transactionalId)
    .produce({ transactionalId, streamId: stream.id, partition, batch, durability, addsPartition });
}

function numberOf(error: unknown, { version, logger }: RequestContext): number {
  // Older clients do not expect it of Produce; this is an error upon which they send the batch again.
  if (version < ADDS_PARTITIONS && error instanceof BrokerError && error.code === 'concurrent-transactions')
    return KafkaError.NOT_ENOUGH_REPLICAS;
  return participantErrorNumber(error, { saysAbortable: version >= SAYS_ABORTABLE }, (other) =>
    errorNumber(other, logger),
  );
}

/** A batch that is a small part of what it came in would keep all of that in memory for as long as it is there itself. */
function kept(records: Buffer): Buffer {
  const small = records.length >= COPIED_BYTES && records.buffer.byteLength > MAX_KEPT_RATIO * records.length;
  return small ? Buffer.from(records) : records;
}

function accepted({ index, log }: Partition, baseOffset: number, logAppendTimeMs: number): PartitionResponse {
  return { index, errorCode: 0, baseOffset, logAppendTimeMs, logStartOffset: log.startOffset };
}

function refused(index: number, errorCode: number, error?: unknown): PartitionResponse {
  return {
    index,
    errorCode,
    baseOffset: -1,
    recordErrors: error instanceof RejectedRecords ? error.records.map(recordError) : [],
    errorMessage: error instanceof Error ? errorText(error.message) : null,
  };
}

/** By this the client knows which record is to blame, and that the others of the batch may come again. */
function recordError({ index, reason }: RejectedRecord) {
  return { batchIndex: index, batchIndexErrorMessage: reason };
}

function refuseAll(request: ProduceRequest, errorCode: number): Responses {
  return request.topicData.map(({ name, topicId, partitionData }) => ({
    name,
    topicId,
    partitionResponses: partitionData.map(({ index }) => refused(index, errorCode)),
  }));
}

function unknownTopic(stream: Stream | undefined, { version }: RequestContext): number {
  return stream === undefined && version >= 13 ? KafkaError.UNKNOWN_TOPIC_ID : KafkaError.UNKNOWN_TOPIC_OR_PARTITION;
}

/** zstd came with version 7 (KIP-110). */
function checkCompression(records: Buffer, version: number): void {
  if (version >= 7 || records.length < BATCH_HEADER_BYTES) return;
  if (compression(records, 0) === 'zstd')
    throw new BrokerError('unsupported-compression', 'zstd needs Produce version 7');
}
