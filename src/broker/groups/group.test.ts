import { describe, expect, it } from 'vitest';
import { Fixture, joinRequest, REBALANCE, refusal, SESSION, watch } from './fixture.contract.ts';
import type { Joined, JoinRequest, SyncResult } from './membership.ts';

function protocol(name: string, topics = 'orders') {
  return { name, metadata: Buffer.from(topics) };
}

async function joined(fixture: Fixture, request: Partial<JoinRequest> = {}): Promise<Joined> {
  const answer = fixture.groups.join(joinRequest(request));
  await fixture.settle();
  const result = await answer;
  if (!result.joined) throw new Error('asked to come again');
  return result;
}

/** Each member gets its own id as its assignment. */
function sync(fixture: Fixture, { memberId, generation, members }: Joined, instance: string | null = null) {
  const assignments = members.map((member) => ({ ...member, assignment: Buffer.from(member.memberId) }));
  return fixture.groups.sync({ groupId: 'g', memberId, groupInstanceId: instance, generation, assignments });
}

function heartbeat(fixture: Fixture, { memberId, generation }: Joined, groupInstanceId: string | null = null) {
  return refusal(fixture.groups.heartbeat({ groupId: 'g', memberId, groupInstanceId, generation }));
}

function leave(fixture: Fixture, memberId: string, groupInstanceId: string | null = null) {
  return fixture.groups.leave({ groupId: 'g', members: [{ memberId, groupInstanceId }] });
}

function stateOf(fixture: Fixture): string | undefined {
  return fixture.groups.describe('g')?.state;
}

/** A stable group: the first leads. */
async function stable(fixture: Fixture, count: number, of: (i: number) => Partial<JoinRequest> = () => ({})) {
  const joins: Promise<unknown>[] = [];
  for (let i = 0; i < count; i++) joins.push(fixture.groups.join(joinRequest(of(i))));
  await fixture.settle();
  const members = (await Promise.all(joins)) as Joined[];
  await Promise.all(members.map((member, i) => sync(fixture, member, of(i).groupInstanceId ?? null)));
  return members;
}

