import { expect, it } from 'vitest';
import { simulateFanOut } from './fan-out-simulation.ts';

/*
 * Several real queues over a disk that fails and loses power. A failing seed is named; `SEED=123 npm test -- fan-out.simulation`
 * runs that one alone, and tells what happened; `FIRST` and `SEEDS` choose a range.
 */

const FIRST = Number(process.env['FIRST'] ?? 1);
const SEEDS = Number(process.env['SEEDS'] ?? 60);

it('queues lose nothing, double nothing and keep their order, on a disk that fails', { timeout: 600_000 }, async () => {
  const { SEED } = process.env;
  if (SEED !== undefined) return simulateFanOut(Number(SEED));
  const failures: string[] = [];
  for (let seed = FIRST; seed < FIRST + SEEDS && failures.length < 5; seed++)
    await simulateFanOut(seed).catch((error: Error) => failures.push(error.message));
  expect(failures).toEqual([]);
});
