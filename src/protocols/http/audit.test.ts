import { expect, test } from 'vitest';
import { actOf, NO_ACTS } from './audit.ts';
import { ROUTES } from './routes/index.ts';

const changing = ROUTES.filter(({ method }) => method !== 'GET');

test('whatever changes something is an act, but for messages that come and go', () => {
  const others = changing.filter((route) => actOf(route) === undefined).map(({ method, path }) => `${method} ${path}`);
  expect(new Set(others)).toEqual(new Set([...NO_ACTS, ...changing.filter(isRaw).map(keyOf)]));
  for (const route of changing)
    expect(actOf(route)?.act ?? 'none.at-all', keyOf(route)).toMatch(/^[a-z][a-z-]*(\.[a-z_-]+)*$/);
});

test('what is said not to be an act is a route', () => {
  const keys = new Set(changing.map(keyOf));
  for (const key of NO_ACTS) expect(keys).toContain(key);
});

function keyOf({ method, path }: (typeof ROUTES)[number]): string {
  return `${method} ${path}`;
}

function isRaw({ raw }: (typeof ROUTES)[number]): boolean {
  return raw === true;
}
