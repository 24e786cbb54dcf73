import { expect, it } from 'vitest';
import { simulateQueue } from './queue-simulation.ts';

/*
 * The real queue over a disk that loses power at any operation. A failing seed is named; `SEED=123 npm test -- queue.simulation`
 * runs that one alone, and tells what happened.
 */

const SEEDS = 80;

it('a queue loses nothing, doubles nothing and keeps its order, through crashes', { timeout: 600_000 }, async () => {
  const { SEED } = process.env;
  if (SEED !== undefined) return simulateQueue(Number(SEED));
  const failures: string[] = [];
  for (let seed = 1; seed <= SEEDS && failures.length < 5; seed++)
    await simulateQueue(seed).catch((error: Error) => failures.push(error.message));
  expect(failures).toEqual([]);
});
