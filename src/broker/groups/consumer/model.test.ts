import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { BrokerError, ErrorCode } from '../../../errors.ts';
import { Fixture } from '../fixture.contract.ts';
import { type Assignment, equal, lookup, NO_PARTITIONS, partitionCount, split } from './assignment.ts';
import { type ConsumerHeartbeatResult, JOINS, LEAVES, LEAVES_FOR_NOW } from './heartbeat.ts';

// Consumers that come, go, sleep and lose answers, over a broker that stops and a storage that fails: no partition ever has
// two owners, by what the consumers themselves believe, and in the end everything has one.

const CONSUMERS = 4;
const SESSION = 10_000;
const REBALANCE = 20_000;
const TOPICS = ['t0', 't1', 'u0'];

type Act =
  | {
      readonly act: 'beat' | 'beat' | 'revoke' | 'lose' | 'leave' | 'rest' | 'begin anew' | 'change';
      readonly consumer: number;
    }
  | { readonly act: 'topic'; readonly topic: string; readonly partitions: number }
  | { readonly act: 'pass'; readonly ms: number }
  | { readonly act: 'hold' | 'release' | 'fail' | 'recover' | 'restart' };

const consumer = fc.nat({ max: CONSUMERS - 1 });
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ act: fc.constantFrom('beat' as const, 'beat' as const, 'revoke' as const), consumer }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constantFrom(
        'lose' as const,
        'leave' as const,
        'rest' as const,
        'begin anew' as const,
        'change' as const,
      ),
      consumer,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('topic' as const),
      topic: fc.constantFrom(...TOPICS),
      partitions: fc.nat({ max: 5 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ act: fc.constant('pass' as const), ms: fc.constantFrom(1, 500, 4_000, 9_999, 10_000) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      act: fc.constantFrom('hold' as const, 'release' as const, 'fail' as const, 'recover' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('restart' as const) }) },
);

const SUBSCRIPTIONS = [
  { topicNames: ['t0', 't1'], topicRegex: '' },
  { topicNames: ['u0'], topicRegex: '' },
  { topicNames: [], topicRegex: 't.*' },
  { topicNames: ['u0'], topicRegex: 't[01]' },
] as const;

class Consumer {
  readonly index: number;
  readonly instanceId: string | null;
  memberId: string;
  incarnation = 0;
  epoch: number = JOINS;
  subscription = 0;
  /** What it believes that it has. */
  owned: Assignment = NO_PARTITIONS;
  /** What it was told to have. */
  told: Assignment = NO_PARTITIONS;
  /** When it was told to have less than it has. */
  toldToRevoke: number | undefined;
  /** Says everything with the next heartbeat, as it does not know what was heard. */
  saysAll = true;
  /** When it sent the last heartbeat that was answered well. */
  heard = 0;
  asked:
    | { readonly at: number; readonly subscription: number; answer: ConsumerHeartbeatResult | ErrorCode | undefined }
    | undefined;
  away = false;

  constructor(index: number) {
    this.index = index;
    // Half of them are static.
    this.instanceId = index % 2 === 0 ? null : `i${index}`;
    this.memberId = `m${index}.0`;
  }

  giveUp(): void {
    this.owned = this.told = NO_PARTITIONS;
    this.toldToRevoke = undefined;
    this.epoch = JOINS;
    this.saysAll = true;
    this.asked = undefined;
  }

  beginAnew(): void {
    this.giveUp();
    this.memberId = `m${this.index}.${++this.incarnation}`;
  }
}

class Model {
  readonly fixture = new Fixture({ consumerSessionTimeoutMs: SESSION, topicRegexRetryMs: 700 });
  readonly consumers = Array.from({ length: CONSUMERS }, (_, index) => new Consumer(index));
  #held = false;

  constructor() {
    this.fixture.topics.set('t0', 3);
    this.fixture.topics.set('u0', 2);
  }

  get now(): number {
    return this.fixture.clock.monotonic();
  }

  async do(step: Act): Promise<void> {
    const { log, topics, clock } = this.fixture;
    switch (step.act) {
      case 'pass':
        // Whoever cannot have been heard for so long knows it, as its clock goes as the broker's does.
        for (let left = step.ms; left > 0; left -= 500) {
          await clock.advance(Math.min(left, 500));
          this.#expire();
        }
        break;
      case 'hold':
        log.hold();
        this.#held = true;
        break;
      case 'release':
        log.release();
        this.#held = false;
        break;
      case 'fail':
      case 'recover':
        log.failing = step.act === 'fail';
        break;
      case 'restart':
        log.release();
        this.#held = false;
        await this.fixture.settle();
        this.fixture.restart(this.now % 2 === 0 ? 'events' : 'snapshot');
        break;
      case 'topic':
        topics.set(step.topic, step.partitions);
        break;
      default:
        await this.#ask(step.act, this.consumers[step.consumer]!);
    }
    await this.fixture.settle();
    for (const each of this.consumers) this.look(each);
    this.#expire();
    this.check();
  }

  beat(each: Consumer): void {
    if (each.asked !== undefined) return;
    each.away = false;
    const all = each.saysAll || each.epoch === JOINS;
    const { topicNames, topicRegex } = SUBSCRIPTIONS[each.subscription]!;
    const asked: Consumer['asked'] = { at: this.now, subscription: each.subscription, answer: undefined };
    each.asked = asked;
    this.fixture.groups
      .consumerHeartbeat({
        groupId: 'g',
        memberId: each.memberId,
        memberEpoch: each.epoch,
        instanceId: each.instanceId,
        clientId: 'c',
        clientHost: '/h',
        rackId: null,
        rebalanceTimeoutMs: all ? REBALANCE : -1,
        topicNames: all ? topicNames : null,
        topicRegex: all ? topicRegex : null,
        assignor: each.index === 0 ? 'range' : null,
        // What it has is told when it has changed, and then it is what it was told to have.
        owned: all || equal(each.owned, each.told) ? each.owned : null,
      })
      .then(
        (answer) => {
          asked.answer = answer;
        },
        (error: BrokerError) => {
          asked.answer = error.code;
        },
      );
  }

