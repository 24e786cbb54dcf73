import { expect, it } from 'vitest';
import { killAgainAndAgain } from './kill-9.ts';

it('has every acknowledged record once and in order after it was killed again and again', {
  timeout: 120_000,
}, async () => {
  const { records } = await killAgainAndAgain(4, 1);
  expect(records).toBeGreaterThan(100);
});
