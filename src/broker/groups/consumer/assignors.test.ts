import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Assignment, partitionCount } from './assignment.ts';
import { ASSIGNORS, type Assignor, type Candidate, elect } from './assignors.ts';
import { range } from './range.ts';
import { uniform } from './uniform.ts';

interface Group {
  readonly candidates: Candidate[];
  readonly partitions: ReadonlyMap<string, number>;
}

const TOPICS = ['a', 'b', 'c', 'd'];

function groups(alike: boolean): fc.Arbitrary<Group> {
  return fc
    .record({
      sizes: fc.array(fc.nat({ max: 9 }), { minLength: TOPICS.length, maxLength: TOPICS.length }),
      members: fc.array(fc.record({ topics: fc.subarray(TOPICS), instance: fc.boolean() }), {
        minLength: 1,
        maxLength: 7,
      }),
    })
    .map(({ sizes, members }) => {
      const sized = new Map(TOPICS.map((topic, i) => [topic, sizes[i] ?? 0]));
      const consumed = new Set(members.flatMap(({ topics }, i) => (alike && i > 0 ? [] : topics)));
      return {
        partitions: new Map([...sized].filter(([topic]) => consumed.has(topic))),
        candidates: members.map(({ topics, instance }, i) => ({
          memberId: `m${i}`,
          instanceId: instance ? `i${i}` : null,
          topics: new Set(alike ? consumed : topics),
          target: [],
        })),
      };
    });
}

const sizeOf = (assignment: Assignment | undefined) => partitionCount(assignment ?? []);

function owners(assigned: ReadonlyMap<string, Assignment>): Map<string, string> {
  const found = new Map<string, string>();
  for (const [memberId, assignment] of assigned) {
    for (const { topicId, partitions } of assignment) {
      for (const partition of partitions) {
        expect(found.has(`${topicId}/${partition}`)).toBe(false);
        found.set(`${topicId}/${partition}`, memberId);
      }
    }
  }
  return found;
}

/** Everybody has what it was given. */
function given({ candidates, partitions }: Group, assign: Assignor): Candidate[] {
  const assigned = assign(candidates, partitions);
  return candidates.map((each) => ({ ...each, target: assigned.get(each.memberId) ?? [] }));
}

describe.each([...ASSIGNORS])('%s', (_name, assign) => {
  it.each([true, false])('gives each partition to one member that consumes its topic (alike: %s)', (alike) => {
    fc.assert(
      fc.property(groups(alike), groups(alike), (before, group) => {
        // Also when what members have is of another group altogether.
        const old = new Map(given(before, assign).map(({ memberId, target }) => [memberId, target]));
        const candidates = group.candidates.map((each) => ({ ...each, target: old.get(each.memberId) ?? [] }));
        const assigned = assign(candidates, group.partitions);
        const found = owners(assigned);
        const all = [...group.partitions].flatMap(([topic, size]) =>
          Array.from({ length: size }, (_, i) => `${topic}/${i}`),
        );
        expect([...found.keys()].sort()).toEqual(all.sort());
        for (const [key, memberId] of found) {
          const topics = candidates.find((each) => each.memberId === memberId)?.topics;
          expect(topics?.has(key.split('/')[0] ?? '')).toBe(true);
        }
      }),
    );
  });

  it('changes nothing when nothing has changed', () => {
    fc.assert(
      fc.property(fc.boolean().chain(groups), (group) => {
        const candidates = given(group, assign);
        const again = assign(candidates, group.partitions);
        for (const { memberId, target } of candidates) expect(again.get(memberId)).toEqual(target);
      }),
    );
  });
});

describe('uniform', () => {
  it('gives members that consume the same as many partitions each, or one more', () => {
    fc.assert(
      fc.property(groups(true), ({ candidates, partitions }) => {
        const assigned = uniform(candidates, partitions);
        const counts = candidates.map(({ memberId }) => sizeOf(assigned.get(memberId)));
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('leaves no partition with a member that has two more than another that could have it', () => {
    fc.assert(
      fc.property(groups(false), ({ candidates, partitions }) => {
        const assigned = uniform(candidates, partitions);
        for (const { memberId } of candidates) {
          for (const { topicId } of assigned.get(memberId) ?? []) {
            for (const other of candidates.filter(({ topics }) => topics.has(topicId))) {
              expect(sizeOf(assigned.get(memberId))).toBeLessThanOrEqual(sizeOf(assigned.get(other.memberId)) + 1);
            }
          }
        }
      }),
    );
  });

  it('moves no more partitions than it has to, when a member comes or goes', () => {
    fc.assert(
      fc.property(groups(true), (group) => {
        const topics = group.candidates[0]?.topics ?? new Set<string>();
        const before = given(group, uniform);
        const newcomer = { memberId: 'new', instanceId: null, topics, target: [] };
        const joined = uniform([...before, newcomer], group.partitions);
        for (const { memberId, target } of before) {
          const kept = owners(new Map([[memberId, target]]));
          // Nothing moves between those who were there.
          for (const key of owners(new Map([[memberId, joined.get(memberId) ?? []]])).keys())
            expect(kept.has(key)).toBe(true);
        }
        const stayed = before.slice(1);
        if (stayed.length === 0) return;
        const left = uniform(stayed, group.partitions);
        for (const { memberId, target } of stayed) {
          const still = owners(new Map([[memberId, left.get(memberId) ?? []]]));
          for (const key of owners(new Map([[memberId, target]])).keys()) expect(still.has(key)).toBe(true);
        }
      }),
    );
  });
});

it('range gives a member the same partitions of topics that are alike, and static members the same after a restart', () => {
  const topics = new Set(['a', 'b']);
  const member = (memberId: string, instanceId: string | null) => ({ memberId, instanceId, topics, target: [] });
  const partitions = new Map([
    ['a', 5],
    ['b', 5],
  ]);
  const first = range([member('x', 'i2'), member('y', 'i1'), member('a', null)], partitions);
  expect(first.get('y')).toEqual([
    { topicId: 'a', partitions: [0, 1] },
    { topicId: 'b', partitions: [0, 1] },
  ]);
  expect(first.get('a')).toEqual([
    { topicId: 'a', partitions: [4] },
    { topicId: 'b', partitions: [4] },
  ]);
  const second = range([member('a', 'i2'), member('z', 'i1'), member('n', null)], partitions);
  expect(second.get('z')).toEqual(first.get('y'));
  expect(second.get('a')).toEqual(first.get('x'));
});

it('members share out as most of those want that care', () => {
  expect(elect([null, null])).toBe('uniform');
  expect(elect(['range', null, null])).toBe('range');
  expect(elect(['uniform', 'range', 'range'])).toBe('range');
});
