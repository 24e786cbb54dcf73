import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { validateBatch } from './batch-validation.ts';
import { baseTimestamp, compression, hasValidCrc, maxTimestamp } from './record-batch.ts';
import { decodeRecords } from './record-decoder.ts';
import { encodeBatch } from './record-encoder.ts';

interface KafkajsEncoder {
  readonly buffer: Buffer;
}

interface KafkajsRecord {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | null>>;
}

// kafkajs has no types for its inner modules.
const require = createRequire(import.meta.url);
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch(content: object): Promise<KafkajsEncoder>;
};
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => KafkajsEncoder;
const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (
  decoder: object,
) => Promise<{ readonly records: readonly KafkajsRecord[] }>;
const Decoder = require('kafkajs/src/protocol/decoder') as new (buffer: Buffer) => object;

describe('kafkajs', () => {
  const START = 1_700_000_000_000;
  const given = [
    {
      key: Buffer.from('k'),
      value: Buffer.from('v'),
      headers: { trace: Buffer.from('id'), empty: Buffer.alloc(0) },
      timestampDelta: 0,
    },
    { key: null, value: Buffer.from('ä'.repeat(500)), headers: {}, timestampDelta: 86_400_000 * 400 },
    { key: Buffer.alloc(0), value: null, headers: { many: [Buffer.from('1'), Buffer.from('2')] }, timestampDelta: -5 },
  ];

  test.each([
    [0, 'none'],
    [1, 'gzip'],
  ])('a batch of its own making (codec %d) is read', async (codec, name) => {
    const records = given.map((record, offsetDelta) => encodeRecord({ ...record, offsetDelta }));
    const encoded = await RecordBatch({
      compression: codec,
      records,
      firstTimestamp: START,
      maxTimestamp: START,
      lastOffsetDelta: 2,
    });
    validateBatch(encoded.buffer, 0, encoded.buffer.length);
    expect(compression(encoded.buffer, 0)).toBe(name);
    expect(decodeRecords(encoded.buffer)).toEqual([
      {
        offset: 0,
        timestamp: START,
        key: Buffer.from('k'),
        value: Buffer.from('v'),
        headers: [
          ['trace', Buffer.from('id')],
          ['empty', Buffer.alloc(0)],
        ],
      },
      { offset: 1, timestamp: START + 86_400_000 * 400, key: null, value: Buffer.from('ä'.repeat(500)), headers: [] },
      {
        offset: 2,
        timestamp: START - 5,
        key: Buffer.alloc(0),
        value: null,
        headers: [
          ['many', Buffer.from('1')],
          ['many', Buffer.from('2')],
        ],
      },
    ]);
  });

  test.each(['none', 'gzip'] as const)('reads a batch (%s) of ours', async (codec) => {
    const records = [
      { timestamp: START, key: Buffer.from('k'), value: Buffer.from('v'), headers: [['a', Buffer.from('1')]] as const },
      { timestamp: START + 2 ** 33, value: Buffer.alloc(20_000, 'long') },
      { timestamp: START - 2 ** 33, key: Buffer.from('tombstone') },
    ];
    const batch = encodeBatch({ records, baseOffset: 2 ** 40, compression: codec });
    const decoded = await decodeBatch(new Decoder(batch));
    expect(decoded.records.map(({ offset, timestamp, key, value }) => ({ offset, timestamp, key, value }))).toEqual([
      { offset: String(2 ** 40), timestamp: String(START), key: Buffer.from('k'), value: Buffer.from('v') },
      {
        offset: String(2 ** 40 + 1),
        timestamp: String(START + 2 ** 33),
        key: null,
        value: Buffer.alloc(20_000, 'long'),
      },
      { offset: String(2 ** 40 + 2), timestamp: String(START - 2 ** 33), key: Buffer.from('tombstone'), value: null },
    ]);
    expect(decoded.records[0]?.headers).toEqual({ a: Buffer.from('1') });
  });
});

