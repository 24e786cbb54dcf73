import { expect, it } from 'vitest';
import { killAgainAndAgain } from './kill-9.ts';

it.each([2, 3, 4])('has every acknowledged record once and in order after 25 kills, seed %i', async (seed) => {
  const { records } = await killAgainAndAgain(25, seed);
  expect(records).toBeGreaterThan(1000);
});
