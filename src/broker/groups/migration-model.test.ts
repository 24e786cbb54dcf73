import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ErrorCode } from '../../errors.ts';
import { type Assignment, equal, lookup, NO_PARTITIONS, split } from './consumer/assignment.ts';
import { type ConsumerHeartbeatResult, JOINS, LEAVES } from './consumer/index.ts';
import { Fixture, joinRequest, partitionsIn, watch } from './fixture.contract.ts';
import type { Joined, JoinResult, SyncResult } from './membership.ts';

// Members of both protocols in one group, that come, go, lose answers and come again with the other protocol, over a broker that
// stops and a storage that fails: no partition ever has two owners, by what the members themselves believe, and in the end each has
// one.

const CLIENTS = 4;
const SESSION = 10_000;
const REBALANCE = 25_000;
const PARTITIONS = ['t/0', 't/1', 't/2', 't/3', 'u/0', 'u/1'];

/** A client as its user sees it, by either protocol. */
abstract class Client {
  readonly fixture: Fixture;
  readonly index: number;
  readonly instanceId: string | null;
  memberId = '';
  /** What it believes that it has. */
  owned: readonly string[] = [];
  /** When it sent the last request that was answered well. */
  heard = 0;
  /** When it was told to do something in time; undefined when there is nothing to do. */
  told: number | undefined;

  constructor(fixture: Fixture, index: number) {
    this.fixture = fixture;
    this.index = index;
    this.instanceId = index % 2 === 0 ? null : `i${index}`;
  }

  get now(): number {
    return this.fixture.clock.monotonic();
  }

  /** Whoever was not heard for a session, or could not do in time what it was told to, knows that it has lost everything. */
  expire(): void {
    const late = this.told !== undefined && this.now - this.told >= REBALANCE - SESSION;
    if (this.memberId !== '' && (late || this.now - this.heard >= SESSION)) this.lost();
  }

  /** Asks what is to be asked next, unless an answer is waited for. */
  abstract step(): void;
  /** Takes in an answer, if there is one. */
  abstract look(): void;
  /** Gives back what it was told to. */
  abstract revoke(): void;
  /** Does not hear the answer that it waits for. */
  abstract lose(): void;
  abstract lost(): void;
  abstract leave(): void;
}

class ClassicClient extends Client {
  readonly cooperative: boolean;
  #generation = -1;
  #leads: Joined | undefined;
  #phase: 'to join' | 'to sync' | 'member' = 'to join';
  #asked: { at: number; answer: ReturnType<typeof watch<JoinResult | SyncResult | undefined>> } | undefined;

  constructor(fixture: Fixture, index: number, cooperative: boolean) {
    super(fixture, index);
    this.cooperative = cooperative;
  }

  step(): void {
    if (this.#asked !== undefined) return;
    const { groups } = this.fixture;
    const { memberId, instanceId: groupInstanceId } = this;
    const identity = { groupId: 'g', memberId, groupInstanceId, generation: this.#generation };
    if (this.#phase === 'to join') {
      if (!this.cooperative) this.owned = [];
      const request = joinRequest({
        ...{ memberId, groupInstanceId, sessionTimeoutMs: SESSION, rebalanceTimeoutMs: REBALANCE },
        clientId: `c${this.index}`,
        protocols: [{ name: 'p', metadata: Buffer.from(`t,u;${this.owned.join(' ')}`) }],
        requireKnownMemberId: this.index < 2,
      });
      this.#ask(groups.join(request));
    } else if (this.#phase === 'to sync') {
      this.#ask(groups.sync({ ...identity, assignments: this.#assign() }));
    } else {
      this.#ask(groups.heartbeat(identity).then(() => undefined));
    }
  }

  look(): void {
    const { at, answer } = this.#asked ?? {};
    if (at === undefined || answer?.settled !== true) return;
    this.#asked = undefined;
    if (answer.refused !== undefined) {
      this.#refused(answer.refused);
      return;
    }
    this.heard = at;
    const value = answer.value;
    if (value === undefined) return;
    if ('assignment' in value) {
      const given = partitionsIn(value.assignment.toString()).map(
        ({ topic, partitions }) => `${topic}/${partitions[0]}`,
      );
      // Who gives back partitions joins again, so that others can have them.
      const gives = this.owned.some((partition) => !given.includes(partition));
      this.owned = given;
      this.#phase = gives ? 'to join' : 'member';
      this.told = gives ? this.now : undefined;
    } else {
      this.memberId = value.memberId;
      if (!value.joined) return;
      this.#generation = value.generation;
      this.#leads = value;
      this.#phase = 'to sync';
      this.told = undefined;
    }
  }

  revoke(): void {}

  lose(): void {
    this.#asked = undefined;
    this.#phase = 'to join';
  }

  lost(): void {
    this.owned = [];
    this.told = undefined;
    this.#phase = 'to join';
  }

  leave(): void {
    const { memberId, instanceId: groupInstanceId } = this;
    this.fixture.groups.leave({ groupId: 'g', members: [{ memberId, groupInstanceId }] }).catch(() => {});
  }

  #ask(asked: Promise<JoinResult | SyncResult | undefined>): void {
    this.#asked = { at: this.now, answer: watch(asked) };
  }

  #refused(code: ErrorCode): void {
    this.#phase = code === 'storage-failed' && this.#phase === 'member' ? 'member' : 'to join';
    if (code === 'rebalance-in-progress') this.told ??= this.now;
    if (code === 'unknown-member' || code === 'fenced-instance') this.memberId = '';
    if (['unknown-member', 'fenced-instance', 'illegal-generation'].includes(code)) this.lost();
  }

