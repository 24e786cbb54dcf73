import { BrokerError, type ErrorCode, toBrokerError } from '../../errors.ts';
import { encodeBatch, type LogRecord, type NewRecord, type RecordHeader, recordsIn } from '../../records/index.ts';
import type { GroupConfigReader } from '../configs/group-config.ts';
import { appendTogether, type StagedEvents } from '../event-log.ts';
import type { Partition } from '../streams/partition.ts';
import type { Stream } from '../streams/stream.ts';
import type { Streams } from '../streams/streams.ts';
import { wholeBatches } from './whole-batches.ts';

/** Kafka's words (KIP-1191). */
export const REJECTED = 'Offset rejected by client.';
export const DELIVERED_TOO_OFTEN = 'Offset delivery count exceeded the threshold.';

/** Records that a group gave up, from the first to the last (inclusive). */
export interface ArchivedRange {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly deliveryCount: number;
  readonly reason: string;
}

/** Where they are. */
export interface DeadLetterSource {
  readonly groupId: string;
  readonly stream: Pick<Stream, 'id' | 'name'>;
  readonly partition: Partition;
}

export interface DeadLettersOptions {
  readonly streams: Pick<Streams, 'get'>;
  readonly configs: Pick<GroupConfigReader, 'of'>;
  /** errors.deadletterqueue.topic.name.prefix: what the names of topics for dead letters begin with. */
  readonly topicPrefix: string;
  readonly now: () => number;
  readonly onTrouble: (error: BrokerError, what: string) => void;
}

/** How much of the log is read at a time for the records that are copied. */
const READ_BYTES = 1024 * 1024;
/** More than a batch's header and what a record has besides key, value and headers take. */
const BATCH_OVERHEAD = 100;
const RECORD_OVERHEAD = 40;
const HEADER_OVERHEAD = 10;
/** Troubles that were told of, so that each is told of once. */
const MAX_TOLD = 1000;

/** With these the records stay in flight, and it is tried again: there may be space, a broker, or no such topic or group, later. */
const PASSING: ReadonlySet<ErrorCode> = new Set(['storage-failed', 'storage-full', 'fenced', 'closed', 'not-found']);

/**
 * Writes the records that groups give up to their dead-letter topics, as far as they have one, with what became of them in the headers. A topic
 * that cannot take them keeps nothing from going on: as in Kafka, the records are archived all the same.
 */
export class DeadLetters {
  readonly #options: DeadLettersOptions;
  readonly #told = new Set<string>();

  constructor(options: DeadLettersOptions) {
    this.#options = options;
  }

  wanted(groupId: string): boolean {
    return this.#options.configs.of(groupId).deadLetterTopic !== '';
  }

  /**
   * Appends the dead letters, then that the records are done with: in one append where the dead-letter partition is in the same shard. Rejects with
   * the storage's error, and with what `fact` throws; letters may have been written then, and are written again.
   */
  async append(source: DeadLetterSource, archived: readonly ArchivedRange[], fact: () => StagedEvents): Promise<void> {
    const { shard } = source.partition;
    try {
      const target = this.#target(source);
      let last: Buffer | undefined;
      for await (const batch of this.#batches(source, archived, target.config.maxMessageBytes)) {
        if (last !== undefined) await target.partition.append(last, 'durable').settled;
        last = batch;
      }
      if (last !== undefined && target.partition.shard === shard) {
        const append = (...[entries]: Parameters<typeof shard.append>) => appendTogether(shard, [fact()], entries);
        await target.partition.append(last, 'durable', { append }).settled;
        return;
      }
      if (last !== undefined) await target.partition.append(last, 'durable').settled;
    } catch (error) {
      const known = toBrokerError(error);
      if (PASSING.has(known.code)) throw known;
      this.#tell(source, known);
    }
    await appendTogether(shard, [fact()]).settled;
  }

