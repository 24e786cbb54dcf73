import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ErrorCode } from '../../errors.ts';
import { Fixture, joinRequest, watch } from './fixture.contract.ts';
import type { Joined, JoinResult, SyncResult } from './membership.ts';

// Clients that do what they like, in whatever order, against what every group has to hold to.

const CLIENTS = 4;
/** Longer for the last client: others then wait for it, should it be gone, for longer than their own sessions. */
const SESSION = 6_000;
const LONG_SESSION = 15_000;
const REBALANCE = 20_000;
const NEW_MEMBER = 30_000;

type Act =
  | { readonly act: 'join' | 'sync' | 'heartbeat' | 'leave' | 'begin anew' | 'change'; readonly client: number }
  | { readonly act: 'pass'; readonly ms: number }
  | { readonly act: 'hold' | 'release' | 'fail' | 'recover' | 'restart' };

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      act: fc.constantFrom('join' as const, 'join' as const, 'sync' as const, 'sync' as const, 'heartbeat' as const),
      client: fc.nat({ max: CLIENTS - 1 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      act: fc.constantFrom('leave' as const, 'begin anew' as const, 'change' as const),
      client: fc.nat({ max: CLIENTS - 1 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ act: fc.constant('pass' as const), ms: fc.constantFrom(0, 1, 1_000, 5_999, 25_000) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      act: fc.constantFrom('hold' as const, 'hold' as const, 'release' as const, 'fail' as const, 'recover' as const),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ act: 'restart' as const }) },
);

type Watched<T> = ReturnType<typeof watch<T>>;

class Client {
  readonly index: number;
  readonly instance: string | null;
  memberId = '';
  topics = 'orders';
  joined: Joined | undefined;
  joining: Watched<JoinResult> | undefined;
  syncing: Watched<SyncResult> | undefined;
  synced = false;

  constructor(index: number) {
    this.index = index;
    // Half of the members are static.
    this.instance = index % 2 === 0 ? null : `i${index}`;
  }

  forget(): void {
    this.memberId = '';
    this.joined = undefined;
    this.joining = undefined;
    this.syncing = undefined;
    this.synced = false;
  }
}

class Model {
  readonly fixture = new Fixture({ newMemberJoinTimeoutMs: NEW_MEMBER });
  readonly clients = Array.from({ length: CLIENTS }, (_, index) => new Client(index));
  /** Everything that was ever awaited. */
  readonly #awaited: Watched<unknown>[] = [];
  /** By start of the broker and generation, as one that was not stored comes again after a restart. */
  readonly #leaders = new Map<string, { leader: number; protocolName: string | null }>();
  readonly #assigned = new Map<string, string>();
  #starts = 0;
  #syncs = 0;

  async do(step: Act): Promise<void> {
    switch (step.act) {
      case 'pass':
        await this.fixture.clock.advance(step.ms);
        break;
      case 'hold':
        this.fixture.log.hold();
        break;
      case 'release':
        this.fixture.log.release();
        break;
      case 'fail':
      case 'recover':
        this.fixture.log.failing = step.act === 'fail';
        break;
      case 'restart':
        this.fixture.log.release();
        await this.fixture.settle();
        this.fixture.restart('events');
        this.#starts++;
        break;
      default:
        await this.ask(step.act, this.clients[step.client]!);
    }
    await this.fixture.settle();
    for (const client of this.clients) this.look(client);
  }

  /** Answers with what a heartbeat was refused with. */
  async ask(act: Extract<Act, { client: number }>['act'], client: Client): Promise<ErrorCode | undefined> {
    const { groups } = this.fixture;
    const { memberId, instance: groupInstanceId, joined } = client;
    const identity = { groupId: 'g', memberId, groupInstanceId, generation: joined?.generation ?? -1 };
    switch (act) {
      case 'join': {
        const request = joinRequest({
          memberId,
          groupInstanceId,
          clientId: `c${client.index}`,
          sessionTimeoutMs: client.index === CLIENTS - 1 ? LONG_SESSION : SESSION,
          rebalanceTimeoutMs: REBALANCE,
          protocols: [{ name: 'range', metadata: Buffer.from(client.topics) }],
          requireKnownMemberId: client.index % 4 < 2,
        });
        client.synced = false;
        client.joining = this.#watch(groups.join(request));
        return undefined;
      }
      case 'sync': {
        const nonce = this.#syncs++;
        const assignments = (joined?.members ?? []).map((member) => ({
          memberId: member.memberId,
          assignment: Buffer.from(`${nonce}/${ownerOf(member.memberId)}`),
        }));
        client.syncing = this.#watch(groups.sync({ ...identity, assignments }));
        return undefined;
      }
      case 'heartbeat': {
        const beat = this.#watch(groups.heartbeat(identity));
        await this.fixture.settle();
        return beat.refused;
      }
      case 'leave':
        this.#watch(groups.leave({ groupId: 'g', members: [identity] }));
        client.forget();
        return undefined;
      case 'begin anew':
        client.forget();
        return undefined;
      case 'change':
        client.topics = client.topics === 'orders' ? 'orders,bills' : 'orders';
        return undefined;
    }
  }