  /** What a leader makes of what the others say: who may have something still keeps it, or nobody gets it this time. */
  #assign() {
    const members = (this.#leads?.members ?? []).map(({ memberId, metadata }) => ({
      memberId,
      had: (metadata.toString().split(';')[1] ?? '').split(' ').filter((name) => name !== ''),
      gets: [] as string[],
    }));
    const quota = Math.ceil(PARTITIONS.length / members.length);
    const free = new Set(PARTITIONS);
    for (const member of members) {
      for (const partition of member.had) {
        if (free.delete(partition) && member.gets.length < quota) member.gets.push(partition);
      }
    }
    for (const member of members) {
      for (const partition of free) {
        if (member.gets.length >= quota) break;
        free.delete(partition);
        member.gets.push(partition);
      }
    }
    return members.map(({ memberId, gets }) => ({ memberId, assignment: Buffer.from(gets.join(' ')) }));
  }
}

class ConsumerClient extends Client {
  #epoch: number = JOINS;
  #target: Assignment = NO_PARTITIONS;
  #has: Assignment = NO_PARTITIONS;
  #saysAll = true;
  #asked: { at: number; answer: ReturnType<typeof watch<ConsumerHeartbeatResult>> } | undefined;

  constructor(fixture: Fixture, index: number, incarnation: number) {
    super(fixture, index);
    this.memberId = `m${index}.${incarnation}`;
    this.heard = this.now;
  }

  step(): void {
    if (this.#asked !== undefined) return;
    const all = this.#saysAll || this.#epoch === JOINS;
    // What it has is told when it has changed, and then it is what it was told to have.
    const owned = all || equal(this.#has, this.#target) ? this.#has : null;
    this.#asked = { at: this.now, answer: watch(this.#beat(this.#epoch, all, owned)) };
  }

  look(): void {
    const { at, answer } = this.#asked ?? {};
    if (at === undefined || answer?.settled !== true) return;
    this.#asked = undefined;
    if (answer.refused !== undefined) {
      this.#saysAll = true;
      if (['unknown-member', 'fenced-member-epoch', 'not-found'].includes(answer.refused)) this.lost();
      if (answer.refused === 'fenced-instance') {
        this.lost();
        this.memberId += '+';
      }
      return;
    }
    this.heard = at;
    const { memberEpoch, assignment } = answer.value!;
    this.#epoch = memberEpoch;
    this.#saysAll = false;
    if (assignment === null) return;
    this.#target = assignment;
    const less = split(this.#has, lookup(assignment)).no.length > 0;
    this.told = less ? (this.told ?? this.now) : undefined;
    if (!less) this.revoke();
  }

  revoke(): void {
    this.told = undefined;
    this.#has = this.#target;
    const name = (topicId: string) => this.fixture.topics.byId(topicId)!.name;
    this.owned = this.#has.flatMap(({ topicId, partitions }) => partitions.map((each) => `${name(topicId)}/${each}`));
  }

  lose(): void {
    this.#asked = undefined;
    this.#saysAll = true;
  }

  lost(): void {
    this.#target = NO_PARTITIONS;
    this.revoke();
    this.#epoch = JOINS;
    this.#asked = undefined;
    this.heard = this.now;
  }

  leave(): void {
    this.#beat(LEAVES, false, []).catch(() => {});
  }

  #beat(memberEpoch: number, all: boolean, owned: Assignment | null) {
    const { memberId, instanceId } = this;
    return this.fixture.groups.consumerHeartbeat({
      ...{ groupId: 'g', memberId, memberEpoch, instanceId, clientId: 'c', clientHost: '/h', rackId: null },
      rebalanceTimeoutMs: all ? REBALANCE : -1,
      topicNames: all ? ['t', 'u'] : null,
      topicRegex: null,
      assignor: null,
      owned,
    });
  }
}

const client = fc.nat({ max: CLIENTS - 1 });
const act = fc.oneof(
  {
    weight: 16,
    arbitrary: fc.record({ act: fc.constantFrom('step' as const, 'step' as const, 'revoke' as const), client }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constantFrom('lose' as const, 'leave' as const, 'leave' as const, 'crash' as const),
      client,
      protocol: fc.constantFrom('classic' as const, 'consumer' as const),
    }),
  },
  { weight: 6, arbitrary: fc.record({ act: fc.constant('work' as const), seconds: fc.constantFrom(1, 3, 12) }) },
  {
    weight: 3,
    arbitrary: fc.record({ act: fc.constant('pass' as const), ms: fc.constantFrom(1, 500, 4_000, 9_999, 10_000) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      act: fc.constantFrom(
        'hold' as const,
        'release' as const,
        'fail' as const,
        'recover' as const,
        'restart' as const,
      ),
    }),
  },
);
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;

class Model {
  readonly fixture = new Fixture({ consumerSessionTimeoutMs: SESSION, newMemberJoinTimeoutMs: REBALANCE });
  readonly clients: Client[];
  readonly #cooperative: boolean;
  #incarnations = 0;

