import { createRequire } from 'node:module';
import { BrokerError } from '../errors.ts';

/*
 * LZ4 in its frame format, the only one that Kafka has since magic 2 (KIP-57). All integers are little-endian.
 *
 *   Frame => magic:u32  FLG:u8  BD:u8  [contentSize:u64]  [dictionaryId:u32]  headerChecksum:u8
 *            [Block]  endMark:u32 = 0  [contentChecksum:u32]
 *   Block => size:u32 (high bit: not compressed)  bytes  [checksum:u32]
 *
 * Source: lz4_Frame_format.md 1.6.4, lz4_Block_format.md. The native package does the work; what it cannot do is stop at
 * a number of bytes, so how many there will be is found out first.
 */

const MAGIC = 0x184d2204;
const HEADER_BYTES = 7;

const FLAG_DICTIONARY = 0x01;
const FLAG_CONTENT_SIZE = 0x08;
const FLAG_BLOCK_CHECKSUM = 0x10;
const STORED_BLOCK = 0x80000000;
/** The shortest match that a block can express; lengths are counted from it. */
const MIN_MATCH = 4;

// Loaded when first used: most brokers never decompress a thing, and a native package takes about 10 ms to load.
let native: typeof import('lz4-napi') | undefined;

function lz4(): typeof import('lz4-napi') {
  native ??= createRequire(import.meta.url)('lz4-napi') as typeof import('lz4-napi');
  return native;
}

/** One frame of independent blocks (Kafka's Java client refuses others) without checksums. */
export function compressLz4(bytes: Buffer): Buffer {
  return lz4().compressFrameSync(bytes);
}

/** Throws `message-too-large` when more than `maxBytes` would come out, before anything has. */
export function decompressLz4(frame: Buffer, maxBytes: number): Buffer {
  // Counting exactly takes as long as decompressing, and is rarely needed: what most frames can hold at most is not much.
  if (contentSize(frame, false) > maxBytes && contentSize(frame, true) > maxBytes) {
    throw new BrokerError('message-too-large', `the records decompress to more than ${maxBytes} bytes`);
  }
  return lz4().decompressFrameSync(frame);
}

/** Bytes that a frame decompresses to: at most, or exactly. */
function contentSize(frame: Buffer, exact: boolean): number {
  if (frame.length < HEADER_BYTES || frame.readUInt32LE(0) !== MAGIC) {
    throw new BrokerError('corrupt-message', 'the records are not an LZ4 frame');
  }
  const flags = frame.readUInt8(4);
  const sizeCode = (frame.readUInt8(5) >> 4) & 0x07;
  if (sizeCode < 4) throw new BrokerError('corrupt-message', `LZ4 block size code ${sizeCode} is not one of 4 to 7`);
  // 64 KiB to 4 MiB. The decoder refuses a block that gives more.
  const blockLimit = 1 << (8 + 2 * sizeCode);
  const checksumBytes = (flags & FLAG_BLOCK_CHECKSUM) === 0 ? 0 : 4;
  let at = HEADER_BYTES;
  if ((flags & FLAG_CONTENT_SIZE) !== 0) at += 8;
  if ((flags & FLAG_DICTIONARY) !== 0) at += 4;
  let total = 0;
  while (at + 4 <= frame.length) {
    const word = frame.readUInt32LE(at);
    if (word === 0) break;
    const size = word & ~STORED_BLOCK;
    const from = at + 4;
    const to = from + size;
    if (to > frame.length) throw new BrokerError('corrupt-message', `an LZ4 block of ${size} bytes is cut short`);
    if ((word & STORED_BLOCK) !== 0) total += size;
    else total += exact ? blockContentSize(frame, from, to) : blockLimit;
    at = to + checksumBytes;
  }
  return total;
}

/**
 * Bytes that a block's sequences give.
 *
 *   Sequence => token:u8 (literals, match; 4 bits each)  [literals - 15]  literals  offset:u16  [match - 15]
 */
function blockContentSize(frame: Buffer, from: number, to: number): number {
  let total = 0;
  let at = from;
  const extended = (length: number): number => {
    if (length < 15) return length;
    for (let byte = 255; byte === 255 && at < to; ) {
      byte = frame.readUInt8(at++);
      length += byte;
    }
    return length;
  };
  while (at < to) {
    const token = frame.readUInt8(at++);
    const literals = extended(token >> 4);
    total += literals;
    at += literals;
    // The last sequence of a block is its literals alone.
    if (at >= to) break;
    at += 2;
    total += extended(token & 0x0f) + MIN_MATCH;
  }
  return total;
}
