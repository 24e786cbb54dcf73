import fc from 'fast-check';
import type { FieldTable } from '../../../broker/index.ts';
import type { AskedProtocol, FrameSink } from './frame-parser.ts';
import type { Kind } from './method-schema.ts';
import { layoutOf, METHODS, type Method, type MethodName } from './methods.ts';

export const METHOD_NAMES = Object.keys(METHODS) as MethodName[];

/** Short ones, some that are not ASCII, and some as long as can be. */
const texts = fc.oneof(
  { weight: 8, arbitrary: fc.string({ maxLength: 8 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 5 }) },
  { weight: 1, arbitrary: fc.integer({ min: 253, max: 255 }).map((length) => 'x'.repeat(length)) },
);

/** A method as a decoder returns it. */
export function arbitraryMethod<N extends MethodName>(
  name: N,
  tables: fc.Arbitrary<FieldTable>,
): fc.Arbitrary<Method<N>> {
  const used = layoutOf(name).fields.filter(({ unused }) => !unused);
  const parts = Object.fromEntries(used.map((field) => [field.name, arbitraryValue(field.kind, tables)]));
  return fc.record(parts, { noNullPrototype: true }).map((values) => ({ name, ...values }) as unknown as Method<N>);
}

function arbitraryValue(kind: Kind, tables: fc.Arbitrary<FieldTable>): fc.Arbitrary<unknown> {
  switch (kind) {
    case 'bit':
      return fc.boolean();
    case 'octet':
      return fc.nat(0xff);
    case 'short':
      return fc.nat(0xffff);
    case 'long':
      return fc.nat(0xffff_ffff);
    case 'long long':
      return fc.maxSafeNat();
    case 'short string':
    case 'long string':
      return texts;
    case 'bytes':
      return fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes));
    case 'table':
      return tables;
  }
}

/** A call of a sink. */
export type Call =
  | { readonly call: 'protocolHeader'; readonly asked: AskedProtocol }
  | { readonly call: 'method' | 'header' | 'body'; readonly channel: number; readonly payload: string }
  | { readonly call: 'heartbeat' };

/** Writes down what it is told. */
export class RecordingSink implements FrameSink {
  readonly calls: Call[] = [];
  /** Called after each. */
  after: () => void = () => {};

  protocolHeader(asked: AskedProtocol): void {
    this.#record({ call: 'protocolHeader', asked });
  }

  method(channel: number, buffer: Buffer, start: number, end: number): void {
    this.#record({ call: 'method', channel, payload: buffer.toString('hex', start, end) });
  }

  header(channel: number, buffer: Buffer, start: number, end: number): void {
    this.#record({ call: 'header', channel, payload: buffer.toString('hex', start, end) });
  }

  body(channel: number, buffer: Buffer, start: number, end: number): void {
    this.#record({ call: 'body', channel, payload: buffer.toString('hex', start, end) });
  }

  heartbeat(): void {
    this.#record({ call: 'heartbeat' });
  }

  #record(call: Call): void {
    this.calls.push(call);
    this.after();
  }
}

/** A frame as it is on the wire. */
export function frame(type: number, channel: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(7);
  head.writeUInt8(type);
  head.writeUInt16BE(channel, 1);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.of(0xce)]);
}

/** The bytes in pieces, cut at the given positions. */
export function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}
