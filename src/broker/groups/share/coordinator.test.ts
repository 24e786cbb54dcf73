import { describe, expect, it } from 'vitest';
import { JOINS, LEAVES } from '../consumer/heartbeat.ts';
import { Fixture, joinRequest, refusal } from '../fixture.contract.ts';
import type { ShareHeartbeat, ShareHeartbeatResult } from './heartbeat.ts';

const SESSION = 45_000;

class Groups extends Fixture {
  constructor(...settings: ConstructorParameters<typeof Fixture>) {
    super(...settings);
    this.topics.set('t', 4);
  }

  beat(memberId: string, memberEpoch: number, fields: Partial<ShareHeartbeat> = {}): Promise<ShareHeartbeatResult> {
    const client = { clientId: 'client', clientHost: '/127.0.0.1', rackId: null };
    return this.groups.share.heartbeat({
      ...{ groupId: 'g', memberId, memberEpoch, ...client, topicNames: null },
      ...fields,
    });
  }

  join(memberId: string, topicNames: readonly string[] = ['t']): Promise<ShareHeartbeatResult> {
    return this.beat(memberId, JOINS, { topicNames });
  }

  /** Partitions of `t` that it was told. */
  partitions({ assignment }: ShareHeartbeatResult): readonly number[] | null {
    return assignment?.flatMap(({ partitions }) => partitions) ?? null;
  }
}

describe('a share group', () => {
  it('gives its only member everything, and a second one its part at once', async () => {
    const groups = new Groups();
    const first = await groups.join('a');
    expect(groups.partitions(first)).toEqual([0, 1, 2, 3]);
    const second = await groups.join('b');
    expect(groups.partitions(second)).toHaveLength(2);
    const again = await groups.beat('a', first.memberEpoch);
    expect(again.memberEpoch).toBe(second.memberEpoch);
    expect(groups.partitions(again)).toHaveLength(2);
    expect([...(groups.partitions(again) ?? []), ...(groups.partitions(second) ?? [])].sort()).toEqual([0, 1, 2, 3]);
  });

  it('tells an assignment only to who may not know it', async () => {
    const groups = new Groups();
    const { memberEpoch } = await groups.join('a');
    expect((await groups.beat('a', memberEpoch)).assignment).toBeNull();
    expect((await groups.beat('a', memberEpoch, { topicNames: ['t'] })).assignment).not.toBeNull();
    expect((await groups.join('a')).memberEpoch).toBe(memberEpoch);
  });

  it('takes the epoch before, whose answer may have been lost, and no other', async () => {
    const groups = new Groups();
    const { memberEpoch } = await groups.join('a');
    await groups.join('b');
    await groups.beat('a', memberEpoch);
    expect(await refusal(groups.beat('a', memberEpoch))).toBeUndefined();
    expect(await refusal(groups.beat('a', memberEpoch + 7))).toBe('fenced-member-epoch');
    expect(await refusal(groups.beat('nobody', memberEpoch))).toBe('unknown-member');
  });

  it('finds topics and partitions that come, and those that go', async () => {
    const groups = new Groups();
    const { memberEpoch } = await groups.join('a', ['t', 'u']);
    groups.topics.set('u', 1);
    groups.topics.set('t', 5);
    const more = await groups.beat('a', memberEpoch);
    expect(more.assignment?.flatMap(({ partitions }) => partitions)).toHaveLength(6);
    groups.topics.set('t', 0);
    const less = await groups.beat('a', more.memberEpoch);
    expect(less.assignment?.flatMap(({ partitions }) => partitions)).toHaveLength(1);
  });

  it('is without a member that leaves, or is silent for too long', async () => {
    const groups = new Groups();
    await groups.join('a');
    const { memberEpoch } = await groups.join('b');
    await groups.beat('a', LEAVES);
    expect(groups.partitions(await groups.beat('b', memberEpoch))).toEqual([0, 1, 2, 3]);
    await groups.clock.advance(SESSION - 1);
    expect(groups.groups.share.describe('g')?.state).toBe('Stable');
    await groups.clock.advance(1);
    expect(groups.groups.share.describe('g')).toMatchObject({ state: 'Empty', members: [] });
    expect(await refusal(groups.beat('b', memberEpoch))).toBe('unknown-member');
  });

  it.each(['snapshot', 'events'] as const)('goes on after a restart from its %s', async (from) => {
    const groups = new Groups();
    const { memberEpoch } = await groups.join('a');
    const before = groups.groups.share.describe('g');
    groups.restart(from);
    expect(groups.groups.share.describe('g')).toEqual(before);
    expect((await groups.beat('a', memberEpoch)).memberEpoch).toBe(memberEpoch);
    await groups.clock.advance(SESSION);
    expect(groups.groups.share.describe('g')?.state).toBe('Empty');
  });

  it('changes nothing by a heartbeat that could not be kept', async () => {
    const groups = new Groups();
    const { memberEpoch } = await groups.join('a');
    groups.log.failing = true;
    expect(await refusal(groups.join('b'))).toBe('storage-failed');
    groups.log.failing = false;
    expect(groups.groups.share.describe('g')?.members).toHaveLength(1);
    expect((await groups.beat('a', memberEpoch)).memberEpoch).toBe(memberEpoch);
  });

  it('has as many members as it may', async () => {
    const groups = new Groups({ maxShareMembers: 1 });
    await groups.join('a');
    expect(await refusal(groups.join('b'))).toBe('group-max-size');
    expect(await refusal(groups.join('a'))).toBeUndefined();
  });

  it('is listed, stays when it is empty, and is deleted only then', async () => {
    const groups = new Groups();
    await groups.join('a');
    const listed = { groupId: 'g', protocolType: 'share', type: 'share' };
    expect(groups.groups.list({ types: ['share'] })).toEqual([{ ...listed, state: 'Stable' }]);
    expect(await groups.groups.deleteGroups(['g'])).toEqual([{ groupId: 'g', error: 'group-not-empty' }]);
    await groups.beat('a', LEAVES);
    await groups.clock.advance(30 * 24 * 3_600_000);
    expect(groups.groups.list()).toEqual([{ ...listed, state: 'Empty' }]);
    expect(await groups.groups.deleteGroups(['g'])).toEqual([{ groupId: 'g', error: null }]);
    expect(groups.groups.list()).toEqual([]);
    expect(await refusal(groups.groups.share.whileEmpty('g', async () => {}))).toBe('not-found');
  });

  it('lets nobody in while something is done to it', async () => {
    const groups = new Groups();
    const order: string[] = [];
    const done = groups.groups.share.whileEmpty(
      'g',
      async () => {
        await groups.settle();
        order.push('done');
      },
      { create: true },
    );
    const joined = groups.join('a').then(() => order.push('joined'));
    await Promise.all([done, joined]);
    expect(order).toEqual(['done', 'joined']);
    expect(await refusal(groups.groups.share.whileEmpty('g', async () => {}))).toBe('group-not-empty');
  });

  it('is no group of another kind, nor do those become one', async () => {
    const groups = new Groups();
    await groups.join('a');
    expect(await refusal(groups.groups.join(joinRequest()))).toBe('inconsistent-group-protocol');
    expect(await refusal(groups.groups.fetchOffsets({ groupId: 'g', topics: null, requireStable: false }))).toBe(
      'not-found',
    );
    expect(groups.groups.describe('g')).toBeUndefined();
    const classic = groups.groups.join(joinRequest({ groupId: 'classic' }));
    await groups.settle();
    await classic;
    expect(await refusal(groups.beat('a', JOINS, { groupId: 'classic', topicNames: ['t'] }))).toBe('not-found');
  });
});
