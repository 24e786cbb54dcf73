import { expect, it } from 'vitest';
import { simulateQueue } from './queue-simulation.ts';

/*
 * As queue.simulation.test.ts, with other seeds, more of them, and longer lives. `SEED=123456` runs one alone; `FIRST` and
 * `SEEDS` choose a range.
 */

const FIRST = Number(process.env['FIRST'] ?? 100_000);
const SEEDS = Number(process.env['SEEDS'] ?? 5_000);

it('a queue loses nothing, doubles nothing and keeps its order, through crashes', async () => {
  const { SEED } = process.env;
  const steps = (seed: number) => 60 + (seed % 5) * 60;
  if (SEED !== undefined) return simulateQueue(Number(SEED), 6, steps(Number(SEED)));
  const failures: string[] = [];
  for (let seed = FIRST; seed < FIRST + SEEDS && failures.length < 5; seed++)
    await simulateQueue(seed, 6, steps(seed)).catch((error: Error) => failures.push(error.message));
  expect(failures).toEqual([]);
});
