import fc from 'fast-check';
import { expect, it } from 'vitest';
import { toBrokerError } from '../../../errors.ts';
import { JOINS, LEAVES } from '../consumer/heartbeat.ts';
import { Fixture } from '../fixture.contract.ts';

// Members that come, stay, leave and fall silent, topics that change, a log that fails, restarts: whatever happens, it comes right.

const SESSION = 45_000;
const MEMBERS = ['a', 'b', 'c', 'd'];
const TOPICS = ['t', 'u', 'v'];

type Step =
  | { readonly do: 'join'; readonly member: string; readonly topics: readonly string[] }
  | { readonly do: 'beat' | 'leave'; readonly member: string }
  | { readonly do: 'size'; readonly topic: string; readonly partitions: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'fail' | 'mend' | 'restart' };

const member = fc.constantFrom(...MEMBERS);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('join' as const), member, topics: fc.subarray(TOPICS, { minLength: 1 }) }),
    { arbitrary: fc.record({ do: fc.constantFrom('beat' as const, 'leave' as const), member }), weight: 3 },
    fc.record({
      do: fc.constant('size' as const),
      topic: fc.constantFrom(...TOPICS),
      partitions: fc.nat({ max: 5 }),
    }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.nat({ max: 2 * SESSION }) }),
    fc.record({ do: fc.constantFrom('fail' as const, 'mend' as const, 'restart' as const) }),
  ),
  { maxLength: 40 },
);

/** A client: what it was last told. */
interface Client {
  epoch: number;
  topics: readonly string[];
  assigned: ReadonlySet<string>;
}

class Group extends Fixture {
  readonly clients = new Map<string, Client>();

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'join':
        return await this.beat(step.member, JOINS, step.topics);
      case 'beat':
        return await this.beat(step.member, this.clients.get(step.member)?.epoch ?? JOINS);
      case 'leave':
        return await this.beat(step.member, LEAVES);
      case 'size':
        return this.topics.set(step.topic, step.partitions);
      case 'wait':
        return await this.clock.advance(step.ms);
      case 'restart':
        return this.restart(this.log.failing ? 'events' : 'snapshot');
      default:
        this.log.failing = step.do === 'fail';
    }
  }

  /** A client that is refused as a member is none any more. */
  async beat(memberId: string, memberEpoch: number, topicNames: readonly string[] | null = null): Promise<void> {
    const client = this.clients.get(memberId);
    if (client === undefined && (memberEpoch !== JOINS || topicNames === null)) return;
    try {
      const { memberEpoch: epoch, assignment } = await this.groups.share.heartbeat({
        ...{ groupId: 'g', memberId, memberEpoch, topicNames },
        ...{ clientId: 'c', clientHost: '/h', rackId: null },
      });
      if (epoch === LEAVES) {
        this.clients.delete(memberId);
        return;
      }
      const told = assignment?.flatMap(({ topicId, partitions }) => partitions.map((each) => `${topicId}/${each}`));
      this.clients.set(memberId, {
        epoch,
        topics: topicNames ?? client?.topics ?? [],
        assigned: told === undefined ? (client?.assigned ?? new Set()) : new Set(told),
      });
    } catch (error) {
      const { code } = toBrokerError(error);
      expect(['storage-failed', 'unknown-member', 'fenced-member-epoch', 'not-found']).toContain(code);
      if (code !== 'storage-failed') this.clients.delete(memberId);
      // The answer may be the old one: a client that changes what it consumes says so until it is answered.
      else if (topicNames !== null) this.clients.delete(memberId);
    }
  }

  /** What each partition of the members' topics is fetched by. */
  holders(): Map<string, string[]> {
    const found = new Map<string, string[]>();
    for (const name of TOPICS) {
      const topic = this.topics.byName(name);
      if (topic === undefined || ![...this.clients.values()].some(({ topics }) => topics.includes(name))) continue;
      for (let partition = 0; partition < topic.partitions; partition++) found.set(`${topic.topicId}/${partition}`, []);
    }
    for (const [memberId, { assigned }] of this.clients) {
      for (const key of assigned) found.set(key, [...(found.get(key) ?? ['nobody should']), memberId]);
    }
    return found;
  }
}

it('every partition is fetched, and by none but those that consume its topic, when the members have been heard', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const group = new Group();
      for (const step of all) await group.take(step);
      group.log.failing = false;
      // Whoever is no client any more, is no member either once its session has run out.
      for (let i = 0; i < 4; i++) {
        await group.clock.advance(SESSION / 3);
        for (const [memberId, { epoch }] of group.clients) await group.beat(memberId, epoch);
      }
      for (const [memberId, { epoch }] of group.clients) await group.beat(memberId, epoch);
      const described = group.groups.share.describe('g');
      expect(new Set(described?.members.map(({ memberId }) => memberId))).toEqual(new Set(group.clients.keys()));
      for (const { memberId, memberEpoch, topicNames, assignment } of described?.members ?? []) {
        const client = group.clients.get(memberId);
        expect({ memberEpoch, topicNames }).toEqual({ memberEpoch: client?.epoch, topicNames: client?.topics });
        const keys = assignment.flatMap(({ topicId, partitions }) => partitions.map((each) => `${topicId}/${each}`));
        expect(new Set(keys)).toEqual(client?.assigned);
      }
      for (const [key, holders] of group.holders()) {
        expect(holders, key).not.toContain('nobody should');
        expect(holders.length, key).toBeGreaterThan(0);
      }
    }),
    { numRuns: 300 },
  );
});
