import type { MessageBytes } from '../messages/message-bytes.ts';

/** Where a message lies: the lane of a queue, or the partition of a stream, and its offset there. */
export interface MessagePosition {
  readonly part: number;
  readonly offset: number;
}

/** A message as it was met. Valid during the call that it is handed to. */
export interface SeenMessage extends MessagePosition {
  readonly message: MessageBytes;
  /** When it was published: milliseconds since the epoch. */
  readonly timestamp: number;
  /** Whether it waits, or is out with somebody. */
  readonly ready: boolean;
  /** How often it came back. */
  readonly deliveryCount: number;
  readonly redelivered: boolean;
}

/** False ends the walk before this message. A promise is waited for: what was seen is not valid any more by then. */
export type SeeMessage = (seen: SeenMessage) => boolean | Promise<boolean>;

export interface WalkOptions {
  /** Undefined for the beginning. */
  readonly from?: MessagePosition | undefined;
  /** Messages at or after these offsets are passed over: one for each part. */
  readonly ends?: readonly number[] | undefined;
  /** Messages that are looked at, at most. */
  readonly budget?: number | undefined;
  /** Asked now and then. */
  readonly stopped?: (() => boolean) | undefined;
}

/** Messages in their order, read where they lie: whoever looks changes nothing. */
export interface MessageSource {
  /** The offset after the last message of each part. */
  readonly ends: readonly number[];
  /**
   * Shows messages, a part after the other, each part in order of offsets. The event loop has its turn in between. Resolves to where the
   * next walk goes on; undefined when there is nothing more. Rejects with the storage's error.
   */
  walk(options: WalkOptions, see: SeeMessage): Promise<MessagePosition | undefined>;
}

/** Messages looked at in one go. */
export const WALK_SLICE = 500;
/** In one walk, unless it says otherwise. */
export const WALK_BUDGET = 20_000;
/** Pieces of segments that are loaded for one walk that has a budget; each has 512 KiB at most, or one message. */
export const WALK_LOADS = 64;

/** The event loop goes round once. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
