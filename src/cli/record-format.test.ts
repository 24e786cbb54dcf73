import { expect, test } from 'vitest';
import type { ConsumedRecord } from '../client/index.ts';
import { compileFormat, jsonFormat, valueFormat } from './record-format.ts';

const record: ConsumedRecord = {
  partition: 2,
  offset: 1500,
  timestamp: Date.UTC(2026, 0, 31, 12),
  key: Buffer.from('customer-7'),
  value: Buffer.from('hello'),
  headers: [
    ['source', Buffer.from('import')],
    ['empty', null],
  ],
};

function formatted(template: string, changes: Partial<ConsumedRecord> = {}): string | undefined {
  return compileFormat(template)?.('orders', { ...record, ...changes }).toString();
}

test('a template prints what its letters say', () => {
  expect(formatted('%t/%p@%o %k=%v [%h] %T %d')).toBe(
    'orders/2@1500 customer-7=hello [source=import,empty=] 1769860800000 2026-01-31T12:00:00.000Z',
  );
  expect(formatted('100%%\\t\\n\\\\\\q\\')).toBe('100%\t\n\\\\q\\');
});

test('what is not there prints nothing', () => {
  expect(formatted('<%k|%v|%h|%d>', { key: null, value: null, headers: [], timestamp: -1 })).toBe('<|||>');
});

test('a letter that means nothing makes no format', () => {
  expect(compileFormat('%z')).toBeUndefined();
  expect(compileFormat('50%')).toBeUndefined();
});

test('values print byte for byte', () => {
  const value = Buffer.from([0xff, 0x00, 0xfe]);
  expect(valueFormat('orders', { ...record, value })).toEqual(Buffer.concat([value, Buffer.from('\n')]));
  expect(compileFormat('%v')?.('orders', { ...record, value })).toEqual(value);
});

test('JSON is one object in a line; what is no UTF-8 is base64 under a name that says so', () => {
  const line = jsonFormat('orders', { ...record, key: null, value: Buffer.from([0xff]) }).toString();
  expect(line.indexOf('\n')).toBe(line.length - 1);
  expect(JSON.parse(line)).toEqual({
    topic: 'orders',
    partition: 2,
    offset: 1500,
    timestamp: 1769860800000,
    key: null,
    valueBase64: '/w==',
    headers: [
      { name: 'source', value: 'import' },
      { name: 'empty', value: null },
    ],
  });
});
