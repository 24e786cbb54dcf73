import { describe, expect, it } from 'vitest';
import { Fixture, joinRequest, refusal } from '../fixture.contract.ts';
import type { JoinRequest, JoinResult } from '../membership.ts';
import type { CommitRequest } from '../offsets.ts';
import type { AssignedTopic } from './assignment.ts';
import { type ConsumerHeartbeat, type ConsumerHeartbeatResult, JOINS, LEAVES, LEAVES_FOR_NOW } from './heartbeat.ts';

const REBALANCE = 20_000;
const SESSION = 45_000;

const heartbeat = (fields: Partial<ConsumerHeartbeat>): ConsumerHeartbeat => ({
  groupId: 'g',
  memberId: 'a',
  memberEpoch: JOINS,
  instanceId: null,
  clientId: 'client',
  clientHost: '/127.0.0.1',
  rackId: null,
  rebalanceTimeoutMs: -1,
  topicNames: null,
  topicRegex: null,
  assignor: null,
  owned: null,
  ...fields,
});

class Group extends Fixture {
  constructor(...settings: ConstructorParameters<typeof Fixture>) {
    super(...settings);
    this.topics.set('t', 4);
  }

  join(memberId: string, fields: Partial<ConsumerHeartbeat> = {}): Promise<ConsumerHeartbeatResult> {
    const all = { rebalanceTimeoutMs: REBALANCE, topicNames: ['t'], owned: [] };
    return this.groups.consumerHeartbeat(heartbeat({ memberId, ...all, ...fields }));
  }

  async joinClassic(request: JoinRequest): Promise<JoinResult> {
    const joined = this.groups.join(request);
    await this.settle();
    return await joined;
  }

  beat(
    memberId: string,
    memberEpoch: number,
    owned: readonly AssignedTopic[] | null = null,
    fields: Partial<ConsumerHeartbeat> = {},
  ) {
    return this.groups.consumerHeartbeat(heartbeat({ memberId, memberEpoch, owned, ...fields }));
  }

  get t(): string {
    return this.topics.byName('t')?.topicId ?? '';
  }

  partitions(...partitions: number[]): AssignedTopic[] {
    return [{ topicId: this.t, partitions }];
  }

  get state(): string | undefined {
    return this.groups.describeConsumers('g')?.state;
  }

  /** a has 0 and 1, b has 2 and 3, both in epoch 2. */
  async withTwo(): Promise<void> {
    await this.join('a');
    await this.join('b');
    await this.beat('a', 1, this.partitions(0, 1, 2, 3));
    await this.beat('a', 1, this.partitions(0, 1));
    await this.beat('b', 2, []);
  }

  commit(fields: Partial<CommitRequest>) {
    return this.groups.commitOffsets({
      ...{ groupId: 'g', generation: -1, memberId: '', groupInstanceId: null },
      topics: [
        { topic: 't', topicId: this.t, partitions: [{ partition: 0, offset: 7, leaderEpoch: -1, metadata: null }] },
      ],
      ...fields,
    });
  }
}

