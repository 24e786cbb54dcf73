import { CONSUMERS, type ConsumerGroup } from './consumer/index.ts';
import type { ClassicGroup } from './group.ts';
import type { ExpiredOffsets, StoredGroup } from './state.ts';

/**
 * Offsets that are kept for longer than retention says (KIP-211): counted from when the group had no members any more; from
 * their commit in a group that never had any, and for topics that a stable group of consumers does not consume any more.
 */
export function expiredOffsets(
  stored: StoredGroup,
  live: ClassicGroup | undefined,
  consumers: ConsumerGroup | undefined,
  now: number,
  retentionMs: number,
): ExpiredOffsets[] {
  if (live === undefined && stored.consumer !== null) {
    const emptySince = stored.consumer.members.size === 0 ? stored.consumer.since : undefined;
    return expiredBut(stored, consumers?.subscribedTopics ?? new Set(), emptySince, now - retentionMs, now);
  }
  const protocolType = live?.protocolType ?? stored.membership?.protocolType ?? null;
  const empty = live === undefined || live.state === 'Empty';
  if (!empty && (live.state !== 'Stable' || protocolType !== CONSUMERS)) return [];
  const subscribed = empty ? new Set<string>() : live.subscribedTopics;
  if (subscribed === null || subscribed === undefined) return [];
  const emptySince = empty && protocolType !== null ? (live?.since ?? stored.membership?.since) : undefined;
  return expiredBut(stored, subscribed, emptySince, now - retentionMs, now);
}

/** What was committed, or would be without an end of its own, by `before`, of topics that are not subscribed to. */
function expiredBut(
  stored: StoredGroup,
  subscribed: ReadonlySet<string>,
  emptySince: number | undefined,
  before: number,
  now: number,
): ExpiredOffsets[] {
  const expired: ExpiredOffsets[] = [];
  for (const [topicId, { topic, partitions }] of stored.offsets) {
    if (subscribed.has(topic)) continue;
    const old: { partition: number; timestamp: number }[] = [];
    for (const [partition, { timestamp, expires }] of partitions) {
      if (expires === null ? before >= (emptySince ?? timestamp) : now >= expires) old.push({ partition, timestamp });
    }
    if (old.length > 0) expired.push({ topicId, partitions: old });
  }
  return expired;
}
