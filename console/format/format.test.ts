import { beforeAll, expect, test, vi } from 'vitest';

type Format = typeof import('./index.ts');
let format: Format;

beforeAll(async () => {
  vi.stubGlobal('document', { documentElement: {} });
  vi.stubGlobal('navigator', { languages: ['en-GB'] });
  format = await import('./index.ts');
});

test('bytes have the unit in which they are short', () => {
  const { bytes, byteRate } = format;
  expect([0, 1023, 1024, 1536, 10 * 1024 ** 2, 3.25 * 1024 ** 4].map(bytes)).toEqual([
    ...['0 B', '1,023 B', '1 KiB', '1.5 KiB', '10 MiB', '3.25 TiB'],
  ]);
  expect(byteRate(2048)).toBe('2 KiB/s');
  expect(bytes(undefined)).toBe('–');
});

test('rates have two digits where they are small', () => {
  const { rate } = format;
  expect([0, 0.0049, 0.25, 9.96, 1234.5].map(rate)).toEqual(['0/s', '0.0049/s', '0.25/s', '10/s', '1,235/s']);
});

test('durations are told by their two largest units', () => {
  const { duration } = format;
  const minutes = 60_000;
  expect([0.25, 340, 1_300, 65_000, 60 * minutes, 25 * 60 * minutes + 5_000].map(duration)).toEqual([
    ...['0.3 ms', '340 ms', '1.3 secs', '1 min 5 secs', '1 hr', '1 day 1 hr'],
  ]);
});

test('times have one form, with milliseconds where they count', () => {
  const at = new Date(2026, 10, 21, 9, 5, 7, 42).getTime();
  expect(format.time(at)).toBe('21 Nov 2026, 09:05:07');
  expect(format.exactTime(at)).toBe('21 Nov 2026, 09:05:07.042');
});

test('how long ago something was is told in its largest unit', () => {
  const now = 1_000_000_000;
  expect(format.relative(now - 3 * 3600_000, now)).toBe('3 hr ago');
  expect(format.relative(now + 90_000, now)).toBe('in 2 min');
});
