import { expect, it } from 'vitest';
import { CONFIRMED_PER_LIFE, killUnderConfirms } from './amqp-kill-9.ts';

it.each([2, 3])('has every message that it confirmed after 25 kills, seed %i', async (seed) => {
  const { confirmed } = await killUnderConfirms(25, seed);
  expect(confirmed).toBeGreaterThanOrEqual(25 * CONFIRMED_PER_LIFE);
});
