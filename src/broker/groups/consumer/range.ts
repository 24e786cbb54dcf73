import type { Assignment } from './assignment.ts';
import type { Candidate } from './assignors.ts';

/**
 * Of each topic, a range of partitions to each member that consumes it: topics with as many partitions and the same consumers
 * are shared out alike, so that one member has what belongs together. Static members come first, by their instance ids, and so
 * have the same ranges after a restart.
 */
export function range(
  candidates: readonly Candidate[],
  partitions: ReadonlyMap<string, number>,
): Map<string, Assignment> {
  const ordered = candidates.toSorted(byIdentity);
  const consumers = new Map<string, number>();
  for (const { topics } of ordered) for (const topic of topics) consumers.set(topic, (consumers.get(topic) ?? 0) + 1);
  const shared = new Map<string, { next: number; members: number }>();
  const assigned = new Map<string, Assignment>();
  for (const { memberId, topics } of ordered) {
    const own: { topicId: string; partitions: number[] }[] = [];
    for (const topicId of [...topics].sort()) {
      const total = partitions.get(topicId) ?? 0;
      const place = shared.get(topicId) ?? { next: 0, members: 0 };
      const count = consumers.get(topicId) ?? 1;
      const size = Math.floor(total / count) + (place.members < total % count ? 1 : 0);
      if (size > 0) own.push({ topicId, partitions: Array.from({ length: size }, (_, i) => place.next + i) });
      shared.set(topicId, { next: place.next + size, members: place.members + 1 });
    }
    assigned.set(memberId, own);
  }
  return assigned;
}

function byIdentity(a: Candidate, b: Candidate): number {
  if (a.instanceId !== null && b.instanceId !== null) return a.instanceId < b.instanceId ? -1 : 1;
  if (a.instanceId !== null) return -1;
  if (b.instanceId !== null) return 1;
  return a.memberId < b.memberId ? -1 : 1;
}
