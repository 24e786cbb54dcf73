import { isUtf8 } from 'node:buffer';
import { CodecError } from './codec-error.ts';
import { ZERO_UUID } from './uuid.ts';

const UINT32 = 2 ** 32;

/** A decoded element takes many times its bytes: a request may not have more of them, in all its arrays together. */
export const MAX_REQUEST_ELEMENTS = 1_000_000;

/** Reads Kafka's primitive types from one buffer, forwards. Whatever reaches beyond the end is a CodecError. */
export class Reader {
  /** Which field is being read, as an index into the compiled decoder's paths. Kept for error messages only. */
  at = 0;
  readonly #buffer: Buffer;
  readonly #end: number;
  readonly #maxElements: number;
  #position: number;
  #elements = 0;

  constructor(buffer: Buffer, position = 0, end = buffer.length, maxElements = Number.POSITIVE_INFINITY) {
    this.#buffer = buffer;
    this.#position = position;
    this.#end = end;
    this.#maxElements = maxElements;
  }

  get position(): number {
    return this.#position;
  }

  /** Bytes left. After a request they may be more than none: Kafka tolerates a longer message than it knows. */
  get remaining(): number {
    return this.#end - this.#position;
  }

  bool(): boolean {
    return this.int8() !== 0;
  }

  int8(): number {
    const p = this.#take(1);
    return (this.#byte(p) << 24) >> 24;
  }

  int16(): number {
    const p = this.#take(2);
    return (((this.#byte(p) << 8) | this.#byte(p + 1)) << 16) >> 16;
  }

  uint16(): number {
    const p = this.#take(2);
    return (this.#byte(p) << 8) | this.#byte(p + 1);
  }

  int32(): number {
    const p = this.#take(4);
    return this.#int32At(p);
  }

  uint32(): number {
    const p = this.#take(4);
    return this.#int32At(p) >>> 0;
  }

  /**
   * Within ±(2^53 - 1): what lies beyond is read as that. No offset, time or id of this broker is as large, and clients ask with
   * Java's Long.MAX_VALUE for what is after everything.
   */
  int64(): number {
    const p = this.#take(8);
    const value = this.#int32At(p) * UINT32 + (this.#int32At(p + 4) >>> 0);
    return Number.isSafeInteger(value) ? value : Math.sign(value) * Number.MAX_SAFE_INTEGER;
  }

  float64(): number {
    return this.#buffer.readDoubleBE(this.#take(8));
  }

  uuid(): string {
    const p = this.#take(16);
    const hex = this.#buffer.toString('hex', p, p + 16);
    if (hex === '00000000000000000000000000000000') return ZERO_UUID;
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }

  /** An unsigned LEB128 of at most 32 bits. */
  uvarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte(this.#take(1));
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (shift === 28 && byte > 0x0f) break;
        return value >>> 0;
      }
    }
    throw new CodecError('a varint of more than 32 bits');
  }

  string(): string {
    return this.nullableString() ?? this.#unexpectedNull();
  }

  nullableString(): string | null {
    return this.#text(this.int16());
  }

  compactString(): string {
    return this.compactNullableString() ?? this.#unexpectedNull();
  }

  compactNullableString(): string | null {
    const length = this.uvarint() - 1;
    // Kafka's own limit, whatever the length could say.
    if (length > 0x7fff) throw new CodecError(`a string of ${length} bytes, of 32767 at most`);
    return this.#text(length);
  }

  bytes(): Buffer {
    return this.nullableBytes() ?? this.#unexpectedNull();
  }

  nullableBytes(): Buffer | null {
    return this.#slice(this.int32());
  }

  compactBytes(): Buffer {
    return this.compactNullableBytes() ?? this.#unexpectedNull();
  }

  compactNullableBytes(): Buffer | null {
    return this.#slice(this.uvarint() - 1);
  }

  /** How many elements follow; each takes at least `elementBytes` (1 or more), so that a lie costs no memory. */
  count(elementBytes: number): number {
    const count = this.nullableCount(elementBytes);
    return count < 0 ? this.#unexpectedNull() : count;
  }

  /** As `count`, with -1 for a null array. */
  nullableCount(elementBytes: number): number {
    return this.#plausible(this.int32(), elementBytes);
  }

  compactCount(elementBytes: number): number {
    const count = this.compactNullableCount(elementBytes);
    return count < 0 ? this.#unexpectedNull() : count;
  }

  compactNullableCount(elementBytes: number): number {
    return this.#plausible(this.uvarint() - 1, elementBytes);
  }

  /** The marker before a struct that may be null. */
  present(): boolean {
    return this.int8() >= 0;
  }

  /** The size in front of a tagged field; returns where the field ends. */
  openTag(): number {
    const size = this.uvarint();
    if (size > this.remaining) throw this.#short(size);
    return this.#position + size;
  }

  closeTag(end: number): void {
    if (this.#position !== end) throw new CodecError('a tagged field of another size than it claims');
  }

  skipTag(end: number): void {
    this.#position = end;
  }

  /** Skips a struct's tagged fields where none is known. */
  skipTags(): void {
    for (let n = this.uvarint(); n > 0; n--) {
      this.uvarint();
      this.skipTag(this.openTag());
    }
  }

  #take(size: number): number {
    const p = this.#position;
    if (p + size > this.#end) throw this.#short(size);
    this.#position = p + size;
    return p;
  }

  #byte(p: number): number {
    // #take has checked that p lies within the buffer.
    return this.#buffer[p]!;
  }

  #int32At(p: number): number {
    return (this.#byte(p) << 24) | (this.#byte(p + 1) << 16) | (this.#byte(p + 2) << 8) | this.#byte(p + 3);
  }

  #text(length: number): string | null {
    if (length < 0) return this.#null(length);
    const p = this.#take(length);
    // What is not UTF-8 becomes up to three times as long, and could not be quoted in an answer.
    if (length > 0x7fff / 3 && !isUtf8(this.#buffer.subarray(p, p + length)))
      throw new CodecError(`a string of ${length} bytes that are not UTF-8`);
    return this.#buffer.toString('utf8', p, p + length);
  }

  #slice(length: number): Buffer | null {
    if (length < 0) return this.#null(length);
    const p = this.#take(length);
    return this.#buffer.subarray(p, p + length);
  }

  #plausible(count: number, elementBytes: number): number {
    if (count < -1) throw new CodecError(`a count of ${count}`);
    if (count * elementBytes > this.remaining) {
      throw new CodecError(`${count} elements claimed where ${this.remaining} bytes are left`);
    }
    this.#elements += Math.max(count, 0);
    if (this.#elements > this.#maxElements) throw new CodecError(`more than ${this.#maxElements} elements`);
    return count;
  }

  #null(length: number): null {
    if (length !== -1) throw new CodecError(`a length of ${length}`);
    return null;
  }

  #unexpectedNull(): never {
    throw new CodecError('null where a value is required');
  }

  #short(size: number): CodecError {
    return new CodecError(`${size} bytes wanted where ${this.remaining} are left`);
  }
}
