import { expect, it } from 'vitest';
import { simulateTransfers } from './transfer-simulation.ts';

/*
 * Messages that move between queues over a disk that loses power at any operation. A failing seed is named;
 * `SEED=123 npm test -- transfer.simulation` runs that one alone, and tells what happened.
 */

const SEEDS = 60;

it('what moves is in one queue, once, through crashes; looking changes nothing', { timeout: 600_000 }, async () => {
  const { SEED } = process.env;
  if (SEED !== undefined) return void (await simulateTransfers(Number(SEED)));
  const failures: string[] = [];
  let moved = 0;
  for (let seed = 1; seed <= SEEDS && failures.length < 5; seed++) {
    try {
      moved += await simulateTransfers(seed);
    } catch (error) {
      failures.push(String(error));
    }
  }
  expect(failures).toEqual([]);
  // Seeds that move nothing would prove nothing.
  expect(moved).toBeGreaterThan(1000);
});
