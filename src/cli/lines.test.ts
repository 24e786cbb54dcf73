import { expect, test } from 'vitest';
import { linesIn } from './lines.ts';

async function* chunks(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}

async function groups(...texts: string[]): Promise<string[][]> {
  const seen: string[][] = [];
  for await (const lines of linesIn(chunks(...texts))) seen.push(lines.map(String));
  return seen;
}

test('lines that arrive together come together', async () => {
  expect(await groups('a\nb\n', 'c\n')).toEqual([['a', 'b'], ['c']]);
});

test('a line is whole, however its bytes arrive', async () => {
  expect(await groups('on', 'e', ' line\ntw', 'o\n')).toEqual([['one line'], ['two']]);
});

test('the last line needs no end, empty lines are lines, and either kind of end is none of the line', async () => {
  expect(await groups('a\r\n\nb')).toEqual([['a', ''], ['b']]);
  expect(await groups('a\r', '\n')).toEqual([['a']]);
  expect(await groups('')).toEqual([]);
});
