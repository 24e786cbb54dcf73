import type { ClassicGroup } from './group.ts';
import { CONSUMERS } from './group.ts';
import type { ExpiredOffsets, StoredGroup } from './state.ts';

/**
 * Offsets that are kept for longer than retention says (KIP-211): counted from when the group had no members any more; from
 * their commit in a group that never had any, and for topics that a stable group of consumers does not consume any more.
 */
export function expiredOffsets(
  stored: StoredGroup,
  live: ClassicGroup | undefined,
  now: number,
  retentionMs: number,
): ExpiredOffsets[] {
  const protocolType = live?.protocolType ?? stored.membership?.protocolType ?? null;
  const empty = live === undefined || live.state === 'Empty';
  if (!empty && (live.state !== 'Stable' || protocolType !== CONSUMERS)) return [];
  const subscribed = empty ? new Set<string>() : live.subscribedTopics;
  if (subscribed === null || subscribed === undefined) return [];
  const emptySince = empty && protocolType !== null ? (live?.since ?? stored.membership?.since) : undefined;
  const expired: ExpiredOffsets[] = [];
  for (const [topicId, { topic, partitions }] of stored.offsets) {
    if (subscribed.has(topic)) continue;
    const old: { partition: number; timestamp: number }[] = [];
    for (const [partition, { timestamp, expires }] of partitions) {
      if (now >= (expires ?? (emptySince ?? timestamp) + retentionMs)) old.push({ partition, timestamp });
    }
    if (old.length > 0) expired.push({ topicId, partitions: old });
  }
  return expired;
}
