import { BrokerError } from '../../errors.ts';
import { encodeBatch, type LogRecord, type NewRecord } from '../../records/index.ts';
import type { MessageBytes } from '../messages/message-bytes.ts';
import type { SeenMessage } from '../queues/message-source.ts';
import { Queue } from '../queues/queue.ts';
import type { Turn, Turns } from '../queues/turn.ts';
import { turnEnd } from '../queues/turn-end.ts';
import { headersBefore, type RecordDeath, recordDeath } from '../share-groups/dead-letter-record.ts';
import type { Partition } from '../streams/partition.ts';
import type { Stream } from '../streams/stream.ts';
import { StreamMessages } from '../streams/stream-messages.ts';
import type { PublishPlan } from '../virtual-hosts/publisher.ts';
import type { MessageFilter } from './message-filter.ts';
import type { Destined, MessageAt } from './queue-transfer.ts';
import type { RedrivePositions } from './redrive-positions.ts';
import type { SkipReason, Transfer } from './transfer.ts';

export interface StreamRedriveOptions {
  /** Name of the queue that the stream stands for. */
  readonly name: string;
  readonly stream: Pick<Stream, 'id' | 'name'>;
  readonly partitions: readonly Partition[];
  readonly positions: RedrivePositions;
  readonly turns: Turns;
  readonly now: () => number;
  /** Those, whether they were re-driven or not; or all from the committed position on. */
  readonly ids: readonly MessageAt[] | undefined;
  /** With a filter all are looked at, and the position stays. */
  readonly filter: MessageFilter | undefined;
  readonly limit: number;
  readonly destine: (message: MessageBytes) => Destined;
  readonly publish: (turn: Turn, plan: PublishPlan) => void;
  /** Of what a share group gave up: the partition that it came from, or why it stays. */
  readonly origin: (death: RecordDeath) => Pick<Stream, 'name' | 'config'> & { partition: Partition | undefined };
  readonly mayPublishTo: (topic: string) => boolean;
}

const BATCH_MESSAGES = 200;
const BATCH_BYTES = 512 * 1024;
/** What a record takes in a batch beside key, value and headers, at most. */
const RECORD_OVERHEAD = 64;
const HEADER_OVERHEAD = 16;

/**
 * Brings the dead letters in a stream back to where they came from. They stay in the stream; how far all of them were brought back is a
 * committed offset, appended with the records where one shard has both, so that they do not come twice. Otherwise it is committed after them.
 */
export class StreamRedrive {
  readonly #options: StreamRedriveOptions;
  readonly #transfer: Transfer;
  readonly #batchMessages: number;
  /** Whether the position counts, and goes on. */
  readonly #inOrder: boolean;
  #target: Partition | undefined;
  #records: NewRecord[] = [];
  #published = 0;
  #bytes = 0;
  #turn: Turn | undefined;
  #settling: Promise<BrokerError | undefined>[] = [];
  /** Of the partition that is read: what comes after the last that was looked at. */
  #next = 0;
  #committed = 0;
  #partition: Partition | undefined;
  #record: LogRecord | undefined;

  constructor(transfer: Transfer, options: StreamRedriveOptions) {
    this.#transfer = transfer;
    this.#options = options;
    this.#batchMessages = transfer.batchOf(BATCH_MESSAGES);
    this.#inOrder = options.ids === undefined && options.filter === undefined && !transfer.description.dryRun;
  }

  async run(): Promise<void> {
    const { ids, partitions } = this.#options;
    try {
      for (const id of ids ?? []) await this.#one(id);
      if (ids === undefined) for (const partition of partitions) await this.#all(partition);
    } finally {
      await this.#settle();
    }
  }

