import { expect, it } from 'vitest';
import { simulateShares } from './share-simulation.ts';

/*
 * As share.simulation.test.ts, with other seeds, more of them, and longer lives. `SEED=123456` runs one alone; `FIRST` and `SEEDS` choose a
 * range.
 */

const FIRST = Number(process.env['FIRST'] ?? 100_000);
const SEEDS = Number(process.env['SEEDS'] ?? 1_500);

it('a share group loses nothing, locks what it gives out and counts deliveries, through crashes', async () => {
  const { SEED } = process.env;
  const steps = (seed: number) => 80 + (seed % 5) * 80;
  if (SEED !== undefined) return simulateShares(Number(SEED), 6, steps(Number(SEED)));
  const failures: string[] = [];
  for (let seed = FIRST; seed < FIRST + SEEDS && failures.length < 5; seed++)
    await simulateShares(seed, 6, steps(seed)).catch((error: Error) => failures.push(error.message));
  expect(failures).toEqual([]);
});
