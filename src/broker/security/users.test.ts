import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ShardHome } from '../../../test/storage/fixture.ts';
import { SeededRandom } from '../../environment/seeded-random.ts';
import type { Shard } from '../../storage/index.ts';
import { scramCredential } from './scram.ts';
import type { User } from './user.ts';
import { Users, type UsersOptions } from './users.ts';

const HERE = { loopback: true };
const ELSEWHERE = { loopback: false };
const ALL = { configure: '.*', write: '.*', read: '.*' };

let home: ShardHome;
let shard: Shard;
let users: Users;
let virtualHosts: Set<string>;

beforeEach(async () => {
  home = new ShardHome();
  virtualHosts = new Set(['/', 'other']);
  shard = await home.open();
  users = await open();
});
afterEach(() => shard.close());

function open(options: Partial<UsersOptions> = {}): Promise<Users> {
  return Users.open({
    shard,
    random: new SeededRandom(7),
    now: () => 0,
    onTrouble: (error, what) => home.troubles.push({ error, what }),
    firstUser: { name: 'guest', password: 'guest' },
    loopbackUsers: ['guest'],
    hasVirtualHost: (name) => virtualHosts.has(name),
    ...options,
  });
}

async function restart(options?: Partial<UsersOptions>): Promise<void> {
  await users.close();
  await shard.close();
  shard = await home.open();
  users = await open(options);
}

/** Where there never was a user. */
async function fresh(options: Partial<UsersOptions>): Promise<void> {
  await shard.close();
  home = new ShardHome();
  shard = await home.open();
  users = await open(options);
}

async function made(name: string, password = 'secret'): Promise<User> {
  await users.put({ name, password });
  // It was just made.
  return users.get(name) as User;
}

describe('the first start', () => {
  it('makes an administrator with all permissions, for this machine alone', () => {
    const guest = users.authenticate('guest', 'guest', HERE);
    expect(guest.tags).toEqual(['administrator']);
    expect(guest.mayAccess('/')).toBe(true);
    expect(guest.mayAccess('other')).toBe(false);
    expect(guest.may('/', 'configure', 'anything')).toBe(true);
    expect(() => users.authenticate('guest', 'guest', ELSEWHERE)).toThrow(
      expect.objectContaining({ code: 'not-authorized', message: "user 'guest' can only connect via localhost" }),
    );
  });

  it('makes the user that it is told to, who may come from anywhere', async () => {
    await fresh({ firstUser: { name: 'boss', password: 'x' } });
    expect(users.get('guest')).toBeUndefined();
    expect(users.authenticate('boss', 'x', ELSEWHERE).tags).toEqual(['administrator']);
  });

  it('makes nobody when it is told so, nor again when all users were deleted', async () => {
    await users.delete('guest');
    await restart();
    expect([...users.all()]).toEqual([]);
    await fresh({ firstUser: undefined });
    expect([...users.all()]).toEqual([]);
  });
});

