import { expect, test } from 'vitest';
import { batchesIn, countRecords } from './batches.ts';
import { rebase } from './record-batch.ts';
import { encodeBatch } from './record-encoder.ts';

function batchAt(baseOffset: number, records: number): Buffer {
  return encodeBatch({
    records: new Array(records).fill({ value: Buffer.from('x') }),
    baseOffset,
    timestamp: baseOffset * 10,
  });
}

const batches = [batchAt(0, 2), batchAt(2, 1), batchAt(3, 5)];
const joined = Buffer.concat(batches);

test('walks over batches one after the other without copying them', () => {
  const seen = [...batchesIn(joined)];
  expect(seen.map((batch) => batch.bytes)).toEqual(batches);
  expect(seen.map((batch) => [batch.baseOffset, batch.lastOffset])).toEqual([
    [0, 1],
    [2, 2],
    [3, 7],
  ]);
  expect(seen.map((batch) => batch.maxTimestamp)).toEqual([0, 20, 30]);
  expect(seen.every((batch) => batch.bytes.buffer === joined.buffer)).toBe(true);
});

test('leaves out a partial batch at the end, wherever it was cut', () => {
  for (let length = 0; length < joined.length; length++) {
    let whole = 0;
    let end = 0;
    for (const batch of batches) {
      end += batch.length;
      if (end <= length) whole++;
    }
    expect([...batchesIn(joined.subarray(0, length))]).toHaveLength(whole);
  }
});

test.each([0, -1, -12, 48, -(2 ** 31)])(
  'a batch of length %d is refused rather than walked over for ever',
  (length) => {
    const damaged = Buffer.from(joined);
    damaged.writeInt32BE(length, batchAt(0, 2).length + 8);
    expect(() => [...batchesIn(damaged)]).toThrow(expect.objectContaining({ code: 'corrupt-message' }));
  },
);

test('records are counted over pieces, with batches cut behind their length', () => {
  const cut = batches.flatMap((batch) => rebase(batch, 7));
  expect(countRecords([joined])).toBe(8);
  expect(countRecords(cut)).toBe(8);
  expect(countRecords([joined, ...cut])).toBe(16);
  expect(countRecords([])).toBe(0);
});
