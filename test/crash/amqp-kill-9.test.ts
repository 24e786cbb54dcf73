import { expect, it } from 'vitest';
import { CONFIRMED_PER_LIFE, killUnderConfirms } from './amqp-kill-9.ts';

it('has every message that it confirmed, and none whose acknowledgement was safe, after it was killed again and again', {
  timeout: 120_000,
}, async () => {
  const { confirmed } = await killUnderConfirms(4, 1);
  expect(confirmed).toBeGreaterThanOrEqual(4 * CONFIRMED_PER_LIFE);
});
