import { expect, it } from 'vitest';
import { simulate } from './transaction-simulation.ts';

it('transactions are whole or not there, whatever the disk does, in very many runs', async () => {
  const { failures } = await simulate(Array.from({ length: 300 }, (_, i) => 10_000 + i));
  expect(failures).toEqual([]);
});
