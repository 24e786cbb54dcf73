import { expect, it } from 'vitest';
import { simulateBackups } from './backup-simulation.ts';

/*
 * Real shards that are backed up and archived while they work, over disks that lose power, run full and fail. A failing seed is named;
 * `SEED=123 npm test -- backup.simulation` runs that one alone, and tells what happened.
 */

const SEEDS = 150;

it('restores what was acknowledged by then, whole and in order, and nothing that was acknowledged later', {
  timeout: 600_000,
}, async () => {
  const { SEED } = process.env;
  if (SEED !== undefined) return simulateBackups(Number(SEED));
  const failures: string[] = [];
  for (let seed = 1; seed <= SEEDS && failures.length < 5; seed++)
    await simulateBackups(seed).catch((error: Error) => failures.push(error.message));
  expect(failures).toEqual([]);
});
