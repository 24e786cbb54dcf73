import { expect, test } from 'vitest';
import { MemoryAlarm } from './memory-alarm.ts';

test('the alarm is raised by what is in use, not by what waits to be collected, and ends a little below', () => {
  let check = () => {};
  const changes: boolean[] = [];
  let live = 50;
  let garbage = 0;
  const memory = {
    used: () => live + garbage,
    total: () => 1000,
    collect: () => {
      garbage = 0;
    },
    watch: (callback: () => void) => {
      check = callback;
      return { cancel: () => {} };
    },
  };
  const alarm = new MemoryAlarm({ memory, limitBytes: 100, onChange: (raised) => changes.push(raised) });
  garbage = 80;
  check();
  expect([alarm.raised, garbage]).toEqual([false, 0]);
  live = 100;
  check();
  expect(alarm.raised).toBe(true);
  let relieved = 0;
  alarm.onRelief(() => relieved++);
  live = 97;
  check();
  expect([alarm.raised, relieved]).toEqual([true, 0]);
  live = 94;
  check();
  expect([alarm.raised, relieved, changes]).toEqual([false, 1, [true, false]]);
  alarm.onRelief(() => relieved++);
  alarm.close();
  expect(relieved).toBe(2);
});
