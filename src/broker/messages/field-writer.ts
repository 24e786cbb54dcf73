import { isUtf8 } from 'node:buffer';
import { ARRAY, BOOLEAN, BYTES, INT32, INT64, STRING, VOID } from './field-text.ts';

const INITIAL_BYTES = 1024;
/** Of a name, which is a short string. */
const MAX_NAME_BYTES = 255;

/** Collects the fields of a table, one after the other, in a buffer that is used again and again. */
export class FieldWriter {
  #bytes = Buffer.allocUnsafe(INITIAL_BYTES);
  #end = 0;
  /** Where each field ends. */
  readonly #ends: number[] = [];

  get length(): number {
    return this.#end;
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#end);
  }

  reset(): void {
    this.#end = 0;
    this.#ends.length = 0;
  }

  /** A field as it stands in some other table. */
  raw(bytes: Buffer, start: number, end: number): void {
    this.#reserve(end - start);
    bytes.copy(this.#bytes, this.#end, start, end);
    this.#end += end - start;
    this.#ends.push(this.#end);
  }

  /** Only the type and the value from elsewhere. */
  rawValue(name: string, bytes: Buffer, start: number, end: number): void {
    if (!this.#name(name, end - start)) return;
    bytes.copy(this.#bytes, this.#end, start, end);
    this.#end += end - start;
    this.#ends.push(this.#end);
  }

  /** Text where it is, else bytes; void for null; an array for several. */
  values(name: string, values: readonly (Buffer | null)[]): void {
    let size = 5;
    for (const value of values) size += 5 + (value?.length ?? 0);
    if (!this.#name(name, size)) return;
    if (values.length === 1) this.#value(values[0] ?? null);
    else {
      const at = this.#end;
      this.#bytes[at] = ARRAY;
      this.#end += 5;
      for (const value of values) this.#value(value);
      this.#bytes.writeUInt32BE(this.#end - at - 5, at + 1);
    }
    this.#ends.push(this.#end);
  }

  boolean(name: string, value: boolean): void {
    if (!this.#name(name, 2)) return;
    this.#bytes[this.#end++] = BOOLEAN;
    this.#bytes[this.#end++] = value ? 1 : 0;
    this.#ends.push(this.#end);
  }

  int32(name: string, value: number): void {
    if (!this.#name(name, 5)) return;
    this.#bytes[this.#end++] = INT32;
    this.#end = this.#bytes.writeInt32BE(value, this.#end);
    this.#ends.push(this.#end);
  }

  /** A safe integer, not below zero. */
  int64(name: string, value: number): void {
    if (!this.#name(name, 9)) return;
    this.#bytes[this.#end++] = INT64;
    this.#end = this.#bytes.writeUInt32BE(Math.floor(value / 2 ** 32), this.#end);
    this.#end = this.#bytes.writeUInt32BE(value >>> 0, this.#end);
    this.#ends.push(this.#end);
  }

  /** Leaves out the largest fields until the rest has no more than so many bytes. Answers how many went. */
  cutTo(maxBytes: number): number {
    if (this.#end <= maxBytes) return 0;
    const fields = this.#ends.map((end, i) => ({ start: this.#ends[i - 1] ?? 0, end }));
    const bySize = fields.toSorted((a, b) => b.end - b.start - (a.end - a.start));
    let rest = this.#end;
    const gone = new Set<object>();
    for (const field of bySize) {
      if (rest <= maxBytes) break;
      rest -= field.end - field.start;
      gone.add(field);
    }
    const kept = Buffer.concat(
      fields.filter((field) => !gone.has(field)).map(({ start, end }) => this.#bytes.subarray(start, end)),
    );
    this.reset();
    this.raw(kept, 0, kept.length);
    return gone.size;
  }

  #value(value: Buffer | null): void {
    if (value === null) {
      this.#bytes[this.#end++] = VOID;
      return;
    }
    this.#bytes[this.#end++] = isUtf8(value) ? STRING : BYTES;
    this.#end = this.#bytes.writeUInt32BE(value.length, this.#end);
    value.copy(this.#bytes, this.#end);
    this.#end += value.length;
  }

  /** Writes the name of a field whose type and value take so many bytes. False for one that no field can have. */
  #name(name: string, valueBytes: number): boolean {
    const length = Buffer.byteLength(name);
    if (length > MAX_NAME_BYTES) return false;
    this.#reserve(1 + length + valueBytes);
    this.#bytes[this.#end++] = length;
    this.#end += this.#bytes.write(name, this.#end);
    return true;
  }

  #reserve(bytes: number): void {
    const needed = this.#end + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }
}