describe('a rebalance', () => {
  it('gives all who join one generation, one leader, and each the assignment that the leader made for it', async () => {
    const fixture = new Fixture();
    const members = await stable(fixture, 3);
    expect(members.map(({ generation }) => generation)).toEqual([1, 1, 1]);
    expect(new Set(members.map(({ leader }) => leader)).size).toBe(1);
    expect(members.filter((member) => member.members.length > 0).map(({ memberId }) => memberId)).toEqual([
      members[0]?.leader,
    ]);
    for (const member of members) {
      expect((await sync(fixture, member)).assignment.toString()).toBe(member.memberId);
    }
    expect(stateOf(fixture)).toBe('Stable');
  });

  it('waits for more members in an empty group, for as long as they keep coming and the rebalance time-out allows', async () => {
    const fixture = new Fixture({ initialRebalanceDelayMs: 3_000 });
    const first = watch(fixture.groups.join(joinRequest({ rebalanceTimeoutMs: 7_000 })));
    await fixture.clock.advance(2_999);
    expect(first.settled).toBe(false);
    void fixture.groups.join(joinRequest({ rebalanceTimeoutMs: 7_000 }));
    await fixture.clock.advance(2_999);
    expect(first.settled).toBe(false);
    void fixture.groups.join(joinRequest({ rebalanceTimeoutMs: 7_000 }));
    await fixture.clock.advance(1_001);
    expect(first.settled).toBe(false);
    await fixture.clock.advance(1);
    expect(first.value).toMatchObject({ generation: 1 });
    expect(fixture.groups.describe('g')?.members.length).toBe(3);
  });

  it('calls the others to join again when a member comes, and takes who does not join in time for failed', async () => {
    const fixture = new Fixture();
    const [first, second] = await stable(fixture, 2);
    const third = watch(fixture.groups.join(joinRequest()));
    expect(await heartbeat(fixture, first!)).toBe('rebalance-in-progress');
    const again = watch(fixture.groups.join(joinRequest({ memberId: first!.memberId })));
    for (let passed = 0; passed < REBALANCE; passed += 5_000) {
      await fixture.clock.advance(4_999);
      expect(third.settled).toBe(false);
      expect(await heartbeat(fixture, second!)).toBe('rebalance-in-progress');
      await fixture.clock.advance(1);
    }
    expect(third.value).toMatchObject({ generation: 2 });
    expect(again.value).toMatchObject({ generation: 2, leader: first!.memberId });
    expect(await heartbeat(fixture, second!)).toBe('unknown-member');
  });

  it('refuses a waiting sync when a member joins before the leader assigned', async () => {
    const fixture = new Fixture();
    const joins = [fixture.groups.join(joinRequest()), fixture.groups.join(joinRequest())];
    await fixture.settle();
    const follower = ((await Promise.all(joins)) as Joined[]).find(({ members }) => members.length === 0)!;
    const waiting = refusal(sync(fixture, follower));
    void fixture.groups.join(joinRequest());
    expect(await waiting).toBe('rebalance-in-progress');
    expect(stateOf(fixture)).toBe('PreparingRebalance');
  });

  it('takes a member for failed that does not sync within the rebalance time-out, though it gives signs of life', async () => {
    const fixture = new Fixture();
    const [first] = await stable(fixture, 1);
    const joins = [fixture.groups.join(joinRequest()), fixture.groups.join(joinRequest({ memberId: first!.memberId }))];
    await fixture.settle();
    const [follower, leader] = (await Promise.all(joins)) as [Joined, Joined];
    await sync(fixture, leader);
    for (let passed = 0; passed < REBALANCE; passed += 5_000) {
      expect(await heartbeat(fixture, follower)).toBeUndefined();
      expect(await heartbeat(fixture, leader)).toBeUndefined();
      await fixture.clock.advance(5_000);
    }
    expect(await heartbeat(fixture, follower)).toBe('unknown-member');
    expect(await heartbeat(fixture, leader)).toBe('rebalance-in-progress');
  });

  it('lets a member that leaves the others no time have a session to ask for its assignment', async () => {
    const fixture = new Fixture();
    const hasty = await joined(fixture, { rebalanceTimeoutMs: 0 });
    await fixture.clock.advance(SESSION - 1);
    expect((await sync(fixture, hasty)).assignment.toString()).toBe(hasty.memberId);
  });

  it('chooses the protocol that most members like best of those that all can do', async () => {
    const fixture = new Fixture();
    const members = await stable(fixture, 3, (i) => ({
      protocols: [
        [protocol('a'), protocol('c'), protocol('b')],
        [protocol('b'), protocol('c')],
        [protocol('b'), protocol('c')],
      ][i]!,
    }));
    expect(members.map(({ protocolName }) => protocolName)).toEqual(['b', 'b', 'b']);
  });

  it('is begun by a leader that joins again, and by metadata that changed, but not by a follower that comes back', async () => {
    const fixture = new Fixture();
    const [leader, follower] = await stable(fixture, 2);
    const { memberId } = follower!;
    expect(await joined(fixture, { memberId })).toMatchObject({ generation: 1, members: [] });
    expect(stateOf(fixture)).toBe('Stable');
    const changed = watch(fixture.groups.join(joinRequest({ memberId, protocols: [protocol('range', 'bills')] })));
    expect(stateOf(fixture)).toBe('PreparingRebalance');
    await joined(fixture, { memberId: leader!.memberId });
    expect(changed.value).toMatchObject({ generation: 2 });
    await Promise.all([sync(fixture, (await joined(fixture, { memberId: leader!.memberId })) as Joined)]);
    expect(stateOf(fixture)).toBe('Stable');
    void fixture.groups.join(joinRequest({ memberId: leader!.memberId }));
    expect(stateOf(fixture)).toBe('PreparingRebalance');
  });

  it('lets members of a cooperative protocol join twice, one rebalance after the other', async () => {
    const fixture = new Fixture();
    let members = await stable(fixture, 2);
    for (const generation of [2, 3]) {
      const joins = members.map(({ memberId }) =>
        fixture.groups.join(joinRequest({ memberId, protocols: [protocol('range', `orders,${generation}`)] })),
      );
      await fixture.settle();
      members = (await Promise.all(joins)) as Joined[];
      expect(members.map((member) => member.generation)).toEqual([generation, generation]);
      await Promise.all(members.map((member) => sync(fixture, member)));
    }
    expect(stateOf(fixture)).toBe('Stable');
  });

  it('answers both requests of a member that joined twice because its connection was lost', async () => {
    const fixture = new Fixture();
    const [first] = await stable(fixture, 1);
    void fixture.groups.join(joinRequest());
    await fixture.settle();
    const requireKnownMemberId = true;
    await fixture.groups.join(joinRequest({ requireKnownMemberId }));
    const one = watch(fixture.groups.join(joinRequest({ memberId: first!.memberId })));
    const two = watch(fixture.groups.join(joinRequest({ memberId: first!.memberId })));
    await fixture.clock.advance(SESSION);
    expect(one.value).toMatchObject({ generation: 2 });
    expect(two.value).toMatchObject({ generation: 2 });
  });

  it('begins again when the assignments could not be stored, and tells those who wait why', async () => {
    const fixture = new Fixture();
    const member = await joined(fixture);
    fixture.log.failing = true;
    expect(await refusal(sync(fixture, member))).toBe('storage-failed');
    expect(stateOf(fixture)).toBe('PreparingRebalance');
    fixture.log.failing = false;
    const again = await joined(fixture, { memberId: member.memberId });
    expect((await sync(fixture, again)).assignment.toString()).toBe(member.memberId);
  });

  it('gives nobody an assignment before it is durable', async () => {
    const fixture = new Fixture();
    const member = await joined(fixture);
    fixture.log.hold();
    const answer = watch<SyncResult>(sync(fixture, member));
    await fixture.settle();
    expect(answer.settled).toBe(false);
    expect(stateOf(fixture)).toBe('CompletingRebalance');
    fixture.log.release();
    await fixture.settle();
    expect(answer.value?.assignment.toString()).toBe(member.memberId);
  });
});

