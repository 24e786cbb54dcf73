import { expect, it } from 'vitest';
import { hasConfluent } from '../kafka/clients/available.ts';
import { killUnderTransfers } from './bank-kill-9.ts';

/** Three that decide upon transfers, and those that carry them out. */
const CLIENTS = 4 + (hasConfluent ? 2 : 0);

it.each([2, 3])(
  'shows readers of committed records each transfer whole, once, or not at all, after 55 kills, seed %i',
  async (seed) => {
    const { committed, transfers, boundaries } = await killUnderTransfers(55, seed);
    expect(committed.size).toBe(CLIENTS);
    expect(Math.min(...committed.values())).toBeGreaterThan(10);
    expect(transfers).toBeGreaterThan(500);
    expect(boundaries).toBeGreaterThan(55);
  },
);
