import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Outstanding, Unacknowledged } from './unacknowledged.ts';

type Entry = Outstanding<string, string>;

function filled(...tags: number[]): Unacknowledged<string, string> {
  const outstanding = new Unacknowledged<string, string>();
  for (const tag of tags) outstanding.add(tag, `delivery ${tag}`, `consumer ${tag}`);
  return outstanding;
}

test('one is taken once', () => {
  const outstanding = filled(1, 2, 3);
  const taken: number[] = [];
  expect(outstanding.take(2, (_delivery, _consumer, tag) => taken.push(tag))).toBe(true);
  expect(outstanding.take(2, () => taken.push(0))).toBe(false);
  expect(taken).toEqual([2]);
  expect(outstanding.count).toBe(2);
});

test('all up to one are taken oldest first, and only when that one is there', () => {
  const outstanding = filled(1, 3, 4);
  const taken: string[] = [];
  expect(outstanding.takeUpTo(2, (delivery) => taken.push(delivery))).toBe(false);
  expect(outstanding.takeUpTo(3, (delivery) => taken.push(delivery))).toBe(true);
  expect(taken).toEqual(['delivery 1', 'delivery 3']);
});

test('whatever is added and taken, what is left is what a list has left', () => {
  const step = fc.oneof(
    fc.record({ type: fc.constant('add' as const), gap: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ type: fc.constant('take' as const), at: fc.nat(300) }),
    fc.record({ type: fc.constant('takeUpTo' as const), at: fc.nat(300) }),
    fc.record({ type: fc.constant('putBack' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
      const outstanding = new Unacknowledged<string, string>();
      let model: Entry[] = [];
      let aside: Entry[] = [];
      let last = 0;
      for (const each of steps) {
        if (each.type === 'add') {
          last += each.gap;
          const entry = { tag: last, delivery: `d${last}`, consumer: `c${last}` };
          outstanding.add(last, entry.delivery, entry.consumer);
          model.push(entry);
        } else if (each.type === 'putBack') {
          outstanding.restore(aside);
          model = [...model, ...aside].sort((a, b) => a.tag - b.tag);
          aside = [];
        } else {
          const taken: Entry[] = [];
          const visit = (delivery: string, consumer: string, tag: number) =>
            void taken.push({ tag, delivery, consumer });
          const there = model.some(({ tag }) => tag === each.at);
          expect(outstanding.has(each.at)).toBe(there);
          expect(outstanding[each.type](each.at, visit)).toBe(there);
          const goes = ({ tag }: Entry) => there && (each.type === 'take' ? tag === each.at : tag <= each.at);
          expect(taken).toEqual(model.filter(goes));
          aside.push(...taken);
          model = model.filter((entry) => !goes(entry));
        }
        expect(outstanding.count).toBe(model.length);
      }
      const rest: Entry[] = [];
      outstanding.takeAll((delivery, consumer, tag) => rest.push({ tag, delivery, consumer }));
      expect(rest).toEqual(model);
    }),
  );
});
