import { expect, test } from 'vitest';
import { VirtualClock } from '../../environment/virtual-clock.ts';
import { HeldClock } from './held-clock.ts';

test('what is due before the release fires then, in order, unless it was cancelled; the rest in time', async () => {
  const clock = new VirtualClock();
  const held = new HeldClock(clock);
  const fired: string[] = [];
  const timer = (name: string, delayMs: number) => held.setTimer(delayMs, () => fired.push(name));
  timer('b', 2);
  timer('a', 1);
  const cancelled = timer('cancelled', 1);
  timer('late', 20);
  timer('never', 20).cancel();
  await clock.advance(10);
  cancelled.cancel();
  expect(fired).toEqual([]);
  held.release();
  expect(fired).toEqual(['a', 'b']);
  timer('new', 5);
  await clock.advance(10);
  expect(fired).toEqual(['a', 'b', 'new', 'late']);
  expect(held.now()).toBe(clock.now());
  expect(held.monotonic()).toBe(clock.monotonic());
});
