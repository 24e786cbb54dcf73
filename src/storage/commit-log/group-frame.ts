import { crc32c } from '../../records/crc.ts';
import { readInt64, writeInt64 } from '../../records/int64.ts';
import type { Position } from '../commit-log.ts';

/*
 * A group in a log file: a header of 32 bytes, then the group's bytes. All integers are big-endian.
 *
 *   Frame => magic:u16  flags:u16  epoch:u32  byteLength:u32  position:i64  durable:u32  payloadCrc:u32  headerCrc:u32
 *            payload:byteLength
 *
 *   flags       bit 0: the log was closed here; such a frame has no payload and takes no room among the positions
 *   epoch       the writer's, that of its file
 *   position    the frame's own start
 *   durable     what was durable when the frame was written, counted from the file's start. A frame is thereby a witness
 *               for those before it: what it calls durable and is not there any more was damaged, not torn
 *   payloadCrc  CRC-32C of the payload
 *   headerCrc   CRC-32C of the header before it, continued from the CRC of the file's header. That one covers random
 *               bytes, so that no client can make up a frame within a message, and no frame of another file is taken
 *               for one of this file
 */

const MAGIC = 0;
const FLAGS = 2;
const EPOCH = 4;
const BYTE_LENGTH = 8;
const POSITION = 12;
const DURABLE = 20;
const PAYLOAD_CRC = 24;
const HEADER_CRC = 28;
export const FRAME_HEADER_BYTES = 32;

const FRAME_MAGIC = 0x5347;
/** The first bytes of every frame, to search for. */
export const FRAME_MAGIC_BYTES = Buffer.from([FRAME_MAGIC >> 8, FRAME_MAGIC & 0xff]);
const CLOSED = 0x0001;

/** The most that one group may hold. */
export const MAX_GROUP_BYTES = 2 ** 30;

/** What the frames of one file have in common. */
export interface FrameFile {
  readonly epoch: number;
  /** The position of its first frame. */
  readonly start: Position;
  /** The CRC of its header, from which those of its frames go on. */
  readonly seed: number;
}

export interface Frame {
  readonly position: Position;
  /** What was durable when it was written. */
  readonly durable: Position;
  readonly byteLength: number;
  readonly payloadCrc: number;
  readonly closed: boolean;
}

export function writeFrameHeader(target: Buffer, at: number, file: FrameFile, frame: Frame): void {
  target.writeUInt16BE(FRAME_MAGIC, at + MAGIC);
  target.writeUInt16BE(frame.closed ? CLOSED : 0, at + FLAGS);
  target.writeUInt32BE(file.epoch, at + EPOCH);
  target.writeUInt32BE(frame.byteLength, at + BYTE_LENGTH);
  writeInt64(target, frame.position, at + POSITION);
  target.writeUInt32BE(Math.max(0, frame.durable - file.start), at + DURABLE);
  target.writeUInt32BE(frame.payloadCrc, at + PAYLOAD_CRC);
  target.writeUInt32BE(crc32c(target.subarray(at, at + HEADER_CRC), file.seed), at + HEADER_CRC);
}

/** The frame whose header lies there, if one does that belongs to the file and to this position. Its payload is not looked at. */
export function readFrameHeader(source: Buffer, at: number, file: FrameFile, position: Position): Frame | undefined {
  if (source.readUInt16BE(at + MAGIC) !== FRAME_MAGIC) return undefined;
  if (source.readUInt32BE(at + HEADER_CRC) !== crc32c(source.subarray(at, at + HEADER_CRC), file.seed))
    return undefined;
  const byteLength = source.readUInt32BE(at + BYTE_LENGTH);
  if (source.readUInt32BE(at + EPOCH) !== file.epoch || readInt64(source, at + POSITION) !== position) return undefined;
  if (byteLength > MAX_GROUP_BYTES) return undefined;
  return {
    position,
    durable: file.start + source.readUInt32BE(at + DURABLE),
    byteLength,
    payloadCrc: source.readUInt32BE(at + PAYLOAD_CRC),
    closed: (source.readUInt16BE(at + FLAGS) & CLOSED) !== 0,
  };
}
