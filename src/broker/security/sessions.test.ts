import { beforeEach, expect, test } from 'vitest';
import { SeededRandom } from '../../environment/seeded-random.ts';
import { VirtualClock } from '../../environment/virtual-clock.ts';
import { isCsrfToken, Sessions } from './sessions.ts';
import type { UserRecord } from './state.ts';
import { User } from './user.ts';
import type { Users } from './users.ts';

const HERE = { loopback: true };
let clock: VirtualClock;
let sessions: Sessions;

function record(name: string, hash = 'one'): UserRecord {
  const password = { algorithm: 'rabbit_password_hashing_sha256', hash } as const;
  return { name, credentials: { password }, tags: [], limits: {}, permissions: new Map(), topicPermissions: new Map() };
}

beforeEach(() => {
  clock = new VirtualClock(1_000);
  sessions = new Sessions({
    users: { mayComeFrom: (_: User, from: typeof HERE) => from.loopback } as unknown as Users,
    clock,
    random: new SeededRandom(1),
    settings: { max: 150, idleMs: 100, lifetimeMs: 1_000 },
  });
});

test('a session is known by its token, and by nothing else', () => {
  const anna = new User(record('anna'));
  const { token, session } = sessions.begin(anna);
  expect(session).toMatchObject({ user: anna, expiresAt: 2_000 });
  expect(sessions.use(token, HERE)).toBe(session);
  expect(sessions.use(`${token}x`, HERE)).toBeUndefined();
  expect(sessions.use(token, { loopback: false })).toBeUndefined();
  expect(isCsrfToken(session, session.csrfToken)).toBe(true);
  for (const other of [undefined, '', token, `${session.csrfToken} `]) expect(isCsrfToken(session, other)).toBe(false);
  sessions.end(token);
  expect(sessions.use(token, HERE)).toBeUndefined();
});

test('it ends when nobody uses it, and after its life in any case', async () => {
  const { token } = sessions.begin(new User(record('anna')));
  for (let i = 0; i < 10; i++) {
    await clock.advance(99);
    expect(sessions.use(token, HERE)).toBeDefined();
  }
  await clock.advance(10);
  expect(sessions.use(token, HERE)).toBeUndefined();
  const idle = sessions.begin(new User(record('anna')));
  await clock.advance(100);
  expect(sessions.use(idle.token, HERE)).toBeUndefined();
  expect(sessions.size).toBe(0);
});

test("it ends with another password and with the user's end, and outlives other changes", () => {
  const anna = new User(record('anna'));
  const one = sessions.begin(anna);
  anna.update({ ...record('anna'), tags: ['monitoring'] });
  expect(sessions.use(one.token, HERE)).toBeDefined();
  anna.update(record('anna', 'two'));
  expect(sessions.use(one.token, HERE)).toBeUndefined();
  const other = sessions.begin(anna);
  anna.update(undefined);
  expect(sessions.use(other.token, HERE)).toBeUndefined();
});

test('there are so many: the longest unused ones go, of the same user first', () => {
  const [anna, bert, carl] = ['anna', 'bert', 'carl'].map((name) => new User(record(name))) as [User, User, User];
  const first = sessions.begin(bert);
  const annas = Array.from({ length: 101 }, () => sessions.begin(anna).token);
  expect(sessions.use(annas[0] ?? '', HERE)).toBeUndefined();
  expect(sessions.use(annas[1] ?? '', HERE)).toBeDefined();
  expect(sessions.use(first.token, HERE)).toBeDefined();
  for (let i = 0; i < 50; i++) sessions.begin(carl);
  expect(sessions.size).toBe(150);
  expect(sessions.use(annas[2] ?? '', HERE)).toBeUndefined();
  expect(sessions.use(first.token, HERE)).toBeDefined();
});

test('a request that goes on uses its session, and is told of its end', () => {
  const anna = new User(record('anna'));
  const { token, session } = sessions.begin(anna);
  let told = 0;
  const watched = sessions.watch(session, () => told++);
  for (let again = 0; again < 5; again++) {
    clock.advance(90);
    expect(watched.use()).toBe(true);
  }
  expect(sessions.use(token, HERE)).toBe(session);
  const stopped = sessions.watch(session, () => told++);
  stopped.stop();
  sessions.end(token);
  expect(told).toBe(1);
  for (const { use } of [watched, stopped, sessions.watch(session, () => told++)]) expect(use()).toBe(false);
  const next = sessions.watch(sessions.begin(anna).session, () => told++);
  anna.update(record('anna', 'two'));
  expect(next.use()).toBe(false);
});
