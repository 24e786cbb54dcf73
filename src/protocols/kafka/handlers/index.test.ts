import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { HANDLERS, SUPPORTED_APIS } from './index.ts';

it('speaks the APIs and versions that docs/protocols/kafka.md says, no more and no less', () => {
  const page = readFileSync(new URL('../../../../docs/protocols/kafka.md', import.meta.url), 'utf8');
  const told = [...page.matchAll(/^\| (\w+) \| (\d+) \| (\d+)–(\d+) \|/gm)].map(([, name, ...numbers]) => [
    name,
    ...numbers.map(Number),
  ]);
  const spoken = SUPPORTED_APIS.map(({ apiKey, maxVersion }) => {
    const api = HANDLERS.get(apiKey)?.api;
    return [api?.name, apiKey, api?.versions[0], maxVersion];
  });
  expect(told).toEqual(spoken);
});
