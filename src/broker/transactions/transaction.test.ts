import { describe, expect, it } from 'vitest';
import {
  checkProducer,
  completed,
  decideEnd,
  type EndRequest,
  fencedAbort,
  initialized,
  LAST_EPOCH,
  newTransaction,
  prepared,
  type Transaction,
  withParticipants,
} from './transaction.ts';

const empty = initialized(newTransaction('id', 7, 1000, 0), 1000, undefined, -1, 0);
const ongoing = (from: Transaction = empty) => withParticipants(from, [{ streamId: 's', partitions: [0] }], ['g'], 5);

function end(
  from: Transaction,
  outcome: 'commit' | 'abort',
  epochPerTransaction: boolean,
  newProducerId = -1,
): Transaction {
  return completed(prepared(from, outcome, epochPerTransaction, newProducerId, 9), 9);
}

function request(from: Transaction, outcome: 'commit' | 'abort', epochPerTransaction: boolean): EndRequest {
  const { transactionalId, producerId, producerEpoch } = from;
  return { transactionalId, producerId, producerEpoch, outcome, epochPerTransaction };
}

function refusal(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return undefined;
}

describe('a producer', () => {
  it('gets a greater epoch each time, and its first one is 0', () => {
    expect(empty).toMatchObject({ producerId: 7, producerEpoch: 0, state: 'Empty' });
    expect(initialized(empty, 1000, undefined, -1, 1)).toMatchObject({ producerId: 7, producerEpoch: 1 });
  });

  it('that goes on gets the next epoch, and the same again when the answer was lost', () => {
    const had = { producerId: 7, producerEpoch: 0 };
    const next = initialized(empty, 1000, had, -1, 1);
    expect(next.producerEpoch).toBe(1);
    expect(initialized(next, 1000, had, -1, 2).producerEpoch).toBe(1);
    const other = initialized(next, 1000, undefined, -1, 3);
    expect(refusal(() => initialized(other, 1000, had, -1, 4))).toBe('producer-fenced');
    expect(refusal(() => initialized(other, 1000, { producerId: 8, producerEpoch: 2 }, -1, 4))).toBe('producer-fenced');
  });

  it('whose epochs are used up gets another id, also when it asks again', () => {
    const last = { ...empty, producerEpoch: LAST_EPOCH };
    const had = { producerId: 7, producerEpoch: LAST_EPOCH };
    const rotated = initialized(last, 1000, had, 8, 1);
    expect(rotated).toMatchObject({ producerId: 8, producerEpoch: 0 });
    expect(initialized(rotated, 1000, had, 9, 2)).toMatchObject({ producerId: 8, producerEpoch: 0 });
  });

  it('is refused when it is not the one, or while its transaction is being ended', () => {
    expect(refusal(() => checkProducer(undefined, empty))).toBe('unknown-producer-id');
    expect(refusal(() => checkProducer(empty, { producerId: 8, producerEpoch: 0 }))).toBe('unknown-producer-id');
    expect(refusal(() => checkProducer(empty, { producerId: 7, producerEpoch: 1 }))).toBe('producer-fenced');
    const ending = prepared(ongoing(), 'commit', false, -1, 9);
    expect(refusal(() => checkProducer(ending, ending))).toBe('concurrent-transactions');
  });
});

describe('the end of a transaction', () => {
  it('leaves the epoch, or lets it grow for producers that expect it', () => {
    expect(end(ongoing(), 'commit', false)).toMatchObject({ state: 'CompleteCommit', producerEpoch: 0 });
    expect(end(ongoing(), 'abort', true)).toMatchObject({ state: 'CompleteAbort', producerEpoch: 1 });
  });

  it.each([false, true])('is answered again as it was, and not otherwise; with an epoch each: %s', (each) => {
    const from = ongoing();
    const asked = request(from, 'commit', each);
    expect(decideEnd(from, asked)).toBe('end');
    expect(refusal(() => decideEnd(prepared(from, 'commit', each, -1, 9), asked))).toBe('concurrent-transactions');
    expect(decideEnd(end(from, 'commit', each), asked)).toBe('ended');
    expect(refusal(() => decideEnd(end(from, 'abort', each), asked))).toBe('invalid-transaction-state');
  });

  it('of one that has not begun is refused, but for an abort of a producer that cannot know', () => {
    for (const from of [empty, end(ongoing(), 'commit', true), end(ongoing(), 'abort', true)]) {
      expect(decideEnd(from, request(from, 'abort', true))).toBe('end');
      expect(refusal(() => decideEnd(from, request(from, 'commit', true)))).toBe('invalid-transaction-state');
    }
    expect(refusal(() => decideEnd(empty, request(empty, 'abort', false)))).toBe('invalid-transaction-state');
  });

  it('goes on with another producer id when the epochs are used up, also when it is asked for again', () => {
    const from = ongoing({ ...empty, producerEpoch: LAST_EPOCH });
    const done = end(from, 'commit', true, 8);
    expect(done).toMatchObject({ producerId: 8, producerEpoch: 0, previousProducerId: 7 });
    expect(decideEnd(done, request(from, 'commit', true))).toBe('ended');
  });

  it('by its coordinator fences its producer', () => {
    const done = completed(fencedAbort(ongoing(), 9), 9);
    expect(done).toMatchObject({ state: 'CompleteAbort', producerEpoch: 1 });
    for (const each of [false, true])
      expect(refusal(() => decideEnd(done, request(ongoing(), 'commit', each)))).toBe('producer-fenced');
  });
});
