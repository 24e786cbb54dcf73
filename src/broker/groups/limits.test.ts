import { describe, expect, it } from 'vitest';
import { Fixture, joinRequest, refusal, SESSION, TOPIC_ID, watch } from './fixture.contract.ts';
import type { Joined } from './membership.ts';

/** Lets the members of a group of one join and be given their assignment. */
async function member(fixture: Fixture, groupId: string, assignment = '', metadata = 'm'): Promise<Joined> {
  const protocols = [{ name: 'range', metadata: Buffer.from(metadata) }];
  const answer = fixture.groups.join(joinRequest({ groupId, protocols }));
  await fixture.settle();
  const joined = (await answer) as Joined;
  const { memberId, generation } = joined;
  const assignments = [{ memberId, assignment: Buffer.from(assignment) }];
  await fixture.groups.sync({ groupId, memberId, generation, groupInstanceId: null, assignments });
  return joined;
}

function commit(fixture: Fixture, groupId: string, partitions: readonly number[], metadata = '') {
  const offsets = partitions.map((partition) => ({ partition, offset: 1, leaderEpoch: 0, metadata }));
  const topics = [{ topic: 'orders', topicId: TOPIC_ID, partitions: offsets }];
  return fixture.groups.commitOffsets({ groupId, generation: -1, memberId: '', groupInstanceId: null, topics });
}

describe('all groups together', () => {
  it('have so many members, with the ids that were given out', async () => {
    const fixture = new Fixture({ maxTotalMembers: 3 });
    const first = await member(fixture, 'a');
    await member(fixture, 'b');
    const known = { requireKnownMemberId: true };
    await fixture.groups.join(joinRequest({ groupId: 'c', ...known }));
    expect(await refusal(fixture.groups.join(joinRequest({ groupId: 'd', ...known })))).toBe('group-max-size');
    expect(await refusal(fixture.groups.join(joinRequest({ groupId: 'd' })))).toBe('group-max-size');
    expect(await refusal(fixture.groups.join(joinRequest({ groupId: 'd', groupInstanceId: 'i' })))).toBe(
      'group-max-size',
    );
    await fixture.groups.leave({ groupId: 'a', members: [{ memberId: first.memberId, groupInstanceId: null }] });
    await member(fixture, 'd');
    // Sessions pass, and what was given out does not hold for ever.
    await fixture.clock.advance(SESSION + 1);
    for (const groupId of ['e', 'f', 'g']) await member(fixture, groupId);
    fixture.restart('events');
    expect(await refusal(fixture.groups.join(joinRequest({ groupId: 'h' })))).toBe('group-max-size');
  });

  it('have so many bytes of metadata and of assignments', async () => {
    const fixture = new Fixture({ maxTotalMetadataBytes: 100 });
    const first = await member(fixture, 'a', 'x'.repeat(40), 'm'.repeat(15));
    const large = joinRequest({ groupId: 'b', protocols: [{ name: 'range', metadata: Buffer.alloc(40) }] });
    expect(await refusal(fixture.groups.join(large))).toBe('limit-exceeded');
    await expect(member(fixture, 'b', 'x'.repeat(40))).rejects.toMatchObject({ code: 'limit-exceeded' });
    await fixture.groups.leave({ groupId: 'a', members: [{ memberId: first.memberId, groupInstanceId: null }] });
    const joining = watch(fixture.groups.join({ ...large, groupId: 'c' }));
    await fixture.settle();
    expect(joining.value).toBeDefined();
  });

  it('have so many committed offsets, of which each may be committed again', async () => {
    const fixture = new Fixture({ maxOffsets: 3, maxTotalOffsetMetadataLength: 10 });
    await commit(fixture, 'a', [0, 1]);
    expect(await refusal(commit(fixture, 'b', [0, 1]))).toBe('limit-exceeded');
    await commit(fixture, 'b', [0]);
    await commit(fixture, 'b', [0], 'x'.repeat(10));
    expect(await refusal(commit(fixture, 'a', [0], 'x'))).toBe('limit-exceeded');
    await commit(fixture, 'a', [0, 1]);
    for (const from of ['snapshot', 'events'] as const) {
      fixture.restart(from);
      expect(await refusal(commit(fixture, 'c', [0]))).toBe('limit-exceeded');
    }
    await fixture.groups.deleteGroups(['a']);
    await commit(fixture, 'c', [0, 1]);
    await fixture.groups.onTopicDeleted(TOPIC_ID);
    expect(fixture.log.state.committed).toEqual({ offsets: 0, metadataLength: 0 });
  });
});

it('a member has so many protocols, also when they have neither name nor metadata', async () => {
  const fixture = new Fixture({ maxMemberProtocols: 2 });
  const protocols = Array(3).fill({ name: '', metadata: Buffer.alloc(0) });
  expect(await refusal(fixture.groups.join(joinRequest({ protocols })))).toBe('limit-exceeded');
});
