import { describe, expect, it } from 'vitest';
import type { SharePartition } from '../../broker/index.ts';
import { SeededRandom } from '../../environment/seeded-random.ts';
import { ShareSessions } from './share-sessions.ts';

const random = new SeededRandom(1);
const TOPIC = '0b6d7a5e-0c1f-4a51-9d0e-3f2a5b6c7d8e';
const partitions = (...indexes: number[]) => indexes.map((partition) => ({ topicId: TOPIC, partition }));

/** A partition that only tells who released what it had. */
function releasing(released: string[]): SharePartition {
  const state: Pick<SharePartition, 'releaseAll'> = {
    releaseAll: async (owner) => {
      released.push(owner);
    },
  };
  return state as SharePartition;
}

describe('share sessions', () => {
  it('are one for each member of each group', async () => {
    const sessions = new ShareSessions(random);
    const made = [
      await sessions.begin('g', 'm', []),
      await sessions.begin('g', 'n', []),
      await sessions.begin('h', 'm', []),
      // No two pairs are one, however they are put together.
      await sessions.begin('', '1/m', []),
    ];
    expect(new Set(made).size).toBe(4);
    expect(sessions.get('h', 'm')).toBe(made[2]);
    expect(sessions.get('h', 'n')).toBeUndefined();
  });

  it('begin with epoch 1, which comes again after the greatest', async () => {
    const sessions = new ShareSessions(random);
    const session = await sessions.begin('g', 'm', []);
    expect(session?.epoch).toBe(1);
    if (session === undefined) return;
    sessions.advance(session);
    expect(session.epoch).toBe(2);
    session.epoch = 0x7fff_ffff;
    sessions.advance(session);
    expect(session.epoch).toBe(1);
  });

  it('are as many as there is room for, with as many partitions', async () => {
    const sessions = new ShareSessions(random, { maxSessions: 2, maxPartitions: 3 });
    const first = await sessions.begin('g', 'a', partitions(0, 1));
    expect(await sessions.begin('g', 'b', partitions(0, 1))).toBeUndefined();
    const second = await sessions.begin('g', 'b', partitions(0));
    expect(await sessions.begin('g', 'c', [])).toBeUndefined();
    if (first === undefined || second === undefined) throw new Error('there was room');
    expect(sessions.change(second, partitions(0), [])).toBe(true);
    expect(sessions.change(second, partitions(1), [])).toBe(false);
    expect(sessions.change(first, [], partitions(0, 7))).toBe(true);
    expect(sessions.change(second, partitions(1), [])).toBe(true);
    await sessions.close(first);
    expect(sessions.size).toBe(1);
    expect(await sessions.begin('g', 'c', partitions(5))).toBeDefined();
  });

  it('give back, when they end, what their member has, also of what it forgot', async () => {
    const sessions = new ShareSessions(random);
    const session = await sessions.begin('g', 'm', partitions(0, 1, 2));
    if (session === undefined) throw new Error('there was room');
    const released: string[] = [];
    let left = 0;
    session.leave = () => left++;
    const [zero, one] = [...session.partitions.values()];
    if (zero !== undefined) zero.state = releasing(released);
    if (one !== undefined) one.state = releasing(released);
    sessions.change(session, [], partitions(1, 2));
    expect([...session.partitions.values()].filter(({ wanted }) => wanted)).toHaveLength(1);
    await sessions.close(session);
    await sessions.close(session);
    expect({ released, left, closed: session.closed }).toEqual({
      released: [session.owner, session.owner],
      left: 1,
      closed: true,
    });
    expect(sessions.get('g', 'm')).toBeUndefined();
    // The member's next session has records of its own.
    expect((await sessions.begin('g', 'm', []))?.owner).not.toBe(session.owner);
  });

  it('are one for a member, however many are begun at once', async () => {
    const sessions = new ShareSessions(random);
    const first = await sessions.begin('g', 'm', partitions(0));
    for (const partition of first?.partitions.values() ?? []) partition.state = releasing([]);
    const begun = await Promise.all([1, 2, 3].map(() => sessions.begin('g', 'm', partitions(0))));
    const open = begun.filter((session) => session?.closed === false);
    expect(open).toEqual([sessions.get('g', 'm')]);
    for (const session of begun) if (session?.closed === true) await sessions.close(session);
    expect(sessions.get('g', 'm')).toBe(open[0]);
  });
});
