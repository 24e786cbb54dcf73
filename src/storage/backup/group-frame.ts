import { crc32c, readInt64, writeInt64 } from '../../records/index.ts';
import { MAX_GROUP_BYTES } from '../commit-log/group-frame.ts';
import type { Position } from '../commit-log.ts';
import type { Flaw } from './batch-walk.ts';
import { ByteQueue } from './byte-queue.ts';

/*
 * Groups of a commit log as backups and archives have them, one after the other, with marks of time between them. Big-endian:
 *
 *   Frame => magic:u16  kind:u8  reserved:u8  length:u32  position:i64  time:i64  payloadCrc:u32  headerCrc:u32  payload:length
 *
 *   kind 1, group: `position` is where it ends in the commit log, `time` is how many bytes of the file were on the device when it was written
 *   kind 2, mark: all groups that end at or before `position` were durable at `time` (milliseconds since the epoch); no payload
 */

const MAGIC = 0x5342;
const GROUP = 1;
const MARK = 2;
const AT_KIND = 2;
const AT_LENGTH = 4;
const AT_POSITION = 8;
const AT_TIME = 16;
const AT_PAYLOAD_CRC = 24;
const AT_HEADER_CRC = 28;
export const FRAME_BYTES = 32;

export interface GroupFrame {
  readonly position: Position;
  readonly payload: Buffer;
  /** Bytes of the file that were durable when it was written. */
  readonly synced: number;
  /** Where the frame ends. */
  readonly endByte: number;
}

export interface MarkFrame {
  readonly position: Position;
  readonly time: number;
}

export function groupFrame({ position, payload }: Pick<GroupFrame, 'position' | 'payload'>, synced = 0): Buffer[] {
  return [header(GROUP, position, synced, payload), payload];
}

export function markFrame({ position, time }: MarkFrame): Buffer {
  return header(MARK, position, time, Buffer.alloc(0));
}

function header(kind: number, position: Position, time: number, payload: Buffer): Buffer {
  const bytes = Buffer.alloc(FRAME_BYTES);
  bytes.writeUInt16BE(MAGIC, 0);
  bytes[AT_KIND] = kind;
  bytes.writeUInt32BE(payload.length, AT_LENGTH);
  writeInt64(bytes, position, AT_POSITION);
  writeInt64(bytes, time, AT_TIME);
  bytes.writeUInt32BE(crc32c(payload), AT_PAYLOAD_CRC);
  bytes.writeUInt32BE(crc32c(bytes.subarray(0, AT_HEADER_CRC)), AT_HEADER_CRC);
  return bytes;
}

/** Takes frames out of bytes that come in pieces. */
export class FrameWalk {
  readonly #queue = new ByteQueue();
  /** The bytes of all good frames. */
  at: number;
  flaw: Flaw | undefined;

  /** `at`: where the first byte lies, for what is said of flaws. */
  constructor(at = 0) {
    this.at = at;
  }

  /** Takes a piece; answers the frames that are whole with it. After a flaw there are none. */
  add(piece: Buffer): (GroupFrame | MarkFrame)[] {
    const frames: (GroupFrame | MarkFrame)[] = [];
    if (this.flaw !== undefined) return frames;
    this.#queue.push(piece);
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) frames.push(frame);
    return frames;
  }

  /** After all of it: what is wrong, if anything is. */
  finish(): Flaw | undefined {
    if (this.flaw === undefined && this.#queue.length > 0) return { byte: this.at, what: 'a group is cut short' };
    return this.flaw;
  }

  #next(): GroupFrame | MarkFrame | undefined {
    const head = this.#queue.peek(FRAME_BYTES);
    if (head === undefined) return undefined;
    const length = head.readUInt32BE(AT_LENGTH);
    if (
      head.readUInt16BE(0) !== MAGIC ||
      crc32c(head.subarray(0, AT_HEADER_CRC)) !== head.readUInt32BE(AT_HEADER_CRC) ||
      length > MAX_GROUP_BYTES
    )
      return this.#found('no group');
    const frame = this.#queue.take(FRAME_BYTES + length);
    if (frame === undefined) return undefined;
    const payload = frame.subarray(FRAME_BYTES);
    if (crc32c(payload) !== frame.readUInt32BE(AT_PAYLOAD_CRC)) return this.#found('a group with a wrong CRC');
    this.at += frame.length;
    const position = readInt64(frame, AT_POSITION);
    const time = readInt64(frame, AT_TIME);
    return frame[AT_KIND] === MARK ? { position, time } : { position, payload, synced: time, endByte: this.at };
  }

  #found(what: string): undefined {
    this.flaw = { byte: this.at, what };
    return undefined;
  }
}

export function isMark(frame: GroupFrame | MarkFrame): frame is MarkFrame {
  return 'time' in frame;
}