describe('assignments on their way to the disk', () => {
  it('are dropped when another rebalance begins', async () => {
    const fixture = new Fixture();
    const member = await joined(fixture);
    fixture.log.hold();
    const answer = refusal(sync(fixture, member));
    await fixture.settle();
    const other = watch(fixture.groups.join(joinRequest()));
    expect(await answer).toBe('rebalance-in-progress');
    fixture.log.release();
    await fixture.settle();
    expect(stateOf(fixture)).toBe('PreparingRebalance');
    expect(await joined(fixture, { memberId: member.memberId })).toMatchObject({ generation: 2 });
    expect(other.value).toMatchObject({ generation: 2 });
  });

  it('are not followed by others of the same leader, which was not heard for sure', async () => {
    const fixture = new Fixture();
    const { memberId } = await joined(fixture);
    const assign = (text: string) =>
      fixture.groups.sync({
        groupId: 'g',
        memberId,
        groupInstanceId: null,
        generation: 1,
        assignments: [{ memberId, assignment: Buffer.from(text) }],
      });
    const answers = await Promise.all([assign('first'), assign('second')]);
    expect(answers.map(({ assignment }) => assignment.toString())).toEqual(['first', 'first']);
    await fixture.settle();
    expect(fixture.log.state.groups.get('g')?.membership?.members[0]?.assignment.toString()).toBe('first');
  });
});

