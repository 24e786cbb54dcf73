import { crc32c, readInt64, writeInt64 } from '../../records/index.ts';
import { MAX_GROUP_BYTES } from '../commit-log/group-frame.ts';
import type { Position, TailGroup } from '../commit-log.ts';
import type { Flaw } from './batch-walk.ts';

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

export function groupFrame({ end, payload, payloadCrc }: TailGroup, synced = 0): Buffer[] {
  return [header(GROUP, end, synced, { length: payload.length, crc: payloadCrc }), payload];
}

export function markFrame({ position, time }: MarkFrame): Buffer {
  return header(MARK, position, time, { length: 0, crc: 0 });
}

function header(
  kind: number,
  position: Position,
  time: number,
  payload: { readonly length: number; readonly crc: number },
): Buffer {
  const bytes = Buffer.alloc(FRAME_BYTES);
  bytes.writeUInt16BE(MAGIC, 0);
  bytes[AT_KIND] = kind;
  bytes.writeUInt32BE(payload.length, AT_LENGTH);
  writeInt64(bytes, position, AT_POSITION);
  writeInt64(bytes, time, AT_TIME);
  bytes.writeUInt32BE(payload.crc, AT_PAYLOAD_CRC);
  bytes.writeUInt32BE(crc32c(bytes.subarray(0, AT_HEADER_CRC)), AT_HEADER_CRC);
  return bytes;
}

/** Takes frames out of bytes that come in pieces. */
export class FrameWalk {
  readonly #header = Buffer.alloc(FRAME_BYTES);
  #headerBytes = 0;
  /** Of the frame under way, once its header is whole: how much of it came by, and the CRC of that. */
  #payload: Buffer | undefined;
  #payloadBytes = 0;
  #crc = 0;
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
    let rest = piece;
    while (rest.length > 0 && this.flaw === undefined) {
      rest = this.#payload === undefined ? this.#begin(rest) : this.#fill(this.#payload, rest);
      const frame = this.#payload?.length === this.#payloadBytes ? this.#end(this.#payload) : undefined;
      if (frame !== undefined) frames.push(frame);
    }
    return frames;
  }

  /** After all of it: what is wrong, if anything is. */
  finish(): Flaw | undefined {
    if (this.flaw === undefined && this.#headerBytes > 0) return { byte: this.at, what: 'a group is cut short' };
    return this.flaw;
  }

  /** Gathers the header, and looks at it when it is whole. Answers what comes after it. */
  #begin(piece: Buffer): Buffer {
    const head = this.#header;
    const taken = piece.copy(head, this.#headerBytes);
    this.#headerBytes += taken;
    const rest = piece.subarray(taken);
    if (this.#headerBytes < FRAME_BYTES) return rest;
    const length = head.readUInt32BE(AT_LENGTH);
    if (
      head.readUInt16BE(0) !== MAGIC ||
      crc32c(head.subarray(0, AT_HEADER_CRC)) !== head.readUInt32BE(AT_HEADER_CRC) ||
      length > MAX_GROUP_BYTES
    ) {
      this.#found('no group');
      return rest;
    }
    this.#payloadBytes = 0;
    this.#crc = 0;
    if (rest.length < length) {
      this.#payload = Buffer.allocUnsafeSlow(length);
      return rest;
    }
    this.#payload = rest.subarray(0, length);
    this.#crc = crc32c(this.#payload);
    this.#payloadBytes = length;
    return rest.subarray(length);
  }

  /** A large payload is put together, and checked, as it comes: not in one go at its end. */
  #fill(payload: Buffer, piece: Buffer): Buffer {
    const taken = piece.copy(payload, this.#payloadBytes);
    this.#crc = crc32c(piece.subarray(0, taken), this.#crc);
    this.#payloadBytes += taken;
    return piece.subarray(taken);
  }

  #end(payload: Buffer): GroupFrame | MarkFrame | undefined {
    const head = this.#header;
    if (this.#crc !== head.readUInt32BE(AT_PAYLOAD_CRC)) return this.#found('a group with a wrong CRC');
    this.#payload = undefined;
    this.#headerBytes = 0;
    this.at += FRAME_BYTES + payload.length;
    const position = readInt64(head, AT_POSITION);
    const time = readInt64(head, AT_TIME);
    return head[AT_KIND] === MARK ? { position, time } : { position, payload, synced: time, endByte: this.at };
  }

  #found(what: string): undefined {
    this.flaw = { byte: this.at, what };
    return undefined;
  }
}

export function isMark(frame: GroupFrame | MarkFrame): frame is MarkFrame {
  return 'time' in frame;
}
