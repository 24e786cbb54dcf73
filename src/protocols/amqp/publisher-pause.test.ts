import { expect, test } from 'vitest';
import type { Broker } from '../../broker/index.ts';
import { VirtualClock } from '../../environment/virtual-clock.ts';
import { PublisherPause } from './publisher-pause.ts';

function start() {
  const clock = new VirtualClock();
  const drained: (() => void)[] = [];
  const turns = { overloaded: false, onDrained: (callback: () => void) => void drained.push(callback) };
  const shard = { full: false };
  const seen: string[] = [];
  // All that it looks at.
  const broker = { environment: { clock }, turns, shards: [shard] } as unknown as Broker;
  const pause = new PublisherPause(broker, {
    resumed: () => seen.push('resumed'),
    blocked: (reason) => seen.push(`blocked: ${reason}`),
    unblocked: () => seen.push('unblocked'),
  });
  const drain = () => {
    turns.overloaded = false;
    for (const callback of drained.splice(0)) callback();
  };
  return { clock, turns, shard, seen, pause, drain };
}

test('who publishes while the storage falls behind is held back until it has caught up', () => {
  const { turns, seen, pause, drain } = start();
  expect(pause.published()).toBe(false);
  turns.overloaded = true;
  expect(pause.paused).toBe(false);
  expect(pause.published()).toBe(true);
  drain();
  expect(pause.paused).toBe(false);
  expect(seen).toEqual(['resumed']);
});

test('it is told when that lasts', async () => {
  const { clock, turns, seen, pause, drain } = start();
  turns.overloaded = true;
  pause.published();
  await clock.advance(2000);
  drain();
  expect(seen).toEqual(['blocked: low on memory', 'unblocked', 'resumed']);
});

test('a disk that is full is looked at until there is space again', async () => {
  const { clock, shard, seen, pause } = start();
  shard.full = true;
  pause.published();
  await clock.advance(60_000);
  expect(seen).toEqual(['blocked: low on disk']);
  shard.full = false;
  await clock.advance(1000);
  expect(seen).toEqual(['blocked: low on disk', 'unblocked', 'resumed']);
  expect(clock.pending).toBe(0);
});

test('a connection that is gone hears nothing more', async () => {
  const { clock, turns, seen, pause, drain } = start();
  turns.overloaded = true;
  pause.published();
  pause.stop();
  drain();
  await clock.advance(60_000);
  expect(seen).toEqual([]);
});
