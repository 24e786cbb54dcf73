import { type VarintReader, varlongSize, writeVarlong } from '../../records/index.ts';

/*
 * How delivery state is written: as varints, offsets as what they are more than the one before, so that what lies side by side takes a
 * byte or two.
 *
 *   event  => kind:u8 {number:varlong}*
 *   ranges => count {from - end of the one before, length}*
 */

/** The first number is the event's kind: less than 64. */
export function encodeNumbers(numbers: readonly number[]): Buffer {
  let size = 0;
  for (const number of numbers) size += varlongSize(number);
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const number of numbers) at = writeVarlong(bytes, number, at);
  // The kinds are small: their varint is one byte, twice the number. They are told apart by the plain number.
  bytes[0] = numbers[0] ?? 0;
  return bytes;
}

/** Adds ranges, given as pairs of `from`, `to` (exclusive), ascending. */
export function pushRanges(numbers: number[], pairs: readonly number[]): void {
  numbers.push(pairs.length / 2);
  let end = 0;
  for (let i = 0; i < pairs.length; i += 2) {
    // Pairs: both are there.
    const from = pairs[i]!;
    const to = pairs[i + 1]!;
    numbers.push(from - end, to - from);
    end = to;
  }
}

export function readRanges(reader: VarintReader, visit: (from: number, to: number) => void): void {
  let end = 0;
  for (let count = reader.varlong(); count > 0; count--) {
    const from = end + reader.varlong();
    end = from + reader.varlong();
    visit(from, end);
  }
}
