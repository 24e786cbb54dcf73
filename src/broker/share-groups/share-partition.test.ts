import { describe, expect, it } from 'vitest';
import { ACCEPT, GAP, REJECT, RELEASE, RENEW } from './acquisition.ts';
import { acquire, LOCK_MS, refusal, World } from './fixture.contract.ts';
import type { SharePartition } from './share-partition.ts';

const say = (share: SharePartition, member: string, firstOffset: number, lastOffset: number, ...types: number[]) =>
  share.acknowledge(member, [{ firstOffset, lastOffset, types }]);

describe('records that are acquired', () => {
  it('are one member’s, batch by batch, and no other’s', async () => {
    const world = await World.open();
    await world.produce(['a', 'b']);
    await world.produce(['c']);
    const share = await world.share();
    expect(await acquire(share, 'm1', { maxRecords: 1 })).toEqual({ ranges: ['0-1×1'], values: ['a', 'b'] });
    expect(await acquire(share, 'm2')).toEqual({ ranges: ['2-2×1'], values: ['c'] });
    expect(await acquire(share, 'm3')).toEqual({ ranges: [], values: [] });
  });

  it('are no more than was asked for where that is the limit', async () => {
    const world = await World.open();
    await world.produce(['a', 'b', 'c']);
    const share = await world.share();
    expect((await acquire(share, 'm1', { maxRecords: 2, mode: 'record-limit' })).ranges).toEqual(['0-1×1']);
    expect((await acquire(share, 'm2', { maxRecords: 2, mode: 'record-limit' })).ranges).toEqual(['2-2×1']);
  });

  it('are told in ranges that end with a batch once they are as long as was asked for', async () => {
    const world = await World.open();
    for (const value of 'abcde') await world.produce([value]);
    expect((await acquire(await world.share(), 'm', { batchSize: 2 })).ranges).toEqual(['0-1×1', '2-3×1', '4-4×1']);
  });

  it('are as many as may be in flight, until others are done with', async () => {
    const world = await World.open({ config: { sharePartitionMaxRecordLocks: 2 } });
    for (const value of 'abcd') await world.produce([value]);
    const share = await world.share();
    expect((await acquire(share, 'm')).ranges).toEqual(['0-1×1']);
    expect((await acquire(share, 'm')).ranges).toEqual([]);
    await say(share, 'm', 1, 1, ACCEPT);
    expect((await acquire(share, 'm')).ranges).toEqual([]);
    await say(share, 'm', 0, 0, ACCEPT);
    expect((await acquire(share, 'm')).ranges).toEqual(['2-3×1']);
  });

  it('come from segments one member at a time', async () => {
    const world = await World.open();
    for (const value of 'abc') await world.produce([value]);
    await world.partition().shard.flush();
    world.partition().log.evict(3);
    const share = await world.share();
    const got = await Promise.all(['m1', 'm2', 'm3', 'm4'].map((member) => acquire(share, member, { maxRecords: 1 })));
    expect(got.map(({ ranges }) => ranges)).toEqual([['0-0×1'], ['1-1×1'], ['2-2×1'], []]);
  });

  it('are those that retention left', async () => {
    const world = await World.open();
    for (const value of 'abcd') await world.produce([value]);
    const share = await world.share();
    await acquire(share, 'm', { maxRecords: 3 });
    await world.partition().deleteRecords(2);
    expect(share.startOffset).toBe(2);
    // What the member says of records that are gone does not matter.
    await say(share, 'm', 0, 2, RELEASE);
    expect((await acquire(share, 'm2')).ranges).toEqual(['2-2×2', '3-3×1']);
  });
});

