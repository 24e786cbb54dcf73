import { expect, it } from 'vitest';
import { simulate } from './transaction-simulation.ts';

/** `SEED=123 npm test -- test/transactions` runs one seed alone. */
const SEEDS = 10;

it('transactions are whole or not there, whatever the disk does', { timeout: 300_000 }, async () => {
  const { SEED } = process.env;
  const seeds = SEED === undefined ? Array.from({ length: SEEDS }, (_, i) => i + 1) : [Number(SEED)];
  const { failures, committed } = await simulate(seeds);
  expect(failures).toEqual([]);
  expect(committed).toBeGreaterThan(seeds.length);
});
