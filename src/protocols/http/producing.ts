import type { Broker, Durability, Partition, Stream } from '../../broker/index.ts';
import { BrokerError } from '../../errors.ts';
import { BATCH_HEADER_BYTES, encodeBatch, partitionOf } from '../../records/index.ts';
import type { PlacedRecord } from './new-message.ts';
import { PROTOCOL } from './protocol.ts';

/** Readers take a batch as a whole: none need be larger than this, unless one message is. */
const BATCH_BYTES = 256 * 1024;
/** Bytes of a record beside key, value and headers, and of a header beside name and value; at most. */
const RECORD_OVERHEAD = 32;
const HEADER_OVERHEAD = 8;

/** What became of one message. */
export type Outcome = { readonly partition: number; readonly offset: number } | BrokerError;

interface Batch {
  readonly partition: Partition;
  readonly places: { readonly index: number; readonly record: PlacedRecord['record'] }[];
  bytes: number;
}

/**
 * Appends messages to a stream: those with keys where Kafka's clients would send them, those without all to one partition. Answers for each what became
 * of it, when it is as safe as asked. Those that are errors already stay that.
 */
export async function produce(
  { environment, meters }: Broker,
  stream: Stream,
  messages: readonly (PlacedRecord | BrokerError)[],
  durability: Durability,
  appended: (partition: Partition, from: number, to: number) => void,
): Promise<Outcome[]> {
  const { partitions } = stream;
  const anywhere = Math.floor(environment.random.float() * partitions.length);
  const outcomes: Outcome[] = [];
  const batches: Batch[] = [];
  const newest = new Map<Partition, Batch>();
  const most = Math.min(stream.config.maxMessageBytes, BATCH_BYTES);
  for (const [index, message] of messages.entries()) {
    if (message instanceof BrokerError) {
      outcomes[index] = message;
      continue;
    }
    const { record } = message;
    const wanted = message.partition ?? (record.key === null ? anywhere : partitionOf(record.key, partitions.length));
    const partition = partitions[wanted];
    if (partition === undefined) {
      outcomes[index] = new BrokerError('not-found', `stream '${stream.name}' has no partition ${wanted}`);
      continue;
    }
    const bytes = sizeOf(record);
    let batch = newest.get(partition);
    if (batch === undefined || batch.bytes + bytes > most) {
      batch = { partition, places: [], bytes: BATCH_HEADER_BYTES };
      batches.push(batch);
      newest.set(partition, batch);
    }
    batch.places.push({ index, record });
    batch.bytes += bytes;
  }
  const append = (batch: Batch) => appendBatch(batch, durability, outcomes, appended);
  const begun = environment.clock.monotonic();
  await Promise.all(batches.map(append));
  const taken = outcomes.filter((outcome) => !(outcome instanceof BrokerError)).length;
  const { messages: counts, confirmTime } = meters.protocol(PROTOCOL);
  counts.published += taken;
  counts.confirmed += taken;
  confirmTime.observe(environment.clock.monotonic() - begun, taken);
  return outcomes;
}

/** One message that is refused does not keep the others of its batch from the log: each is tried by itself then. */
async function appendBatch(
  { partition, places, bytes }: Batch,
  durability: Durability,
  outcomes: Outcome[],
  appended: (partition: Partition, from: number, to: number) => void,
): Promise<void> {
  try {
    const batch = encodeBatch({ records: places.map(({ record }) => record) });
    const { baseOffset, settled } = partition.append(batch, durability);
    appended(partition, baseOffset, baseOffset + places.length);
    if (durability !== 'memory') await settled;
    // What is safe enough at once is nobody's to wait for.
    else settled.catch(() => {});
    for (const [i, { index }] of places.entries())
      outcomes[index] = { partition: partition.index, offset: baseOffset + i };
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    const isAbout = error.code === 'storage-failed' || error.code === 'storage-full' || error.code === 'fenced';
    if (places.length === 1 || isAbout) {
      for (const { index } of places) outcomes[index] = error;
      return;
    }
    const each = places.map((place) => ({ partition, places: [place], bytes }));
    await Promise.all(each.map((batch) => appendBatch(batch, durability, outcomes, appended)));
  }
}

function sizeOf({ key, value, headers = [] }: PlacedRecord['record']): number {
  let bytes = RECORD_OVERHEAD + (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, content] of headers) bytes += HEADER_OVERHEAD + name.length * 3 + (content?.length ?? 0);
  return bytes;
}
