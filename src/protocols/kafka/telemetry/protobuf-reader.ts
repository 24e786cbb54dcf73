import { CodecError } from '../codec/codec-error.ts';

/** How a field is on the wire (Protocol Buffers: Encoding). */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

/** One field of a message: its number, and where its bytes are; of a varint, its value. */
export interface ProtobufField {
  readonly number: number;
  /** Empty but for fields with a length or of a fixed size. */
  readonly bytes: Buffer;
  readonly varint: number;
}

const NO_BYTES = Buffer.alloc(0);

/** How many fields may still be read: a field has two bytes or more, and takes fifty times that. */
export interface FieldBudget {
  left: number;
}

/** The fields of a message in the order in which they are there. Throws a `CodecError` for what is no message, or has too many of them. */
export function* protobufFields(message: Buffer, budget: FieldBudget): Generator<ProtobufField> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++];
      if (byte === undefined || factor > 2 ** 63) throw new CodecError('a number in the metrics has no end');
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Buffer => {
    if (length > message.length - at) throw new CodecError('the metrics end in the middle of a field');
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    if (--budget.left < 0) throw new CodecError('the metrics have too many fields');
    const tag = varint();
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case VARINT:
        yield { number, bytes: NO_BYTES, varint: varint() };
        break;
      case FIXED64:
        yield { number, bytes: take(8), varint: 0 };
        break;
      case LENGTH:
        yield { number, bytes: take(varint()), varint: 0 };
        break;
      case FIXED32:
        yield { number, bytes: take(4), varint: 0 };
        break;
      default:
        throw new CodecError(`the metrics have a field of the unknown type ${tag % 8}`);
    }
  }
}
