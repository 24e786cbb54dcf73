import { BrokerError } from '../../errors.ts';
import type { MessageBytes } from '../messages/message-bytes.ts';
import type { Lane } from './lane.ts';
import { MessageReader } from './message-reader.ts';
import {
  type MessagePosition,
  type MessageSource,
  nextTurn,
  type SeeMessage,
  type SeenMessage,
  WALK_BUDGET,
  WALK_LOADS,
  WALK_SLICE,
  type WalkOptions,
} from './message-source.ts';

export interface QueueMessagesOptions {
  readonly name: string;
  readonly lanes: readonly Lane[];
  readonly deleted: () => boolean;
  /** Takes a message that waits out of the queue in the turn under way: it is there again when that turn's append fails. */
  readonly takeOut: (lane: Lane, offset: number, bytes: number) => void;
}

/** A message that is not where it was said to be: it was settled, or it never was there. */
type Missing = 'gone' | 'out';

/**
 * The messages of a queue, for people who look at them and take single ones out. They come in the order in which the queue would deliver
 * them if all were there again: the highest priority first, then by offset.
 */
export class QueueMessages implements MessageSource {
  readonly #options: QueueMessagesOptions;
  /** For single messages. */
  readonly #readers = new Map<Lane, MessageReader>();

  constructor(options: QueueMessagesOptions) {
    this.#options = options;
  }

  get ends(): readonly number[] {
    return this.#options.lanes.map(({ log }) => log.nextOffset);
  }

  async walk(options: WalkOptions, see: SeeMessage): Promise<MessagePosition | undefined> {
    const { lanes } = this.#options;
    const { from } = options;
    const state = { looked: 0, loads: 0, options };
    for (let index = from?.part ?? lanes.length - 1; index >= 0; index--) {
      const lane = lanes[index];
      if (lane === undefined) continue;
      const next = await this.#walkLane(lane, index === from?.part ? from.offset : 0, see, state);
      if (next !== undefined) return { part: index, offset: next };
    }
    return undefined;
  }

  /**
   * Takes messages out for good, or says why not. `visit` sees each before it goes, in the turn in which it goes; false leaves it.
   * Resolves when the turn that it went in has begun its append: wait for that turn to know that it is safe.
   */
  async takeOut(
    { part, offset }: MessagePosition,
    timestamp: number | undefined,
    visit: (message: MessageBytes, timestamp: number) => boolean,
  ): Promise<'taken' | 'left' | Missing> {
    const lane = this.#options.lanes[part];
    if (lane === undefined || this.#options.deleted()) return 'gone';
    const reader = this.#readerOf(lane);
    for (;;) {
      if (offset >= lane.log.nextOffset || lane.isDone(offset)) return 'gone';
      reader.forget();
      if (lane.read(reader, offset)) break;
      if (!(await loaded(lane, reader, offset)) || this.#options.deleted()) return 'gone';
    }
    if (timestamp !== undefined && reader.timestamp !== timestamp) return 'gone';
    if (!lane.isReady(offset)) return 'out';
    return this.#take(lane, offset, reader, visit) ? 'taken' : 'left';
  }

  /** The same for one that a walk is showing. Answers whether it went. */
  takeSeen({ part, offset }: MessagePosition, bytes: number): boolean {
    const lane = this.#options.lanes[part];
    if (lane === undefined || this.#options.deleted() || !lane.isReady(offset)) return false;
    this.#options.takeOut(lane, offset, bytes);
    return true;
  }

  /** Shows one message; undefined when it is not there. */
  async find<Result>(
    { part, offset }: MessagePosition,
    show: (seen: SeenMessage) => Result,
  ): Promise<Result | undefined> {
    const lane = this.#options.lanes[part];
    if (lane === undefined) return undefined;
    const reader = this.#readerOf(lane);
    for (;;) {
      if (offset >= lane.log.nextOffset || lane.isDone(offset)) return undefined;
      reader.forget();
      if (lane.read(reader, offset)) return show(seen(lane, reader, offset));
      if (!(await loaded(lane, reader, offset))) return undefined;
    }
  }

  #take(
    lane: Lane,
    offset: number,
    reader: MessageReader,
    visit: (message: MessageBytes, timestamp: number) => boolean,
  ): boolean {
    if (!visit(reader.message, reader.timestamp)) return false;
    this.#options.takeOut(lane, offset, reader.message.bodyLength);
    return true;
  }

  /** Answers where to go on; undefined at the end of the lane. */
  async #walkLane(
    lane: Lane,
    start: number,
    see: SeeMessage,
    state: { looked: number; loads: number; readonly options: WalkOptions },
  ): Promise<number | undefined> {
    const { ends, budget = WALK_BUDGET, stopped } = state.options;
    const reader = new MessageReader(lane.log);
    const end = () => Math.min(lane.log.nextOffset, ends?.[lane.index] ?? Number.POSITIVE_INFINITY);
    // Copied out of the log: all of them were there before the walk, and are few.
    const kept = [...lane.kept.keys()].filter((offset) => offset >= start).sort((one, other) => one - other);
    let keptAt = 0;
    let at = start;
    for (;;) {
      if (this.#options.deleted()) throw new BrokerError('not-found', `queue '${this.#options.name}' was deleted`);
      while (keptAt < kept.length && !lane.kept.has(kept[keptAt] ?? 0)) keptAt++;
      const open = lane.acks.firstOpen(at);
      const offset = Math.min(kept[keptAt] ?? Number.POSITIVE_INFINITY, open);
      if (offset >= end()) return undefined;
      if (state.looked >= budget || stopped?.() === true) return offset;
      if (!lane.read(reader, offset)) {
        if (Number.isFinite(budget) && state.loads >= WALK_LOADS) return offset;
        state.loads++;
        await loaded(lane, reader, offset);
        reader.forget();
        continue;
      }
      state.looked++;
      const answer = see(seen(lane, reader, offset));
      const waits = answer instanceof Promise;
      if (!(waits ? await answer : answer)) return offset;
      at = offset + 1;
      if (offset === kept[keptAt]) keptAt++;
      const pauses = state.looked % WALK_SLICE === 0;
      if (pauses) await nextTurn();
      // Meanwhile an append may have failed, and others come to lie there.
      if (waits || pauses) reader.forget();
    }
  }

  #readerOf(lane: Lane): MessageReader {
    let reader = this.#readers.get(lane);
    if (reader === undefined) {
      reader = new MessageReader(lane.log);
      this.#readers.set(lane, reader);
    }
    return reader;
  }
}

function seen(lane: Lane, { message, timestamp }: MessageReader, offset: number) {
  return {
    part: lane.index,
    offset,
    message,
    timestamp,
    ready: lane.isReady(offset),
    deliveryCount: lane.counts.get(offset) ?? 0,
    redelivered: lane.isRedelivered(offset),
  };
}

/** Answers false when the message went while it was loaded. */
async function loaded(lane: Lane, reader: MessageReader, offset: number): Promise<boolean> {
  try {
    await reader.load(offset);
    return true;
  } catch (error) {
    // Trimmed meanwhile, because it is done with.
    if (lane.isDone(offset)) return false;
    throw error;
  }
}