  #target({ groupId, stream, partition }: DeadLetterSource): Pick<Stream, 'config'> & { partition: Partition } {
    const { streams, configs, topicPrefix } = this.#options;
    const name = configs.of(groupId).deadLetterTopic;
    const refuse = (why: string) =>
      new BrokerError('invalid-configuration', `the dead-letter topic ${name} of share group ${groupId} ${why}`);
    if (name.startsWith('__') || !name.startsWith(topicPrefix)) throw refuse(`has to begin with '${topicPrefix}'`);
    const found = streams.get(name);
    const target = found?.partitions[partition.index % found.partitions.length];
    if (found === undefined || target === undefined) throw refuse('does not exist; create it');
    if (!found.config.takesDeadLetters) throw refuse('is not meant for that: set errors.deadletterqueue.group.enable');
    if (found.id === stream.id) throw refuse('is the topic that the records come from');
    return { partition: target, config: found.config };
  }

  /** The dead letters, in batches that the topic takes. */
  async *#batches(
    source: DeadLetterSource,
    archived: readonly ArchivedRange[],
    maxBytes: number,
  ): AsyncGenerator<Buffer, void, undefined> {
    const timestamp = this.#options.now();
    const copies = this.#options.configs.of(source.groupId).deadLetterCopiesRecord;
    let records: NewRecord[] = [];
    let bytes = BATCH_OVERHEAD;
    for (const range of archived) {
      for await (const [offset, record] of recordsOf(source.partition, range, copies)) {
        const context = contextOf(source, range, offset);
        let letter: NewRecord = { timestamp, key: null, value: null, headers: context };
        if (record !== undefined) {
          const copy = { ...letter, key: record.key, value: record.value, headers: [...record.headers, ...context] };
          // One that the topic does not take is better told of than lost.
          if (BATCH_OVERHEAD + sizeOf(copy) <= maxBytes) letter = copy;
        }
        const size = sizeOf(letter);
        if (bytes + size > maxBytes && records.length > 0) {
          yield encodeBatch({ records });
          records = [];
          bytes = BATCH_OVERHEAD;
        }
        records.push(letter);
        bytes += size;
      }
    }
    if (records.length > 0) yield encodeBatch({ records });
  }

  #tell({ groupId, stream, partition }: DeadLetterSource, error: BrokerError): void {
    const key = `${groupId} ${error.code}`;
    if (this.#told.has(key)) return;
    if (this.#told.size === MAX_TOLD) this.#told.clear();
    this.#told.add(key);
    const what = `records of ${stream.name}-${partition.index} that group ${groupId} gave up have no dead letter`;
    this.#options.onTrouble(error, what);
  }
}

function contextOf({ groupId, stream, partition }: DeadLetterSource, range: ArchivedRange, offset: number) {
  const headers: RecordHeader[] = [
    ['__dlq.errors.topic', Buffer.from(stream.name)],
    ['__dlq.errors.partition', Buffer.from(String(partition.index))],
    ['__dlq.errors.offset', Buffer.from(String(offset))],
    ['__dlq.errors.group', Buffer.from(groupId)],
    ['__dlq.errors.delivery.count', Buffer.from(String(range.deliveryCount))],
    ['__dlq.errors.message', Buffer.from(range.reason)],
  ];
  return headers;
}

/** At most what the record takes in a batch. */
function sizeOf({ key, value, headers = [] }: NewRecord): number {
  let size = RECORD_OVERHEAD + (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, content] of headers) size += HEADER_OVERHEAD + Buffer.byteLength(name) + (content?.length ?? 0);
  return size;
}

/** Each offset of a range, with its record where that is wanted and still there. */
async function* recordsOf(
  partition: Partition,
  { firstOffset, lastOffset }: ArchivedRange,
  wanted: boolean,
): AsyncGenerator<readonly [offset: number, record: LogRecord | undefined], void, undefined> {
  let at = firstOffset;
  for (let read = -1; wanted && at !== read && at <= lastOffset && isThere(partition, at); ) {
    read = at;
    for (const batch of wholeBatches(await partition.read(at, READ_BYTES))) {
      if (batch.baseOffset > lastOffset) break;
      for (const record of recordsIn(batch.bytes)) {
        if (record.offset < at || record.offset > lastOffset) continue;
        while (at < record.offset) yield [at++, undefined];
        yield [at++, record];
      }
      while (at <= Math.min(batch.lastOffset, lastOffset)) yield [at++, undefined];
    }
  }
  while (at <= lastOffset) yield [at++, undefined];
}

function isThere({ log }: Partition, offset: number): boolean {
  return offset >= log.startOffset && offset < log.highWatermark;
}
