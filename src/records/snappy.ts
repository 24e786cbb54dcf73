import { createRequire } from 'node:module';
import { BrokerError } from '../errors.ts';

/*
 * Snappy comes in two shapes. Kafka's Java client writes xerial's stream (snappy-java's SnappyOutputStream):
 *
 *   Stream => Header  [Chunk]                       what follows may be another stream, header and all
 *   Header => 82 'SNAPPY' 00  version:i32 = 1  compatible:i32 = 1
 *   Chunk  => size:i32  block                       big-endian; the block is raw Snappy, of 32 KiB before compression
 *
 * librdkafka, sarama and others write one raw block without any frame. Nothing says which it is but the header. A raw
 * block cannot begin like it: 82 53 would be its length, 10626, and 4E then a copy from before its beginning.
 *
 * What is written here is xerial's: it is what the reference broker hands out, so that every client has to read it.
 */

const HEADER = Buffer.from('82534e41505059000000000100000001', 'hex');
const MAGIC_BYTES = 8;
/** Of content; snappy-java's default. */
const BLOCK_BYTES = 32 * 1024;
/** No Snappy element gives more than 64 bytes, and none is shorter than one: a claim beyond that is a lie. */
const MAX_RATIO = 64;

// Loaded when first used: most brokers never decompress a thing, and a native package takes about 10 ms to load.
let native: typeof import('snappy') | undefined;
/** A copy takes a quarter of the time that handing over the native memory does. */
const COPIED = { copyOutputData: true } as const;

function snappy(): typeof import('snappy') {
  native ??= createRequire(import.meta.url)('snappy') as typeof import('snappy');
  return native;
}

export function compressSnappy(bytes: Buffer): Buffer {
  const chunks: Buffer[] = [HEADER];
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const block = snappy().compressSync(bytes.subarray(at, at + BLOCK_BYTES), COPIED);
    const size = Buffer.allocUnsafe(4);
    size.writeInt32BE(block.length);
    chunks.push(size, block);
  }
  return Buffer.concat(chunks);
}

/** Throws `message-too-large` when more than `maxBytes` would come out, before anything has. */
export function decompressSnappy(bytes: Buffer, maxBytes: number): Buffer {
  const blocks = startsWithMagic(bytes, 0) ? xerialBlocks(bytes) : [bytes];
  let total = 0;
  for (const block of blocks) total += contentSize(block);
  if (total > maxBytes) {
    throw new BrokerError('message-too-large', `the records decompress to ${total} bytes, more than ${maxBytes}`);
  }
  const contents = blocks.map(decompressBlock);
  return contents.length === 1 && contents[0] !== undefined ? contents[0] : Buffer.concat(contents, total);
}

function decompressBlock(block: Buffer): Buffer {
  return snappy().uncompressSync(block, { asBuffer: true, ...COPIED }) as Buffer;
}

function startsWithMagic(bytes: Buffer, at: number): boolean {
  return bytes.length >= at + HEADER.length && bytes.compare(HEADER, 0, MAGIC_BYTES, at, at + MAGIC_BYTES) === 0;
}

function xerialBlocks(bytes: Buffer): Buffer[] {
  const blocks: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (startsWithMagic(bytes, at)) {
      at += HEADER.length;
      continue;
    }
    const size = bytes.length - at < 4 ? -1 : bytes.readInt32BE(at);
    at += 4;
    if (size < 0 || size > bytes.length - at) {
      throw new BrokerError('corrupt-message', `a Snappy chunk at byte ${at} says it has ${size} bytes`);
    }
    blocks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return blocks;
}

/** What a raw block says it decompresses to: a varint of 32 bits, not zigzag, at its start. */
function contentSize(block: Buffer): number {
  let size = 0;
  for (let at = 0; at < 5; at++) {
    const byte = block[at];
    if (byte === undefined) break;
    size += (byte & 0x7f) * 2 ** (7 * at);
    if (byte > 0x7f) continue;
    if (size > block.length * MAX_RATIO) break;
    return size;
  }
  throw new BrokerError(
    'corrupt-message',
    `a Snappy block of ${block.length} bytes does not begin with the length of its content`,
  );
}
