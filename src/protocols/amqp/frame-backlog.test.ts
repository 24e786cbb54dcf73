import { expect, test } from 'vitest';
import { FrameBacklog } from './frame-backlog.ts';

function filled(...payloads: readonly string[]) {
  let waiting = 0;
  const backlog = new FrameBacklog((bytes) => {
    waiting += bytes;
  });
  for (const payload of payloads) {
    const chunk = Buffer.from(`before ${payload} after`);
    backlog.add('method', chunk, 7, 7 + payload.length);
    chunk.fill(0);
  }
  return { backlog, waiting: () => waiting };
}

test('frames are handled in order, as far as the next may be', () => {
  const { backlog, waiting } = filled('one', 'two', 'three');
  const handled: string[] = [];
  const handle = (kind: string, payload: Buffer) => void handled.push(`${kind} ${payload}`);
  const all = waiting();
  backlog.replay(() => handled.length < 2, handle);
  expect(handled).toEqual(['method one', 'method two']);
  expect(waiting()).toBeGreaterThan(0);
  expect(waiting()).toBeLessThan(all);
  backlog.replay(() => true, handle);
  expect(handled).toHaveLength(3);
  expect([backlog.empty, waiting()]).toEqual([true, 0]);
});

test('what is forgotten is not waited for', () => {
  const { backlog, waiting } = filled('one', 'two');
  backlog.clear();
  expect([backlog.empty, waiting()]).toEqual([true, 0]);
});
