import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { partitionCount } from '../consumer/assignment.ts';
import { type ShareCandidate, simple } from './simple.ts';

const member = (memberId: string, topics: readonly string[], target: ShareCandidate['target'] = []) => ({
  ...{ memberId, topics: new Set(topics), target },
});

/** By member, `topic/partition` of all that it has. */
function shares(candidates: readonly ShareCandidate[], sizes: ReadonlyMap<string, number>): Map<string, string[]> {
  return new Map(
    Array.from(simple(candidates, sizes), ([memberId, assignment]) => [
      memberId,
      assignment.flatMap(({ topicId, partitions }) => partitions.map((partition) => `${topicId}/${partition}`)),
    ]),
  );
}

describe('simple', () => {
  it('gives every member its part where there are enough partitions', () => {
    const found = shares([member('a', ['t']), member('b', ['t'])], new Map([['t', 4]]));
    expect([...found.values()].flat().sort()).toEqual(['t/0', 't/1', 't/2', 't/3']);
    expect(found.get('a')).toHaveLength(2);
  });

  it('has members share partitions where there are not', () => {
    const members = ['a', 'b', 'c', 'd', 'e'].map((memberId) => member(memberId, ['t']));
    const found = [...shares(members, new Map([['t', 2]])).values()];
    expect(found.every(({ length }) => length > 0)).toBe(true);
    expect(found.flat().filter((key) => key === 't/0')).toHaveLength(3);
    expect(found.flat().filter((key) => key === 't/1')).toHaveLength(3);
  });

  it('gives nothing of what nobody consumes, and nothing to who consumes nothing', () => {
    const found = shares([member('a', ['t']), member('b', [])], new Map([['t', 2]]));
    expect(found.get('a')).toEqual(['t/0', 't/1']);
    expect(found.get('b')).toEqual([]);
  });

  const TOPICS = ['a', 'b', 'c'];
  const groups = fc.record({
    sizes: fc.array(fc.nat({ max: 9 }), { minLength: TOPICS.length, maxLength: TOPICS.length }),
    members: fc.array(fc.subarray(TOPICS), { minLength: 1, maxLength: 9 }),
    alike: fc.boolean(),
    gone: fc.nat({ max: 3 }),
  });

  it('leaves no partition and no member out, and spreads evenly, whoever was there before', () => {
    const holds = fc.property(groups, ({ sizes, members, alike, gone }) => {
      const topics = (i: number) => (alike ? TOPICS : (members[i] ?? []));
      const partitions = new Map(TOPICS.map((topic, i) => [topic, sizes[i] ?? 0]));
      const former = [...members, ...Array.from({ length: gone }, () => TOPICS)];
      const before = simple(
        former.map((_, i) => member(`m${i}`, topics(i))),
        partitions,
      );
      const candidates = members.map((_, i) => member(`m${i}`, topics(i), before.get(`m${i}`) ?? []));
      const assigned = simple(candidates, partitions);
      for (const [topic, size] of partitions) {
        const consumers = candidates.filter((candidate) => candidate.topics.has(topic));
        for (let partition = 0; partition < size; partition++) {
          const holders = consumers.filter(({ memberId }) =>
            assigned.get(memberId)?.some((each) => each.topicId === topic && each.partitions.includes(partition)),
          );
          if (consumers.length > 0) expect(holders.length).toBeGreaterThan(0);
        }
      }
      for (const { memberId, topics: consumed } of candidates) {
        const has = assigned.get(memberId) ?? [];
        expect(has.every(({ topicId }) => consumed.has(topicId))).toBe(true);
        const some = [...consumed].some((topic) => (partitions.get(topic) ?? 0) > 0);
        expect(partitionCount(has) > 0).toBe(some);
      }
      if (!alike) return;
      const counts = candidates.map(({ memberId }) => partitionCount(assigned.get(memberId) ?? []));
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    });
    fc.assert(holds, { numRuns: 500 });
  });

  it('leaves members what they have when nothing has changed', () => {
    const unchanged = fc.property(groups, ({ sizes, members }) => {
      const partitions = new Map(TOPICS.map((topic, i) => [topic, sizes[i] ?? 0]));
      const first = simple(
        members.map((topics, i) => member(`m${i}`, topics)),
        partitions,
      );
      const again = simple(
        members.map((topics, i) => member(`m${i}`, topics, first.get(`m${i}`) ?? [])),
        partitions,
      );
      expect(again).toEqual(first);
    });
    fc.assert(unchanged, { numRuns: 200 });
  });
});