describe('a member', () => {
  it('is given all partitions, and gives back what a newcomer is to have before the newcomer gets it', async () => {
    const group = new Group();
    expect(await group.join('a')).toEqual({
      memberId: 'a',
      memberEpoch: 1,
      heartbeatIntervalMs: 5_000,
      assignment: group.partitions(0, 1, 2, 3),
    });
    expect(group.state).toBe('Stable');
    expect(await group.join('b')).toMatchObject({ memberEpoch: 2, assignment: [] });
    expect(group.state).toBe('Reconciling');
    expect(await group.beat('a', 1)).toMatchObject({ memberEpoch: 1, assignment: group.partitions(0, 1) });
    expect(await group.beat('b', 2)).toMatchObject({ memberEpoch: 2, assignment: null });
    // It still has one of those that it has to give back.
    expect(await group.beat('a', 1, group.partitions(0, 1, 2))).toMatchObject({ memberEpoch: 1, assignment: null });
    expect(await group.beat('b', 2)).toMatchObject({ assignment: null });
    expect(await group.beat('a', 1, group.partitions(0, 1))).toMatchObject({ memberEpoch: 2, assignment: null });
    expect(await group.beat('b', 2)).toMatchObject({ memberEpoch: 2, assignment: group.partitions(2, 3) });
    expect(group.state).toBe('Stable');
    expect(await group.beat('b', 2)).toMatchObject({ assignment: null });
  });

  it('that leaves, or is silent for a session, is gone, and others have what it had', async () => {
    const group = new Group();
    await group.withTwo();
    expect(await group.beat('b', LEAVES)).toMatchObject({ memberId: 'b', memberEpoch: LEAVES });
    expect(group.state).toBe('Assigning');
    expect(await group.beat('a', 2)).toMatchObject({ memberEpoch: 3, assignment: group.partitions(0, 1, 2, 3) });
    expect(await refusal(group.beat('b', 2))).toBe('unknown-member');
    await group.clock.advance(SESSION - 1);
    expect(group.state).toBe('Stable');
    await group.clock.advance(1);
    expect(group.state).toBe('Empty');
    expect(await refusal(group.beat('a', 3))).toBe('unknown-member');
  });

  it('that does not give back in its time is gone though it is alive', async () => {
    const group = new Group();
    await group.join('a');
    await group.join('b');
    await group.beat('a', 1);
    await group.clock.advance(REBALANCE - 1);
    await group.beat('a', 1, group.partitions(0, 1, 2, 3));
    await group.clock.advance(1);
    expect(await refusal(group.beat('a', 1))).toBe('unknown-member');
    expect(await group.beat('b', 2)).toMatchObject({ assignment: group.partitions(0, 1, 2, 3) });
  });

  it('with another epoch is fenced, but for one whose answer was lost', async () => {
    const group = new Group();
    await group.withTwo();
    expect(await refusal(group.beat('a', 3))).toBe('fenced-member-epoch');
    expect(await refusal(group.beat('a', JOINS, []))).toBe('fenced-member-epoch');
    expect(await group.beat('a', 1, group.partitions(0))).toMatchObject({ memberEpoch: 2 });
    // It does not say what it has, or has what it should not.
    expect(await refusal(group.beat('a', 1))).toBe('fenced-member-epoch');
    expect(await refusal(group.beat('a', 1, group.partitions(2)))).toBe('fenced-member-epoch');
    expect(await refusal(group.beat('nobody', 2))).toBe('unknown-member');
    expect(await refusal(group.beat('a', 2, null, { groupId: 'other' }))).toBe('not-found');
    const again = await group.join('c');
    expect(await group.join('c')).toEqual(again);
  });

  it('without an id is given one', async () => {
    const group = new Group();
    const { memberId, memberEpoch } = await group.join('');
    expect(memberId).not.toBe('');
    expect(await group.beat(memberId, memberEpoch)).toMatchObject({ memberId, assignment: null });
  });

  it('that says everything is told everything', async () => {
    const group = new Group();
    await group.join('a');
    const all = { rebalanceTimeoutMs: REBALANCE, topicNames: ['t'] };
    expect(await group.beat('a', 1, [], all)).toMatchObject({ assignment: group.partitions(0, 1, 2, 3) });
  });

  it('is told of topics that are made, grow and go, and of those that its expression finds', async () => {
    const group = new Group({ topicRegexRetryMs: 1_000 });
    await group.join('a', { topicNames: ['later'], topicRegex: 't.*' });
    expect(await refusal(group.join('b', { topicRegex: '(' }))).toBe('invalid-regular-expression');
    const counts = ({ assignment }: ConsumerHeartbeatResult) => assignment?.map(({ partitions }) => partitions.length);
    group.topics.set('later', 1);
    group.topics.set('t', 5);
    group.topics.set('t2', 3);
    const second = await group.beat('a', 1);
    expect(second.memberEpoch).toBe(2);
    // Expressions are not tried on all topics all the time; partitions of topics that they found are looked at.
    expect(counts(second)?.sort()).toEqual([1, 5]);
    await group.clock.advance(1_000);
    const third = await group.beat('a', 2);
    expect(third.memberEpoch).toBe(3);
    expect(counts(third)?.sort()).toEqual([1, 3, 5]);
    group.topics.set('t', 0);
    const fourth = await group.beat('a', 3);
    expect(fourth).toMatchObject({ memberEpoch: 3 });
    expect(counts(fourth)?.sort()).toEqual([1, 3]);
    expect(await group.beat('a', 3, fourth.assignment)).toMatchObject({ memberEpoch: 4, assignment: null });
    // An expression that is taken back.
    const fifth = await group.beat('a', 4, fourth.assignment, { topicRegex: '' });
    expect(counts(fifth)).toEqual([1]);
  });

  it('goes on in its epoch after a restart, with a whole session', async () => {
    for (const from of ['snapshot', 'events'] as const) {
      const group = new Group();
      await group.withTwo();
      await group.join('c');
      const before = group.groups.describeConsumers('g');
      await group.clock.advance(SESSION - 1);
      group.restart(from);
      expect(group.groups.describeConsumers('g')).toEqual(before);
      await group.clock.advance(SESSION - 1);
      expect(await group.beat('b', 2)).toMatchObject({ memberEpoch: 2 });
      await group.clock.advance(1);
      expect(group.groups.describeConsumers('g')?.members).toHaveLength(1);
    }
  });

  it('is not heard when that cannot be stored, and nothing has changed', async () => {
    const group = new Group();
    await group.join('a');
    const before = group.groups.describeConsumers('g');
    group.log.failing = true;
    expect(await refusal(group.join('b'))).toBe('storage-failed');
    expect(group.groups.describeConsumers('g')).toEqual(before);
    expect(await group.beat('a', 1)).toMatchObject({ memberEpoch: 1 });
    await group.clock.advance(SESSION);
    expect(group.warnings).toHaveLength(1);
    group.log.failing = false;
    await group.clock.advance(SESSION);
    expect(group.state).toBe('Empty');
  });
});

