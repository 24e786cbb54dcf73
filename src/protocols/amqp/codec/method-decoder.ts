import { decodeTable, type FieldTable } from '../../../broker/index.ts';
import { BrokerError } from '../../../errors.ts';
import { CodecError } from './codec-error.ts';
import type { Kind } from './method-schema.ts';
import { type Layout, layoutOfId, type Method } from './methods.ts';

const METHOD_ID_BYTES = 4;
const TWO_32 = 2 ** 32;

type Value = boolean | number | string | Buffer | FieldTable;

/**
 * The payload of a method frame. Nothing of the result refers to the buffer. Throws a `CodecError`: `COMMAND_INVALID` for a
 * method that there is not, `FRAME_ERROR` (as RabbitMQ does) when the arguments are not those of the method, `SYNTAX_ERROR` for
 * a table that is none.
 */
export function decodeMethod(buffer: Buffer, start: number, end: number): Method {
  const layout = layoutAt(buffer, start, end);
  const method: Record<string, Value> = { name: layout.name };
  const reader = new Arguments(buffer, start + METHOD_ID_BYTES, end, layout);
  for (const { name, kind, unused, bit } of layout.fields) {
    const value = kind === 'bit' ? reader.bit(bit) : reader.value(kind);
    if (!unused) method[name] = value;
  }
  reader.finish();
  // The layout was made from the same table that the type was inferred from.
  return method as unknown as Method;
}

function layoutAt(buffer: Buffer, start: number, end: number): Layout {
  if (end > buffer.length || end - start < METHOD_ID_BYTES)
    throw new CodecError('FRAME_ERROR', 'a method frame without a method');
  const id = buffer.readUInt32BE(start);
  const layout = layoutOfId(id);
  if (layout === undefined)
    throw new CodecError('COMMAND_INVALID', `unknown method ${id & 0xffff} of class ${id >>> 16}`);
  return layout;
}

class Arguments {
  readonly #buffer: Buffer;
  readonly #end: number;
  readonly #layout: Layout;
  #at: number;
  #bits = 0;

  constructor(buffer: Buffer, at: number, end: number, layout: Layout) {
    this.#buffer = buffer;
    this.#at = at;
    this.#end = end;
    this.#layout = layout;
  }

  bit(place: number): boolean {
    if (place === 0) this.#bits = this.#buffer.readUInt8(this.#skip(1));
    return (this.#bits & (1 << place)) !== 0;
  }

  value(kind: Exclude<Kind, 'bit'>): Value {
    const buffer = this.#buffer;
    switch (kind) {
      case 'octet':
        return buffer.readUInt8(this.#skip(1));
      case 'short':
        return buffer.readUInt16BE(this.#skip(2));
      case 'long':
        return buffer.readUInt32BE(this.#skip(4));
      case 'long long': {
        const at = this.#skip(8);
        return buffer.readUInt32BE(at) * TWO_32 + buffer.readUInt32BE(at + 4);
      }
      case 'short string':
        return this.#text(buffer.readUInt8(this.#skip(1)));
      case 'long string':
        return this.#text(buffer.readUInt32BE(this.#skip(4)));
      case 'bytes': {
        const length = buffer.readUInt32BE(this.#skip(4));
        const at = this.#skip(length);
        return Buffer.from(buffer.subarray(at, at + length));
      }
      case 'table': {
        const length = buffer.readUInt32BE(this.#skip(4));
        const at = this.#skip(length);
        return this.#table(at, at + length);
      }
    }
  }

  /** Nothing may be left. */
  finish(): void {
    if (this.#at !== this.#end) throw this.#malformed();
  }

  #text(length: number): string {
    const at = this.#skip(length);
    const text = this.#buffer.toString('utf8', at, at + length);
    // The replacement character stands for bytes that are not UTF-8, or for itself. RabbitMQ does not look at it in methods with content.
    if (!this.#layout.content && text.includes('\ufffd') && !this.#holds(text, at, length))
      throw new CodecError('FRAME_ERROR', 'Malformed UTF-8 in shortstr');
    return text;
  }

  #holds(text: string, at: number, length: number): boolean {
    return Buffer.from(text).equals(this.#buffer.subarray(at, at + length));
  }

  #table(start: number, end: number): FieldTable {
    try {
      return decodeTable(this.#buffer, start, end);
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      throw new CodecError('SYNTAX_ERROR', error.message, { cause: error });
    }
  }

  #skip(bytes: number): number {
    const at = this.#at;
    if (this.#end - at < bytes) throw this.#malformed();
    this.#at = at + bytes;
    return at;
  }

  #malformed(): CodecError {
    return new CodecError('FRAME_ERROR', `cannot decode the arguments of ${this.#layout.name}`);
  }
}
