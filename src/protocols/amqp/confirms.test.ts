import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Turn, TurnWaiter } from '../../broker/index.ts';
import { BrokerError } from '../../errors.ts';
import { Confirms } from './confirms.ts';

class FakeTurn implements Turn {
  readonly now = 0;
  readonly begunAt = 0;
  readonly waiters: TurnWaiter[] = [];

  publish(): 'taken' {
    return 'taken';
  }

  publishUntil(): void {}

  wait(waiter: TurnWaiter): void {
    this.waiters.push(waiter);
  }

  settle(error?: BrokerError): void {
    for (const waiter of this.waiters) waiter.turnSettled(this, error);
  }
}

/** Writes down what is answered, as a client would understand it. */
class Answers {
  readonly frames: string[] = [];
  readonly by = new Map<number, 'ack' | 'nack'>();
  #next = 1;

  confirm(number: number, multiple: boolean): void {
    this.frames.push(`ack ${number}${multiple ? ' multiple' : ''}`);
    this.#answer('ack', number, multiple);
  }

  nack(number: number, multiple: boolean): void {
    this.frames.push(`nack ${number}${multiple ? ' multiple' : ''}`);
    this.#answer('nack', number, multiple);
  }

  #answer(answer: 'ack' | 'nack', number: number, multiple: boolean): void {
    for (let each = multiple ? this.#next : number; each <= number; each++) {
      expect(this.by.has(each)).toBe(false);
      this.by.set(each, answer);
    }
    while (this.by.has(this.#next)) this.#next++;
  }
}

const failure = new BrokerError('storage-failed', 'the disk is gone');

test('what was published in a turn is answered by one acknowledgement, and waits for the turns before', () => {
  const answers = new Answers();
  const confirms = new Confirms(answers);
  const [first, second] = [new FakeTurn(), new FakeTurn()];
  for (const turn of [first, first, first, second]) confirms.published(turn, false);
  expect(first.waiters).toHaveLength(1);
  second.settle();
  expect(answers.frames).toEqual([]);
  expect(confirms.pending).toBe(4);
  first.settle();
  expect(answers.frames).toEqual(['ack 4 multiple']);
  expect(confirms.pending).toBe(0);
});

test('a refused message is answered for itself, between those before and after it', () => {
  const answers = new Answers();
  const confirms = new Confirms(answers);
  const turn = new FakeTurn();
  for (const refused of [false, false, true, false, true, true]) confirms.published(turn, refused);
  turn.settle();
  expect(answers.frames).toEqual(['ack 2 multiple', 'nack 3', 'ack 4', 'nack 5', 'nack 6']);
});

test('a turn that failed is refused as a whole', () => {
  const answers = new Answers();
  const confirms = new Confirms(answers);
  const turn = new FakeTurn();
  for (let i = 0; i < 3; i++) confirms.published(turn, false);
  turn.settle(failure);
  expect(answers.frames).toEqual(['nack 3 multiple']);
});

test('each publish is answered once and rightly, however turns go', () => {
  const turns = fc.array(fc.record({ refused: fc.array(fc.boolean(), { maxLength: 6 }), fails: fc.boolean() }));
  fc.assert(
    fc.property(turns, fc.infiniteStream(fc.nat()), (plan, chance) => {
      const answers = new Answers();
      const confirms = new Confirms(answers);
      const expected = new Map<number, 'ack' | 'nack'>();
      const open: { turn: FakeTurn; fails: boolean }[] = [];
      for (const { refused, fails } of plan) {
        const turn = new FakeTurn();
        for (const each of refused) {
          confirms.published(turn, each);
          expected.set(expected.size + 1, each || fails ? 'nack' : 'ack');
        }
        open.push({ turn, fails });
      }
      for (const pick of chance) {
        const [next] = open.splice(pick % Math.max(open.length, 1), 1);
        if (next === undefined) break;
        next.turn.settle(next.fails ? failure : undefined);
      }
      expect(new Map([...answers.by].sort(([a], [b]) => a - b))).toEqual(expected);
      expect(confirms.pending).toBe(0);
    }),
  );
});
