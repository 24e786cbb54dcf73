import { expect, it } from 'vitest';
import { simulateShard } from './shard-simulation.ts';

/*
 * As shard.simulation.test.ts, with other seeds, more of them, and longer lives. `SEED=123456` runs one alone; `FIRST` and
 * `SEEDS` choose a range.
 */

const FIRST = Number(process.env['FIRST'] ?? 100_000);
const SEEDS = Number(process.env['SEEDS'] ?? 20_000);

it('keeps what it acknowledged, whole and in order, through crashes and faults', async () => {
  const { SEED } = process.env;
  const lives = (seed: number) => 3 + (seed % 6);
  const steps = (seed: number) => 40 + (seed % 7) * 40;
  if (SEED !== undefined) return simulateShard(Number(SEED), lives(Number(SEED)), steps(Number(SEED)));
  const failures: string[] = [];
  for (let seed = FIRST; seed < FIRST + SEEDS && failures.length < 5; seed++)
    await simulateShard(seed, lives(seed), steps(seed)).catch((error: Error) => failures.push(error.message));
  expect(failures).toEqual([]);
});

it.each([
  ['os', 'os'],
  ['interval', { intervalMs: 1000 }],
] as const)('loses nothing but the end of what it acknowledged when it is flushed by %s', async (_, flush) => {
  const failures: string[] = [];
  for (let seed = FIRST; seed < FIRST + SEEDS / 40 && failures.length < 5; seed++)
    await simulateShard(seed, 4, 60, flush).catch((error: Error) => failures.push(error.message));
  expect(failures).toEqual([]);
});