describe('authentication', () => {
  it.each(['guest', 'nobody'])('refuses a wrong password of %s with the same words as one who is not there', (name) => {
    expect(() => users.authenticate(name, 'wrong', HERE)).toThrow(
      expect.objectContaining({ code: 'not-authorized', message: `user '${name}' - invalid credentials` }),
    );
  });

  it('refuses a blank password, and any password of a user who has none', async () => {
    await users.put({ name: 'device' });
    expect(() => users.authenticate('device', '', ELSEWHERE)).toThrow(
      "user 'device' attempted to log in with a blank password",
    );
    expect(() => users.authenticate('device', 'x', ELSEWHERE)).toThrow("user 'device' - invalid credentials");
    await expect(users.put({ name: 'device', password: '' })).rejects.toMatchObject({ code: 'invalid-configuration' });
  });

  it('takes the word of others for who it is, but not for where from', async () => {
    await users.put({ name: 'device' });
    expect(users.authenticateExternal('device', ELSEWHERE).name).toBe('device');
    expect(() => users.authenticateExternal('stranger', ELSEWHERE)).toThrow("user 'stranger' - invalid credentials");
    expect(() => users.authenticateExternal('guest', ELSEWHERE)).toThrow('can only connect via localhost');
  });

  it("takes RabbitMQ's password hashes", async () => {
    const hash = 'kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR';
    await users.put({ name: 'old', passwordHash: { algorithm: 'rabbit_password_hashing_sha256', hash } });
    expect(users.authenticate('old', 'test12', ELSEWHERE).name).toBe('old');
    const md5 = users.put({ name: 'older', passwordHash: { algorithm: 'rabbit_password_hashing_md5', hash } });
    await expect(md5).rejects.toMatchObject({ code: 'invalid-configuration' });
    const both = users.put({
      name: 'b',
      password: 'x',
      passwordHash: { algorithm: 'rabbit_password_hashing_sha256', hash },
    });
    await expect(both).rejects.toThrow('give one');
  });
});

