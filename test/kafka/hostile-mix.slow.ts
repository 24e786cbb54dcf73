import { expect, it } from 'vitest';
import { surviveMix } from './hostile-mix.ts';

/** `FIRST` and `SEEDS` choose a range. */
const FIRST = Number(process.env['FIRST'] ?? 100);
const SEEDS = Number(process.env['SEEDS'] ?? 20);

it('survives requests of all APIs in no order, valid and mutated, and nobody else notices', async () => {
  const failures: string[] = [];
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++)
    await surviveMix(seed, 200).catch((error: Error) => failures.push(`seed ${seed}: ${error.message}`));
  expect(failures).toEqual([]);
});
