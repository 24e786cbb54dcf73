import { expect, test } from 'vitest';
import { z } from 'zod';
import { ACTS, actOf, NO_ACTS } from './audit.ts';
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

test('what is told of a request is in its body, and all that a path is called by is a route', () => {
  const keys = new Set(changing.map(keyOf));
  for (const key of Object.keys(ACTS)) expect(keys).toContain(key);
  for (const route of changing) {
    const details = actOf(route)?.details ?? [];
    if (details.length === 0) continue;
    const known = route.body instanceof z.ZodObject ? Object.keys(route.body.shape) : [];
    expect(known, keyOf(route)).toEqual(expect.arrayContaining([...details]));
  }
});

/** What of a body is not told: secrets, what would be long, and what makes no difference to what is done. */
const NOT_TOLD: Readonly<Record<string, readonly string[]>> = {
  'PUT /api/users/:user': ['password', 'password_hash', 'hashing_algorithm'],
  'POST /api/groups/:group/offsets': ['offsets'],
  'POST /api/queues/:vhost/:queue/move': ['wait_ms'],
  'POST /api/dead-letters/:vhost/:queue/redrive': ['wait_ms'],
  'POST /api/queues/:vhost/:queue/actions': ['action'],
  'PUT /api/vhosts/:vhost': ['tracing'],
};

test('nothing else of a body is left out', () => {
  const left = changing.flatMap((route) => {
    const act = actOf(route);
    if (act === undefined || !(route.body instanceof z.ZodObject)) return [];
    const names = Object.keys(route.body.shape).filter((name) => !act.details?.includes(name));
    return names.length === 0 ? [] : [[keyOf(route), names] as const];
  });
  expect(Object.fromEntries(left)).toEqual(NOT_TOLD);
});

function keyOf({ method, path }: (typeof ROUTES)[number]): string {
  return `${method} ${path}`;
}

function isRaw({ raw }: (typeof ROUTES)[number]): boolean {
  return raw === true;
}
