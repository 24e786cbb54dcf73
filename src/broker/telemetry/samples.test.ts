import { describe, expect, test } from 'vitest';
import { SampleBook } from './sample-book.ts';
import { Samples, timesOf } from './samples.ts';

const COLUMNS = [
  { name: 'publish', kind: 'counter' },
  { name: 'messages', kind: 'gauge' },
] as const;

const FIVE_SECONDS = { everyMs: 5_000, keep: 4 };
const MINUTE = { everyMs: 60_000, keep: 3 };
const row = (...values: number[]) => Float64Array.from(values);

describe('samples', () => {
  test('have a rate once there are two, between the last two', () => {
    const samples = new Samples(COLUMNS, [FIVE_SECONDS]);
    expect([samples.rate('publish'), samples.latest('publish')]).toEqual([0, undefined]);
    samples.push(5_000, row(10, 3));
    expect(samples.rate('publish')).toBe(0);
    samples.push(10_000, row(60, 1));
    expect([samples.rate('publish'), samples.rate('messages'), samples.rate('nothing')]).toEqual([10, -0.4, 0]);
    expect(samples.latest('messages')).toBe(1);
  });

  test('are those of about a time, or of before; the oldest go', () => {
    const samples = new Samples(COLUMNS, [FIVE_SECONDS]);
    for (let i = 1; i <= 20; i++) samples.push(i * 5_000, row(i, -i));
    const range = { first: 75_000, last: 102_000, incrementMs: 9_000 };
    expect(timesOf(range)).toEqual([75_000, 84_000, 93_000, 102_000]);
    expect(samples.values('publish', range)).toEqual([undefined, 17, 19, 20]);
    expect(samples.values('messages', range)).toEqual([undefined, -17, -19, -20]);
  });

  test('of long ago are those of larger steps', () => {
    const samples = new Samples(COLUMNS, [FIVE_SECONDS, MINUTE]);
    for (let i = 1; i <= 60; i++) samples.push(i * 5_000, row(i, 0));
    const lately = { first: 290_000, last: 300_000, incrementMs: 5_000 };
    expect(samples.values('publish', lately)).toEqual([58, 59, 60]);
    const before = { first: 180_000, last: 300_000, incrementMs: 60_000 };
    expect(samples.values('publish', before)).toEqual([37, 49, 60]);
  });

  test('say nothing of the time before the first', () => {
    const samples = new Samples(COLUMNS, [FIVE_SECONDS, MINUTE, { everyMs: 3_600_000, keep: 3 }]);
    samples.push(3_600_000, row(1, 7));
    samples.push(3_605_000, row(2, 8));
    expect(samples.values('messages', { first: 3_585_000, last: 3_605_000, incrementMs: 5_000 })).toEqual([
      ...[undefined, undefined, undefined, 7, 8],
    ]);
  });

  test('a timer that is a little early or late skips no step', () => {
    const samples = new Samples(COLUMNS, [{ everyMs: 5_000, keep: 2 }, MINUTE]);
    for (let i = 0; i <= 24; i++) samples.push(i * 5_000 + (i % 2 === 0 ? -40 : 40), row(i, 0));
    expect(samples.values('publish', { first: 0, last: 120_000, incrementMs: 60_000 })).toEqual([0, 12, 24]);
  });
});

describe('a book of samples', () => {
  class Thing {
    activity = 0;
    sampled = 0;
  }
  const look = (book: SampleBook, time: number, things: Iterable<Thing>) => {
    book.begin(time);
    for (const thing of things) book.see(thing, (values) => values.set([thing.activity, 0]));
    book.end();
  };

  test('has those where something happened, from nothing on', () => {
    const book = new SampleBook(COLUMNS, [FIVE_SECONDS], 10);
    const [busy, idle] = [new Thing(), new Thing()];
    look(book, 0, [busy, idle]);
    expect(book.size).toBe(0);
    busy.activity = 50;
    look(book, 5_000, [busy, idle]);
    expect(book.of(busy)?.rate('publish')).toBe(10);
    expect(book.of(idle)).toBeUndefined();
    look(book, 10_000, [busy, idle]);
    expect(book.of(busy)?.rate('publish')).toBe(0);
    look(book, 15_000, [idle]);
    expect(book.size).toBe(0);
  });

  test('has so many at most: one that is idle gives way, one where something happens does not', () => {
    const book = new SampleBook(COLUMNS, [FIVE_SECONDS], 2);
    const [a, b, c] = [new Thing(), new Thing(), new Thing()];
    const all = [a, b, c];
    for (let time = 0; time < 20_000; time += 5_000) {
      for (const thing of all) thing.activity++;
      look(book, time, all);
    }
    expect([book.of(a), book.of(b), book.of(c)].map((samples) => samples !== undefined)).toEqual([true, true, false]);
    for (let time = 20_000; time < 40_000; time += 5_000) {
      b.activity++;
      c.activity++;
      look(book, time, all);
    }
    expect([book.of(a), book.of(b), book.of(c)].map((samples) => samples !== undefined)).toEqual([false, true, true]);
    expect(book.size).toBe(2);
  });
});
