import { crc32c } from '../../records/crc.ts';
import { readInt64, writeInt64 } from '../../records/int64.ts';
import type { Position } from '../commit-log.ts';
import type { FrameFile } from './group-frame.ts';

/*
 * A log file is named by the position of its first frame, and begins with a header of 64 bytes, big-endian:
 *
 *   FileHeader => magic:8 bytes  version:u16  reserved:u16  epoch:u32  start:i64  carriedUpTo:i64  log:16 bytes
 *                 salt:8 bytes  reserved:u32  crc:u32
 *
 *   carriedUpTo  frames up to here were in the file when it got its name, and durable: what a new writer took over
 *   log          the UUID of the log that it belongs to
 *   salt         random, see group-frame.ts
 *   crc          CRC-32C of all before it
 */

const MAGIC = Buffer.from('SluiceWL');
const VERSION = 1;
const AT_VERSION = 8;
const AT_EPOCH = 12;
const AT_START = 16;
const AT_CARRIED = 24;
const AT_LOG = 32;
const AT_SALT = 48;
const AT_CRC = 60;
export const FILE_HEADER_BYTES = 64;
export const SALT_BYTES = 8;

const FILE_NAME = /^\d{20}\.wal$/;
/** A file that is being made; it gets its name when it is whole. */
export const UNFINISHED_SUFFIX = '.unfinished';

export interface FileHeader extends FrameFile {
  readonly carriedUpTo: Position;
  /** The log's UUID, lower case with dashes. */
  readonly log: string;
}

export function fileName(start: Position): string {
  return `${String(start).padStart(20, '0')}.wal`;
}

/** The start that a file's name tells, if it is a log file's. */
export function startOfName(name: string): Position | undefined {
  if (!FILE_NAME.test(name)) return undefined;
  const start = Number(name.slice(0, 20));
  return Number.isSafeInteger(start) ? start : undefined;
}

/** A header's bytes, and the seed that they give. */
export function encodeFileHeader(header: Omit<FileHeader, 'seed'>, salt: Buffer): { bytes: Buffer; seed: number } {
  const bytes = Buffer.alloc(FILE_HEADER_BYTES);
  MAGIC.copy(bytes);
  bytes.writeUInt16BE(VERSION, AT_VERSION);
  bytes.writeUInt32BE(header.epoch, AT_EPOCH);
  writeInt64(bytes, header.start, AT_START);
  writeInt64(bytes, header.carriedUpTo, AT_CARRIED);
  bytes.write(header.log.replaceAll('-', ''), AT_LOG, 16, 'hex');
  salt.copy(bytes, AT_SALT, 0, SALT_BYTES);
  const seed = crc32c(bytes.subarray(0, AT_CRC));
  bytes.writeUInt32BE(seed, AT_CRC);
  return { bytes, seed };
}

/** The header in the first bytes of a file, or what is wrong with it. */
export function decodeFileHeader(bytes: Buffer): FileHeader | string {
  if (bytes.length < FILE_HEADER_BYTES) return `has only ${bytes.length} bytes of its header`;
  if (!bytes.subarray(0, AT_VERSION).equals(MAGIC)) return 'does not begin as a log file';
  const seed = bytes.readUInt32BE(AT_CRC);
  if (crc32c(bytes.subarray(0, AT_CRC)) !== seed) return 'has a header with a wrong CRC';
  const version = bytes.readUInt16BE(AT_VERSION);
  if (version !== VERSION) return `has format version ${version}, and this broker knows ${VERSION} only`;
  const id = bytes.toString('hex', AT_LOG, AT_LOG + 16);
  return {
    epoch: bytes.readUInt32BE(AT_EPOCH),
    start: readInt64(bytes, AT_START),
    carriedUpTo: readInt64(bytes, AT_CARRIED),
    log: id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    seed,
  };
}
