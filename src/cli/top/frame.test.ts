import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { textWidth } from '../terminal/text-width.ts';
import { frame } from './frame.ts';
import type { Sample } from './sample.ts';
import { initialState, type TopState } from './state.ts';

const SAMPLE: Sample = {
  overview: {
    ...{ product_name: 'Sluice', product_version: '1.0.0', message_stats: { publish_details: { rate: 1234.5 } } },
    ...{ queue_totals: { messages: 42 }, object_totals: { connections: 3, channels: 4, consumers: 5, queues: 2 } },
  },
  node: { uptime: 3_600_000, mem_used: 2 ** 30, mem_limit: 2 ** 31, disk_free: 2 ** 40 },
  cpu: 0.125,
  ready: true,
  reasons: [],
  rows: [
    ['orders', '/', 'classic', 30, 12, 42, 1.5, 3, undefined, undefined, 2],
    ['订单\x1b[2J', 'shop', 'quorum', 0, 0, 0, -20, undefined, undefined, undefined, 0],
  ],
  total: 2,
  missing: undefined,
};

function drawn(state: TopState, columns: number, rows: number, sample = SAMPLE, trouble?: string): string[] {
  return frame(state, sample, { columns, rows }, trouble).map(stripVTControlCharacters);
}

test('a wide screen shows everything', () => {
  expect(drawn(initialState(), 110, 10)).toEqual([
    'Sluice 1.0.0   up 1 h   ready',
    'memory █████░░░░░ 1.0 GiB of 2.0 GiB   disk 1.0 TiB free   cpu 13 %',
    'in 1235/s   42 messages   3 connections, 4 channels, 5 consumers, 2 queues',
    '[1 queues] 2 streams  3 groups  4 connections    2 queues, every 2 s',
    '',
    'NAME          VHOST  TYPE     READY  UNACKED  MESSAGES▼  GROWTH/S  IN/S  OUT/S  ACKED/S  CONSUMERS'.padEnd(110),
    'orders        /      classic     30       12         42       1.5   3.0      -        -          2',
    '订单\\x1b[2J   shop   quorum       0        0          0     -20.0     -      -        -          0',
    '',
    'q end  1-4 view  ←→ sort  r reverse  / filter  space stop  ? help',
  ]);
});

test('a narrow one leaves out columns from the right', () => {
  expect(drawn(initialState(), 40, 9).slice(5, 8)).toEqual([
    'NAME          VHOST  TYPE     READY'.padEnd(40),
    'orders        /      classic     30',
    '订单\\x1b[2J   shop   quorum       0',
  ]);
});

test('what is wrong stands at the top', () => {
  const full = { ...SAMPLE, ready: false, reasons: ['memory', 'disk'] };
  expect(drawn(initialState(), 80, 10, full)[0]).toContain('not ready: memory, disk');
  expect(drawn(initialState(), 80, 10, SAMPLE, 'nothing listens there')[0]).toContain('nothing listens there');
  expect(drawn(initialState({ typing: 'ord' }), 80, 10).at(-1)).toContain('names with: ord_');
});

test('a frame never goes beyond the screen, whatever its size', () => {
  fc.assert(
    fc.property(
      fc.record({ columns: fc.integer({ min: 1, max: 200 }), rows: fc.integer({ min: 1, max: 60 }) }),
      fc.record({ view: fc.nat(3), offset: fc.nat(20), help: fc.boolean(), filter: fc.string({ maxLength: 9 }) }),
      fc.string({ unit: 'grapheme', maxLength: 30 }),
      ({ columns, rows }, state, name) => {
        const sample = {
          ...SAMPLE,
          rows: Array.from({ length: 30 }, () => [name, ...(SAMPLE.rows[0] ?? []).slice(1)]),
        };
        const lines = drawn(initialState(state), columns, rows, sample);
        expect(lines).toHaveLength(rows);
        for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(columns);
      },
    ),
  );
});
