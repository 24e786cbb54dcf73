import { expect, test } from 'vitest';
import { Progress } from './progress.ts';

function drawn(isTTY: boolean): { readonly texts: string[]; work(): void } {
  const texts: string[] = [];
  let now = 0;
  const progress = new Progress({
    ...{ doing: 'importing', total: 200, clock: { monotonic: () => now } },
    output: { isTTY, write: (text) => texts.push(text) },
  });
  return {
    texts,
    work() {
      for (const at of [100, 500, 510, 1000]) {
        now = at;
        progress.add(25);
      }
      progress.end();
    },
  };
}

test('the bar grows on a terminal, not at every step, and goes when the work is done', () => {
  const { texts, work } = drawn(true);
  work();
  expect(texts).toEqual([
    '\rimporting ██████░░░░░░░░░░░░░░░░░░ 25 % (50 of 200), 2 s left\x1b[K',
    '\rimporting ████████████░░░░░░░░░░░░ 50 % (100 of 200), 1 s left\x1b[K',
    '\r\x1b[K',
  ]);
});

test('where there is no terminal nothing is drawn', () => {
  const { texts, work } = drawn(false);
  work();
  expect(texts).toEqual([]);
});