it('keeps copies of what it is told, as a request lies in a buffer that is used again', async () => {
  const fixture = new Fixture();
  const metadata = Buffer.from('orders');
  const member = await joined(fixture, { protocols: [{ name: 'range', metadata }] });
  const assignment = Buffer.from('all');
  const { memberId, generation } = member;
  const assignments = [{ memberId, assignment }];
  await fixture.groups.sync({ groupId: 'g', memberId, groupInstanceId: null, generation, assignments });
  metadata.fill(0);
  assignment.fill(0);
  expect(fixture.groups.describe('g')?.members[0]).toMatchObject({
    metadata: Buffer.from('orders'),
    assignment: Buffer.from('all'),
  });
});

describe('a member', () => {
  it('is given an id first when it can be asked to come again, and loses it when it does not', async () => {
    const fixture = new Fixture();
    const first = await fixture.groups.join(joinRequest({ requireKnownMemberId: true }));
    expect(first).toEqual({ joined: false, memberId: expect.stringMatching(/^client-/) });
    expect(await joined(fixture, { memberId: first.memberId })).toMatchObject({
      memberId: first.memberId,
      generation: 1,
    });
    const second = await fixture.groups.join(joinRequest({ requireKnownMemberId: true }));
    await fixture.clock.advance(SESSION);
    expect(await refusal(fixture.groups.join(joinRequest({ memberId: second.memberId })))).toBe('unknown-member');
  });

  it('holds up a rebalance while it is awaited with the id that it was given', async () => {
    const fixture = new Fixture();
    const [first] = await stable(fixture, 1);
    const { memberId } = await fixture.groups.join(joinRequest({ requireKnownMemberId: true }));
    const again = watch(fixture.groups.join(joinRequest({ memberId: first!.memberId })));
    await fixture.settle();
    expect(again.settled).toBe(false);
    await joined(fixture, { memberId });
    expect(again.value).toMatchObject({ generation: 2 });
  });

  it('is gone when its session has passed, and only then', async () => {
    const fixture = new Fixture();
    const [first, second] = await stable(fixture, 2);
    await fixture.clock.advance(SESSION - 1);
    expect(await heartbeat(fixture, first!)).toBeUndefined();
    await fixture.clock.advance(1);
    expect(await heartbeat(fixture, second!)).toBe('unknown-member');
    expect(await heartbeat(fixture, first!)).toBe('rebalance-in-progress');
  });

  it('that never had a generation does not wait longer than new members may', async () => {
    const fixture = new Fixture({ newMemberJoinTimeoutMs: 20_000 });
    const [first] = await stable(fixture, 1);
    const waiting = refusal(fixture.groups.join(joinRequest()));
    for (let passed = 0; passed < 20_000; passed += 5_000) {
      expect(await heartbeat(fixture, first!)).toBe('rebalance-in-progress');
      await fixture.clock.advance(5_000);
    }
    expect(await waiting).toBe('unknown-member');
  });

  it('that leaves starts a rebalance, and the last one leaves the group empty, durably', async () => {
    const fixture = new Fixture();
    const [first, second] = await stable(fixture, 2);
    expect(await leave(fixture, first!.memberId)).toEqual([
      { memberId: first!.memberId, groupInstanceId: null, error: null },
    ]);
    expect(await heartbeat(fixture, second!)).toBe('rebalance-in-progress');
    expect(await leave(fixture, 'nobody')).toMatchObject([{ error: 'unknown-member' }]);
    await leave(fixture, second!.memberId);
    expect(stateOf(fixture)).toBe('Empty');
    expect(fixture.log.state.groups.get('g')?.membership).toMatchObject({ members: [], generation: 2 });
    expect(await joined(fixture)).toMatchObject({ generation: 3 });
  });

  it('of an older generation, of another group or by another protocol is told so', async () => {
    const fixture = new Fixture();
    const [first] = await stable(fixture, 1);
    expect(await heartbeat(fixture, { ...first!, generation: 0 })).toBe('illegal-generation');
    expect(await refusal(sync(fixture, { ...first!, generation: 2 }))).toBe('illegal-generation');
    expect(await refusal(fixture.groups.join(joinRequest({ protocolType: 'connect' })))).toBe(
      'inconsistent-group-protocol',
    );
    expect(await refusal(fixture.groups.join(joinRequest({ protocols: [protocol('other')] })))).toBe(
      'inconsistent-group-protocol',
    );
    expect(await refusal(fixture.groups.join(joinRequest({ groupId: 'h', memberId: 'x' })))).toBe('unknown-member');
    expect(
      await refusal(
        fixture.groups.sync({
          groupId: 'g',
          memberId: first!.memberId,
          groupInstanceId: null,
          generation: 1,
          protocolName: 'other',
          assignments: [],
        }),
      ),
    ).toBe('inconsistent-group-protocol');
  });
});

