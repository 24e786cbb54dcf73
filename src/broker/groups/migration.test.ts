import { describe, expect, it } from 'vitest';
import { type ConsumerHeartbeat, JOINS, LEAVES, LEAVES_FOR_NOW } from './consumer/index.ts';
import { Fixture, joinRequest, REBALANCE, refusal, SESSION, watch } from './fixture.contract.ts';
import type { Joined, JoinRequest, MemberIdentity } from './membership.ts';

/** A group of consumers of the topic `t`, which has four partitions, in whichever protocol each likes. */
class Group extends Fixture {
  constructor(...settings: ConstructorParameters<typeof Fixture>) {
    super(...settings);
    this.topics.set('t', 4);
  }

  /** Joins by the classic protocol with what it has. */
  async joinClassic(has: string, request: Partial<JoinRequest> = {}): Promise<Joined> {
    const protocols = [{ name: 'range', metadata: Buffer.from(`t;${has}`) }];
    const joining = this.groups.join(joinRequest({ protocols, ...request }));
    joining.catch(() => {});
    await this.settle();
    const joined = await joining;
    if (!joined.joined) throw new Error('it has to come again');
    return joined;
  }

  async sync({ memberId, generation }: Joined, assignments: Readonly<Record<string, string>> = {}): Promise<string> {
    const identity = { groupId: 'g', memberId, groupInstanceId: null, generation };
    const given = Object.entries(assignments).map(([id, text]) => ({ memberId: id, assignment: Buffer.from(text) }));
    return (await this.groups.sync({ ...identity, assignments: given })).assignment.toString();
  }

  /** What its heartbeat is refused with. */
  heartbeat({ memberId, generation }: Joined, groupInstanceId: string | null = null) {
    return refusal(this.groups.heartbeat({ groupId: 'g', memberId, groupInstanceId, generation }));
  }

  /** A heartbeat of the protocol of KIP-848; one that joins unless it says otherwise. */
  async beat(memberId: string, fields: Partial<ConsumerHeartbeat> = {}) {
    const joins = { memberEpoch: JOINS, rebalanceTimeoutMs: REBALANCE, topicNames: ['t'], owned: [] };
    const { assignment, memberEpoch } = await this.groups.consumerHeartbeat({
      ...{ groupId: 'g', memberId, instanceId: null, clientId: 'c', clientHost: '/h', rackId: null },
      ...{ topicRegex: null, assignor: null },
      ...joins,
      ...fields,
    });
    return { memberEpoch, partitions: assignment?.flatMap(({ partitions }) => partitions) };
  }

  stay(memberId: string, memberEpoch: number, partitions: readonly number[] = []) {
    const owned = partitions.length === 0 ? [] : [{ topicId: this.topics.byName('t')?.topicId ?? '', partitions }];
    return this.beat(memberId, { memberEpoch, owned });
  }

  get kind() {
    return this.groups.list().map(({ type, state }) => `${type} ${state}`);
  }

  /** A stable classic group of one member, which has everything. */
  async classic(request: Partial<JoinRequest> = {}): Promise<Joined> {
    const joined = await this.joinClassic('', request);
    await this.groups.sync({
      ...{ groupId: 'g', groupInstanceId: request.groupInstanceId ?? null },
      memberId: joined.memberId,
      generation: joined.generation,
      assignments: [{ memberId: joined.memberId, assignment: Buffer.from('t/0 t/1 t/2 t/3') }],
    });
    return joined;
  }

  /** Such a group after a member of the other protocol has joined, and has half of it. */
  async mixed() {
    const before = await this.classic();
    await this.beat('b');
    const again = await this.joinClassic('', { memberId: before.memberId });
    await this.sync(again);
    await this.stay('b', 2);
    return again;
  }
}

