import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeCursor, encodeCursor } from './cursor.ts';

const positions = fc.array(
  fc.record({ partition: fc.nat({ max: 9999 }), offset: fc.nat({ max: Number.MAX_SAFE_INTEGER }) }),
  { minLength: 1, maxLength: 256 },
);

it('says where to go on, in a text that a path takes as it is', () => {
  fc.assert(
    fc.property(positions, (list) => {
      const text = encodeCursor(list);
      expect(decodeCursor(text)).toEqual(list);
      expect(encodeURIComponent(text)).toBe(text);
      // As many partitions as are looked at together fit a request.
      expect(text.length).toBeLessThan(8192);
    }),
  );
});

it('is refused when it is none', () => {
  for (const text of ['', '1', '1.', '.1', '1.1-', '-1.1', '1.1.1', 'A.1', '1.zzzzzzzzzzzzz', 'x'.repeat(9000)])
    expect(() => decodeCursor(text), text.slice(0, 20)).toThrow(/not a cursor/);
});
