import { expect, it } from 'vitest';
import { killUnderConfirms } from './amqp-kill-9.ts';

it.each([2, 3])('has every message that it confirmed after 25 kills, seed %i', async (seed) => {
  const { confirmed } = await killUnderConfirms(25, seed);
  expect(confirmed).toBeGreaterThan(1000);
});
