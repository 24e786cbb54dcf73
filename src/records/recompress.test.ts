import { expect, test } from 'vitest';
import { validateBatch } from './batch-validation.ts';
import { recompress } from './recompress.ts';
import { type Compression, compression } from './record-batch.ts';
import { decodeRecords } from './record-decoder.ts';
import { encodeBatch } from './record-encoder.ts';

const CODECS: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

const sample = (codec: Compression) =>
  encodeBatch({
    records: [1, 2, 3].map((n) => ({ key: Buffer.from(`k${n}`), value: Buffer.alloc(500, n), timestamp: n })),
    baseOffset: 7,
    producerId: 4,
    producerEpoch: 1,
    baseSequence: 9,
    compression: codec,
  });

test.each(CODECS.flatMap((from) => CODECS.map((to) => [from, to] as const)))(
  'from %s to %s, a batch is what it would be had it been made so',
  (from, to) => {
    const batch = recompress(sample(from), to);
    validateBatch(batch, 0, batch.length);
    expect(compression(batch, 0)).toBe(to);
    expect(batch).toEqual(sample(to));
    expect(decodeRecords(batch)).toEqual(decodeRecords(sample('none')));
  },
);

test('a batch that is of the codec already is not copied', () => {
  const batch = sample('lz4');
  expect(recompress(batch, 'lz4')).toBe(batch);
});
