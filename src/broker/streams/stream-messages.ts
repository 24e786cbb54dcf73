import type { LogRecord } from '../../records/index.ts';
import { RecordMessages } from '../messages/record-messages.ts';
import {
  type MessagePosition,
  type MessageSource,
  nextTurn,
  type SeeMessage,
  WALK_BUDGET,
  WALK_LOADS,
  WALK_SLICE,
  type WalkOptions,
} from '../queues/message-source.ts';
import type { Partition } from './partition.ts';
import { PartitionCursor } from './partition-cursor.ts';

const READ_BYTES = 512 * 1024;

export interface StreamMessagesOptions {
  /** Of the queue that the stream stands for. */
  readonly name: string;
  readonly partitions: readonly Partition[];
}

/** Is shown a record beside the message that it is. */
export type SeeRecord = (record: LogRecord) => void;

/** The records of a stream as messages, a partition after the other: what is committed, without what was aborted. */
export class StreamMessages implements MessageSource {
  readonly #options: StreamMessagesOptions;

  constructor(options: StreamMessagesOptions) {
    this.#options = options;
  }

  get ends(): readonly number[] {
    return this.#options.partitions.map(({ lastStableOffset }) => lastStableOffset);
  }

  /** Parts are partitions by their place in the list. `record` is told of each record before `see` is. */
  async walk(options: WalkOptions, see: SeeMessage, record?: SeeRecord): Promise<MessagePosition | undefined> {
    const { partitions } = this.#options;
    const { from } = options;
    const state = { looked: 0, loads: 0, options };
    for (let part = from?.part ?? 0; part < partitions.length; part++) {
      const start = part === from?.part ? from.offset : 0;
      const next = await this.#walkPartition(part, start, state, see, record);
      if (next !== undefined) return { part, offset: next };
    }
    return undefined;
  }

  async #walkPartition(
    part: number,
    start: number,
    state: { looked: number; loads: number; readonly options: WalkOptions },
    see: SeeMessage,
    tell: SeeRecord | undefined,
  ): Promise<number | undefined> {
    const { ends, budget = WALK_BUDGET, stopped } = state.options;
    const { name, partitions } = this.#options;
    const partition = partitions[part];
    if (partition === undefined) return undefined;
    const messages = new RecordMessages({
      name,
      offsets: true,
      partition: partitions.length > 1 ? partition.index : undefined,
    });
    const end = () => Math.min(partition.lastStableOffset, ends?.[part] ?? Number.POSITIVE_INFINITY);
    const cursor = new PartitionCursor(partition, start, READ_BYTES);
    let at = start;
    for (;;) {
      if (state.looked >= budget || stopped?.() === true) return at;
      const record = cursor.take();
      if (record === undefined) {
        if (at >= end()) return undefined;
        if (Number.isFinite(budget) && state.loads >= WALK_LOADS) return at;
        state.loads++;
        if (!(await cursor.load())) return undefined;
        continue;
      }
      const { offset, timestamp } = record;
      if (offset >= end()) return undefined;
      state.looked++;
      tell?.(record);
      const shown = { part, offset, message: messages.of(record), timestamp, ready: true };
      const answer = see({ ...shown, deliveryCount: 0, redelivered: false });
      if (!(answer instanceof Promise ? await answer : answer)) return offset;
      at = offset + 1;
      if (state.looked % WALK_SLICE === 0) await nextTurn();
    }
  }
}