describe('a static member', () => {
  const i = { instanceId: 'i' };

  it('that leaves for now is followed by one with its instance id, and nobody else notices', async () => {
    const group = new Group();
    await group.join('a', i);
    await group.join('b');
    await group.beat('a', 1, group.partitions(0, 1), i);
    await group.beat('a', 1, group.partitions(0, 1), i);
    await group.beat('b', 2, []);
    expect(await refusal(group.join('a2', i))).toBe('unreleased-instance');
    expect(await group.beat('a', LEAVES_FOR_NOW, null, i)).toMatchObject({ memberEpoch: LEAVES_FOR_NOW });
    expect(await group.beat('b', 2)).toMatchObject({ memberEpoch: 2, assignment: null });
    expect(await group.join('a2', i)).toMatchObject({ memberEpoch: 2, assignment: group.partitions(0, 1) });
    expect(await group.beat('b', 2)).toMatchObject({ memberEpoch: 2, assignment: null });
    expect(await refusal(group.beat('a', 2, null, i))).toBe('fenced-instance');
    expect(await refusal(group.beat('x', 2, null, { instanceId: 'x' }))).toBe('unknown-member');
    expect(group.state).toBe('Stable');
  });

  it('may come back with the id that it had, and with other topics', async () => {
    const group = new Group();
    group.topics.set('u', 2);
    await group.join('a', i);
    await group.beat('a', LEAVES_FOR_NOW, null, i);
    expect(await group.join('a', i)).toMatchObject({ memberEpoch: 1, assignment: group.partitions(0, 1, 2, 3) });
    await group.beat('a', LEAVES_FOR_NOW, null, i);
    const u = [{ topicId: group.topics.byName('u')?.topicId, partitions: [0, 1] }];
    expect(await group.join('a3', { ...i, topicNames: ['u'] })).toMatchObject({ memberEpoch: 2, assignment: u });
    await group.beat('a3', LEAVES_FOR_NOW, null, i);
    expect(await group.join('a4', { ...i, topicNames: [] })).toMatchObject({ memberEpoch: 3, assignment: [] });
  });

  it('that does not come back is gone after its session; an administrator removes it at once', async () => {
    const group = new Group();
    await group.join('a', i);
    await group.beat('a', LEAVES_FOR_NOW, null, i);
    group.restart('events');
    await group.clock.advance(SESSION);
    expect(group.state).toBe('Empty');
    await group.join('b', i);
    const removed = await group.groups.leave({
      groupId: 'g',
      members: [
        { memberId: 'b', groupInstanceId: 'i' },
        { memberId: 'x', groupInstanceId: null },
        { memberId: '', groupInstanceId: 'j' },
      ],
    });
    expect(removed.map(({ error }) => error)).toEqual([null, 'unknown-member', 'unknown-member']);
    expect(group.state).toBe('Empty');
  });
});

