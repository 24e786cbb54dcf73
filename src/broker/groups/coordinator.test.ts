import { describe, expect, it } from 'vitest';
import { Fixture, joinRequest, refusal, SESSION, TOPIC_ID, watch } from './fixture.contract.ts';
import type { Joined, JoinRequest } from './membership.ts';
import type { CommitRequest } from './offsets.ts';

const OTHER_ID = '11111111-2222-4333-8444-555555555555';
const DAY = 24 * 3_600_000;

function commitRequest(offset: number, request: Partial<CommitRequest> = {}): CommitRequest {
  const partitions = [{ partition: 0, offset, leaderEpoch: 3, metadata: 'm' }];
  const topics = [{ topic: 'orders', topicId: TOPIC_ID, partitions }];
  return { groupId: 'g', generation: -1, memberId: '', groupInstanceId: null, topics, ...request };
}

function identity({ memberId, generation }: Joined, groupInstanceId: string | null = null) {
  return { groupId: 'g', memberId, generation, groupInstanceId };
}

async function committed(fixture: Fixture, topicId: string | null = TOPIC_ID, groupId = 'g') {
  const topics = [{ topic: 'orders', topicId, partitions: [0] }];
  return (await fixture.groups.fetchOffsets({ groupId, topics, requireStable: false }))[0]?.partitions[0]?.offset;
}

async function member(fixture: Fixture, request: Partial<JoinRequest> = {}): Promise<Joined> {
  const answer = fixture.groups.join(joinRequest(request));
  await fixture.settle();
  const joined = (await answer) as Joined;
  const assignments = [{ memberId: joined.memberId, assignment: Buffer.from('all') }];
  await fixture.groups.sync({ ...identity(joined, request.groupInstanceId), assignments });
  return joined;
}

function leave(fixture: Fixture, memberId: string) {
  return fixture.groups.leave({ groupId: 'g', members: [{ memberId, groupInstanceId: null }] });
}

