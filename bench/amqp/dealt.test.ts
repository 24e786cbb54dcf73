import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dealt } from './dealt.ts';

describe('dealt', () => {
  it('leaves no connection and no queue without work, and deals as evenly as it can', () => {
    const count = fc.integer({ min: 1, max: 50 });
    fc.assert(
      fc.property(count, count, (connections, queues) => {
        const parts = dealt(connections, queues);
        expect(parts).toHaveLength(connections);
        const sizes = parts.map(({ length }) => length);
        expect(Math.min(...sizes)).toBeGreaterThan(0);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        const all = parts.flat();
        expect(new Set(all).size).toBe(queues);
        expect(all).toHaveLength(Math.max(connections, queues));
      }),
    );
  });
});