describe('offsets', () => {
  it('are committed and fetched by members in their epoch, and by others when there is none', async () => {
    const group = new Group();
    await group.commit({});
    await group.join('a');
    const topics = null;
    const fetch = (memberId: string | null, memberEpoch: number) =>
      group.groups.fetchOffsets({ groupId: 'g', topics, requireStable: false, memberId, memberEpoch });
    expect(await refusal(group.commit({ memberId: 'a', generation: 1 }))).toBeUndefined();
    expect(await refusal(group.commit({ memberId: 'a', generation: 2 }))).toBe('stale-member-epoch');
    expect(await refusal(group.commit({ memberId: 'a', generation: 1, knowsEpochs: false }))).toBe('unsupported');
    expect(await refusal(group.commit({ memberId: 'x', generation: 1 }))).toBe('unknown-member');
    expect(await refusal(group.commit({}))).toBe('unknown-member');
    expect(await fetch('a', 1)).toHaveLength(1);
    expect(await fetch(null, -1)).toHaveLength(1);
    expect(await refusal(fetch('a', 0))).toBe('stale-member-epoch');
    expect(await refusal(fetch('x', 1))).toBe('unknown-member');
    await group.beat('a', LEAVES);
    expect(await refusal(group.commit({}))).toBeUndefined();
    expect(await refusal(group.commit({ memberId: 'a', generation: 1 }))).toBe('unknown-member');
    const commit = { groupId: 'none', memberId: 'a', generation: 1 };
    expect(await refusal(group.commit(commit))).toBe('not-found');
  });

  it('of a transaction are refused by generation, as producers know no epochs', async () => {
    const group = new Group();
    await group.join('a');
    const commit = (memberId: string, generation: number) =>
      group.groups.commitTransactionalOffsets({
        ...{ groupId: 'g', generation, memberId, groupInstanceId: null, producerId: 1 },
        topics: [
          { topic: 't', topicId: group.t, partitions: [{ partition: 0, offset: 1, leaderEpoch: -1, metadata: null }] },
        ],
      });
    expect(await refusal(commit('a', 1))).toBeUndefined();
    expect(await refusal(commit('', -1))).toBeUndefined();
    expect(await refusal(commit('a', 2))).toBe('illegal-generation');
    expect(await refusal(commit('x', 1))).toBe('unknown-member');
  });

  it('of topics that members consume are neither deleted nor forgotten; others are, counted from when the group was empty', async () => {
    const group = new Group({ offsetsRetentionMs: 1_000_000, offsetsRetentionCheckMs: 10_000 });
    await group.join('a');
    await group.commit({ memberId: 'a', generation: 1 });
    const topics = [{ topic: 't', topicId: group.t, partitions: [0] }];
    const [deleted] = await group.groups.deleteOffsets({ groupId: 'g', topics });
    expect(deleted?.partitions).toEqual([{ partition: 0, error: 'group-subscribed-to-topic' }]);
    for (let passed = 0; passed < 1_200_000; passed += 40_000) {
      await group.beat('a', 1);
      await group.clock.advance(40_000);
    }
    await group.beat('a', LEAVES);
    const known = () => group.groups.list().length;
    await group.clock.advance(980_000);
    expect(known()).toBe(1);
    await group.clock.advance(40_000);
    expect(known()).toBe(0);
  });
});

