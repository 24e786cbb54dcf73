import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../errors.ts';
import { validateBatch, verifyIntegrity } from './batch-validation.ts';
import { stampCrc } from './record-batch.ts';
import { encodeBatch } from './record-encoder.ts';

function sample(): Buffer {
  return encodeBatch({
    records: [{ value: Buffer.from('a') }, { value: Buffer.from('b') }],
    timestamp: 1,
    producerId: 4,
    producerEpoch: 0,
    baseSequence: 0,
  });
}

function expectRefusal(code: ErrorCode, batch: Buffer, available = batch.length): void {
  expect(() => validateBatch(batch, 0, available)).toThrow(expect.objectContaining({ name: 'BrokerError', code }));
}

/** The sample with a change that its CRC covers. */
function changed(change: (batch: Buffer) => void): Buffer {
  const batch = sample();
  change(batch);
  stampCrc(batch, 0);
  return batch;
}

test('a batch is accepted wherever it stands, and whatever follows it', () => {
  const batch = sample();
  validateBatch(batch, 0, batch.length);
  validateBatch(Buffer.concat([Buffer.alloc(9), batch, Buffer.alloc(9)]), 9, batch.length + 9);
});

describe('as corrupt', () => {
  test('a batch that is cut short, at any byte', () => {
    const batch = sample();
    for (let length = 0; length < batch.length; length++) expectRefusal('corrupt-message', batch.subarray(0, length));
    expectRefusal('corrupt-message', batch, batch.length - 1);
  });

  test('any flipped bit that the CRC covers', () => {
    const batch = sample();
    for (let at = 17; at < batch.length; at++) {
      const damaged = Buffer.from(batch);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      expectRefusal('corrupt-message', damaged);
    }
  });

  test.each([0, -1, -(2 ** 31), 48, 2 ** 31 - 1])('the length %d', (length) => {
    const batch = sample();
    batch.writeInt32BE(length, 8);
    expectRefusal('corrupt-message', batch);
  });

  test('a magic of the future, and timestamps or a producer id beyond 2^53', () => {
    const batch = sample();
    batch.writeInt8(3, 16);
    expectRefusal('corrupt-message', batch);
    for (const at of [27, 35, 43])
      expectRefusal(
        'corrupt-message',
        changed((wide) => wide.writeBigInt64BE(2n ** 60n, at)),
      );
  });
});

test.each([0, 1])('message format %d is refused, with advice', (version) => {
  const batch = sample();
  batch.writeInt8(version, 16);
  expectRefusal('invalid-record', batch);
  expect(() => validateBatch(batch, 0, batch.length)).toThrow(/Kafka 0\.11/);
});

describe('as invalid', () => {
  test.each([
    ['no records', (batch: Buffer) => batch.writeInt32BE(0, 57)],
    ['a negative number of records', (batch: Buffer) => batch.writeInt32BE(-2, 57)],
    ['a last offset delta that is not the number of records less one', (batch: Buffer) => batch.writeInt32BE(0, 23)],
    ['an unknown codec', (batch: Buffer) => batch.writeInt16BE(5, 21)],
    ['a producer id below -1', (batch: Buffer) => batch.writeBigInt64BE(-2n, 43)],
    ['a producer id without an epoch', (batch: Buffer) => batch.writeInt16BE(-1, 51)],
    ['a producer id without a sequence', (batch: Buffer) => batch.writeInt32BE(-1, 53)],
  ])('%s', (_name, change) => {
    expectRefusal('invalid-record', changed(change));
  });

  test('more records than there are bytes for', () => {
    expectRefusal(
      'invalid-record',
      changed((batch) => {
        batch.writeInt32BE(1_000_000, 57);
        batch.writeInt32BE(999_999, 23);
      }),
    );
  });
});

test('a batch that compaction thinned out, or emptied, is intact though no producer may send it', () => {
  const thinned = encodeBatch({ records: [{ offset: 1 }, { offset: 4 }], lastOffsetDelta: 9 });
  const emptied = encodeBatch({ records: [], lastOffsetDelta: 9 });
  for (const batch of [thinned, emptied]) {
    verifyIntegrity(batch, 0, batch.length);
    expectRefusal('invalid-record', batch);
  }
});