describe('records of transactions', () => {
  const producer = { producerId: 7, producerEpoch: 0, baseSequence: 0, transactional: true };

  it('are given out when they are committed, and never when aborted, to groups that want it so', async () => {
    const world = await World.open({ config: { shareIsolationLevel: 'read_committed' } });
    const share = await world.share();
    await world.produce(['a']);
    await world.produce(['x'], producer);
    await world.produce(['b']);
    expect((await acquire(share, 'm')).values).toEqual(['a']);
    await world.end(7, 'abort');
    expect(await acquire(share, 'm')).toEqual({ ranges: ['2-2×1'], values: ['b'] });
    await say(share, 'm', 0, 0, ACCEPT);
    await say(share, 'm', 2, 2, ACCEPT);
    // Neither the aborted record nor the marker is anything to wait for.
    expect((await acquire(share, 'm')).ranges).toEqual([]);
    expect(share.startOffset).toBe(4);
    expect(share.lag).toBe(0);
  });

  it('leave no room for more while others are in flight, but for what came back while they were read', async () => {
    const world = await World.open({
      config: { shareIsolationLevel: 'read_committed', sharePartitionMaxRecordLocks: 2 },
    });
    const share = await world.share();
    await world.produce(['a']);
    await acquire(share, 'm1');
    await world.produce(['x'], producer);
    await world.end(7, 'abort');
    await world.produce(['b']);
    const partition = world.partition();
    const gate = Promise.withResolvers<void>();
    const read = partition.readCommitted.bind(partition);
    partition.readCommitted = async (...where) => {
      await gate.promise;
      return await read(...where);
    };
    const acquired = acquire(share, 'm2');
    await say(share, 'm1', 0, 0, RELEASE);
    gate.resolve();
    expect((await acquired).ranges).toEqual(['0-0×2']);
    expect((await acquire(share, 'm2')).ranges).toEqual([]);
  });

  it('are given out as they come to others, but for the markers', async () => {
    const world = await World.open();
    const share = await world.share();
    await world.produce(['x'], producer);
    await world.end(7, 'abort');
    await world.produce(['b']);
    expect((await acquire(share, 'm')).ranges).toEqual(['0-0×1', '2-2×1']);
  });
});

describe('what a member says of its records', () => {
  async function three(config = {}) {
    const world = await World.open({ config });
    await world.produce(['a', 'b', 'c']);
    const share = await world.share();
    await acquire(share, 'm');
    return { world, share };
  }

  it('is done when it accepts, rejects or misses them, and they come again when it releases them', async () => {
    const { world, share } = await three();
    await say(share, 'm', 0, 2, REJECT, RELEASE, GAP);
    expect(share.startOffset).toBe(1);
    expect(share.lag).toBe(1);
    expect(await acquire(share, 'm2')).toEqual({ ranges: ['1-1×2'], values: ['b'] });
    await say(share, 'm2', 1, 1, ACCEPT);
    expect(share.startOffset).toBe(3);
    await world.restart();
    const again = await world.share();
    expect((await acquire(again, 'm')).ranges).toEqual([]);
    expect(again.startOffset).toBe(3);
  });

  it('outlives a restart together with how often records were delivered', async () => {
    const { world, share } = await three();
    await say(share, 'm', 0, 1, RELEASE, ACCEPT);
    await world.restart();
    expect((await acquire(await world.share(), 'm')).ranges).toEqual(['0-0×2', '2-2×1']);
  });

  it('is refused for what it does not have, all of it', async () => {
    const { share } = await three();
    expect(await refusal(say(share, 'm2', 0, 0, ACCEPT))).toBe('invalid-record-state');
    await say(share, 'm', 1, 1, ACCEPT);
    expect(await refusal(say(share, 'm', 0, 2, ACCEPT))).toBe('invalid-record-state');
    expect(await refusal(say(share, 'm', 0, 3, ACCEPT))).toBe('invalid-argument');
    expect(share.startOffset).toBe(0);
    await say(share, 'm', 0, 0, ACCEPT);
    await say(share, 'm', 2, 2, ACCEPT);
    expect(share.startOffset).toBe(3);
  });

  it.each([
    [[{ firstOffset: 1, lastOffset: 0, types: [ACCEPT] }]],
    [[{ firstOffset: -1, lastOffset: 0, types: [ACCEPT] }]],
    [[{ firstOffset: 0, lastOffset: 2, types: [ACCEPT, ACCEPT] }]],
    [[{ firstOffset: 0, lastOffset: 0, types: [] }]],
    [[{ firstOffset: 0, lastOffset: 0, types: [5] }]],
    [
      [
        { firstOffset: 1, lastOffset: 1, types: [ACCEPT] },
        { firstOffset: 0, lastOffset: 1, types: [ACCEPT] },
      ],
    ],
  ])('is refused when it makes no sense: %j', async (acknowledgements) => {
    const { share } = await three();
    expect(await refusal(share.acknowledge('m', acknowledgements))).toBe('invalid-argument');
  });

  it('is that of one who has them no more when the lock has run out', async () => {
    const { world, share } = await three();
    await world.clock.advance(LOCK_MS);
    expect(await refusal(say(share, 'm', 0, 0, ACCEPT))).toBe('invalid-record-state');
    expect((await acquire(share, 'm2')).ranges).toEqual(['0-2×2']);
  });

  it('keeps the lock when it renews it, and as it is the others run out', async () => {
    const { world, share } = await three();
    await world.clock.advance(LOCK_MS / 2);
    await say(share, 'm', 1, 1, RENEW);
    await world.clock.advance(LOCK_MS / 2);
    expect((await acquire(share, 'm2')).ranges).toEqual(['0-0×2', '2-2×2']);
    await world.clock.advance(LOCK_MS / 2);
    expect((await acquire(share, 'm2')).ranges).toEqual(['1-1×2']);
  });

  it('cannot be to renew where the group does not have that', async () => {
    const { share } = await three({ shareRenewAcknowledge: false });
    expect(await refusal(say(share, 'm', 0, 0, RENEW))).toBe('invalid-record-state');
  });

  it('does not matter any more when its session ends', async () => {
    const { share } = await three();
    await share.releaseAll('m');
    expect((await acquire(share, 'm2')).ranges).toEqual(['0-2×2']);
  });
});

