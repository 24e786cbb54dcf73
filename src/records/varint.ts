import { BrokerError } from '../errors.ts';

/*
 * Protocol Buffers' zigzag varints, as Kafka's ByteUtils has them: seven bits a byte, the lowest first, the high bit set on
 * all but the last; `varint` for 32 bits (at most 5 bytes), `varlong` for 64 (at most 10). A varlong is a `number` here,
 * so it is bounded to 2^53.
 */

const TWO_32 = 2 ** 32;
/** The high word of 2^53. */
const HIGH_LIMIT = 2 ** 21;
/** Below this, a number's zigzag form fits 32 bits, and so does the arithmetic. */
const SMALL_LIMIT = 2 ** 30;

/** Bytes of a varint. `value` is a signed 32-bit integer. */
export function varintSize(value: number): number {
  return unsignedSize(((value << 1) ^ (value >> 31)) >>> 0);
}

function unsignedSize(zigzag: number): number {
  if (zigzag < 0x80) return 1;
  if (zigzag < 0x4000) return 2;
  if (zigzag < 0x200000) return 3;
  return zigzag < 0x10000000 ? 4 : 5;
}

/** Bytes of a varlong. `value` is a safe integer. */
export function varlongSize(value: number): number {
  if (value >= -SMALL_LIMIT && value < SMALL_LIMIT) return varintSize(value);
  // The zigzag form without its lowest bit: the first byte has room for 6 bits of it, the others for 7 each.
  let rest = (value < 0 ? -(value + 1) : value) / 64;
  let size = 1;
  for (; rest >= 1; rest /= 128) size++;
  return size;
}

/** Answers the position after it. */
export function writeVarint(buffer: Buffer, value: number, at: number): number {
  let zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  while (zigzag > 0x7f) {
    buffer[at++] = (zigzag & 0x7f) | 0x80;
    zigzag >>>= 7;
  }
  buffer[at++] = zigzag;
  return at;
}

/** Answers the position after it. */
export function writeVarlong(buffer: Buffer, value: number, at: number): number {
  if (value >= -SMALL_LIMIT && value < SMALL_LIMIT) return writeVarint(buffer, value, at);
  const high = Math.floor(value / TWO_32);
  const low = value >>> 0;
  const sign = high >> 31;
  let zigzagHigh = ((high << 1) | (low >>> 31)) ^ sign;
  let zigzagLow = ((low << 1) ^ sign) >>> 0;
  while (zigzagHigh !== 0 || zigzagLow > 0x7f) {
    buffer[at++] = (zigzagLow & 0x7f) | 0x80;
    zigzagLow = ((zigzagLow >>> 7) | (zigzagHigh << 25)) >>> 0;
    zigzagHigh >>>= 7;
  }
  buffer[at++] = zigzagLow;
  return at;
}

/** Reads numbers one after the other from a part of a buffer; throws `corrupt-message` rather than read beyond its end. */
export class VarintReader {
  readonly buffer: Buffer;
  /** Where the next read begins; may be moved. */
  at: number;
  /** May be moved, to the end of a smaller part. */
  end: number;

  constructor(buffer: Buffer, at: number, end: number) {
    this.buffer = buffer;
    this.at = at;
    this.end = end;
  }

  byte(): number {
    if (this.at >= this.end) throw new BrokerError('corrupt-message', `a record is cut short at byte ${this.at}`);
    // Within the buffer: `end` never lies beyond it.
    return this.buffer[this.at++]!;
  }

  varint(): number {
    let byte = this.byte();
    let zigzag = byte & 0x7f;
    for (let shift = 7; byte > 0x7f; shift += 7) {
      byte = this.byte();
      if (shift === 28 && byte > 0x0f) throw tooLong(this.at, 32);
      zigzag |= (byte & 0x7f) << shift;
    }
    return (zigzag >>> 1) ^ -(zigzag & 1);
  }

  varlong(): number {
    let low = 0;
    let high = 0;
    let byte = 0x80;
    for (let shift = 0; byte > 0x7f; shift += 7) {
      byte = this.byte();
      const bits = byte & 0x7f;
      if (shift === 63 && byte > 1) throw tooLong(this.at, 64);
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
    }
    const sign = -(low & 1);
    const valueLow = (((low >>> 1) | (high << 31)) ^ sign) >>> 0;
    const valueHigh = (high >>> 1) ^ sign;
    if (valueHigh >= HIGH_LIMIT || valueHigh < -HIGH_LIMIT) {
      throw new BrokerError('corrupt-message', `a variable-length number before byte ${this.at} lies beyond 2^53`);
    }
    return valueHigh * TWO_32 + valueLow;
  }
}

function tooLong(at: number, bits: number): BrokerError {
  return new BrokerError('corrupt-message', `a variable-length number before byte ${at} has more than ${bits} bits`);
}
