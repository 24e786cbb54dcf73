import { expect, test } from 'vitest';
import { nearest } from './nearest.ts';

const NAMES = ['storage', 'limits', 'listeners', 'logLevel'];

test('one letter too many, too few, wrong, swapped with its neighbour or in another case finds the name', () => {
  for (const typo of ['storrage', 'storge', 'stotage', 'storaeg', 'STORAGE'])
    expect(nearest(typo, NAMES)).toBe('storage');
});

test('what resembles nothing finds nothing', () => {
  expect(nearest('replication', NAMES)).toBeUndefined();
  expect(nearest('x', [])).toBeUndefined();
});

test('of several the closest is found', () => {
  expect(nearest('listener', ['limits', 'listen', 'listeners'])).toBe('listeners');
});
