import { BrokerError } from '../errors.ts';

/*
 * 64-bit integers as `number`: two 32-bit reads cost a fraction of what a bigint does, and 2^53 milliseconds or offsets
 * last long enough. Whatever lies outside is refused where it is read.
 */

const TWO_32 = 2 ** 32;
/** The high word of 2^53: -2^53 <= value < 2^53 exactly when -HIGH_LIMIT <= high word < HIGH_LIMIT. */
const HIGH_LIMIT = 2 ** 21;

/** A big-endian signed 64-bit integer. Throws `corrupt-message` unless -2^53 <= value < 2^53. */
export function readInt64(buffer: Buffer, at: number): number {
  const high = buffer.readInt32BE(at);
  if (high >= HIGH_LIMIT || high < -HIGH_LIMIT) {
    throw new BrokerError('corrupt-message', `a 64-bit number at byte ${at} lies beyond 2^53`);
  }
  return high * TWO_32 + buffer.readUInt32BE(at + 4);
}

/** Throws `invalid-argument` for what is not a safe integer. */
export function writeInt64(buffer: Buffer, value: number, at: number): void {
  if (!Number.isSafeInteger(value)) {
    throw new BrokerError('invalid-argument', `${value} is not an integer between -2^53 and 2^53`);
  }
  buffer.writeInt32BE(Math.floor(value / TWO_32), at);
  buffer.writeUInt32BE(value >>> 0, at + 4);
}
