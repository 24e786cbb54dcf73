import { expect, test } from 'vitest';
import { VirtualClock } from '../../environment/virtual-clock.ts';
import { Heartbeat } from './heartbeat.ts';

function start(intervalMs: number) {
  const clock = new VirtualClock();
  const seen: string[] = [];
  const heartbeat = new Heartbeat(clock, intervalMs, {
    beat: () => seen.push('beat'),
    lost: () => seen.push('lost'),
  });
  return { clock, seen, heartbeat };
}

test('beats twice an interval while nothing else is written', async () => {
  const { clock, seen, heartbeat } = start(1000);
  heartbeat.spoke = true;
  await clock.advance(500);
  expect(seen).toEqual(['beat']);
  heartbeat.spoke = true;
  await clock.advance(500);
  expect(seen).toEqual(['beat']);
  await clock.advance(500);
  expect(seen).toEqual(['beat', 'beat']);
});

test('a peer is lost that was silent for two intervals', async () => {
  const { clock, seen, heartbeat } = start(1000);
  for (let i = 0; i < 10; i++) {
    heartbeat.heard = true;
    await clock.advance(1500);
  }
  expect(seen).not.toContain('lost');
  await clock.advance(2000);
  expect(seen.filter((each) => each === 'lost')).toHaveLength(1);
  expect(clock.pending).toBe(0);
});

test('a connection that is not read from does not lose its peer', async () => {
  const { clock, seen, heartbeat } = start(1000);
  heartbeat.deaf = true;
  await clock.advance(10_000);
  expect(seen).not.toContain('lost');
  heartbeat.stop();
  expect(clock.pending).toBe(0);
});
