import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchOf } from '../../test/storage/fixture.ts';
import { type MemoryBatch, MemoryTable, memoryBatch } from './memory-table.ts';

describe('a memory table', () => {
  it('does what an array does', () => {
    const action = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({ do: fc.constant('push' as const), records: fc.integer({ min: 1, max: 4 }) }),
      },
      fc.constant({ do: 'shift' as const }),
      fc.constant({ do: 'pop' as const }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
        const table = new MemoryTable();
        const model: MemoryBatch[] = [];
        let next = 0;
        for (const step of actions) {
          if (step.do === 'push') {
            const batch = memoryBatch(batchOf(Array.from({ length: step.records }, () => 'v')), next, false);
            next = batch.lastOffset + 1;
            table.push(batch);
            model.push(batch);
          } else {
            expect(table[step.do]()).toBe(model[step.do]());
            next = Math.max(model.at(-1)?.lastOffset ?? -1, step.do === 'pop' ? -1 : next - 1) + 1;
          }
          expect(table.length).toBe(model.length);
          expect(table.first).toBe(model[0]);
          expect(table.last).toBe(model.at(-1));
          expect(table.bytes).toBe(model.reduce((sum, { bytes }) => sum + bytes.length, 0));
          for (const offset of [0, next >> 1, next]) {
            const expected = model.findIndex(({ lastOffset }) => lastOffset >= offset);
            expect(table.indexOf(offset)).toBe(expected < 0 ? model.length : expected);
          }
        }
      }),
    );
  });
});
