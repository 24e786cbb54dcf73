import { expect, it } from 'vitest';
import { ACCEPT, RELEASE } from './acquisition.ts';
import { acquire, refusal, TOPIC, World } from './fixture.contract.ts';

it.each([
  [{ at: 'earliest' }, 0],
  [{ at: 'latest' }, 3],
  [{ at: 'age', milliseconds: 1500 }, 1],
  [{ at: 'age', milliseconds: 0 }, 2],
] as const)('a group starts where it is told to: %j', async (shareAutoOffsetReset, offset) => {
  const world = await World.open({ config: { shareAutoOffsetReset } });
  for (const value of 'abc') {
    if (value !== 'a') await world.clock.advance(1000);
    await world.produce([value]);
  }
  expect((await world.share()).startOffset).toBe(offset);
  await world.produce(['d']);
  await world.restart();
  expect((await world.share()).startOffset).toBe(offset);
});

it('a partition is the same thing to all who ask for it, at the same time or later', async () => {
  const world = await World.open();
  const [one, other] = await Promise.all([world.share(), world.share()]);
  expect(one).toBe(other);
  expect(await world.share()).toBe(one);
  expect(await world.share('other')).not.toBe(one);
});

it('it is told where a group stands, whether or not anybody has asked since the start', async () => {
  const world = await World.open({ partitions: 2 });
  await world.produce(['a', 'b', 'c']);
  const share = await world.share();
  await world.share('g', 1);
  await acquire(share, 'm');
  await share.acknowledge('m', [{ firstOffset: 0, lastOffset: 2, types: [ACCEPT, RELEASE, ACCEPT] }]);
  const stands = [
    { streamId: TOPIC, partition: 0, startOffset: 1, leaderEpoch: 1, lag: 1, acquired: 0, returned: 1 },
    { streamId: TOPIC, partition: 1, startOffset: 0, leaderEpoch: -1, lag: 0, acquired: 0, returned: 0 },
  ];
  expect(world.groups.offsets('g')).toEqual(stands);
  await world.restart();
  expect(world.groups.offsets('g')).toEqual(stands);
  expect([...world.groups.groupIds()]).toEqual(['g']);
});

it('a group that is told to start elsewhere does, and has forgotten what was before', async () => {
  const world = await World.open();
  await world.produce(['a', 'b', 'c']);
  const share = await world.share();
  await acquire(share, 'm');
  await share.acknowledge('m', [{ firstOffset: 0, lastOffset: 0, types: [ACCEPT] }]);
  const late = share.acknowledge('m', [{ firstOffset: 1, lastOffset: 1, types: [ACCEPT] }]);
  await Promise.allSettled([world.groups.alterOffsets('g', [{ streamId: TOPIC, partition: 0, startOffset: 0 }]), late]);
  expect((await acquire(share, 'm2')).ranges).toEqual(['0-2×1']);
  expect(await refusal(share.acknowledge('m', [{ firstOffset: 1, lastOffset: 1, types: [ACCEPT] }]))).toBe(
    'invalid-record-state',
  );
  await world.restart();
  expect((await world.share()).startOffset).toBe(0);
});

it('a group that has nothing yet can be told where to start', async () => {
  const world = await World.open();
  await world.produce(['a', 'b', 'c']);
  const start = (startOffset: number) =>
    world.groups.alterOffsets('g', [{ streamId: TOPIC, partition: 0, startOffset }]);
  await start(2);
  expect((await acquire(await world.share(), 'm')).values).toEqual(['c']);
  expect(await refusal(start(-1))).toBe('invalid-argument');
  expect(await refusal(start(4))).toBe('offset-out-of-range');
  expect(await refusal(world.groups.alterOffsets('g', [{ streamId: TOPIC, partition: 7, startOffset: 0 }]))).toBe(
    'not-found',
  );
});

it('what a group has of a topic goes, and it starts anew', async () => {
  const world = await World.open();
  await world.produce(['a']);
  const share = await world.share();
  await acquire(share, 'm');
  await share.acknowledge('m', [{ firstOffset: 0, lastOffset: 0, types: [ACCEPT] }]);
  await world.groups.deleteOffsets('g', [TOPIC]);
  expect(world.groups.offsets('g')).toEqual([]);
  expect(await refusal(acquire(share, 'm'))).toBe('not-found');
  expect((await acquire(await world.share(), 'm')).values).toEqual(['a']);
});

it('a group that is deleted leaves nothing, and others what they have', async () => {
  const world = await World.open();
  await world.share();
  await world.share('other');
  let told = 0;
  (await world.share()).onAvailable(() => told++);
  await world.groups.deleteGroup('g');
  expect(told).toBe(1);
  expect([...world.groups.groupIds()]).toEqual(['other']);
  await world.restart();
  expect([...world.groups.groupIds()]).toEqual(['other']);
});

it('what groups have of a topic goes with it', async () => {
  const world = await World.open();
  const share = await world.share();
  await world.deleteTopic();
  expect(await refusal(acquire(share, 'm'))).toBe('not-found');
  expect(await refusal(world.share())).toBe('not-found');
  expect([...world.groups.groupIds()]).toEqual([]);
});

it('there is state of no more partitions than the limit says', async () => {
  const world = await World.open({ partitions: 3, settings: { maxPartitions: 2 } });
  await world.share('g', 0);
  await world.share('g', 1);
  expect(await refusal(world.share('g', 2))).toBe('limit-exceeded');
  await world.groups.deleteGroup('g');
  expect(await refusal(world.share('g', 2))).toBeUndefined();
});

it('what is said of records that their log has lost is said of none that come in their place', async () => {
  const world = await World.open();
  await world.produce(['a', 'b', 'c']);
  const share = await world.share();
  await acquire(share, 'm');
  await share.acknowledge('m', [{ firstOffset: 0, lastOffset: 2, types: [ACCEPT, ACCEPT, RELEASE] }]);
  const { shard, log } = world.partition();
  await shard.delete(log);
  await world.restart();
  await world.produce(['d', 'e', 'f']);
  expect(await acquire(await world.share(), 'm')).toEqual({ ranges: ['0-2×1'], values: ['d', 'e', 'f'] });
});

it('what a stop in the middle left of a topic that is gone goes at the next start', async () => {
  const world = await World.open();
  await world.share();
  await world.restart({ withoutTopic: true });
  expect([...world.groups.groupIds()]).toEqual([]);
});