describe('a classic group that is joined by the protocol of KIP-848', () => {
  it.each(['events', 'snapshot'] as const)(
    'is a consumer group from then on, its members in it; also after a restart from %s',
    async (from) => {
      const group = new Group();
      const classic = await group.classic();
      expect(await group.beat('b')).toEqual({ memberEpoch: 2, partitions: [] });
      expect(group.kind).toEqual(['consumer Reconciling']);
      group.restart(from);
      // The classic member goes on in its generation, until it hears that it is to join again.
      const commit = { groupId: 'g', groupInstanceId: null, topics: [], memberId: classic.memberId };
      expect(await refusal(group.groups.commitOffsets({ ...commit, generation: 1, knowsEpochs: false }))).toBe(
        undefined,
      );
      expect(await refusal(group.groups.commitOffsets({ ...commit, generation: 2 }))).toBe('illegal-generation');
      const fetch = (memberId: string, memberEpoch: number) =>
        refusal(group.groups.fetchOffsets({ groupId: 'g', topics: null, requireStable: false, memberId, memberEpoch }));
      // @platformatic/kafka says which member it is, and no generation.
      expect(await fetch(classic.memberId, -1)).toBe(undefined);
      expect(await fetch(classic.memberId, 2)).toBe('illegal-generation');
      expect(await fetch('b', -1)).toBe('stale-member-epoch');
      expect(await group.heartbeat(classic)).toBe('rebalance-in-progress');
      expect(await refusal(group.sync(classic))).toBe('rebalance-in-progress');
      expect(await group.stay('b', 2)).toMatchObject({ partitions: [] });
      const again = await group.joinClassic('', { memberId: classic.memberId });
      expect(again).toMatchObject({
        generation: 2,
        protocolName: 'range',
        protocolType: 'consumer',
        leader: '',
        members: [],
      });
      group.restart(from);
      expect(await group.sync(again)).toBe('t/0 t/1');
      expect(await group.stay('b', 2)).toMatchObject({ partitions: [2, 3] });
      expect(await group.heartbeat(again)).toBe(undefined);
      expect(await group.heartbeat({ ...again, generation: 1 })).toBe('illegal-generation');
      expect(await group.heartbeat({ ...again, memberId: 'b' })).toBe('unknown-member');
      expect(group.groups.describeConsumers('g')).toMatchObject({
        state: 'Stable',
        members: [{ protocol: 'classic' }, { protocol: 'consumer' }],
      });
    },
  );

  it('has a cooperative member give back first, and keep its generation so long', async () => {
    const group = new Group();
    const classic = await group.classic();
    await group.beat('b');
    const has = 't/0 t/1 t/2 t/3';
    const first = await group.joinClassic(has, { memberId: classic.memberId });
    expect(first.generation).toBe(1);
    expect(await group.sync(first)).toBe('t/0 t/1');
    expect(await group.heartbeat(first)).toBe('rebalance-in-progress');
    expect(await group.stay('b', 2)).toMatchObject({ partitions: [] });
    const second = await group.joinClassic('t/0 t/1', { memberId: classic.memberId });
    expect(second.generation).toBe(2);
    expect(await group.sync(second)).toBe('t/0 t/1');
    expect(await group.heartbeat(second)).toBe(undefined);
    expect(await group.stay('b', 2)).toMatchObject({ partitions: [2, 3] });
  });

  it('calls a member that waits for partitions when they are free, and not before', async () => {
    const group = new Group();
    await group.beat('b');
    const first = await group.joinClassic('', { requireKnownMemberId: false });
    expect(await group.sync(first)).toBe('');
    expect(await group.heartbeat(first)).toBe(undefined);
    expect(await group.stay('b', 1, [0, 1, 2, 3])).toMatchObject({ partitions: [0, 1] });
    expect(await group.heartbeat(first)).toBe(undefined);
    await group.stay('b', 1, [0, 1]);
    expect(await group.heartbeat(first)).toBe('rebalance-in-progress');
    const again = await group.joinClassic('', { memberId: first.memberId });
    expect(await group.sync(again)).toBe('t/2 t/3');
  });

  it('gives nobody what a member says that it has, though its assignment was withheld', async () => {
    const group = new Group();
    const classic = await group.classic();
    const again = await group.joinClassic('t/0 t/1 t/2 t/3', { memberId: classic.memberId });
    // Before it has assigned anything, another member begins another rebalance.
    const other = watch(group.joinClassic(''));
    await group.settle();
    expect(await group.beat('b')).toMatchObject({ partitions: [] });
    expect(await group.heartbeat(again)).toBe('rebalance-in-progress');
    // It was in no generation yet: it is not in the group before it comes again.
    expect(other.refused).toBe('rebalance-in-progress');
    expect(group.groups.describeConsumers('g')?.members).toHaveLength(2);
  });

  it.each([
    ['others than consumers', {}, { protocolType: 'connect' }],
    ['members that cannot be understood', {}, { protocols: [{ name: 'range', metadata: Buffer.from('?') }] }],
    ['the policy downgrade', { consumerMigrationPolicy: 'downgrade' as const }, {}],
    ['the policy disabled', { consumerMigrationPolicy: 'disabled' as const }, {}],
  ])('stays what it is with %s', async (_, settings, request) => {
    const group = new Group(settings);
    const classic = await group.classic(request);
    expect(await refusal(group.beat('b'))).toBe('not-found');
    expect(await group.heartbeat(classic)).toBe(undefined);
    expect(group.kind).toEqual(['classic Stable']);
  });

  it('stays what it is when the change does not become durable', async () => {
    const group = new Group();
    const classic = await group.classic();
    group.log.failing = true;
    expect(await refusal(group.beat('b'))).toBe('storage-failed');
    group.log.failing = false;
    expect(group.kind).toEqual(['classic Stable']);
    expect(await group.heartbeat(classic)).toBe(undefined);
    group.log.hold();
    const asked = watch(group.beat('b'));
    await group.settle();
    // Whoever asks while it is neither yet waits.
    const meanwhile = watch(group.groups.heartbeat({ ...identityOf(classic) }));
    await group.settle();
    group.log.release();
    await group.settle();
    expect([asked.value?.memberEpoch, meanwhile.refused]).toEqual([2, 'rebalance-in-progress']);
  });
});