  constructor(cooperative: boolean) {
    this.#cooperative = cooperative;
    this.fixture.topics.set('t', 4);
    this.fixture.topics.set('u', 2);
    this.clients = Array.from({ length: CLIENTS }, (_, index) => this.#begin(index, 'classic'));
  }

  async do(step: Act): Promise<void> {
    const { log, clock } = this.fixture;
    switch (step.act) {
      case 'pass':
        for (let left = step.ms; left > 0; left -= 500) {
          await clock.advance(Math.min(left, 500));
          this.#look();
        }
        break;
      case 'work':
        for (let second = 0; second < step.seconds; second++) await this.work();
        break;
      case 'hold':
        log.hold();
        break;
      case 'release':
        log.release();
        break;
      case 'fail':
      case 'recover':
        log.failing = step.act === 'fail';
        break;
      case 'restart':
        log.release();
        await this.fixture.settle();
        this.fixture.restart(clock.monotonic() % 2 === 0 ? 'events' : 'snapshot');
        break;
      default:
        this.#act(step);
    }
    await this.fixture.settle();
    this.#look();
  }

  /** Everybody does for a second what it should. */
  async work(): Promise<void> {
    for (const each of this.clients) {
      each.revoke();
      each.step();
      await this.fixture.settle();
      this.#look();
    }
    await this.fixture.clock.advance(500);
    this.#look();
    await this.fixture.clock.advance(500);
    this.#look();
  }

  get owned(): string[] {
    return this.clients.flatMap(({ owned }) => owned).sort();
  }

  #act(step: Extract<Act, { client: number }>): void {
    const each = this.clients[step.client]!;
    if (!('protocol' in step)) each[step.act]();
    else if (step.act === 'lose') each.lose();
    else {
      if (step.act === 'leave') each.leave();
      this.clients[step.client] = this.#begin(step.client, step.protocol);
    }
  }

  #begin(index: number, protocol: 'classic' | 'consumer'): Client {
    if (protocol === 'classic') return new ClassicClient(this.fixture, index, this.#cooperative);
    return new ConsumerClient(this.fixture, index, this.#incarnations++);
  }

  #look(): void {
    for (const each of this.clients) {
      each.look();
      each.expire();
    }
    expect(new Set(this.owned).size).toBe(this.owned.length);
  }
}

it.each([
  ['eager', false],
  ['cooperative', true],
] as const)(
  'with %s members of the classic protocol, no partition has two owners, whatever happens, and in the end each has one',
  async (_, cooperative) => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 80, size: 'max' }), async (acts) => {
        const model = new Model(cooperative);
        await model.do({ act: 'work', seconds: 3 });
        for (const step of acts) await model.do(step);
        await model.do({ act: 'release' });
        await model.do({ act: 'recover' });
        // Longer than it takes until the last of those who have gone is forgotten, and everybody else has given back.
        let still = 0;
        for (let second = 0; still < 5; second++) {
          expect(second).toBeLessThan((4 * (SESSION + REBALANCE)) / 1_000);
          await model.work();
          still = model.owned.length === PARTITIONS.length ? still + 1 : 0;
        }
        expect(model.owned).toEqual(PARTITIONS);
      }),
      { numRuns: 100 },
    );
  },
  60_000,
);
