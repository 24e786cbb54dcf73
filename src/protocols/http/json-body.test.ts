import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJsonBody } from './json-body.ts';

test('whatever object it is, it is read as JSON reads it', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
      const text = JSON.stringify(object);
      expect(parseJsonBody(Buffer.from(text))).toEqual(JSON.parse(text));
    }),
  );
});

test('depth is what stands outside of texts', () => {
  const deep = (depth: number) => Buffer.from(`{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`);
  expect(parseJsonBody(deep(64))).toHaveProperty('a');
  expect(() => parseJsonBody(deep(65))).toThrow('more than 64');
  const text = '[{'.repeat(100);
  expect(parseJsonBody(Buffer.from(JSON.stringify({ [`"${text}\\`]: text })))).toEqual({ [`"${text}\\`]: text });
});