describe('a member of the classic protocol in a consumer group', () => {
  it('is refused when it is no consumer, has no protocol in common with others, or migration is disabled', async () => {
    const group = new Group();
    await group.mixed();
    for (const request of [
      { protocolType: 'connect' },
      { protocols: [] },
      { protocols: [{ name: 'other', metadata: Buffer.from('t') }] },
      { protocols: [{ name: 'range', metadata: Buffer.from('?') }] },
    ])
      expect(await refusal(group.joinClassic('', request))).toBe('inconsistent-group-protocol');
    const disabled = new Group({ consumerMigrationPolicy: 'disabled' });
    await disabled.beat('b');
    expect(await refusal(disabled.joinClassic(''))).toBe('inconsistent-group-protocol');
  });

  it('has limits for what it says', async () => {
    const group = new Group({ maxMemberMetadataBytes: 20, maxMemberProtocols: 2, maxIdLength: 40, maxMembers: 2 });
    await group.beat('b');
    const name = 'range';
    const one = { name, metadata: Buffer.from('t') };
    expect(await refusal(group.joinClassic('', { protocols: [one, one, one] }))).toBe('limit-exceeded');
    expect(await refusal(group.joinClassic('t/0 t/1 t/2 t/3'))).toBe('limit-exceeded');
    expect(await refusal(group.joinClassic('', { memberId: 'x'.repeat(41) }))).toBe('unknown-member');
    await group.joinClassic('');
    expect(await refusal(group.joinClassic(''))).toBe('group-max-size');
  });

  it('is given an id first where it asks for that', async () => {
    const group = new Group();
    await group.beat('b');
    const request = joinRequest({
      requireKnownMemberId: true,
      protocols: [{ name: 'range', metadata: Buffer.from('t') }],
    });
    const { joined, memberId } = await group.groups.join(request);
    expect(joined).toBe(false);
    expect(await group.groups.join({ ...request, memberId })).toMatchObject({ joined: true, memberId, generation: 2 });
  });

  it.each([
    ['does not join again in time', async (group: Group, member: Joined) => group.heartbeat(member)],
    [
      'does not ask for its assignment in time',
      (group: Group, { memberId }: Joined) => group.joinClassic('', { memberId }),
    ],
  ])('is removed when it %s', async (_, fail) => {
    const group = new Group({ consumerMigrationPolicy: 'upgrade' });
    const member = await group.mixed();
    await group.beat('c');
    await fail(group, member);
    const { generation } =
      group.groups.describeConsumers('g')?.members.map(({ memberEpoch }) => ({ generation: memberEpoch }))[0] ?? {};
    for (let passed = 0; passed < REBALANCE; passed += SESSION / 2) {
      expect(group.groups.describeConsumers('g')?.members).toHaveLength(3);
      await group.clock.advance(SESSION / 2);
      if (passed + SESSION / 2 < REBALANCE) await group.heartbeat({ ...member, generation: generation ?? 0 });
      await refusal(group.stay('b', 2));
      await refusal(group.stay('c', 3));
    }
    expect(group.groups.describeConsumers('g')?.members.map(({ protocol }) => protocol)).not.toContain('classic');
    expect(await group.heartbeat(member)).toBe('unknown-member');
  });

  it('has the session that it asked for', async () => {
    const group = new Group();
    const member = await group.mixed();
    await group.clock.advance(SESSION - 1);
    expect(await group.heartbeat(member)).toBe(undefined);
    await group.clock.advance(SESSION);
    expect(await group.heartbeat(member)).toBe('unknown-member');
  });

  it('leaves as from a classic group', async () => {
    const group = new Group();
    const { memberId } = await group.mixed();
    const members = [
      { memberId, groupInstanceId: null },
      { memberId: 'x', groupInstanceId: null },
    ];
    expect(await group.groups.leave({ groupId: 'g', members })).toMatchObject([
      { error: null },
      { error: 'unknown-member' },
    ]);
    expect(group.kind).toEqual(['consumer Assigning']);
    expect(await group.stay('b', 2, [2, 3])).toMatchObject({ partitions: [0, 1, 2, 3] });
  });
});

