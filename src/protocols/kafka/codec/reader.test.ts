import { describe, expect, it } from 'vitest';
import { CodecError } from './codec-error.ts';
import { Reader } from './reader.ts';
import { ZERO_UUID } from './uuid.ts';

const of = (hex: string): Reader => new Reader(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

describe('a reader', () => {
  it('reads signed and unsigned integers at their bounds', () => {
    expect(of('80').int8()).toBe(-128);
    expect(of('8000').int16()).toBe(-32768);
    expect(of('ffff').uint16()).toBe(65535);
    expect(of('80000000').int32()).toBe(-(2 ** 31));
    expect(of('ffffffff').uint32()).toBe(2 ** 32 - 1);
    expect(of('001fffffffffffff').int64()).toBe(Number.MAX_SAFE_INTEGER);
    expect(of('ffe0000000000001').int64()).toBe(Number.MIN_SAFE_INTEGER);
    expect(of('ffffffffffffffff').int64()).toBe(-1);
    expect(of('3ff8000000000000').float64()).toBe(1.5);
  });

  it('reads an int64 that a number cannot hold as the farthest that one can', () => {
    for (const hex of ['0020000000000000', '7fffffffffffffff']) expect(of(hex).int64()).toBe(Number.MAX_SAFE_INTEGER);
    for (const hex of ['ffe0000000000000', '8000000000000000']) expect(of(hex).int64()).toBe(Number.MIN_SAFE_INTEGER);
  });

  it('reads varints of up to 32 bits, and none that are longer', () => {
    expect(of('00').uvarint()).toBe(0);
    expect(of('ac02').uvarint()).toBe(300);
    expect(of('ffffffff0f').uvarint()).toBe(2 ** 32 - 1);
    expect(() => of('ffffffff1f').uvarint()).toThrow(CodecError);
    expect(() => of('ffffffffff01').uvarint()).toThrow(CodecError);
    expect(() => of('ff').uvarint()).toThrow(CodecError);
  });

  it('reads UUIDs as canonical strings', () => {
    expect(of('0123456789ABCDEF0123456789ABCDEF').uuid()).toBe('01234567-89ab-cdef-0123-456789abcdef');
    expect(of('00000000000000000000000000000000').uuid()).toBe(ZERO_UUID);
  });

  it('tells null from empty, and allows it only where it may be', () => {
    expect(of('ffff').nullableString()).toBeNull();
    expect(of('0000').string()).toBe('');
    expect(of('00').compactNullableString()).toBeNull();
    expect(of('01').compactString()).toBe('');
    expect(of('ffffffff').nullableBytes()).toBeNull();
    expect(of('ffffffff').nullableCount(1)).toBe(-1);
    expect(() => of('ffff').string()).toThrow('null where a value is required');
    expect(() => of('00').compactBytes()).toThrow('null where a value is required');
    expect(() => of('ffffffff').count(1)).toThrow('null where a value is required');
    expect(() => of('fffe').nullableString()).toThrow('a length of -2');
    expect(() => of('fffffffe').nullableCount(1)).toThrow('a count of -2');
  });

  it('refuses a length or a count beyond what is left, before anything is allocated', () => {
    expect(() => of('7fffffff 00').bytes()).toThrow('2147483647 bytes wanted where 1 are left');
    expect(() => of('7fff 00').string()).toThrow('32767 bytes wanted where 1 are left');
    expect(() => of('7fffffff 00').count(1)).toThrow('2147483647 elements claimed where 1 bytes are left');
    expect(() => of('ffffffff0f 00').compactCount(1)).toThrow('4294967294 elements claimed where 1 bytes are left');
    expect(() => of('00000002 000000').count(2)).toThrow('2 elements claimed where 3 bytes are left');
    expect(of('00000002 00000000').count(2)).toBe(2);
    expect(() => of('8180807f').compactString()).toThrow('of 32767 at most');
  });

  it('gives byte fields as parts of its own buffer', () => {
    const frame = Buffer.from('00000003616263', 'hex');
    const bytes = new Reader(frame).bytes();
    frame[4] = 0x7a;
    expect(bytes.toString()).toBe('zbc');
  });

  it('skips tagged fields, and refuses those that reach beyond the end', () => {
    const reader = of('02 00 01 ff 07 00 2a');
    reader.skipTags();
    expect(reader.int8()).toBe(42);
    expect(() => of('01 00 05 00').skipTags()).toThrow(CodecError);
    expect(() => of('ffffffff0f').skipTags()).toThrow(CodecError);
  });
});
