import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchOf, LOG_A, LOG_B } from '../../test/storage/fixture.ts';
import {
  ENTRY_APPEND,
  ENTRY_DELETE,
  ENTRY_TRIM,
  entryHeaderLength,
  parseLogId,
  readEntryGroup,
  writeEntryHeader,
  writeTarget,
} from './entry-group.ts';

interface Entry {
  readonly kind: number;
  readonly targets: readonly (readonly [log: string, offset: number])[];
  readonly batch: Buffer;
}

function encode(entries: readonly Entry[]): Buffer {
  return Buffer.concat(
    entries.map(({ kind, targets, batch }) => {
      const header = Buffer.alloc(entryHeaderLength(targets.length));
      let at = writeEntryHeader(header, 0, kind, targets.length, batch.length);
      for (const [log, offset] of targets) at = writeTarget(header, at, parseLogId(log), offset);
      expect(at).toBe(header.length);
      return Buffer.concat([header, batch]);
    }),
  );
}

function decode(group: Buffer) {
  const visits: unknown[] = [];
  readEntryGroup(group, (kind, log, offset, batch, shared) => visits.push([kind, log, offset, batch.length, shared]));
  return visits;
}

const GROUP: readonly Entry[] = [
  { kind: ENTRY_APPEND, targets: [[LOG_A, 0]], batch: batchOf(['x']) },
  { kind: ENTRY_APPEND, targets: [[LOG_A, 1], [LOG_B, 2 ** 40]], batch: batchOf(['y', 'z']) }, // biome-ignore format: pairs
  { kind: ENTRY_TRIM, targets: [[LOG_A, Number.MAX_SAFE_INTEGER]], batch: Buffer.alloc(0) },
  { kind: ENTRY_DELETE, targets: [[LOG_B, 0]], batch: Buffer.alloc(0) },
];

describe('an entry group', () => {
  it('is read as it was written', () => {
    const [one, two] = GROUP.map(({ batch }) => batch.length);
    expect(decode(encode(GROUP))).toEqual([
      [ENTRY_APPEND, LOG_A, 0, one, false],
      [ENTRY_APPEND, LOG_A, 1, two, true],
      [ENTRY_APPEND, LOG_B, 2 ** 40, two, true],
      [ENTRY_TRIM, LOG_A, Number.MAX_SAFE_INTEGER, 0, false],
      [ENTRY_DELETE, LOG_B, 0, 0, false],
    ]);
    expect(decode(Buffer.alloc(0))).toEqual([]);
  });

  it('says of whatever else that it is damaged', () => {
    const good = encode(GROUP);
    const damage = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(damage, fc.nat(good.length), (changes, length) => {
        const bytes = Buffer.from(good.subarray(0, length));
        for (const [at, value] of changes) if (at < length) bytes[at] = value;
        try {
          readEntryGroup(bytes, (_kind, _log, offset, batch) => {
            expect(offset).toBeLessThanOrEqual(Number.MAX_SAFE_INTEGER);
            expect(batch.length).toBeLessThanOrEqual(length);
          });
        } catch (error) {
          expect(error).toMatchObject({ code: 'storage-damaged' });
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('has a whole batch in an append, and none in anything else', () => {
    const batch = batchOf(['x']);
    for (const wrong of [Buffer.alloc(0), batch.subarray(0, 40), Buffer.concat([batch, batch])])
      expect(() => decode(encode([{ kind: ENTRY_APPEND, targets: [[LOG_A, 0]], batch: wrong }]))).toThrow(
        /damaged|batch/,
      );
    expect(() => decode(encode([{ kind: ENTRY_TRIM, targets: [[LOG_A, 0]], batch }]))).toThrow(/batch/);
    expect(() => decode(encode([{ kind: ENTRY_TRIM, targets: [], batch: Buffer.alloc(0) }]))).toThrow(/target/);
  });
});