describe('offsets', () => {
  it('are committed by whoever assigns itself, while the group has no members, and read by anyone', async () => {
    const fixture = new Fixture();
    const result = await fixture.groups.commitOffsets(commitRequest(7));
    expect(result).toEqual([{ topic: 'orders', topicId: TOPIC_ID, partitions: [{ partition: 0, error: null }] }]);
    const topics = [
      { topic: 'orders', topicId: TOPIC_ID, partitions: [0, 1] },
      { topic: 'gone', topicId: null, partitions: [0] },
    ];
    const none = { offset: -1, leaderEpoch: -1, metadata: '', error: null };
    const seven = { partition: 0, offset: 7, leaderEpoch: 3, metadata: 'm', error: null };
    expect(await fixture.groups.fetchOffsets({ groupId: 'g', topics, requireStable: true })).toEqual([
      { topic: 'orders', topicId: TOPIC_ID, partitions: [seven, { partition: 1, ...none }] },
      { topic: 'gone', topicId: null, partitions: [{ partition: 0, ...none }] },
    ]);
    expect(await fixture.groups.fetchOffsets({ groupId: 'g', topics: null, requireStable: false })).toEqual([
      { topic: 'orders', topicId: TOPIC_ID, partitions: [seven] },
    ]);
    expect(await fixture.groups.fetchOffsets({ groupId: 'h', topics: null, requireStable: false })).toEqual([]);
    expect(fixture.groups.list()).toEqual([{ groupId: 'g', protocolType: '', state: 'Empty', type: 'classic' }]);
    await member(fixture);
    expect(await refusal(fixture.groups.commitOffsets(commitRequest(8)))).toBe('unknown-member');
  });

  it('are committed by members of the generation, whose session that renews, but not while assignments are made', async () => {
    const fixture = new Fixture();
    const first = await member(fixture);
    for (let i = 0; i < 5; i++) {
      await fixture.clock.advance(SESSION - 1);
      await fixture.groups.commitOffsets(commitRequest(i, identity(first)));
    }
    expect(await committed(fixture)).toBe(4);
    const commit = (fields: Partial<CommitRequest>) =>
      refusal(fixture.groups.commitOffsets(commitRequest(9, { ...identity(first), ...fields })));
    expect(await commit({ generation: 0 })).toBe('illegal-generation');
    expect(await commit({ memberId: 'x' })).toBe('unknown-member');
    expect(await commit({ groupId: 'h' })).toBe('not-found');
    const second = fixture.groups.join(joinRequest());
    await fixture.settle();
    expect(await commit({})).toBeUndefined();
    void fixture.groups.join(joinRequest({ memberId: first.memberId }));
    await second;
    expect(await commit({ generation: 2 })).toBe('rebalance-in-progress');
    expect(await committed(fixture)).toBe(9);
  });

  it('with too much metadata are refused, the others of the request are not', async () => {
    const fixture = new Fixture({ maxOffsetMetadataLength: 3 });
    const partitions = ['abcd', 'abc', null].map((metadata, partition) => ({
      partition,
      offset: 5,
      leaderEpoch: -1,
      metadata,
    }));
    const topics = [{ topic: 'orders', topicId: TOPIC_ID, partitions }];
    const [result] = await fixture.groups.commitOffsets(commitRequest(0, { topics }));
    expect(result?.partitions.map(({ error }) => error)).toEqual(['limit-exceeded', null, null]);
    expect(await committed(fixture)).toBe(-1);
  });

  it('are answered when they are durable, not before', async () => {
    const fixture = new Fixture();
    fixture.log.hold();
    const answer = watch(fixture.groups.commitOffsets(commitRequest(7)));
    await fixture.settle();
    expect(answer.settled).toBe(false);
    expect(await committed(fixture)).toBe(-1);
    fixture.log.release();
    await fixture.settle();
    expect(answer.settled).toBe(true);
    expect(await committed(fixture)).toBe(7);
  });

  it('of a topic that was deleted are gone, and not those of one created again under its name', async () => {
    const fixture = new Fixture();
    await fixture.groups.commitOffsets(commitRequest(7));
    expect(await committed(fixture, OTHER_ID)).toBe(-1);
    const partitions = [{ partition: 0, offset: 1, leaderEpoch: -1, metadata: null }];
    await fixture.groups.commitOffsets(
      commitRequest(0, { topics: [{ topic: 'orders', topicId: OTHER_ID, partitions }] }),
    );
    await fixture.groups.onTopicDeleted(TOPIC_ID);
    expect(await committed(fixture)).toBe(-1);
    expect(await committed(fixture, OTHER_ID)).toBe(1);
  });

  it('are deleted unless the group consumes the topic', async () => {
    const fixture = new Fixture();
    const remove = () =>
      fixture.groups.deleteOffsets({ groupId: 'g', topics: [{ topic: 'orders', topicId: TOPIC_ID, partitions: [0] }] });
    expect(await refusal(remove())).toBe('not-found');
    const first = await member(fixture);
    await fixture.groups.commitOffsets(commitRequest(7, identity(first)));
    expect((await remove())[0]?.partitions).toEqual([{ partition: 0, error: 'group-subscribed-to-topic' }]);
    expect(await committed(fixture)).toBe(7);
    await leave(fixture, first.memberId);
    const other = await member(fixture, { protocols: [{ name: 'range', metadata: Buffer.from('bills') }] });
    expect((await remove())[0]?.partitions).toEqual([{ partition: 0, error: null }]);
    expect(await committed(fixture)).toBe(-1);
    await leave(fixture, other.memberId);
    const unreadable = await member(fixture, { protocols: [{ name: 'range', metadata: Buffer.from('?') }] });
    expect((await remove())[0]?.partitions).toEqual([{ partition: 0, error: 'group-subscribed-to-topic' }]);
    await leave(fixture, unreadable.memberId);
    await member(fixture, { protocolType: 'connect' });
    expect(await refusal(remove())).toBe('group-not-empty');
  });
});

