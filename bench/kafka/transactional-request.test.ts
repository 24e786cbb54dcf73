import { describe, expect, it } from 'vitest';
import { batchSize, validateBatch } from '../../src/records/index.ts';
import { TransactionalRequest } from './transactional-request.ts';

const EPOCH = 51;
const SEQUENCE = 53;
const MAGIC = 16;

/** Two batches at the end of a request, each of as many bytes. */
function batchesOf(request: Buffer, bytes: number): Buffer[] {
  const batches: Buffer[] = [];
  for (let at = 0; at + MAGIC < request.length; at++) {
    if (request[at + MAGIC] !== 2 || batchSize(request, at) !== bytes) continue;
    batches.push(request.subarray(at, at + bytes));
    at += bytes - 1;
  }
  return batches;
}

describe('TransactionalRequest', () => {
  it.each([0, 100])('writes epoch and sequence into the batch of every partition, with records of %i bytes', (size) => {
    const request = new TransactionalRequest({
      producer: { transactionalId: 't', producerId: 7, producerEpoch: 0 },
      version: 12,
      topic: 'topic',
      records: [3, 3],
      recordBytes: size,
    });
    request.next(1, 0);
    request.produced();
    const batches = batchesOf(request.next(2, 5), request.batchBytes / 2);
    expect(batches).toHaveLength(2);
    for (const batch of batches) {
      validateBatch(batch, 0, batch.length);
      expect([batch.readInt16BE(EPOCH), batch.readInt32BE(SEQUENCE)]).toEqual([5, 3]);
    }
  });
});
