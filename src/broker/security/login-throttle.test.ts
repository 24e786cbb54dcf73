import { expect, test } from 'vitest';
import { VirtualClock } from '../../environment/virtual-clock.ts';
import { LoginThrottle } from './login-throttle.ts';

const HERE = '10.0.0.1';

function failing(times: number, address: (i: number) => string, name: (i: number) => string) {
  const clock = new VirtualClock(0);
  const throttle = new LoginThrottle(clock);
  for (let i = 0; i < times; i++) throttle.failed(address(i), name(i));
  return { clock, throttle };
}

test('ten failures of a name from an address are free; then each has to wait for its time', async () => {
  const { clock, throttle } = failing(
    9,
    () => HERE,
    () => 'anna',
  );
  expect(throttle.waitMs(HERE, 'anna')).toBe(0);
  throttle.failed(HERE, 'anna');
  expect(throttle.waitMs(HERE, 'anna')).toBe(6_000);
  expect(throttle.waitMs(HERE, 'bert')).toBe(0);
  expect(throttle.waitMs('10.0.0.2', 'anna')).toBe(0);
  await clock.advance(6_000);
  expect(throttle.waitMs(HERE, 'anna')).toBe(0);
  throttle.failed(HERE, 'anna');
  expect(throttle.waitMs(HERE, 'anna')).toBe(6_000);
  throttle.succeeded(HERE, 'anna');
  expect(throttle.waitMs(HERE, 'anna')).toBe(0);
});

test('an address has a hundred, whatever the names, and a success does not forget them', () => {
  const { throttle } = failing(
    100,
    () => HERE,
    (i) => `user-${i}`,
  );
  throttle.succeeded(HERE, 'anna');
  expect(throttle.waitMs(HERE, 'anna')).toBe(600);
  expect(throttle.waitMs('10.0.0.2', 'anna')).toBe(0);
});

test('addresses of IPv6 count by their network', () => {
  const { throttle } = failing(
    100,
    (i) => `2001:db8::${(i + 1).toString(16)}`,
    (i) => `user-${i}`,
  );
  expect(throttle.waitMs('2001:db8:0:0:1:2:3:4', 'anna')).toBeGreaterThan(0);
  expect(throttle.waitMs('2001:db8:0:1::1', 'anna')).toBe(0);
  expect(throttle.waitMs('::ffff:10.0.0.1', 'anna')).toBe(0);
});

test('what is remembered is bounded', () => {
  const { throttle } = failing(
    30_000,
    (i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
    () => 'x'.repeat(10_000),
  );
  expect(throttle.size).toBeLessThanOrEqual(20_000);
});