describe('a user', () => {
  it('that changes is changed for whoever holds it, and keeps its permissions', async () => {
    const user = await made('anna');
    await users.setPermissions('anna', '/', { configure: '', write: '^orders', read: '.*' });
    expect(user.may('/', 'write', 'orders-1')).toBe(true);
    expect(user.may('/', 'write', 'invoices')).toBe(false);
    expect(user.may('/', 'configure', 'orders-1')).toBe(false);
    await users.put({ name: 'anna', password: 'other', tags: ['impersonator'] });
    expect(users.get('anna')).toBe(user);
    expect(user.may('/', 'write', 'orders-1')).toBe(true);
    expect(user.tags).toEqual(['impersonator']);
    await users.setPermissions('anna', '/', { ...ALL, write: '^invoices' });
    expect(user.may('/', 'write', 'orders-1')).toBe(false);
    await users.clearPermissions('anna', '/');
    expect(user.mayAccess('/')).toBe(false);
    expect(user.may('/', 'read', 'x')).toBe(false);
  });

  it('that was deleted may do nothing, also when there is another one of its name', async () => {
    const removed: User[] = [];
    users.onUserRemoved((user) => removed.push(user));
    const first = await made('anna');
    await users.setPermissions('anna', '/', ALL);
    expect(first.may('/', 'read', 'x')).toBe(true);
    await users.delete('anna');
    expect(removed).toEqual([first]);
    const second = await made('anna');
    await users.setPermissions('anna', '/', ALL);
    expect(first.may('/', 'read', 'x')).toBe(false);
    expect(first.mayTopic('/', 'x', 'read', 'k')).toBe(false);
    expect(first.tags).toEqual([]);
    expect(second.may('/', 'read', 'x')).toBe(true);
  });

  it('is asked for the default exchange by a name that patterns can have', async () => {
    const user = await made('anna');
    await users.setPermissions('anna', '/', { configure: '', write: '^amq\\.default$', read: '' });
    expect(user.may('/', 'write', '')).toBe(true);
    expect(user.may('/', 'read', '')).toBe(false);
  });

  it('has topic permissions on exchanges that have some, with variables for what the client is', async () => {
    const user = await made('a.b');
    await users.setTopicPermissions('a.b', '/', 'amq.topic', {
      write: '^{username}\\.{client_id}\\.',
      read: '^{vhost}$',
    });
    const may = (key: string, clientId = 'c') => user.mayTopic('/', 'amq.topic', 'write', key, { client_id: clientId });
    expect(may('a.b.c.x')).toBe(true);
    expect(may('aXb.c.x')).toBe(false);
    expect(may('a.b.d.x')).toBe(false);
    expect(may('a.b.d.x', 'd')).toBe(true);
    // What a client calls itself is not a pattern, nor a way to make one that cannot be.
    expect(may('a.b.d.x', '.*')).toBe(false);
    expect(may('a.b..*.x', '.*')).toBe(true);
    expect(may('a.b.c.x', '('.repeat(2000))).toBe(false);
    expect(user.mayTopic('/', 'amq.topic', 'write', 'a.b.c.x')).toBe(false);
    expect(user.mayTopic('/', 'amq.topic', 'read', '/')).toBe(true);
    expect(user.mayTopic('/', 'other', 'write', 'any')).toBe(true);
    expect(user.mayTopic('other', 'amq.topic', 'write', 'any')).toBe(true);
    await users.clearTopicPermissions('a.b', '/');
    expect(may('any')).toBe(true);
  });

  it('answers many questions as a regular expression would, over and over', async () => {
    const user = await made('anna');
    const patterns = fc.constantFrom('', '.*', '^a', 'b$', '^(a|b)+$', 'ab', '^[^a]*$');
    const names = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 4 }), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(patterns, patterns, patterns, names, async (configure, write, read, asked) => {
        const set = { configure, write, read };
        await users.setPermissions('anna', '/', set);
        for (const name of asked) {
          for (const permission of ['configure', 'write', 'read'] as const) {
            const expression = set[permission] === '' ? /^$/ : new RegExp(set[permission]);
            expect(user.may('/', permission, name)).toBe(expression.test(name === '' ? 'amq.default' : name));
          }
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('changes', () => {
  it('are refused for users and virtual hosts that are not there, and for what is no pattern', async () => {
    await expect(users.delete('nobody')).rejects.toMatchObject({ code: 'not-found' });
    await expect(users.setPermissions('nobody', '/', ALL)).rejects.toMatchObject({ code: 'not-found' });
    await expect(users.setPermissions('guest', 'nowhere', ALL)).rejects.toMatchObject({ code: 'not-found' });
    const wrong = users.setPermissions('guest', '/', { ...ALL, write: '(' });
    await expect(wrong).rejects.toMatchObject({ code: 'invalid-configuration' });
    const wrongTopic = users.setTopicPermissions('guest', '/', 'x', { write: '(', read: '' });
    await expect(wrongTopic).rejects.toMatchObject({ code: 'invalid-configuration' });
    await expect(users.put({ name: '' })).rejects.toMatchObject({ code: 'invalid-configuration' });
    await expect(users.put({ name: 'x', tags: Array(33).fill('t') })).rejects.toThrow('32 tags');
    expect(users.get('guest')?.may('/', 'write', 'x')).toBe(true);
  });

  it('are there after a restart', async () => {
    await made('anna');
    await users.put({ name: 'anna', password: 'secret', tags: ['monitoring'], limits: { 'max-connections': 5 } });
    await users.setPermissions('anna', 'other', { configure: '', write: '^a', read: '^b' });
    await users.setTopicPermissions('anna', 'other', 'x', { write: '^w', read: '^r' });
    await users.setTopicPermissions('anna', 'other', 'y', { write: '', read: '' });
    await users.clearTopicPermissions('anna', 'other', 'y');
    const record = users.get('anna')?.record;
    await restart();
    const user = users.authenticate('anna', 'secret', ELSEWHERE);
    expect(user.record).toEqual(record);
    expect(user.may('other', 'write', 'a')).toBe(true);
    expect(user.mayTopic('other', 'x', 'write', 'other')).toBe(false);
    expect(user.mayTopic('other', 'y', 'write', 'other')).toBe(true);
    expect([...users.all()].map(({ name }) => name)).toEqual(['guest', 'anna']);
  });

  it('that change nothing are not written down', async () => {
    const set = async () => {
      await users.put({ name: 'anna', password: 'secret', tags: ['a'], limits: { b: 1, a: 2 } });
      await users.setPermissions('anna', '/', ALL);
      await users.setTopicPermissions('anna', '/', 'x', { write: 'w', read: 'r' });
    };
    await set();
    const record = users.get('anna')?.record;
    await set();
    expect(users.get('anna')?.record).toBe(record);
  });

  it('to a virtual host are forgotten with it', async () => {
    const user = await made('anna');
    await users.setPermissions('anna', 'other', ALL);
    await users.setTopicPermissions('anna', 'other', 'x', { write: '', read: '' });
    await users.forgetVirtualHosts((name) => name === 'other');
    expect(user.mayAccess('other')).toBe(false);
    expect(user.mayTopic('other', 'x', 'read', 'k')).toBe(true);
    expect(users.get('guest')?.mayAccess('/')).toBe(true);
  });
});

describe('SCRAM credentials', () => {
  const mechanismsOf = (name: string) => Object.keys(users.get(name)?.record?.credentials.scram ?? {});
  const credential = (byte: number) =>
    scramCredential('SCRAM-SHA-256', {
      salt: Buffer.from('salt'),
      saltedPassword: Buffer.alloc(32, byte),
      iterations: 4096,
    });

  it('are made of a password that is given, and change with it', async () => {
    await made('anna', 'one');
    expect(mechanismsOf('anna')).toEqual(['SCRAM-SHA-256', 'SCRAM-SHA-512']);
    const before = users.get('anna')?.record?.credentials.scram;
    await users.put({ name: 'anna', password: 'one', tags: ['monitoring'] });
    expect(users.get('anna')?.record?.credentials.scram).toEqual(before);
    await users.put({ name: 'anna', password: 'two' });
    expect(users.get('anna')?.record?.credentials.scram).not.toEqual(before);
  });

  it('go when the password is replaced by a hash, of which they cannot be made, or by none', async () => {
    const { credentials } = (await made('anna')).record ?? {};
    const berta = (await made('berta', 'other')).record?.credentials.password;
    await users.put({ name: 'anna', passwordHash: credentials?.password });
    expect(mechanismsOf('anna')).toHaveLength(2);
    await users.put({ name: 'anna', passwordHash: berta });
    expect(mechanismsOf('anna')).toEqual([]);
    await users.put({ name: 'berta' });
    expect(mechanismsOf('berta')).toEqual([]);
  });

  it('that were set on their own stay when the user gets a hash, and last', async () => {
    await users.setScram('carla', 'SCRAM-SHA-256', credential(1));
    const hash = (await made('anna')).record?.credentials.password;
    await users.put({ name: 'carla', passwordHash: hash });
    await restart();
    expect(users.get('carla')?.record?.credentials.scram).toEqual({ 'SCRAM-SHA-256': credential(1) });
  });

  it('take the user with them when that has nothing else', async () => {
    await users.setScram('carla', 'SCRAM-SHA-256', credential(1));
    await users.setScram('carla', 'SCRAM-SHA-512', credential(2));
    await users.clearScram('carla', 'SCRAM-SHA-256');
    expect(mechanismsOf('carla')).toEqual(['SCRAM-SHA-512']);
    await users.clearScram('carla', 'SCRAM-SHA-512');
    expect(users.get('carla')).toBeUndefined();
    await made('anna');
    await users.clearScram('anna', 'SCRAM-SHA-256');
    await expect(users.clearScram('anna', 'SCRAM-SHA-256')).rejects.toMatchObject({ code: 'not-found' });
    await expect(users.clearScram('nobody', 'SCRAM-SHA-256')).rejects.toMatchObject({ code: 'not-found' });
    expect(users.get('anna')).toBeDefined();
  });

  it('of a user who is not there look like those of one who is', () => {
    const first = (name: string) =>
      users
        .scramExchange('SCRAM-SHA-256')
        .next(Buffer.from(`n,,n=${name},r=abc`))
        .answer.toString();
    const shape = /^r=abc[\w-]{32},s=[A-Za-z0-9+/=]{24},i=4096$/;
    expect(first('guest')).toMatch(shape);
    expect(first('nobody')).toMatch(shape);
  });
});