describe('a static member', () => {
  const of = (i: number) => ({ groupInstanceId: `i${i}` });

  it('that begins anew takes its place and assignment without a rebalance, and fences who had it', async () => {
    const fixture = new Fixture();
    const [leader, follower] = await stable(fixture, 2, of);
    fixture.log.hold();
    const answer = watch(fixture.groups.join(joinRequest(of(1))));
    await fixture.settle();
    expect(answer.settled).toBe(false);
    fixture.log.release();
    await fixture.settle();
    const anew = answer.value as Joined;
    expect(anew).toMatchObject({ generation: 1, leader: leader!.memberId, members: [], skipAssignment: false });
    expect(anew.memberId).not.toBe(follower!.memberId);
    expect((await sync(fixture, anew, 'i1')).assignment.toString()).toBe(follower!.memberId);
    expect(await heartbeat(fixture, follower!, 'i1')).toBe('fenced-instance');
    expect(await heartbeat(fixture, follower!)).toBe('unknown-member');
    expect(await heartbeat(fixture, leader!, 'i0')).toBeUndefined();
    expect(fixture.log.state.groups.get('g')?.membership?.members.map(({ memberId }) => memberId)).toContain(
      anew.memberId,
    );
  });

  it('that led is told not to assign anew; if it would not understand that, it is not told that it leads', async () => {
    const fixture = new Fixture();
    const [leader] = await stable(fixture, 2, of);
    const anew = await joined(fixture, of(0));
    expect(anew).toMatchObject({ generation: 1, leader: anew.memberId, skipAssignment: true });
    expect(anew.members.length).toBe(2);
    const older = await joined(fixture, { ...of(0), canSkipAssignment: false });
    expect(older).toMatchObject({ generation: 1, leader: anew.memberId, skipAssignment: false, members: [] });
    expect((await sync(fixture, older, 'i0')).assignment.toString()).toBe(leader!.memberId);
    expect(stateOf(fixture)).toBe('Stable');
  });

  it('keeps its place when the new one could not be stored', async () => {
    const fixture = new Fixture();
    const [leader] = await stable(fixture, 2, of);
    fixture.log.failing = true;
    expect(await refusal(fixture.groups.join(joinRequest(of(0))))).toBe('storage-failed');
    expect(await heartbeat(fixture, leader!, 'i0')).toBeUndefined();
    expect((await sync(fixture, leader!, 'i0')).assignment.toString()).toBe(leader!.memberId);
  });

  it('keeps its place while it is away, until its session is over', async () => {
    const fixture = new Fixture();
    const [first, second] = await stable(fixture, 2, of);
    const again = watch(fixture.groups.join(joinRequest({ ...of(0), memberId: first!.memberId })));
    await fixture.clock.advance(SESSION - 1);
    expect(again.settled).toBe(false);
    expect(fixture.groups.describe('g')?.members.length).toBe(2);
    await fixture.clock.advance(1);
    expect(again.value).toMatchObject({ generation: 2 });
    expect(await heartbeat(fixture, second!, 'i1')).toBe('unknown-member');
  });

  it('starts a rebalance when it begins anew with a protocol that changes the choice, or while assignments are made', async () => {
    const fixture = new Fixture();
    const protocols = [protocol('a'), protocol('b')];
    await stable(fixture, 1, (i) => ({ ...of(i), protocols }));
    const changed = await joined(fixture, { ...of(0), protocols: [protocol('b'), protocol('a')] });
    expect(changed).toMatchObject({ generation: 2, protocolName: 'b', skipAssignment: false });
    const during = await joined(fixture, { ...of(0), protocols });
    expect(during.generation).toBe(3);
    expect(await refusal(sync(fixture, changed, 'i0'))).toBe('fenced-instance');
  });

  it('is removed by an administrator by its instance id alone', async () => {
    const fixture = new Fixture();
    const [first] = await stable(fixture, 1, of);
    expect(await leave(fixture, '', 'other')).toMatchObject([{ error: 'unknown-member' }]);
    expect(await leave(fixture, first!.memberId, 'other')).toMatchObject([{ error: 'unknown-member' }]);
    expect(await leave(fixture, '', 'i0')).toMatchObject([{ error: null }]);
    expect(stateOf(fixture)).toBe('Empty');
  });
});

