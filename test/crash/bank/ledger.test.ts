import { expect, it } from 'vitest';
import { type Entry, Ledger, Outcomes } from './ledger.ts';

type Line = readonly [partition: string, offset: number, entry: Entry];

const posting = (transfer: string, attempt: string, account: number, amount: number): Entry => ({
  ...{ kind: 'posting', transfer, attempt, account, amount },
});
const request = (name: string, attempt: string): Entry => ({
  ...{ kind: 'request', request: name, attempt, from: 1, to: 2, amount: 5 },
});

const HONEST: readonly Line[] = [
  ['accounts-0', 0, posting('a', 'teller/1', 1, -5)],
  ['accounts-1', 0, posting('a', 'teller/1', 2, 5)],
  ['requests-0', 0, request('request r', 'teller/2')],
  ['accounts-0', 2, posting('request r', 'clerk/1', 1, -5)],
  ['accounts-1', 2, posting('request r', 'clerk/1', 2, 5)],
];

/** What the checker says of a history. */
function verdict(history: readonly Line[], { committed = ['teller/1', 'teller/2'], aborted = ['teller/3'] } = {}) {
  const outcomes = new Outcomes();
  for (const attempt of committed) outcomes.committed.add(attempt);
  for (const attempt of aborted) outcomes.aborted.add(attempt);
  const ledger = new Ledger(outcomes);
  try {
    for (const [partition, offset, entry] of history) ledger.read(partition, offset, JSON.stringify(entry));
    ledger.finish();
  } catch (error) {
    return (error as Error).message;
  }
  return `${ledger.transfers} transfers, ${ledger.boundaries} boundaries`;
}

it('finds nothing wrong with a bank that is honest, in whatever order its partitions are read, and however often', () => {
  expect(verdict(HONEST)).toBe('2 transfers, 2 boundaries');
  expect(verdict([...HONEST].sort(([a], [b]) => a.localeCompare(b)))).toBe('2 transfers, 1 boundaries');
  expect(verdict([...HONEST, ...HONEST])).toBe('2 transfers, 2 boundaries');
});

it.each<[string, readonly Line[], RegExp]>([
  ['half of a transfer', HONEST.slice(0, 4), /the other half of 'request r'/],
  ['a transaction that was committed and is not there', HONEST.slice(2), /all of 'teller\/1'/],
  ['a request that nobody carried out', HONEST.slice(0, 3), /what 'request r' asks/],
  [
    'a request that was carried out twice',
    [...HONEST, ['accounts-0', 3, posting('request r', 'clerk/2', 1, -5)]],
    /'request r' is there twice: in 'clerk\/1' and 'clerk\/2'/,
  ],
  [
    'a batch that was appended twice',
    [...HONEST, ['accounts-0', 3, posting('request r', 'clerk/1', 1, -5)]],
    /'request r' is there twice/,
  ],
  ['a request that is there twice', [...HONEST, ['requests-0', 2, request('request r', 'teller/2')]], /is there twice/],
  [
    'what was carried out though it was never asked for',
    [...HONEST.slice(0, 2), ...HONEST.slice(3)],
    /nobody has asked for 'request r'|all of 'teller\/2'/,
  ],
  [
    'something of an aborted transaction',
    [...HONEST, ['accounts-0', 4, posting('b', 'teller/3', 1, 1)]],
    /'teller\/3' was aborted, and is seen/,
  ],
  [
    'money from nowhere',
    [
      ...HONEST.slice(2),
      ['accounts-0', 0, posting('a', 'teller/1', 1, -5)],
      ['accounts-1', 4, posting('a', 'teller/1', 2, 6)],
    ],
    /'a' moves -5 and 6/,
  ],
  [
    'a record that is another one the second time',
    [...HONEST, ['accounts-0', 0, posting('b', 'teller/1', 1, -5)]],
    /accounts-0@0 was .* and is/,
  ],
  [
    'transactions of one client in the wrong order',
    [...HONEST, ['accounts-0', 3, posting('c', 'clerk/0', 1, -5)]],
    /'clerk\/0' follows 1/,
  ],
  [
    'a request that was carried out between other accounts',
    [...HONEST.slice(0, 4), ['accounts-1', 2, posting('request r', 'clerk/1', 3, 5)]],
    /moves between 1 and 3, not 1 and 2/,
  ],
])('finds %s', (_, history, message) => {
  expect(verdict(history)).toMatch(message);
});
