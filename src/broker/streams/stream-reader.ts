import { type BrokerError, toBrokerError } from '../../errors.ts';
import type { LogRecord } from '../../records/index.ts';
import type { MessageBytes } from '../messages/message-bytes.ts';
import { RecordMessages } from '../messages/record-messages.ts';
import type { Partition } from './partition.ts';
import { PartitionCursor } from './partition-cursor.ts';
import { type StreamStart, startOffset } from './stream-start.ts';

/** What a reader reads: the partitions of a stream, more of which may come. */
export interface ReadableStream {
  readonly name: string;
  readonly partitions: readonly Partition[];
  /** Calls back when there are more partitions, until the answered function is called. */
  onPartitions(callback: () => void): () => void;
}

export interface StreamReaderOptions {
  readonly start: StreamStart;
  /** Records for which it is false are passed over. */
  readonly accepts?: ((record: LogRecord) => boolean) | undefined;
  /** Bytes that a message's properties may have; the largest headers are left out until they do. */
  readonly maxPropertiesBytes?: number | undefined;
  /** Whether it can take one more message now: asked before each. When that becomes true again, call `wake`. */
  canTake(): boolean;
  /** Gives it a message, in the order of the partition. The bytes are valid during the call only. */
  deliver(message: MessageBytes, offset: number, partition: number): void;
  /** Is told, when it was given so many, from which offset of a partition to which (without that one). */
  given?(partition: Partition, offset: number, end: number): void;
  /** Nothing will come any more: the stream is gone (`not-found`), or cannot be read. Not called after `cancel`. */
  cancelled(error: BrokerError): void;
}

/** Bytes that are read at once, over all partitions of a stream. */
const READ_BYTES = 256 * 1024;
const MIN_READ_BYTES = 8 * 1024;
const MAX_READ_BYTES = 64 * 1024;
/** Work that is done before others have their turn: records, and bytes of batches. */
const TURN_RECORDS = 500;
const TURN_BYTES = 1024 * 1024;

interface Source {
  readonly cursor: PartitionCursor;
  readonly messages: RecordMessages;
  /** What was given of it since `given` was called. */
  from: number;
  end: number;
}

/** Pushes the records of a stream to somebody as messages, as fast as they can be taken. */
export class StreamReader {
  readonly #stream: ReadableStream;
  readonly #options: StreamReaderOptions;
  readonly #sources: Source[] = [];
  readonly #unsubscribe: (() => void)[] = [];
  /** Partitions that it reads, or is about to. */
  #known = 0;
  /** Whose turn it was. */
  #next = 0;
  #current: Source | undefined;
  #pumping = false;
  #scheduled = false;
  #closed = false;

  constructor(stream: ReadableStream, options: StreamReaderOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#unsubscribe.push(stream.onPartitions(() => this.#addPartitions({ from: 'first' })));
    this.#addPartitions(options.start);
    // Whoever made it is to know it before something comes.
    this.#schedule();
  }

  /** It can take messages again. */
  wake(): void {
    if (this.#pumping || this.#scheduled || this.#closed) return;
    this.#pumping = true;
    try {
      this.#pump();
      if (this.#options.given !== undefined) this.#tellGiven();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#pumping = false;
    }
  }

  /** Nothing more is delivered. */
  cancel(): void {
    this.#closed = true;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#unsubscribe.length = 0;
    this.#sources.length = 0;
  }

  #addPartitions(start: StreamStart): void {
    const { partitions } = this.#stream;
    for (; this.#known < partitions.length; this.#known++) {
      const partition = partitions[this.#known];
      if (partition !== undefined) this.#begin(partition, start);
    }
  }

  #begin(partition: Partition, start: StreamStart): void {
    this.#unsubscribe.push(partition.log.onGrowth(() => this.wake()));
    const offset = startOffset(partition, start);
    if (!(offset instanceof Promise)) {
      this.#read(partition, offset);
      return;
    }
    offset.then(
      (found) => {
        if (this.#closed) return;
        this.#read(partition, found);
        this.wake();
      },
      (error) => this.#fail(error),
    );
  }

  #read(partition: Partition, offset: number): void {
    const count = this.#stream.partitions.length;
    const bytes = Math.min(MAX_READ_BYTES, Math.max(MIN_READ_BYTES, Math.floor(READ_BYTES / count)));
    const { maxPropertiesBytes } = this.#options;
    this.#sources.push({
      cursor: new PartitionCursor(partition, offset, bytes),
      messages: new RecordMessages({
        name: this.#stream.name,
        offsets: true,
        partition: count > 1 ? partition.index : undefined,
        maxPropertiesBytes,
      }),
      from: -1,
      end: -1,
    });
  }

  #pump(): void {
    const { accepts, canTake, deliver } = this.#options;
    let bytes = 0;
    for (let records = 0; !this.#closed && canTake(); records++) {
      if (records >= TURN_RECORDS || bytes >= TURN_BYTES) {
        this.#schedule();
        return;
      }
      const record = this.#take();
      const source = this.#current;
      if (source === undefined || record === undefined) return;
      const { cursor, messages } = source;
      bytes += cursor.opened;
      cursor.opened = 0;
      if (accepts !== undefined && !accepts(record)) continue;
      const message = messages.of(record);
      const { counts } = cursor.partition;
      counts.recordsOut++;
      counts.bytesOut += message.bodyLength;
      if (source.from < 0) source.from = record.offset;
      source.end = record.offset + 1;
      deliver(message, record.offset, cursor.partition.index);
    }
  }

  #tellGiven(): void {
    for (const source of this.#sources) {
      if (source.from >= 0) this.#options.given?.(source.cursor.partition, source.from, source.end);
      source.from = -1;
    }
  }

  /** The next record of the partition whose turn it is, which is then the current one; undefined when none has any. */
  #take(): LogRecord | undefined {
    const count = this.#sources.length;
    for (let tried = 0; tried < count; tried++) {
      this.#next = (this.#next + 1) % count;
      const source = this.#sources[this.#next];
      const record = source === undefined ? undefined : this.#takeFrom(source.cursor);
      if (record !== undefined) {
        this.#current = source;
        return record;
      }
    }
    return undefined;
  }

  #takeFrom(cursor: PartitionCursor): LogRecord | undefined {
    while (!cursor.loading) {
      const record = cursor.take();
      if (record !== undefined) return record;
      const loaded = cursor.load();
      if (loaded === false) return undefined;
      if (loaded instanceof Promise) this.#await(cursor, loaded);
    }
    return undefined;
  }

  #await(cursor: PartitionCursor, loaded: Promise<boolean>): void {
    cursor.loading = true;
    loaded.then(
      () => {
        cursor.loading = false;
        this.wake();
      },
      (error) => this.#fail(error),
    );
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.wake();
    });
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    this.cancel();
    this.#options.cancelled(toBrokerError(error));
  }
}