describe('limits', () => {
  it('hold for members, those awaited, groups, ids and sessions', async () => {
    const fixture = new Fixture({
      maxMembers: 2,
      maxPendingMembers: 1,
      maxGroups: 1,
      maxIdLength: 10,
    });
    const join = (request: Partial<JoinRequest>) => refusal(fixture.groups.join(joinRequest(request)));
    const [first] = await stable(fixture, 2);
    expect(await join({})).toBe('group-max-size');
    expect(await join({ groupId: 'h' })).toBe('limit-exceeded');
    expect(await join({ groupId: '' })).toBe('invalid-group');
    expect(await join({ groupId: 'x'.repeat(11) })).toBe('invalid-group');
    expect(await join({ groupInstanceId: 'x'.repeat(11) })).toBe('invalid-argument');
    expect(await join({ sessionTimeoutMs: 5_999 })).toBe('invalid-session-timeout');
    expect(await join({ sessionTimeoutMs: 1_800_001 })).toBe('invalid-session-timeout');
    const { memberId } = first!;
    await fixture.groups.leave({ groupId: 'g', members: [{ memberId, groupInstanceId: null }] });
    const requireKnownMemberId = true;
    expect(await join({ requireKnownMemberId })).toBeUndefined();
    expect(await join({ requireKnownMemberId })).toBe('group-max-size');
  });

  it('hold for what members tell each other', async () => {
    const fixture = new Fixture({ maxMemberMetadataBytes: 20, maxGroupMetadataBytes: 30 });
    const told = (bytes: number) => ({ protocols: [protocol('range', 'x'.repeat(bytes - 5))] });
    expect(await refusal(fixture.groups.join(joinRequest(told(21))))).toBe('limit-exceeded');
    const member = await joined(fixture, told(20));
    expect(await refusal(fixture.groups.join(joinRequest(told(11))))).toBe('limit-exceeded');
    // What it told before does not count beside what it tells now.
    expect(await joined(fixture, { memberId: member.memberId, ...told(19) })).toMatchObject({ generation: 2 });
    expect(await refusal(sync(fixture, { ...member, generation: 2 }))).toBe('limit-exceeded');
  });

  it('leave no trace of a group that was only asked for', async () => {
    const fixture = new Fixture();
    expect(await refusal(fixture.groups.join(joinRequest({ protocols: [] })))).toBe('inconsistent-group-protocol');
    expect(fixture.groups.describe('g')).toBeUndefined();
    await fixture.groups.join(joinRequest({ requireKnownMemberId: true }));
    expect(stateOf(fixture)).toBe('Empty');
    await fixture.clock.advance(SESSION);
    expect(fixture.groups.describe('g')).toBeUndefined();
  });
});

it('close refuses all who wait and leaves no timer behind', async () => {
  const fixture = new Fixture();
  await stable(fixture, 2);
  const waiting = refusal(fixture.groups.join(joinRequest()));
  await fixture.groups.join(joinRequest({ requireKnownMemberId: true }));
  fixture.groups.close();
  expect(await waiting).toBe('closed');
  expect(await refusal(fixture.groups.join(joinRequest()))).toBe('closed');
  expect(fixture.clock.pending).toBe(0);
});
