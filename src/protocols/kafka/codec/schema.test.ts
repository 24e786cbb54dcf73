import { describe, expect, expectTypeOf, it } from 'vitest';
import { Message } from './message.ts';
import { Reader } from './reader.ts';
import {
  array,
  bool,
  bytes,
  type Decoded,
  float64,
  type Input,
  int16,
  int32,
  int64,
  records,
  string,
  struct,
  uint16,
  uint32,
  uuid,
} from './schema.ts';
import { Writer } from './writer.ts';

const fields = {
  id: int32(),
  name: string({ nullableSince: 2 }),
  note: string({ since: 1, until: 2, default: 'none' }),
  parts: array({ part: int16(), ids: array(int64()) }),
  owner: struct({ host: string() }, { nullable: true, default: null }),
  data: records(),
  leader: struct({ id: int32({ default: -1 }), epoch: int32({ default: -1 }) }, { tag: 1 }),
  labels: array(string(), { tag: 0 }),
};
const message = new Message('Example', [0, 3], fields, 2);

const input: Input<typeof fields> = { id: 1, name: 'n', parts: [], data: Buffer.alloc(0) };

function roundTrip(version: number, value: Input<typeof fields>): Decoded<typeof fields> {
  return message.decode(new Reader(bytesOf(version, value)), version);
}

function bytesOf(version: number, value: Input<typeof fields>): Buffer {
  const writer = new Writer();
  message.encode(writer, version, value);
  return Buffer.concat(writer.finish());
}

describe('a schema', () => {
  it('gives the types of what is decoded and of what is encoded', () => {
    expectTypeOf<Decoded<typeof fields>>().toEqualTypeOf<{
      readonly id: number;
      readonly name: string | null;
      readonly note: string;
      readonly parts: readonly { readonly part: number; readonly ids: readonly number[] }[];
      readonly owner: { readonly host: string } | null;
      readonly data: Buffer;
      readonly leader: { readonly id: number; readonly epoch: number };
      readonly labels: readonly string[];
    }>();
    expectTypeOf<Decoded<typeof fields>>().toExtend<Input<typeof fields>>();
    // @ts-expect-error: the id has no default.
    const incomplete: Input<typeof fields> = { name: '', parts: [], data: Buffer.alloc(0) };
    expect(incomplete).toBeDefined();
  });

  it('has its defaults for what the version lacks, and leaves out what the version cannot carry', () => {
    expect(roundTrip(0, { ...input, note: 'lost', labels: ['lost'] })).toEqual({
      id: 1,
      name: 'n',
      note: 'none',
      parts: [],
      owner: null,
      data: Buffer.alloc(0),
      leader: { id: -1, epoch: -1 },
      labels: [],
    });
    expect(roundTrip(1, { ...input, note: 'kept' }).note).toBe('kept');
    expect(roundTrip(3, { ...input, note: 'lost', labels: ['kept'] })).toMatchObject({
      note: 'none',
      labels: ['kept'],
    });
  });

  it('allows null from the version on that does', () => {
    expect(roundTrip(2, { ...input, name: null }).name).toBeNull();
    expect(() => roundTrip(1, { ...input, name: null })).toThrow('Example v1, name: null is not a string');
  });

  it('writes a tagged field only when it differs from its default, in the order of the tags', () => {
    const plain = bytesOf(3, input);
    expect(bytesOf(3, { ...input, leader: { id: -1 }, labels: [] })).toEqual(plain);
    const tagged = bytesOf(3, { ...input, leader: { id: 5 }, labels: ['a'] });
    const [labels, leader] = ['00 03 02 0261', '01 09 00000005 ffffffff 00'];
    const ends = `02 ${labels} ${leader}`.replaceAll(' ', '');
    expect(tagged.subarray(plain.length - 1).toString('hex')).toBe(ends);
  });

  it('skips the tagged fields that it does not know', () => {
    // The last byte of a message is the count of its tagged fields.
    const plain = bytesOf(3, input).subarray(0, -1);
    const more = Buffer.concat([plain, Buffer.from('03 00030202 61 05020102 6303010203'.replaceAll(' ', ''), 'hex')]);
    const reader = new Reader(more);
    expect(message.decode(reader, 3).labels).toEqual(['a']);
    expect(reader.remaining).toBe(0);
  });

  it('refuses a known tagged field of another size than it claims', () => {
    const wrong = bytesOf(3, { ...input, labels: ['a'] });
    wrong[wrong.length - 4] = 2;
    expect(() => message.decode(new Reader(wrong), 3)).toThrow('Example v3, labels');
  });

  it('names message, version, field and byte in its errors', () => {
    const parts = [{ part: 1, ids: [1, 2.5] }];
    expect(() => bytesOf(1, { ...input, parts })).toThrow('Example v1, parts[].ids: 2.5 is not an int64');
    const cut = bytesOf(1, { ...input, parts: [{ part: 1, ids: [1] }] }).subarray(0, 23);
    expect(() => message.decode(new Reader(cut), 1)).toThrow(
      'Example v1, parts[].ids, byte 23: 1 elements claimed where 0 bytes are left',
    );
    expect(() => bytesOf(4, input)).toThrow('Example has no version 4');
    expect(() => bytesOf(1, { ...input, parts: [undefined as never] })).toThrow('Example v1, parts');
  });

  it('refuses more elements than bytes, for every kind of element', () => {
    const elements = [
      ...[bool(), int16(), uint16(), int32(), uint32(), int64(), float64(), uuid()],
      ...[string(), bytes(), records(), struct({}), array(int32())],
    ];
    for (const element of elements) {
      const list = new Message(element.kind, [0, 1], { list: array(element) }, 1);
      const long = Buffer.concat([Buffer.from('7fffffff', 'hex'), Buffer.alloc(100)]);
      const compact = Buffer.concat([Buffer.from('ffffffff0f', 'hex'), Buffer.alloc(100)]);
      expect(() => list.decode(new Reader(long), 0)).toThrow('elements claimed');
      expect(() => list.decode(new Reader(compact), 1)).toThrow('elements claimed');
    }
    const hollow = new Message('hollow', [0, 0], { list: array({ later: int32({ since: 1 }) }) });
    const claim = Buffer.concat([Buffer.from('7fffffff', 'hex'), Buffer.alloc(100)]);
    expect(() => hollow.decode(new Reader(claim), 0)).toThrow('elements claimed');
  });
});
