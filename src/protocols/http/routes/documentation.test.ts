import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ROUTES } from './index.ts';

test('every route is on the page, with its methods, and the page has no others', () => {
  const page = readFileSync(new URL('../../../../docs/protocols/http.md', import.meta.url), 'utf8');
  const documented = [...page.matchAll(/^\| `(\/\S+)` \| ([A-Z, ]+) \|/gm)].map(
    ([, path, methods]) => `${path} ${methods}`,
  );
  const methods = new Map<string, string[]>();
  for (const { path, method } of ROUTES) methods.set(path, [...(methods.get(path) ?? []), method]);
  expect(documented).toEqual(Array.from(methods, ([path, each]) => `${path} ${each.join(', ')}`));
});
