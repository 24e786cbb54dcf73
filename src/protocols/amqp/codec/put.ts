/*
 * Big-endian writes for the frames that there are many of. Each answers where the next value goes. They check nothing: who calls
 * them has made room, and knows what the values are.
 */

const TWO_32 = 2 ** 32;
/** From here on a call into the runtime costs less than a loop. */
const LOOPED_BYTES = 40;

export function putByte(target: Buffer, at: number, value: number): number {
  target[at] = value;
  return at + 1;
}

export function putShort(target: Buffer, at: number, value: number): number {
  target[at] = value >>> 8;
  target[at + 1] = value;
  return at + 2;
}

export function putUInt32(target: Buffer, at: number, value: number): number {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
  return at + 4;
}

/** A safe integer, not negative. */
export function putUInt64(target: Buffer, at: number, value: number): number {
  return putUInt32(target, putUInt32(target, at, value < TWO_32 ? 0 : Math.floor(value / TWO_32)), value >>> 0);
}

export function putBytes(target: Buffer, at: number, source: Buffer, start: number, end: number): number {
  if (end - start > LOOPED_BYTES) return at + source.copy(target, at, start, end);
  let to = at;
  // Within the source, as the caller says.
  for (let from = start; from < end; from++) target[to++] = source[from]!;
  return to;
}
