import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../environment/seeded-random.ts';
import { VirtualClock } from '../../environment/virtual-clock.ts';
import { ZERO_UUID } from './codec/uuid.ts';
import type { SessionPartition } from './fetch-session.ts';
import { FetchSessions, sessionKey } from './fetch-sessions.ts';

function asked(topic: string, partition: number, topicId = ZERO_UUID): SessionPartition {
  return {
    topic,
    topicId,
    partition,
    fetchOffset: 0,
    maxBytes: 1,
    currentLeaderEpoch: -1,
    lastFetchedEpoch: -1,
    knownHighWatermark: -1,
    knownStartOffset: -1,
  };
}

function partitions(count: number): SessionPartition[] {
  return Array.from({ length: count }, (_, i) => asked('t', i));
}

describe('fetch sessions', () => {
  const clock = new VirtualClock();
  const sessions = (maxSessions: number, maxPartitions: number) =>
    new FetchSessions(clock, new SeededRandom(1), { maxSessions, maxPartitions });

  it('are given up for new ones when nobody has used them for two minutes, and not before', async () => {
    const cache = sessions(2, 100);
    const first = cache.create(partitions(1));
    cache.create(partitions(1));
    expect(cache.create(partitions(1))).toBeUndefined();
    await clock.advance(120_000);
    expect(cache.create(partitions(1))).toBeDefined();
    expect(cache.get(first?.id ?? 0)).toBeUndefined();
    expect(cache.size).toBe(2);
  });

  it('have so many partitions together, however they came in', () => {
    const cache = sessions(10, 5);
    expect(cache.create(partitions(6))).toBeUndefined();
    const session = cache.create(partitions(3));
    if (session === undefined) throw new Error('there was room');
    expect(cache.create(partitions(3))).toBeUndefined();
    expect(cache.add(session, asked('t', 2))).toBe(true);
    expect(cache.add(session, asked('t', 3))).toBe(true);
    expect(cache.add(session, asked('t', 4))).toBe(true);
    cache.forget(session, sessionKey('t', ZERO_UUID, 4));
    cache.forget(session, sessionKey('t', ZERO_UUID, 4));
    expect(cache.add(session, asked('t', 5))).toBe(true);
    // One too many ends the session: its client begins anew.
    expect(cache.add(session, asked('t', 6))).toBe(false);
    expect(cache.size).toBe(0);
    expect(cache.create(partitions(5))).toBeDefined();
  });

  it('keep no name that no topic can have', () => {
    expect(sessions(10, 10).create([asked('x'.repeat(250), 0)])).toBeUndefined();
  });

  it('know a partition by the id of its topic, which outlives the name', () => {
    const id = '0b6d7a5e-0c1f-4a51-9d0e-3f2a5b6c7d8e';
    expect(sessionKey('t', id, 0)).toBe(sessionKey('', id, 0));
  });
});
