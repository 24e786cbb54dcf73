import { expect, test } from 'vitest';
import { hexDump } from './hex.ts';

test('bytes are shown by sixteen, with their offset and what of them is ASCII', () => {
  const bytes = Uint8Array.from([...Array.from({ length: 16 }, (_, at) => at), 0x41, 0x7f, 0x20]);
  expect(hexDump(bytes).split('\n')).toEqual([
    '00000000  00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f  ................',
    `00000010  41 7f 20${' '.repeat(15)}  ${' '.repeat(23)}  A. `,
  ]);
  expect(hexDump(new Uint8Array())).toBe('');
});
