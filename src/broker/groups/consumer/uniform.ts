import { type Assignment, fromSets, sameSet } from './assignment.ts';
import type { Candidate } from './assignors.ts';

interface Partition {
  readonly topicId: string;
  readonly partition: number;
}

/** What a member is about to have. */
class Share {
  readonly candidate: Candidate;
  readonly topics = new Map<string, Set<number>>();
  size = 0;

  constructor(candidate: Candidate) {
    this.candidate = candidate;
  }

  add({ topicId, partition }: Partition): void {
    const partitions = this.topics.get(topicId) ?? new Set();
    this.topics.set(topicId, partitions.add(partition));
    this.size++;
  }

  /** Gives up its last partition of a topic, or of any. */
  take(topicId: string | undefined = this.topics.keys().next().value): Partition | undefined {
    const partitions = topicId === undefined ? undefined : this.topics.get(topicId);
    const partition = [...(partitions ?? [])].at(-1);
    if (topicId === undefined || partitions === undefined || partition === undefined) return undefined;
    partitions.delete(partition);
    if (partitions.size === 0) this.topics.delete(topicId);
    this.size--;
    return { topicId, partition };
  }
}

/** Moves between members that consume different topics, before what has been reached is good enough. */
const MAX_MOVES = 100_000;

/**
 * As many partitions to each member as can be, and of those as many as can be that the member had: first everybody keeps what
 * it has, then what nobody has goes where there is least, then partitions move from those that have two more than others.
 */
export function uniform(
  candidates: readonly Candidate[],
  partitions: ReadonlyMap<string, number>,
): Map<string, Assignment> {
  const shares = candidates.map((candidate) => new Share(candidate));
  const free = keep(shares, partitions);
  const [first] = candidates;
  if (first !== undefined && candidates.every(({ topics }) => sameSet(topics, first.topics))) level(shares, free);
  else balance(shares, free);
  return new Map(shares.map(({ candidate, topics }) => [candidate.memberId, fromSets(topics)]));
}

/** Everybody keeps what it may; answers with what is left, topic by topic. */
function keep(shares: readonly Share[], partitions: ReadonlyMap<string, number>): Partition[] {
  const taken = new Map<string, Set<number>>();
  for (const share of shares) {
    for (const { topicId, partitions: had } of share.candidate.target) {
      if (!share.candidate.topics.has(topicId)) continue;
      const others = taken.get(topicId) ?? new Set();
      taken.set(topicId, others);
      for (const partition of had) {
        if (partition >= (partitions.get(topicId) ?? 0) || others.has(partition)) continue;
        others.add(partition);
        share.add({ topicId, partition });
      }
    }
  }
  const free: Partition[] = [];
  for (const [topicId, count] of partitions) {
    for (let partition = 0; partition < count; partition++) {
      if (taken.get(topicId)?.has(partition) !== true) free.push({ topicId, partition });
    }
  }
  return free;
}

/** For members that consume the same: each has the same number, or one more. */
function level(shares: readonly Share[], free: Partition[]): void {
  const total = shares.reduce((sum, { size }) => sum + size, free.length);
  const least = Math.floor(total / shares.length);
  let more = total % shares.length;
  // Those that have more keep more.
  for (const share of shares) {
    const quota = share.size > least && more > 0 ? least + 1 : least;
    if (quota > least) more--;
    while (share.size > quota) {
      const partition = share.take();
      if (partition !== undefined) free.push(partition);
    }
  }
  let next = 0;
  for (const share of shares) {
    if (share.size > least) continue;
    const quota = more > 0 ? least + 1 : least;
    if (quota > least) more--;
    while (share.size < quota) {
      const partition = free[next++];
      if (partition === undefined) return;
      share.add(partition);
    }
  }
}

/** For members that consume different topics. */
function balance(shares: readonly Share[], free: readonly Partition[]): void {
  const consumers = new Map<string, Share[]>();
  for (const share of shares) {
    for (const topicId of share.candidate.topics) {
      const known = consumers.get(topicId);
      if (known === undefined) consumers.set(topicId, [share]);
      else known.push(share);
    }
  }
  const choice = ({ topicId }: Partition) => consumers.get(topicId)?.length ?? 0;
  // Where there is little to choose from goes first.
  for (const partition of free.toSorted((a, b) => choice(a) - choice(b))) {
    leastOf(consumers.get(partition.topicId) ?? [])?.add(partition);
  }
  let moves = 0;
  for (let moved = true; moved && moves < MAX_MOVES; ) {
    moved = false;
    for (const [topicId, sharing] of consumers) {
      for (;;) {
        const to = leastOf(sharing);
        const from = mostOf(sharing, topicId);
        if (to === undefined || from === undefined || from.size < to.size + 2 || moves >= MAX_MOVES) break;
        const partition = from.take(topicId);
        if (partition !== undefined) to.add(partition);
        moves++;
        moved = true;
      }
    }
  }
}

function leastOf(shares: readonly Share[]): Share | undefined {
  let least: Share | undefined;
  for (const share of shares) if (least === undefined || share.size < least.size) least = share;
  return least;
}

/** Of those that have a partition of the topic. */
function mostOf(shares: readonly Share[], topicId: string): Share | undefined {
  let most: Share | undefined;
  for (const share of shares) {
    if (share.topics.has(topicId) && (most === undefined || share.size > most.size)) most = share;
  }
  return most;
}