describe('records that are delivered too often', () => {
  it('are given out in smaller and smaller numbers, alone at last, then never again', async () => {
    const world = await World.open();
    await world.produce(['a', 'b', 'c', 'd']);
    const share = await world.share();
    const tries: string[][] = [];
    for (let i = 0; i < 12 && share.lag > 0; i++) {
      tries.push((await acquire(share, 'm')).ranges);
      await share.releaseAll('m');
    }
    expect(tries.slice(0, 5)).toEqual([['0-3×1'], ['0-3×2'], ['0-3×3'], ['0-1×4'], ['0-0×5']]);
    expect(share.startOffset).toBe(4);
  });

  it('are archived by the time-out too', async () => {
    const world = await World.open({ config: { shareDeliveryCountLimit: 1 } });
    await world.produce(['a']);
    const share = await world.share();
    await acquire(share, 'm');
    await world.clock.advance(LOCK_MS);
    expect(share.startOffset).toBe(1);
  });
});

describe('whoever waits for records', () => {
  it('is told when some come, come back, or there is room for more', async () => {
    const world = await World.open({ config: { sharePartitionMaxRecordLocks: 1 } });
    const share = await world.share();
    let calls = 0;
    const stop = share.onAvailable(() => calls++);
    const called = async (work: () => Promise<unknown>) => {
      calls = 0;
      await work();
      return calls > 0;
    };
    expect(await called(() => world.produce(['a', 'b']))).toBe(true);
    await acquire(share, 'm', { maxRecords: 1, mode: 'record-limit' });
    expect(await called(() => say(share, 'm', 0, 0, RELEASE))).toBe(true);
    await acquire(share, 'm', { maxRecords: 1, mode: 'record-limit' });
    expect(await called(() => say(share, 'm', 0, 0, ACCEPT))).toBe(true);
    await acquire(share, 'm', { maxRecords: 1, mode: 'record-limit' });
    expect(await called(() => world.clock.advance(LOCK_MS))).toBe(true);
    stop();
    expect(await called(() => world.produce(['c']))).toBe(false);
  });
});