describe('a consumer group whose last member of that protocol goes', () => {
  it.each(['leaves', 'fails'] as const)('is a classic group that rebalances when it %s', async (how) => {
    const group = new Group();
    const member = await group.mixed();
    if (how === 'leaves') await group.beat('b', { memberEpoch: LEAVES });
    for (let i = 0; how === 'fails' && i < 10; i++) {
      await group.clock.advance(SESSION / 2);
      await group.heartbeat(member);
    }
    expect(group.kind).toEqual(['classic PreparingRebalance']);
    expect(await group.heartbeat(member)).toBe('rebalance-in-progress');
    // The rebalance is not forgotten by a restart: there are partitions that nobody has.
    group.restart('events');
    expect(group.kind).toEqual(['classic PreparingRebalance']);
    expect(await group.heartbeat(member)).toBe('rebalance-in-progress');
    const again = await group.joinClassic('', { memberId: member.memberId });
    expect(again).toMatchObject({ generation: 3, leader: member.memberId });
    expect(await group.sync(again, { [member.memberId]: 't/0 t/1 t/2 t/3' })).toBe('t/0 t/1 t/2 t/3');
    expect(group.kind).toEqual(['classic Stable']);
    expect(await group.beat('b')).toEqual({ memberEpoch: 4, partitions: [] });
  });

  it('stays a consumer group where downgrades are not allowed, and its members are assigned what there is', async () => {
    const group = new Group({ consumerMigrationPolicy: 'upgrade' });
    const member = await group.mixed();
    await group.beat('b', { memberEpoch: LEAVES });
    expect(group.kind).toEqual(['consumer Assigning']);
    expect(await group.heartbeat(member)).toBe('rebalance-in-progress');
    const again = await group.joinClassic('', { memberId: member.memberId });
    expect(await group.sync(again)).toBe('t/0 t/1 t/2 t/3');
  });

  it('stays what it is when the change does not become durable', async () => {
    const group = new Group();
    const member = await group.mixed();
    group.log.failing = true;
    expect(await refusal(group.beat('b', { memberEpoch: LEAVES }))).toBe('storage-failed');
    group.log.failing = false;
    expect(group.kind).toEqual(['consumer Stable']);
    expect(await group.heartbeat(member)).toBe(undefined);
  });
});

describe('a static member that comes again with the other protocol', () => {
  const instanceId = 'i';

  it('takes the place of the one before: with the new protocol', async () => {
    const group = new Group();
    const classic = await group.classic({ groupInstanceId: instanceId });
    expect(await group.beat('b', { instanceId })).toEqual({ memberEpoch: 2, partitions: [0, 1, 2, 3] });
    expect(await group.heartbeat(classic, instanceId)).toBe('fenced-instance');
    expect(group.kind).toEqual(['consumer Stable']);
  });

  it.each([LEAVES_FOR_NOW, undefined])(
    'and with the old one, without a rebalance (the former left with %s)',
    async (epoch) => {
      const group = new Group();
      const other = await group.classic({ groupInstanceId: 'other' });
      await group.beat('b', { instanceId });
      const again = await group.joinClassic('', { memberId: other.memberId, groupInstanceId: 'other' });
      const identity = { ...identityOf(again), groupInstanceId: 'other' };
      await group.groups.sync({ ...identity, assignments: [] });
      await group.stay('b', 2);
      if (epoch !== undefined) await group.beat('b', { instanceId, memberEpoch: epoch });
      const came = await group.joinClassic('', { groupInstanceId: instanceId });
      expect(group.kind).toEqual(['classic Stable']);
      expect(came.generation).toBe(2);
      const synced = await group.groups.sync({ ...identityOf(came), groupInstanceId: instanceId, assignments: [] });
      expect(synced.assignment.toString()).toBe('t/2 t/3');
      expect(await group.heartbeat(again, 'other')).toBe(undefined);
      expect(await refusal(group.stay('b', 2, [2, 3]))).toBe('not-found');
    },
  );

  it('and with the old one, with a rebalance where not everybody has what it is to have', async () => {
    const group = new Group();
    const other = await group.classic({ groupInstanceId: 'other' });
    await group.beat('b', { instanceId });
    const coming = watch(group.joinClassic('', { groupInstanceId: instanceId }));
    await group.settle();
    expect(group.kind).toEqual(['classic PreparingRebalance']);
    // The generation that the other is in was another one: it has missed that of the consumer group.
    expect(await group.heartbeat(other, 'other')).toBe('illegal-generation');
    const again = await group.joinClassic('', { memberId: other.memberId, groupInstanceId: 'other' });
    await group.settle();
    expect([coming.value?.generation, again.generation]).toEqual([3, 3]);
  });
});

function identityOf({ memberId, generation }: Joined): MemberIdentity {
  return { groupId: 'g', memberId, groupInstanceId: null, generation };
}