  async #all(partition: Partition): Promise<void> {
    const { stream, positions, filter, name } = this.#options;
    const start = filter === undefined ? await positions.of(stream, partition) : 0;
    this.#partition = partition;
    this.#next = start;
    this.#committed = start;
    const messages = new StreamMessages({ name, partitions: [partition] });
    const from = { part: 0, offset: start };
    const options = {
      from,
      ends: messages.ends,
      budget: Number.POSITIVE_INFINITY,
      stopped: () => this.#transfer.stopped,
    };
    await messages.walk(
      options,
      (seen) => this.#see(seen),
      (record) => {
        this.#record = record;
      },
    );
    await this.#settle();
  }

  async #one(id: MessageAt): Promise<void> {
    const { partitions, name } = this.#options;
    const partition = partitions[id.part];
    if (partition === undefined || this.#transfer.stopped) return;
    let found = false;
    const messages = new StreamMessages({ name, partitions: [partition] });
    await messages.walk(
      { from: { part: 0, offset: id.offset }, ends: [id.offset + 1], budget: 1 },
      async (seen) => {
        found = seen.offset === id.offset && seen.timestamp === id.timestamp;
        return found && (await this.#see(seen));
      },
      (record) => {
        this.#record = record;
      },
    );
    if (found) return;
    this.#transfer.looked++;
    this.#transfer.skip('gone');
  }

  #see(seen: SeenMessage): boolean | Promise<boolean> {
    const { filter, limit } = this.#options;
    const transfer = this.#transfer;
    if (transfer.matched >= limit || transfer.stopped) return false;
    transfer.looked++;
    if (filter?.matches(seen.message, seen.timestamp) === false) return true;
    transfer.matched++;
    const record = this.#record;
    const death = record === undefined ? undefined : recordDeath(record);
    return record !== undefined && death !== undefined ? this.#back(record, death) : this.#publish(seen);
  }

  /** What a share group gave up goes back to its partition. */
  #back(record: LogRecord, death: RecordDeath): boolean | Promise<boolean> {
    const { origin, mayPublishTo } = this.#options;
    const { name, partition, config } = origin(death);
    const headers = headersBefore(record);
    if (!mayPublishTo(name)) return this.#skip('refused', record.offset);
    if (partition === undefined) return this.#skip('no-source', record.offset);
    // The group keeps no copies: the letter only tells what it was.
    if (record.key === null && record.value === null && headers.length === 0)
      return this.#skip('no-copy', record.offset);
    if (record.key === null && config.cleanupPolicy.includes('compact')) return this.#skip('no-copy', record.offset);
    this.#transfer.goesTo([name]);
    if (this.#transfer.description.dryRun) return true;
    const { key, value } = record;
    const bytes = RECORD_OVERHEAD + sizeOf(key) + sizeOf(value) + headersSize(headers);
    const add = () => {
      this.#target = partition;
      this.#records.push({ timestamp: this.#options.now(), key, value, headers });
      this.#next = record.offset + 1;
      this.#bytes += bytes;
    };
    const most = Math.min(BATCH_BYTES, config.maxMessageBytes);
    const fits =
      this.#published === 0 &&
      (this.#target ?? partition) === partition &&
      (this.#records.length === 0 || this.#bytes + bytes <= most) &&
      this.#records.length < this.#batchMessages;
    if (fits) {
      add();
      return true;
    }
    return this.#settle().then(() => {
      add();
      return true;
    });
  }

  /** What died in a queue goes where its trail leads. */
  #publish(seen: SeenMessage): boolean | Promise<boolean> {
    const { destine, publish, turns } = this.#options;
    const plan = destine(seen.message);
    if (typeof plan === 'string') return this.#skip(plan, seen.offset);
    const { targets } = plan.route;
    if (targets.length === 0 && plan.delayMs === 0) return this.#skip('unroutable', seen.offset);
    this.#transfer.goesTo(targets.map(({ name }) => name));
    if (this.#transfer.description.dryRun) return true;
    const send = () => {
      for (const target of targets)
        if (target instanceof Queue && !target.hasRoomFor(seen.message.bodyLength))
          throw new BrokerError('limit-exceeded', `queue '${target.name}' is full, and refuses what is published`);
      const turn = turns.current;
      if (turn !== this.#turn) {
        this.#turn = turn;
        this.#settling.push(turnEnd(turn));
      }
      publish(turn, plan);
      this.#published++;
      this.#next = seen.offset + 1;
      this.#bytes += seen.message.bodyLength;
    };
    if (this.#records.length > 0 || this.#published >= this.#batchMessages || this.#bytes >= BATCH_BYTES)
      return this.#settle().then(() => {
        send();
        return true;
      });
    send();
    return true;
  }

  #skip(reason: SkipReason, offset: number): true {
    this.#transfer.skip(reason);
    // The position is everybody's: past it, nobody else would bring the letter back.
    if (reason === 'refused' && this.#inOrder)
      throw new BrokerError(
        'access-refused',
        `the letter at offset ${offset} would go where you may not publish: it and those after it stay; bring back others by 'ids' or 'filter'`,
      );
    this.#next = offset + 1;
    return true;
  }

  /** Waits until what went is safe, and has the position go on. */
  async #settle(): Promise<void> {
    const { stream, positions } = this.#options;
    const [target, records, published, settling] = [this.#target, this.#records, this.#published, this.#settling];
    const [partition, next] = [this.#partition, this.#next];
    this.#target = undefined;
    this.#records = [];
    this.#published = 0;
    this.#bytes = 0;
    this.#turn = undefined;
    this.#settling = [];
    const moves = this.#inOrder && partition !== undefined && next > this.#committed;
    if (target !== undefined && records.length > 0) {
      const batch = encodeBatch({ records });
      if (moves) await positions.appendAndCommit(target, batch, { stream, partition, next });
      else await target.append(batch, 'durable').settled;
    } else {
      for (const error of await Promise.all(settling)) if (error !== undefined) throw error;
      if (moves) await positions.commit(stream, partition, next);
    }
    if (moves) this.#committed = next;
    this.#transfer.moved += records.length + published;
    await this.#transfer.pace(records.length + published);
  }
}

function sizeOf(bytes: Uint8Array | null): number {
  return bytes?.length ?? 0;
}

function headersSize(headers: LogRecord['headers']): number {
  return headers.reduce((sum, [name, value]) => sum + HEADER_OVERHEAD + name.length * 3 + sizeOf(value), 0);
}