describe('a group', () => {
  it('is deleted when it is empty only, and listed by its type and state', async () => {
    const group = new Group();
    await group.join('a');
    await group.commit({ groupId: 'classic' });
    const list = (filter: Parameters<typeof group.groups.list>[0]) =>
      group.groups.list(filter).map(({ groupId }) => groupId);
    expect(list({ types: ['Consumer'] })).toEqual(['g']);
    expect(list({ types: ['classic'] })).toEqual(['classic']);
    expect(list({ states: ['stable'] })).toEqual(['g']);
    expect(group.groups.describe('g')).toBeUndefined();
    expect(group.groups.describeConsumers('classic')).toBeUndefined();
    expect(await group.groups.deleteGroups(['g'])).toEqual([{ groupId: 'g', error: 'group-not-empty' }]);
    await group.beat('a', LEAVES);
    // A member that joins at the same time is not lost with it.
    group.log.hold();
    const joining = group.join('b');
    const deleting = group.groups.deleteGroups(['g']);
    await group.settle();
    group.log.release();
    await joining;
    expect(await deleting).toEqual([{ groupId: 'g', error: 'group-not-empty' }]);
    await group.beat('b', LEAVES);
    expect(await group.groups.deleteGroups(['g'])).toEqual([{ groupId: 'g', error: null }]);
    expect(list({})).toEqual(['classic']);
    expect(await group.join('c')).toMatchObject({ memberEpoch: 1 });
  });

  it('changes its protocol, both ways, when it is empty, and keeps its offsets; not before where that is disabled', async () => {
    const group = new Group({ consumerMigrationPolicy: 'disabled' });
    const { groups } = group;
    const request = joinRequest({ protocols: [{ name: 'range', metadata: Buffer.from('t') }] });
    const classic = await group.joinClassic(request);
    expect(await refusal(group.join('a'))).toBe('not-found');
    const identity = { groupId: 'g', memberId: classic.memberId, groupInstanceId: null, generation: 1 };
    await groups.sync({ ...identity, assignments: [] });
    await group.commit({ memberId: classic.memberId, generation: 1 });
    expect(await refusal(group.join('a'))).toBe('not-found');
    await groups.leave({ groupId: 'g', members: [identity] });
    // Its epochs go on after the generations.
    expect(await group.join('a')).toMatchObject({ memberEpoch: 3 });
    expect(groups.list()).toMatchObject([{ type: 'consumer' }]);
    expect(await refusal(groups.join(request))).toBe('inconsistent-group-protocol');
    expect(await refusal(groups.heartbeat(identity))).toBe('unknown-member');
    expect(await refusal(groups.join({ ...request, memberId: 'a' }))).toBe('inconsistent-group-protocol');
    await group.beat('a', LEAVES);
    const again = await group.joinClassic(request);
    expect(again).toMatchObject({ joined: true, generation: 5 });
    await groups.sync({ ...identity, memberId: again.memberId, generation: 5, assignments: [] });
    expect(groups.list()).toMatchObject([{ type: 'classic', state: 'Stable' }]);
    group.restart('events');
    expect(group.groups.list()).toMatchObject([{ type: 'classic', state: 'Stable' }]);
    expect(await group.groups.fetchOffsets({ groupId: 'g', topics: null, requireStable: false })).toHaveLength(1);
  });

  it('has limits for its members, their subscriptions and those of all groups', async () => {
    const group = new Group({
      maxMembers: 1,
      maxTotalMembers: 2,
      maxMemberMetadataBytes: 100,
      maxGroups: 3,
      maxTotalMetadataBytes: 500,
    });
    await group.join('a');
    expect(await refusal(group.join('b'))).toBe('group-max-size');
    await group.join('b', { groupId: 'h' });
    expect(await refusal(group.join('c', { groupId: 'i' }))).toBe('group-max-size');
    expect(await refusal(group.beat('a', 1, null, { topicNames: ['x'.repeat(101)] }))).toBe('limit-exceeded');
    await group.beat('b', LEAVES, null, { groupId: 'h' });
    await group.join('c', { groupId: 'i' });
    expect(await refusal(group.join('c', { groupId: 'j' }))).toBe('limit-exceeded');
    group.topics.set('t', 100);
    expect(await refusal(group.beat('a', 1))).toBe('limit-exceeded');
    group.topics.set('t', 4);
    await group.beat('a', LEAVES);
    await group.beat('c', LEAVES, null, { groupId: 'i' });
    // Nothing of them counts any more.
    expect(await group.join('d', { topicNames: ['x'.repeat(99)], groupId: 'g' })).toMatchObject({ assignment: [] });
  });

  it('leaves no timer behind when the broker ends', async () => {
    const group = new Group();
    await group.withTwo();
    group.groups.close();
    expect(group.clock.pending).toBe(0);
    expect(await refusal(group.beat('a', 2))).toBe('closed');
  });
});
