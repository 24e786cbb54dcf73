import { expect, test } from 'vitest';
import { validateBatch } from './batch-validation.ts';
import { baseSequence, isControl, isTransactional, maxTimestamp, producerEpoch, producerId } from './record-batch.ts';
import { decodeRecords } from './record-decoder.ts';
import type { LogRecord } from './records.ts';
import { decodeMarker, encodeMarkerBatch } from './transaction-marker.ts';

function control(key: string | null, value: string | null): LogRecord {
  const bytes = (hex: string | null) => (hex === null ? null : Buffer.from(hex, 'hex'));
  return { offset: 3, timestamp: 1, key: bytes(key), value: bytes(value), headers: [] };
}

test.each(['commit', 'abort'] as const)(
  'a %s marker is a transactional control batch of one record that says so',
  (outcome) => {
    const batch = encodeMarkerBatch({
      outcome,
      coordinatorEpoch: 77,
      producerId: 2 ** 40,
      producerEpoch: 6,
      timestamp: 1234,
    });
    expect([isControl(batch, 0), isTransactional(batch, 0)]).toEqual([true, true]);
    expect([producerId(batch, 0), producerEpoch(batch, 0), baseSequence(batch, 0)]).toEqual([2 ** 40, 6, -1]);
    expect(maxTimestamp(batch, 0)).toBe(1234);
    const records = decodeRecords(batch);
    expect(records.map(decodeMarker)).toEqual([{ outcome, coordinatorEpoch: 77 }]);
    // It has no sequence, which no producer may leave out.
    expect(() => validateBatch(batch, 0, batch.length)).toThrow(expect.objectContaining({ code: 'invalid-record' }));
  },
);

test('key and value are as Kafka writes them', () => {
  const [record] = decodeRecords(
    encodeMarkerBatch({ outcome: 'commit', coordinatorEpoch: 5, producerId: 1, producerEpoch: 0, timestamp: 1 }),
  );
  expect(record?.key?.toString('hex')).toBe('00000001');
  expect(record?.value?.toString('hex')).toBe('000000000005');
});

test('a marker of a later version is read, and control records of other types are no markers', () => {
  expect(decodeMarker(control('00010000ff', '000100000005ffff'))).toEqual({ outcome: 'abort', coordinatorEpoch: 5 });
  expect(decodeMarker(control('00000002', null))).toBeUndefined();
  expect(decodeMarker(control('0000ffff', null))).toBeUndefined();
});

test.each([
  [null, null],
  ['0000', '000000000005'],
  ['ffff0000', '000000000005'],
  ['00000001', null],
  ['00000001', '0000'],
])('key %s with value %s is refused as corrupt', (key, value) => {
  expect(() => decodeMarker(control(key, value))).toThrow(expect.objectContaining({ code: 'corrupt-message' }));
});