  /** Takes in an answer. */
  look(each: Consumer): ErrorCode | undefined {
    const { asked } = each;
    if (asked?.answer === undefined) return undefined;
    each.asked = undefined;
    if (typeof asked.answer === 'string') {
      each.saysAll = true;
      const fenced = ['unknown-member', 'fenced-member-epoch', 'not-found'].includes(asked.answer);
      if (fenced) each.giveUp();
      if (asked.answer === 'fenced-instance') each.beginAnew();
      return asked.answer;
    }
    each.heard = asked.at;
    each.epoch = asked.answer.memberEpoch;
    each.saysAll = each.subscription !== asked.subscription;
    if (asked.answer.assignment !== null) {
      each.told = asked.answer.assignment;
      const less = split(each.owned, lookup(each.told)).no.length > 0;
      each.toldToRevoke = less ? (each.toldToRevoke ?? this.now) : undefined;
      if (!less) each.owned = each.told;
    }
    return undefined;
  }

  /** Gives back what it was told to, and then takes what it was given. */
  revoke(each: Consumer): void {
    each.owned = each.told;
    each.toldToRevoke = undefined;
  }

  check(): void {
    const owners = new Map<string, number>();
    for (const { index, owned } of this.consumers) {
      for (const { topicId, partitions } of owned) {
        for (const partition of partitions) {
          expect(owners.get(`${topicId}/${partition}`) ?? index).toBe(index);
          owners.set(`${topicId}/${partition}`, index);
        }
      }
    }
  }

  /** Whether these alone are members, and have all partitions of what they consume. */
  isSettled(staying: readonly Consumer[]): boolean {
    const described = this.fixture.groups.describeConsumers('g');
    const members = new Set(described?.members.map(({ memberId }) => memberId));
    if ((described?.state ?? 'Empty') !== (staying.length === 0 ? 'Empty' : 'Stable')) return false;
    if (members.size !== staying.length || !staying.every(({ memberId }) => members.has(memberId))) return false;
    const wanted = new Map<string, number>();
    for (const { subscription } of staying) {
      const { topicNames, topicRegex } = SUBSCRIPTIONS[subscription]!;
      for (const name of TOPICS) {
        const topic = this.fixture.topics.byName(name);
        const meant = (topicNames as readonly string[]).includes(name) || (topicRegex !== '' && name.startsWith('t'));
        if (topic !== undefined && meant) wanted.set(topic.topicId, topic.partitions);
      }
    }
    const total = staying.reduce((sum, { owned }) => sum + partitionCount(owned), 0);
    return total === [...wanted.values()].reduce((sum, size) => sum + size, 0);
  }

  async #ask(act: Extract<Act, { consumer: number }>['act'], each: Consumer): Promise<void> {
    switch (act) {
      case 'beat':
        return this.beat(each);
      case 'revoke':
        return this.revoke(each);
      case 'lose':
        // The answer is lost, or it comes too late.
        if (each.asked === undefined) this.beat(each);
        await this.fixture.settle();
        if (each.asked?.answer === undefined && this.#held) return;
        each.asked = undefined;
        each.saysAll = true;
        return;
      case 'leave':
      case 'rest': {
        const memberEpoch = act === 'rest' && each.instanceId !== null ? LEAVES_FOR_NOW : LEAVES;
        const left = this.fixture.groups.consumerHeartbeat({
          ...{
            groupId: 'g',
            memberId: each.memberId,
            memberEpoch,
            instanceId: each.instanceId,
            clientId: 'c',
            clientHost: '/h',
          },
          ...{ rackId: null, rebalanceTimeoutMs: -1, topicNames: null, topicRegex: null, assignor: null, owned: [] },
        });
        left.catch(() => {});
        each.away = true;
        return each.beginAnew();
      }
      case 'begin anew':
        each.away = true;
        return each.beginAnew();
      case 'change':
        each.subscription = (each.subscription + 1) % SUBSCRIPTIONS.length;
        each.saysAll = true;
        return;
    }
  }

  /** A consumer that was not heard for a session, or could not give back in time, knows that it has lost everything. */
  #expire(): void {
    for (const each of this.consumers) {
      const silent = this.now - each.heard >= SESSION;
      const late = each.toldToRevoke !== undefined && this.now - each.toldToRevoke >= REBALANCE - SESSION;
      if (each.epoch !== JOINS && (silent || late)) each.giveUp();
    }
  }
}

it('no partition has two owners, whatever happens, and in the end each has one', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 80 }), async (acts) => {
      const model = new Model();
      for (const step of acts) await model.do(step);
      await model.do({ act: 'release' });
      await model.do({ act: 'recover' });
      const staying = model.consumers.filter(({ away }) => !away);
      // Longer than it takes until the last of those who have gone is forgotten, and everybody else has given back.
      for (let second = 0; !model.isSettled(staying); second++) {
        expect(second).toBeLessThan((3 * (SESSION + REBALANCE)) / 1_000);
        for (const each of staying) {
          model.revoke(each);
          model.beat(each);
          await model.fixture.settle();
          model.look(each);
          model.check();
        }
        await model.do({ act: 'pass', ms: 1_000 });
      }
    }),
    { numRuns: 1_000 },
  );
}, 60_000);
