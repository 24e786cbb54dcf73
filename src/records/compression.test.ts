import { deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { compressSync as rawSnappy } from 'snappy';
import { describe, expect, test } from 'vitest';
import { compress, decompress } from './compression.ts';

const codecs = ['gzip', 'snappy', 'lz4', 'zstd'] as const;
const MIB = 1024 * 1024;

function refused(code: string) {
  return expect.objectContaining({ name: 'BrokerError', code });
}

describe.each(codecs)('%s', (codec) => {
  test('any bytes come back as they were', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.integer({ min: 1, max: 60 }), (piece, times) => {
        const bytes = Buffer.concat(new Array(times).fill(piece));
        expect(decompress(codec, compress(codec, bytes)).equals(bytes)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test('several blocks of it come back as they were', () => {
    const bytes = Buffer.alloc(5 * MIB);
    for (let i = 0; i < bytes.length; i++) bytes[i] = (i * i) >>> 7;
    expect(decompress(codec, compress(codec, bytes)).equals(bytes)).toBe(true);
  });

  test('as many bytes as are allowed come out, one more is refused', () => {
    const bytes = Buffer.alloc(300_000, 'bomb');
    const compressed = compress(codec, bytes);
    expect(decompress(codec, compressed, bytes.length)).toHaveLength(bytes.length);
    expect(() => decompress(codec, compressed, bytes.length - 1)).toThrow(refused('message-too-large'));
  });

  test('what is cut short, is no such thing, or is nothing at all, is corrupt', () => {
    const compressed = compress(codec, Buffer.alloc(1000, 'some text'));
    const cut = compressed.subarray(0, compressed.length - 8);
    for (const bytes of [cut, Buffer.from('certainly not compressed'), Buffer.alloc(0), Buffer.alloc(64, 0xff)]) {
      expect(() => decompress(codec, bytes)).toThrow(refused('corrupt-message'));
    }
  });

  test('damaged bytes give an error of the broker or bytes within the bound, nothing else', () => {
    const compressed = compress(codec, Buffer.from('the quick brown fox jumps over the lazy dog. '.repeat(40)));
    const damage = fc.array(fc.tuple(fc.nat(compressed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(damage, (changes) => {
        const damaged = Buffer.from(compressed);
        for (const [at, byte] of changes) damaged[at] = byte;
        try {
          expect(decompress(codec, damaged, 10_000).length).toBeLessThanOrEqual(10_000);
        } catch (error) {
          expect(['corrupt-message', 'message-too-large']).toContain((error as { code?: string }).code);
        }
      }),
      { numRuns: 500 },
    );
  });
});

test('what is not compressed is answered as it is', () => {
  const bytes = Buffer.from('plain');
  expect(compress('none', bytes)).toBe(bytes);
  expect(decompress('none', bytes)).toBe(bytes);
});

test('gzip of several members, and raw deflate, which is not gzip', () => {
  const members = Buffer.concat([gzipSync('one'), gzipSync('two')]);
  expect(decompress('gzip', members).toString()).toBe('onetwo');
  expect(() => decompress('gzip', deflateRawSync('one'))).toThrow(refused('corrupt-message'));
});

test('a zstd frame that asks for a window of 2 GiB is refused', () => {
  const frame = zstdCompressSync(Buffer.alloc(100));
  // Magic, then a descriptor without single segment or content size, then the window: exponent 21 over 2^10.
  const greedy = Buffer.concat([frame.subarray(0, 4), Buffer.from([0x00, 21 << 3]), Buffer.from('010000', 'hex')]);
  expect(() => decompress('zstd', greedy)).toThrow(refused('corrupt-message'));
});

describe('snappy', () => {
  const block = 'ac0214534e41505059fe0600fe0600fe0600fe0600960600';
  const xerial = `82534e4150505900000000010000000100000018${block}`;
  const text = 'SNAPPY'.repeat(50);

  test("xerial's stream is read, also two in a row and one of several chunks", () => {
    expect(decompress('snappy', Buffer.from(xerial, 'hex')).toString()).toBe(text);
    expect(decompress('snappy', Buffer.from(xerial + xerial, 'hex')).toString()).toBe(text + text);
    expect(decompress('snappy', Buffer.from(`${xerial}00000018${block}`, 'hex')).toString()).toBe(text + text);
  });

  test("xerial's stream is what is written", () => {
    expect(compress('snappy', Buffer.from(text)).toString('hex')).toBe(xerial);
  });

  test('one raw block is read', () => {
    expect(decompress('snappy', Buffer.from(block, 'hex')).toString()).toBe(text);
    expect(decompress('snappy', rawSnappy(Buffer.alloc(100_000, 'long'))).toString()).toBe('long'.repeat(25_000));
  });

  test('a block that claims more than its bytes can give is refused before memory is taken for it', () => {
    expect(() => decompress('snappy', Buffer.from('ffffff3f00', 'hex'))).toThrow(refused('corrupt-message'));
    expect(() => decompress('snappy', Buffer.from('ffffffff7f', 'hex'))).toThrow(refused('corrupt-message'));
  });

  test.each(['ffffffff', '7fffffff', '00000019', '0000'])(
    'a chunk of %s bytes where there are fewer is refused',
    (size) => {
      const stream = Buffer.from(xerial.slice(0, 32) + size + block, 'hex');
      const cut = size.length < 8 ? stream.subarray(0, 18) : stream;
      expect(() => decompress('snappy', cut)).toThrow(refused('corrupt-message'));
    },
  );
});

describe('lz4', () => {
  const text = 'one record of an LZ4 frame; '.repeat(2500);
  // Made by the reference library, LZ4 1.9.4 (Python's lz4.frame.compress).
  const frames: readonly (readonly [string, string])[] = [
    [
      'linked blocks, content size',
      'BCJNGEhAcBEBAAAAAAB3JwEAAP8Nb25lIHJlY29yZCBvZiBhbiBMWjQgZnJhbWU7IBwA/////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////8xQb2YgYW4bAAAAD/D///////////////////////9pUGFtZTsgAAAAAA==',
    ],
    [
      'independent blocks, no content size',
      'BCJNGGBAgicBAAD/DW9uZSByZWNvcmQgb2YgYW4gTFo0IGZyYW1lOyAcAP/////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////MUG9mIGFuOAAAAP8NIExaNCBmcmFtZTsgb25lIHJlY29yZCBvZiBhbhwA//////////////////////9NUGFtZTsgAAAAAA==',
    ],
    [
      'block and content checksums, 4 MiB blocks',
      'BCJNGHxQcBEBAAAAAACzOQEAAP8Nb25lIHJlY29yZCBvZiBhbiBMWjQgZnJhbWU7IBwA/////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////05QYW1lOyCjzPv9AAAAAEx47DU=',
    ],
  ];

  test.each(frames)("the reference library's frame is read: %s", (_name, base64) => {
    const frame = Buffer.from(base64, 'base64');
    expect(decompress('lz4', frame).toString()).toBe(text);
    // Close to the bound the content is counted exactly.
    expect(decompress('lz4', frame, text.length).toString()).toBe(text);
    expect(() => decompress('lz4', frame, text.length - 1)).toThrow(refused('message-too-large'));
  });

  test('frames have independent blocks, for the Java client takes no others', () => {
    const flags = compress('lz4', Buffer.from(text)).readUInt8(4);
    expect(flags & 0xe0).toBe(0x60);
  });

  /** A frame of 64 KiB blocks that holds this one block. */
  function frameOf(block: Buffer): Buffer {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(block.length);
    return Buffer.concat([Buffer.from('04224d18604082', 'hex'), size, block, Buffer.alloc(4)]);
  }

  test('a block that gives more than its frame allows is refused', () => {
    const match = Buffer.concat([
      Buffer.from('1f610100', 'hex'),
      Buffer.alloc(800, 255),
      Buffer.from('00506161616161', 'hex'),
    ]);
    expect(() => decompress('lz4', frameOf(match))).toThrow(refused('corrupt-message'));
    expect(() => decompress('lz4', frameOf(match), 65_536)).toThrow(refused('corrupt-message'));
    expect(() => decompress('lz4', frameOf(match), 65_535)).toThrow(refused('message-too-large'));
  });

  test("other frames than LZ4's own are refused, for their content cannot be bounded", () => {
    for (const magic of [0x184c2102, 0x184d2a50]) {
      const frame = frameOf(Buffer.from('5061616161', 'hex'));
      frame.writeUInt32LE(magic, 0);
      expect(() => decompress('lz4', frame)).toThrow(refused('corrupt-message'));
    }
  });
});