describe('expiry', () => {
  it('counts from the commit in a group without members, and takes the group with its last offset', async () => {
    const fixture = new Fixture({ offsetsRetentionCheckMs: DAY / 4 });
    await fixture.groups.commitOffsets(commitRequest(7));
    await fixture.clock.advance(6 * DAY);
    await fixture.groups.commitOffsets(commitRequest(8));
    await fixture.clock.advance(6.75 * DAY);
    expect(await committed(fixture)).toBe(8);
    await fixture.clock.advance(DAY / 4);
    expect(await committed(fixture)).toBe(-1);
    expect(fixture.groups.list()).toEqual([]);
  });

  it('counts from when the last member was gone; before that, only for topics that are not consumed any more', async () => {
    const fixture = new Fixture({ offsetsRetentionCheckMs: DAY / 4, maxSessionTimeoutMs: 30 * DAY });
    const first = await member(fixture, { sessionTimeoutMs: 30 * DAY });
    await fixture.groups.commitOffsets(commitRequest(7, identity(first)));
    const partitions = [{ partition: 0, offset: 1, leaderEpoch: -1, metadata: null }];
    const topics = [{ topic: 'bills', topicId: OTHER_ID, partitions }];
    await fixture.groups.commitOffsets(commitRequest(0, { ...identity(first), topics }));
    await fixture.clock.advance(10 * DAY);
    expect(await committed(fixture)).toBe(7);
    expect(await committed(fixture, OTHER_ID)).toBe(-1);
    await leave(fixture, first.memberId);
    await fixture.clock.advance(6.75 * DAY);
    expect(await committed(fixture)).toBe(7);
    await fixture.clock.advance(DAY / 4);
    expect(await committed(fixture)).toBe(-1);
    expect(fixture.groups.describe('g')).toBeUndefined();
  });

  it('heeds the time that a commit asked for', async () => {
    const fixture = new Fixture({ offsetsRetentionCheckMs: 1_000 });
    await fixture.groups.commitOffsets(commitRequest(7, { retentionMs: 5_000 }));
    await fixture.clock.advance(4_999);
    expect(await committed(fixture)).toBe(7);
    await fixture.clock.advance(1);
    expect(await committed(fixture)).toBe(-1);
  });

  it('does not take an offset that was committed anew while its end was on the way', async () => {
    const fixture = new Fixture({ offsetsRetentionCheckMs: 1_000, offsetsRetentionMs: 1_500 });
    await fixture.groups.commitOffsets(commitRequest(7));
    await fixture.clock.advance(1_999);
    fixture.log.hold();
    const commit = fixture.groups.commitOffsets(commitRequest(8));
    await fixture.clock.advance(1);
    fixture.log.release();
    await commit;
    await fixture.settle();
    expect(await committed(fixture)).toBe(8);
    expect(fixture.groups.describe('g')).toBeDefined();
  });

  it('warns of a failure and tries again', async () => {
    const fixture = new Fixture({ offsetsRetentionCheckMs: 1_000, offsetsRetentionMs: 1_000 });
    await fixture.groups.commitOffsets(commitRequest(7));
    fixture.log.failing = true;
    await fixture.clock.advance(1_000);
    expect(fixture.warnings).toEqual(['expired offsets were not deleted']);
    fixture.log.failing = false;
    await fixture.clock.advance(1_000);
    expect(fixture.groups.list()).toEqual([]);
  });
});

