import { type Assignment, fromSets, sameSet } from '../consumer/assignment.ts';

/** A member as the assignor sees it. */
export interface ShareCandidate {
  readonly memberId: string;
  /** Ids of the topics that it consumes; all of them exist. */
  readonly topics: ReadonlySet<string>;
  /** What its target is so far. */
  readonly target: Assignment;
}

interface Seat {
  readonly memberId: string;
  /** So many partitions it is to have. */
  readonly quota: number;
  readonly partitions: Set<string>;
}

/**
 * Kafka's SimpleAssignor: partitions are spread evenly over the members that consume their topic, and shared by several where there are more
 * members than partitions; nobody is left without. A member keeps what it has as far as that goes. Where all members consume
 * the same topics, what is spread evenly are all partitions; else those of each topic.
 */
export function simple(
  candidates: readonly ShareCandidate[],
  partitions: ReadonlyMap<string, number>,
): Map<string, Assignment> {
  const shares = new Map(candidates.map(({ memberId }) => [memberId, new Map<string, Set<number>>()]));
  for (const topics of spreadTogether(candidates, partitions)) {
    const members = candidates.filter((candidate) => topics.some((topicId) => candidate.topics.has(topicId)));
    const keys = topics.flatMap((topicId) =>
      Array.from({ length: partitions.get(topicId) ?? 0 }, (_, partition) => keyOf(topicId, partition)),
    );
    for (const { memberId, partitions: shared } of spread(members, keys)) {
      for (const key of shared) {
        const [topicId, partition] = partsOf(key);
        const own = shares.get(memberId);
        const numbers = own?.get(topicId) ?? new Set();
        own?.set(topicId, numbers.add(partition));
      }
    }
  }
  return new Map(Array.from(shares, ([memberId, topics]) => [memberId, fromSets(topics)]));
}

/** Topics whose partitions are spread as if they were of one. */
function spreadTogether(candidates: readonly ShareCandidate[], partitions: ReadonlyMap<string, number>): string[][] {
  const [first, ...others] = candidates;
  const topicIds = [...partitions.keys()];
  const alike = first !== undefined && others.every(({ topics }) => sameSet(topics, first.topics));
  return alike ? [topicIds.filter((topicId) => first.topics.has(topicId))] : topicIds.map((topicId) => [topicId]);
}

function spread(members: readonly ShareCandidate[], keys: readonly string[]): readonly Seat[] {
  if (members.length === 0 || keys.length === 0) return [];
  const sharing = Math.ceil(members.length / keys.length);
  const perMember = (sharing * keys.length) / members.length;
  const empty = members.map(({ memberId }, i) => ({
    memberId,
    quota: Math.ceil(perMember * (i + 1)) - Math.ceil(perMember * i),
    partitions: new Set<string>(),
  }));
  const kept = keep(empty, members, keys, sharing);
  return kept.every(({ partitions, quota }) => partitions.size === quota) ? kept : inTurn(empty, keys);
}

/** Leaves the members what they have, up to their quota and the partitions' sharing, and gives out what is left. */
function keep(
  seats: readonly Seat[],
  members: readonly ShareCandidate[],
  keys: readonly string[],
  sharing: number,
): readonly Seat[] {
  const free = new Map(keys.map((key) => [key, sharing]));
  const kept = seats.map(({ memberId, quota }) => ({ memberId, quota, partitions: new Set<string>() }));
  const give = (seat: Seat, key: string) => {
    const left = free.get(key) ?? 0;
    if (left === 0 || seat.partitions.size === seat.quota || seat.partitions.has(key)) return;
    seat.partitions.add(key);
    if (left === 1) free.delete(key);
    else free.set(key, left - 1);
  };
  for (const [i, seat] of kept.entries()) {
    for (const { topicId, partitions } of members[i]?.target ?? []) {
      for (const partition of partitions) give(seat, keyOf(topicId, partition));
    }
  }
  for (const seat of kept) for (const key of [...free.keys()]) give(seat, key);
  return kept;
}

/** Each member gets the next so many, around and around: all quotas together are each partition as often as it is shared. */
function inTurn(seats: readonly Seat[], keys: readonly string[]): readonly Seat[] {
  let next = 0;
  for (const { partitions, quota } of seats) {
    // The index is below the length, which is not 0.
    for (; partitions.size < quota; next++) partitions.add(keys[next % keys.length] ?? '');
  }
  return seats;
}

function keyOf(topicId: string, partition: number): string {
  return `${topicId}/${partition}`;
}

function partsOf(key: string): readonly [topicId: string, partition: number] {
  const at = key.lastIndexOf('/');
  return [key.slice(0, at), Number(key.slice(at + 1))];
}
