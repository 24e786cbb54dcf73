import { CodecError } from './codec-error.ts';

const UINT32 = 2 ** 32;
/** Memory is taken in pieces of this many bytes and shared by the frames that fit, as Node's own buffer pool does. */
const SLAB_BYTES = 64 * 1024;
/** A slab with less than this left is not worth starting a frame in. */
const SPARE_BYTES = 1024;
/** From this size on a byte field is handed on as it is; below, copying is cheaper than one more piece to write. */
const REFERENCE_BYTES = 1024;

/**
 * Writes Kafka's primitive types into pieces for a vectored write: large byte fields are referenced, never copied,
 * so they must not change until the pieces are written. One writer serves one message after another.
 */
export class Writer {
  /** Which field is being written, as an index into the compiled encoder's paths. Kept for error messages only. */
  at = 0;
  #slab: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  /** Where the piece being written starts, in the slab. */
  #start = 0;
  #position = 0;
  /** Pieces that are complete. */
  #chunks: Buffer[] = [];
  #chunkBytes = 0;
  /** Tagged fields that are open; within them nothing is referenced, since their size goes in front. */
  #openTags = 0;

  /** Bytes written since the last `finish`. */
  get length(): number {
    return this.#chunkBytes + this.#position - this.#start;
  }

  /** What was written, in order; the writer is empty again. */
  finish(): Buffer[] {
    this.#cut();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#chunkBytes = 0;
    if (this.#slab.length - this.#position < SPARE_BYTES) {
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#start = this.#position = 0;
    }
    return chunks;
  }

  /** Forgets what was written. */
  reset(): void {
    this.#chunks = [];
    this.#chunkBytes = 0;
    this.#openTags = 0;
    this.#position = this.#start;
  }

  bool(value: boolean): void {
    if (typeof value !== 'boolean') throw new CodecError(`${String(value)} is not a bool`);
    const p = this.#take(1);
    this.#slab[p] = value ? 1 : 0;
  }

  int8(value: number): void {
    if ((value << 24) >> 24 !== value) throw this.#outside(value, 'int8');
    const p = this.#take(1);
    this.#slab[p] = value;
  }

  int16(value: number): void {
    if ((value << 16) >> 16 !== value) throw this.#outside(value, 'int16');
    this.#put16(value);
  }

  uint16(value: number): void {
    if ((value & 0xffff) !== value) throw this.#outside(value, 'uint16');
    this.#put16(value);
  }

  int32(value: number): void {
    if ((value | 0) !== value) throw this.#outside(value, 'int32');
    this.#put32(value);
  }

  uint32(value: number): void {
    if (value >>> 0 !== value) throw this.#outside(value, 'uint32');
    this.#put32(value);
  }

  int64(value: number): void {
    if (!Number.isSafeInteger(value)) throw this.#outside(value, 'int64 within ±(2^53 - 1)');
    this.#put32(Math.floor(value / UINT32));
    this.#put32(value >>> 0);
  }

  float64(value: number): void {
    if (typeof value !== 'number') throw this.#outside(value, 'float64');
    const p = this.#take(8);
    this.#slab.writeDoubleBE(value, p);
  }

  uuid(value: string): void {
    if (typeof value !== 'string' || value.length !== 36) throw this.#outside(value, 'uuid');
    const p = this.#take(16);
    const slab = this.#slab;
    let next = 0;
    for (let i = 0; i < 16; i++) {
      if (i === 4 || i === 6 || i === 8 || i === 10) {
        if (value.charCodeAt(next++) !== 0x2d) throw this.#outside(value, 'uuid');
      }
      const byte = (nibble(value.charCodeAt(next)) << 4) | nibble(value.charCodeAt(next + 1));
      if (byte < 0) throw this.#outside(value, 'uuid');
      next += 2;
      slab[p + i] = byte;
    }
  }

