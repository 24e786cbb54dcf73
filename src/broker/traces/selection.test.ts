import { expect, test } from 'vitest';
import { Place } from './place.ts';
import { Selection } from './selection.ts';
import { DEFAULT_TRACING_SETTINGS } from './settings.ts';

const selection = (settings: Partial<typeof DEFAULT_TRACING_SETTINGS>, generation = 1) =>
  new Selection({ ...DEFAULT_TRACING_SETTINGS, mode: 'all', ...settings }, generation);

test('names may have stars, which stand for anything, and nothing else means anything', () => {
  const { name } = { name: selection({ destinations: ['orders.*', 'a[b]+', '*-x-*'] }) };
  const matches = (text: string) => name.name('/', text);
  for (const text of ['orders.', 'orders.new', 'a[b]+', '-x-', 'one-x-two']) expect(matches(text), text).toBe(true);
  for (const text of ['orders', 'my orders.new', 'ab', 'x']) expect(matches(text), text).toBe(false);
});

test('many stars take no time', () => {
  const stars = selection({ destinations: ['*a*a*a*a*a*a*a*a*a*a*b'.replaceAll('*', '***')] });
  expect(stars.name('/', 'a'.repeat(250))).toBe(false);
});

test('a virtual host and a destination both have to be selected', () => {
  const both = selection({ virtualHosts: ['shop'], destinations: ['q'] });
  expect(both.name('shop', 'q')).toBe(true);
  expect(both.name('shop', 'other')).toBe(false);
  expect(both.name('/', 'q')).toBe(false);
});

test('a message is traced when its exchange is selected, or any queue that it goes to', () => {
  const some = selection({ destinations: ['q*'] });
  expect(some.route('/', 'amq.direct', [{ name: 'other' }, { name: 'q1' }])).toBe(true);
  expect(some.route('/', 'q-exchange', [])).toBe(true);
  expect(some.route('/', 'amq.direct', [{ name: 'other' }])).toBe(false);
});

test('the share of a sample is that of the hashes', () => {
  const tenth = selection({ mode: 'sampled', sampleShare: 0.1 });
  expect(tenth.takesAll).toBe(false);
  expect([0, 0.05, 0.099].map((part) => tenth.samples(part * 2 ** 32))).toEqual([true, true, true]);
  expect([0.1, 0.5, 0.999].map((part) => tenth.samples(part * 2 ** 32))).toEqual([false, false, false]);
});

test('a place is asked once for each of the settings', () => {
  const place = new Place({ kind: 'queue', id: '', virtualHost: '/', name: 'q', partition: 0 });
  expect(selection({ destinations: ['q'] }, 1).place(place)).toBe(true);
  expect(selection({ destinations: ['other'] }, 2).place(place)).toBe(false);
  expect(selection({}, 3).place(place)).toBe(true);
});