describe('groups', () => {
  it('are listed by state and type, described, and deleted when they are empty', async () => {
    const fixture = new Fixture();
    const first = await member(fixture);
    await fixture.groups.commitOffsets(commitRequest(7, { groupId: 'h' }));
    expect(fixture.groups.list({ states: ['stable'] })).toEqual([
      { groupId: 'g', protocolType: 'consumer', state: 'Stable', type: 'classic' },
    ]);
    expect(
      fixture.groups.list({ states: ['Empty', 'Dead'], types: ['Classic'] }).map(({ groupId }) => groupId),
    ).toEqual(['h']);
    expect(fixture.groups.list({ types: ['consumer'] })).toEqual([]);
    expect(fixture.groups.describe('g')).toEqual({
      groupId: 'g',
      state: 'Stable',
      protocolType: 'consumer',
      protocolName: 'range',
      members: [
        {
          memberId: first.memberId,
          groupInstanceId: null,
          clientId: 'client',
          clientHost: '/127.0.0.1',
          metadata: Buffer.from('orders'),
          assignment: Buffer.from('all'),
        },
      ],
    });
    expect(await fixture.groups.deleteGroups(['g', 'h', 'x', ''])).toEqual([
      { groupId: 'g', error: 'group-not-empty' },
      { groupId: 'h', error: null },
      { groupId: 'x', error: 'not-found' },
      { groupId: '', error: 'invalid-group' },
    ]);
    await leave(fixture, first.memberId);
    expect(await fixture.groups.deleteGroups(['g'])).toEqual([{ groupId: 'g', error: null }]);
    expect(fixture.groups.list()).toEqual([]);
    expect(await member(fixture)).toMatchObject({ generation: 1 });
  });

  it('whose emptiness could not be stored are stored later', async () => {
    const fixture = new Fixture({ offsetsRetentionCheckMs: 60_000 });
    const first = await member(fixture);
    fixture.log.failing = true;
    await leave(fixture, first.memberId);
    expect(fixture.warnings.length).toBe(1);
    expect(fixture.log.state.groups.get('g')?.membership?.members.length).toBe(1);
    fixture.log.failing = false;
    await fixture.clock.advance(60_000);
    expect(fixture.log.state.groups.get('g')?.membership?.members ?? []).toEqual([]);
  });
});

describe.each(['snapshot', 'events'] as const)('after a restart from %s', (from) => {
  it('members that only send heartbeats go on in their generation, with a whole session', async () => {
    const fixture = new Fixture();
    const first = await member(fixture, { groupInstanceId: 'i' });
    await fixture.groups.commitOffsets(commitRequest(7, identity(first, 'i')));
    await fixture.clock.advance(SESSION - 1);
    fixture.restart(from);
    await fixture.clock.advance(SESSION - 1);
    await fixture.groups.heartbeat(identity(first, 'i'));
    const synced = await fixture.groups.sync({ ...identity(first, 'i'), assignments: [] });
    expect(synced).toEqual({ protocolType: 'consumer', protocolName: 'range', assignment: Buffer.from('all') });
    expect(await committed(fixture)).toBe(7);
    const anew = fixture.groups.join(joinRequest({ groupInstanceId: 'i' }));
    expect(await anew).toMatchObject({ generation: first.generation, skipAssignment: true });
    expect(await refusal(fixture.groups.heartbeat(identity(first, 'i')))).toBe('fenced-instance');
  });

  it('members that do not come back are gone after a session', async () => {
    const fixture = new Fixture();
    const first = await member(fixture);
    fixture.restart(from);
    await fixture.clock.advance(SESSION);
    expect(fixture.groups.describe('g')).toMatchObject({ state: 'Empty', members: [] });
    expect(await refusal(fixture.groups.heartbeat(identity(first)))).toBe('unknown-member');
    fixture.restart(from);
    expect(await member(fixture)).toMatchObject({ generation: 3 });
  });

  it('a rebalance that was not complete is forgotten, and the members of the one before are there', async () => {
    const fixture = new Fixture();
    const first = await member(fixture);
    const second = refusal(fixture.groups.join(joinRequest()));
    fixture.restart(from);
    expect(await second).toBe('closed');
    await fixture.groups.heartbeat(identity(first));
    expect(fixture.groups.describe('g')?.members.length).toBe(1);
  });
});