  uvarint(value: number): void {
    if (value >>> 0 !== value) throw this.#outside(value, 'unsigned varint');
    let p = this.#reserve(5);
    let rest = value;
    while (rest > 0x7f) {
      this.#slab[p++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#slab[p++] = rest;
    this.#position = p;
  }

  string(value: string): void {
    const size = byteLength(value);
    if (size > 0x7fff) throw new CodecError(`a string of ${size} bytes, of 32767 at most`);
    this.#put16(size);
    this.#text(value, size);
  }

  nullableString(value: string | null): void {
    if (value === null) this.#put16(-1);
    else this.string(value);
  }

  compactString(value: string): void {
    const size = byteLength(value);
    // The limit is Kafka's own: a Java peer refuses more, flexible version or not.
    if (size > 0x7fff) throw new CodecError(`a string of ${size} bytes, of 32767 at most`);
    this.uvarint(size + 1);
    this.#text(value, size);
  }

  compactNullableString(value: string | null): void {
    if (value === null) this.uvarint(0);
    else this.compactString(value);
  }

  bytes(value: Uint8Array): void {
    this.#checkBytes(value);
    this.int32(value.length);
    this.raw(value);
  }

  nullableBytes(value: Uint8Array | null): void {
    if (value === null) this.#put32(-1);
    else this.bytes(value);
  }

  compactBytes(value: Uint8Array): void {
    this.#checkBytes(value);
    this.uvarint(value.length + 1);
    this.raw(value);
  }

  compactNullableBytes(value: Uint8Array | null): void {
    if (value === null) this.uvarint(0);
    else this.compactBytes(value);
  }

  records(value: Uint8Array | readonly Uint8Array[]): void {
    this.int32(this.#recordBytes(value));
    this.#batches(value);
  }

  nullableRecords(value: Uint8Array | readonly Uint8Array[] | null): void {
    if (value === null) this.#put32(-1);
    else this.records(value);
  }

  compactRecords(value: Uint8Array | readonly Uint8Array[]): void {
    this.uvarint(this.#recordBytes(value) + 1);
    this.#batches(value);
  }

  compactNullableRecords(value: Uint8Array | readonly Uint8Array[] | null): void {
    if (value === null) this.uvarint(0);
    else this.compactRecords(value);
  }

  /** The length of an array that follows. */
  count(value: readonly unknown[]): number {
    if (!Array.isArray(value)) throw new CodecError(`${String(value)} is not an array`);
    this.#put32(value.length);
    return value.length;
  }

  compactCount(value: readonly unknown[]): number {
    if (!Array.isArray(value)) throw new CodecError(`${String(value)} is not an array`);
    this.uvarint(value.length + 1);
    return value.length;
  }

  /** Bytes without a length. */
  raw(value: Uint8Array): void {
    const size = value.length;
    if (size >= REFERENCE_BYTES && this.#openTags === 0) {
      this.#cut();
      this.#chunks.push(Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, size));
      this.#chunkBytes += size;
      return;
    }
    const p = this.#take(size);
    this.#slab.set(value, p);
  }

  /** Leaves one byte for the size of a tagged field; returns what `closeTag` wants. */
  openTag(): number {
    this.#openTags++;
    this.#take(1);
    return this.#position - this.#start;
  }

  closeTag(opened: number): void {
    this.#openTags--;
    const size = this.#position - this.#start - opened;
    // Most tagged fields are small; the others move up to make room for a longer size.
    const more = uvarintBytes(size) - 1;
    if (more > 0) {
      this.#take(more);
      const from = this.#start + opened;
      this.#slab.copyWithin(from + more, from, from + size);
    }
    const end = this.#position;
    this.#position = this.#start + opened - 1;
    this.uvarint(size);
    this.#position = end;
  }

  /** The position of `size` bytes that are now taken. */
  #take(size: number): number {
    const p = this.#reserve(size);
    this.#position = p + size;
    return p;
  }

  /** Makes sure that `size` bytes fit at the position, which it returns. */
  #reserve(size: number): number {
    if (this.#position + size > this.#slab.length) this.#grow(size);
    return this.#position;
  }

  #grow(size: number): void {
    const open = this.#slab.subarray(this.#start, this.#position);
    const slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, 2 * open.length + size));
    slab.set(open);
    this.#slab = slab;
    this.#start = 0;
    this.#position = open.length;
  }

  /** Ends the piece that is being written. */
  #cut(): void {
    if (this.#position === this.#start) return;
    this.#chunks.push(this.#slab.subarray(this.#start, this.#position));
    this.#chunkBytes += this.#position - this.#start;
    this.#start = this.#position;
  }

  #put16(value: number): void {
    const p = this.#take(2);
    const slab = this.#slab;
    slab[p] = value >> 8;
    slab[p + 1] = value;
  }

  #put32(value: number): void {
    const p = this.#take(4);
    const slab = this.#slab;
    slab[p] = value >> 24;
    slab[p + 1] = value >> 16;
    slab[p + 2] = value >> 8;
    slab[p + 3] = value;
  }

  #text(value: string, size: number): void {
    const p = this.#take(size);
    const slab = this.#slab;
    if (size === value.length && size <= 32) {
      for (let i = 0; i < size; i++) slab[p + i] = value.charCodeAt(i);
      return;
    }
    slab.write(value, p, size, 'utf8');
  }

  #batches(value: Uint8Array | readonly Uint8Array[]): void {
    if (value instanceof Uint8Array) this.raw(value);
    else for (const batch of value) this.raw(batch);
  }

  #recordBytes(value: Uint8Array | readonly Uint8Array[]): number {
    if (value instanceof Uint8Array) return value.length;
    if (!Array.isArray(value)) throw new CodecError(`${String(value)} is not record batches`);
    let size = 0;
    for (const batch of value as readonly Uint8Array[]) {
      this.#checkBytes(batch);
      size += batch.length;
    }
    return size;
  }

  #checkBytes(value: Uint8Array): void {
    if (!(value instanceof Uint8Array)) throw new CodecError(`${String(value)} is not bytes`);
  }

  #outside(value: unknown, type: string): CodecError {
    return new CodecError(`${String(value)} is not an ${type}`);
  }
}

function byteLength(value: string): number {
  if (typeof value !== 'string') throw new CodecError(`${String(value)} is not a string`);
  return Buffer.byteLength(value, 'utf8');
}

function uvarintBytes(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
}

/** A hexadecimal digit's value; negative for what is none. */
function nibble(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x61 && code <= 0x66) return code - 0x57;
  if (code >= 0x41 && code <= 0x46) return code - 0x37;
  return -1;
}