  /** Takes in what a client was answered, and checks it. Answers with what it was refused with. */
  look(client: Client): ErrorCode | undefined {
    const { joining, syncing } = client;
    if (joining?.settled) {
      client.joining = undefined;
      if (joining.refused !== undefined) return joining.refused;
      const result = joining.value!;
      client.memberId = result.memberId;
      if (result.joined) this.#checkJoined(client, result);
    }
    if (syncing?.settled) {
      client.syncing = undefined;
      if (syncing.refused !== undefined) return syncing.refused;
      client.synced = true;
      if (client.joined !== undefined)
        this.#checkAssignment(client, client.joined, syncing.value!.assignment.toString());
    }
    return undefined;
  }

  unanswered(): number {
    return this.#awaited.filter(({ settled }) => !settled).length;
  }

  #checkJoined(client: Client, joined: Joined): void {
    client.joined = joined;
    const key = `${this.#starts}/${joined.generation}`;
    const { leader, protocolName } = joined;
    const leads = leader === joined.memberId;
    expect(joined.members.length > 0).toBe(leads);
    if (leads) expect(joined.members.map(({ memberId }) => memberId)).toContain(joined.memberId);
    const owner = ownerOf(leader);
    const known = this.#leaders.get(key);
    if (known === undefined) this.#leaders.set(key, { leader: owner, protocolName });
    else expect({ leader: owner, protocolName }).toEqual(known);
  }

  #checkAssignment(client: Client, { generation }: Joined, assignment: string): void {
    const [nonce, owner] = assignment.split('/');
    expect(owner).toBe(String(client.index));
    const key = `${this.#starts}/${generation}`;
    const known = this.#assigned.get(key);
    if (known === undefined) this.#assigned.set(key, nonce!);
    else expect(nonce).toBe(known);
  }

  #watch<T>(answer: Promise<T>): Watched<T> {
    const watched = watch(answer);
    this.#awaited.push(watched);
    return watched;
  }
}

/** A member id begins with the instance id or the client's, both of which are a letter and the client's index here. */
function ownerOf(memberId: string): number {
  return Number(memberId[1]);
}

async function afterActs(acts: readonly Act[]): Promise<Model> {
  const model = new Model();
  for (const step of acts) await model.do(step);
  await model.do({ act: 'release' });
  await model.do({ act: 'recover' });
  return model;
}

it('all of a generation have one leader, and each its assignment; and nobody waits for ever', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 60 }), async (acts) => {
      const model = await afterActs(acts);
      // A new member that waits for one that has gone, whose session only begins when the rebalance is over.
      await model.fixture.clock.advance(2 * (NEW_MEMBER + REBALANCE + LONG_SESSION));
      expect(model.unanswered()).toBe(0);
      expect(model.fixture.groups.describe('g')?.state ?? 'Empty').toBe('Empty');
      // What is left is the look for expired offsets.
      expect(model.fixture.clock.pending).toBe(1);
    }),
    { numRuns: 1_000 },
  );
});

it('members that do as they should come together, and none of them is lost, whatever others did and whoever has gone', async () => {
  const diligent = fc.uniqueArray(fc.nat({ max: CLIENTS - 1 }), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 40 }), diligent, async (acts, indices) => {
      const model = await afterActs(acts);
      const clients = indices.map((index) => model.clients[index]!);
      const safe = new Set<Client>();
      const settled = (2 * (NEW_MEMBER + REBALANCE + LONG_SESSION)) / 1_000;
      for (let second = 0; second < settled + 10; second++) {
        for (const client of clients) {
          let refused = model.look(client);
          if (client.joining === undefined && client.syncing === undefined && refused === undefined) {
            if (client.joined === undefined) await model.ask('join', client);
            else if (!client.synced) await model.ask('sync', client);
            else refused = await model.ask('heartbeat', client);
          }
          if (refused === 'unknown-member' || refused === 'fenced-instance') {
            expect(safe.has(client)).toBe(false);
            client.forget();
          }
          if (refused !== undefined) {
            expect(second).toBeLessThan(settled);
            await model.ask('join', client);
          }
          await model.fixture.settle();
          if (client.synced && client.joining === undefined) safe.add(client);
        }
        await model.fixture.clock.advance(1_000);
      }
      const described = model.fixture.groups.describe('g');
      expect(described?.state).toBe('Stable');
      expect(described?.members.map(({ memberId }) => memberId).sort()).toEqual(
        clients.map(({ memberId }) => memberId).sort(),
      );
      expect(new Set(clients.map(({ joined }) => joined?.generation)).size).toBe(1);
    }),
    { numRuns: 200 },
  );
});
