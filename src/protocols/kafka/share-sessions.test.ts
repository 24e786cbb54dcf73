import { describe, expect, it } from 'vitest';
import type { SharePartition } from '../../broker/index.ts';
import { ShareSessions } from './share-sessions.ts';

const TOPIC = '0b6d7a5e-0c1f-4a51-9d0e-3f2a5b6c7d8e';
const partitions = (...indexes: number[]) => indexes.map((partition) => ({ topicId: TOPIC, partition }));

/** A partition that only tells who released what it had. */
function releasing(released: string[]): SharePartition {
  const state: Pick<SharePartition, 'releaseAll'> = {
    releaseAll: async (memberId) => {
      released.push(memberId);
    },
  };
  return state as SharePartition;
}

describe('share sessions', () => {
  it('are one for each member of each group', () => {
    const sessions = new ShareSessions();
    const made = [
      sessions.open('g', 'm', []),
      sessions.open('g', 'n', []),
      sessions.open('h', 'm', []),
      // No two pairs are one, however they are put together.
      sessions.open('', '1/m', []),
    ];
    expect(new Set(made).size).toBe(4);
    expect(sessions.get('h', 'm')).toBe(made[2]);
    expect(sessions.get('h', 'n')).toBeUndefined();
  });

  it('begin with epoch 1, which comes again after the greatest', () => {
    const sessions = new ShareSessions();
    const session = sessions.open('g', 'm', []);
    expect(session?.epoch).toBe(1);
    if (session === undefined) return;
    sessions.advance(session);
    expect(session.epoch).toBe(2);
    session.epoch = 0x7fff_ffff;
    sessions.advance(session);
    expect(session.epoch).toBe(1);
  });

  it('are as many as there is room for, with as many partitions', async () => {
    const sessions = new ShareSessions({ maxSessions: 2, maxPartitions: 3 });
    const first = sessions.open('g', 'a', partitions(0, 1));
    expect(sessions.open('g', 'b', partitions(0, 1))).toBeUndefined();
    const second = sessions.open('g', 'b', partitions(0));
    expect(sessions.open('g', 'c', [])).toBeUndefined();
    if (first === undefined || second === undefined) throw new Error('there was room');
    expect(sessions.change(second, partitions(0), [])).toBe(true);
    expect(sessions.change(second, partitions(1), [])).toBe(false);
    expect(sessions.change(first, [], partitions(0, 7))).toBe(true);
    expect(sessions.change(second, partitions(1), [])).toBe(true);
    await sessions.close(first);
    expect(sessions.size).toBe(1);
    expect(sessions.open('g', 'c', partitions(5))).toBeDefined();
  });

  it('give back, when they end, what their member has, also of what it forgot', async () => {
    const sessions = new ShareSessions();
    const session = sessions.open('g', 'm', partitions(0, 1, 2));
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
    expect({ released, left, closed: session.closed }).toEqual({ released: ['m', 'm'], left: 1, closed: true });
    expect(sessions.get('g', 'm')).toBeUndefined();
  });
});