describe('librdkafka', () => {
  // As its mock cluster answered a fetch of what its producer had sent: version 2.16, five records with keys, values,
  // tombstone, headers and a timestamp that goes back.
  const batches: readonly (readonly [codec: string, hex: string])[] = [
    [
      'none',
      '0000000000000000000001b80000000002489040f60000000000040000018bcfe568000000018bcfe573b8ffffffffffffffffffffffffffff00000005cc010000000a6b65792d309c016c696272646b61666b612030206c696272646b61666b612030206c696272646b61666b612030206c696272646b61666b612030206c696272646b61666b612030206c696272646b61666b6120302006026102310261010668c3a900ac0100d00f02019c016c696272646b61666b612031206c696272646b61666b612031206c696272646b61666b612031206c696272646b61666b612031206c696272646b61666b612031206c696272646b61666b61203120001800a01f040a6b65792d320100b60100f02e060a6b65792d339c016c696272646b61666b612033206c696272646b61666b612033206c696272646b61666b612033206c696272646b61666b612033206c696272646b61666b612033206c696272646b61666b6120332000b60100d00f080a6b65792d349c016c696272646b61666b612034206c696272646b61666b612034206c696272646b61666b612034206c696272646b61666b612034206c696272646b61666b612034206c696272646b61666b6120342000',
    ],
    [
      'gzip',
      '0000000000000000000000a600000000021d376ac10001000000040000018bcfe568000000018bcfe573b8ffffffffffffffffffffffffffff000000051f8b08000000000000033bc3c8c0c0c0959d5aa96b3087312733a928253b312d3b51c14081620e1b532293215322235bc6e1950c6b18192ef03331a2d861a8403187418261813c0bd8fd468c0cdb18193ee8b18179c62836192b50cc01197e819f036cb8098ae1260a147318007bc0b33987010000',
    ],
    [
      'snappy',
      '0000000000000000000000af0000000002b68d5fd30002000000040000018bcfe568000000018bcfe573b8ffffffffffffffffffffffffffff00000005870364cc010000000a6b65792d309c016c696272646b61666b61203020ee0d00050d5406026102310261010668c3a900ac0100d00f02019c011d5700312e6400d60d0014001800a01f0405c020320100b60100f02e06050e08339c011d6a00332e6a00d60d00015d08d00f08055d08349c011d5d00342e5d00d60d000000',
    ],
    [
      'lz4',
      '0000000000000000000000bb0000000002a9c63f5c0003000000040000018bcfe568000000018bcfe573b8ffffffffffffffffffffffffffff0000000504224d186040827b000000ff0bcc010000000a6b65792d309c016c696272646b61666b612030200d002ef90506026102310261010668c3a900ac0100d00f02016400183164000f0d002361001800a01f04c00091320100b60100f02e060e0019336a0018336a000f0d0023005d0031d00f085d0019345d0018345d000f0d001f50612034200000000000',
    ],
    [
      'zstd',
      '0000000000000000000000be0000000002150fc4940004000000040000018bcfe568000000018bcfe573b8ffffffffffffffffffffffffffff0000000528b52ffd00582504006405cc010000000a6b65792d309c016c696272646b61666b6120302006026102310261010668c3a900ac0100d00f020131001800a01f04320100b60100f02e06333333333333332000b60100d00f0834343434343434200013008013c01de018e0047007c7c07049c009e00e700c7002dcb5e158ccc9e16b61e05cc00967389806698e01',
    ],
  ];

  test.each(batches)('a batch of its own making (%s) is read', (codec, hex) => {
    const batch = Buffer.from(hex, 'hex');
    validateBatch(batch, 0, batch.length);
    expect(hasValidCrc(batch, 0)).toBe(true);
    expect(compression(batch, 0)).toBe(codec);
    expect(baseTimestamp(batch, 0)).toBe(1_700_000_000_000);
    expect(maxTimestamp(batch, 0)).toBe(1_700_000_003_000);
    const records = decodeRecords(batch);
    expect(records.map((record) => record.offset)).toEqual([0, 1, 2, 3, 4]);
    expect(records.map((record) => record.timestamp - 1_700_000_000_000)).toEqual([0, 1000, 2000, 3000, 1000]);
    expect(records.map((record) => record.key?.toString())).toEqual(['key-0', undefined, 'key-2', 'key-3', 'key-4']);
    expect(records.map((record) => record.value?.toString())).toEqual(
      [0, 1, 2, 3, 4].map((i) => (i === 2 ? undefined : `librdkafka ${i} `.repeat(6))),
    );
    expect(records[0]?.headers).toEqual([
      ['a', Buffer.from('1')],
      ['a', null],
      ['hé', Buffer.alloc(0)],
    ]);
  });
});
