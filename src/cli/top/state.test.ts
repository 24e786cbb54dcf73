import { expect, test } from 'vitest';
import { keysIn } from './keys.ts';
import { initialState, press, sortOf, type TopState, viewOf } from './state.ts';

function after(typed: string, state: TopState = initialState()): TopState {
  let now = state;
  for (const key of keysIn(typed)) {
    const next = press(now, key, 10);
    if (next === undefined) throw new Error(`${key} ended it`);
    now = next;
  }
  return now;
}

test('keys come out of what terminals send', () => {
  expect(keysIn('a\x1b[A\x1bOB\x1b[5~é\x1b\r\x7f\x01\x1b[200~🚚')).toEqual([
    ...['a', 'up', 'down', 'page-up', 'é', 'escape', 'enter', 'backspace', '🚚'],
  ]);
});

test('views are chosen by number and by turns, each with its own order', () => {
  expect(viewOf(after('2')).name).toBe('streams');
  expect(viewOf(after('9')).name).toBe('queues');
  expect(viewOf(after('\t\t\t\t')).name).toBe('queues');
  expect(viewOf(after('\x1b[Z')).name).toBe('connections');
  const state = after('>r2<1');
  expect(sortOf(state)).toEqual({ column: 6, descending: false });
  expect(sortOf(after('2', state))).toEqual({ column: 1, descending: true });
});

test('what is typed for the filter is no command, until it counts', () => {
  expect(after('/orderq?\x7f\x7f')).toMatchObject({ typing: 'order', filter: '', help: false });
  expect(after('jj/order\r')).toMatchObject({ typing: undefined, filter: 'order', offset: 0 });
  expect(after('/order\r/x\x1b')).toMatchObject({ typing: undefined, filter: 'order' });
  expect(after('/order\r\x1b')).toMatchObject({ filter: '' });
});

test('it scrolls, stands still, asks more often, and ends', () => {
  expect(after('jjk\x1b[6~').offset).toBe(11);
  expect(after('jjg').offset).toBe(0);
  expect(after('kkk').offset).toBe(0);
  expect(after(' ')).toMatchObject({ paused: true });
  expect(after('++')).toMatchObject({ intervalMs: 500 });
  expect(after('-----------')).toMatchObject({ intervalMs: 60_000 });
  expect(after('?q')).toMatchObject({ help: false });
  for (const key of ['q', 'ctrl-c']) expect(press(initialState(), key, 10)).toBeUndefined();
  expect(press(after('/'), 'ctrl-c', 10)).toBeUndefined();
});
