import { expect, it } from 'vitest';
import { killUnderTransfers } from './bank-kill-9.ts';

it('shows readers of committed records each transfer whole, once, or not at all, after it was killed again and again', {
  timeout: 120_000,
}, async () => {
  const { committed, boundaries } = await killUnderTransfers(3, 1);
  expect(committed.size).toBeGreaterThanOrEqual(4);
  expect(boundaries).toBeGreaterThan(0);
});
