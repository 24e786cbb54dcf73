import { describe, expect, it } from 'vitest';
import { HANDLERS } from '../handlers/index.ts';
import { RULES } from './index.ts';

describe('authorization', () => {
  it.each([...HANDLERS.values()].map(({ api }) => [api.name, api] as const))('has a rule for %s', (_name, api) => {
    // Rules are in this folder: who may use an API is to be decided when it is added.
    expect(RULES.get(api.key)?.api).toBe(api);
  });
});
