import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../environment/seeded-random.ts';
import type { FieldTable } from '../messages/index.ts';
import { Users } from '../security/users.ts';
import { args, HostFixture } from '../virtual-hosts/fixture.contract.ts';
import { exportDefinitions } from './export.ts';
import { importDefinitions } from './import.ts';
import type { DefinitionsInput } from './schema.ts';

const HASH = 'kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR';

/** What RabbitMQ 3.10 wrote, but for its parameters. */
const FROM_RABBITMQ = {
  rabbit_version: '3.10.8',
  rabbitmq_version: '3.10.8',
  product_name: 'RabbitMQ',
  product_version: '3.10.8',
  users: [
    {
      name: 'anna',
      password_hash: HASH,
      hashing_algorithm: 'rabbit_password_hashing_sha256',
      tags: ['monitoring'],
      limits: {},
    },
    {
      name: 'old',
      password_hash: HASH,
      hashing_algorithm: 'rabbit_password_hashing_sha256',
      tags: 'administrator, policymaker',
    },
    { name: 'device', password_hash: '', hashing_algorithm: 'rabbit_password_hashing_sha256', tags: '', limits: [] },
  ],
  vhosts: [{ name: '/' }, { name: 'shop', metadata: { description: '', tags: [], default_queue_type: 'quorum' } }],
  permissions: [
    { user: 'anna', vhost: 'shop', configure: '', write: '^orders', read: '.*' },
    { user: 'old', vhost: '/', configure: '.*', write: '.*', read: '.*' },
  ],
  topic_permissions: [{ user: 'anna', vhost: 'shop', exchange: 'orders', write: '^{username}\\.', read: '.*' }],
  parameters: [{ vhost: '/', component: 'vhost-limits', name: 'limits', value: { 'max-queues': 5 } }],
  global_parameters: [{ name: 'internal_cluster_id', value: 'rabbitmq-cluster-id-x' }],
  policies: [
    {
      vhost: 'shop',
      name: 'short',
      pattern: '^inbox',
      'apply-to': 'queues',
      definition: { 'max-length': 10, 'ha-mode': 'nodes', 'ha-params': ['rabbit@a'] },
      priority: 3,
    },
  ],
  queues: [
    { name: 'inbox', vhost: 'shop', durable: true, auto_delete: false, arguments: { 'x-queue-type': 'classic' } },
    { name: 'audit', vhost: 'shop', durable: true, auto_delete: false, type: 'stream', arguments: {} },
    {
      name: 'jobs',
      vhost: '/',
      durable: true,
      auto_delete: false,
      arguments: { 'x-message-ttl': 60000, 'x-max-priority': 5 },
    },
    { name: 'amq.gen-x', vhost: '/', durable: true, auto_delete: false, arguments: {} },
  ],
  exchanges: [
    {
      name: 'orders',
      vhost: 'shop',
      type: 'topic',
      durable: true,
      auto_delete: false,
      internal: false,
      arguments: { 'alternate-exchange': 'lost' },
    },
    { name: 'lost', vhost: 'shop', type: 'fanout', durable: true, auto_delete: false, internal: true, arguments: [] },
    {
      name: 'later',
      vhost: '/',
      type: 'x-delayed-message',
      durable: true,
      auto_delete: false,
      arguments: { 'x-delayed-type': 'direct' },
    },
    {
      name: 'amq.rabbitmq.trace',
      vhost: '/',
      type: 'topic',
      durable: true,
      auto_delete: false,
      internal: true,
      arguments: {},
    },
  ],
  bindings: [
    {
      source: 'orders',
      vhost: 'shop',
      destination: 'inbox',
      destination_type: 'queue',
      routing_key: 'a.#',
      arguments: {},
    },
    {
      source: 'lost',
      vhost: 'shop',
      destination: 'orders',
      destination_type: 'exchange',
      routing_key: '',
      arguments: {},
    },
    {
      source: 'amq.headers',
      vhost: '/',
      destination: 'jobs',
      destination_type: 'queue',
      routing_key: '',
      arguments: { 'x-match': 'all', n: 1 },
    },
    { source: '', vhost: '/', destination: 'jobs', destination_type: 'queue', routing_key: 'jobs', arguments: {} },
  ],
};

let fixture: HostFixture;
let users: Users;
let logged: unknown[];
beforeEach(() => start());

async function start(): Promise<void> {
  fixture = await HostFixture.start();
  users = await openUsers();
  logged = [];
}

function openUsers(): Promise<Users> {
  return Users.open({
    shard: fixture.shard,
    random: new SeededRandom(1),
    now: () => 0,
    onTrouble: () => {},
    loopbackUsers: [],
    hasVirtualHost: (name) => fixture.hosts.get(name) !== undefined,
  });
}

function load(definitions: unknown): Promise<void> {
  const log = (fields: object, message: string) => logged.push([message, fields]);
  const logger = { debug: log, info: log, warn: log, error: log };
  return importDefinitions(definitions, { virtualHosts: fixture.hosts, users, logger });
}

const saved = () => exportDefinitions(fixture.hosts, users);
const plain = (fields: FieldTable | undefined) =>
  Object.fromEntries([...(fields ?? [])].map(([name, { value }]) => [name, value]));

describe("RabbitMQ's definitions", () => {
  it('become users, permissions, virtual hosts and what is in them', async () => {
    await load(FROM_RABBITMQ);
    const anna = users.authenticate('anna', 'test12', { loopback: false });
    expect(anna.may('shop', 'write', 'orders')).toBe(true);
    expect(anna.may('shop', 'configure', 'orders')).toBe(false);
    expect(anna.mayTopic('shop', 'orders', 'write', 'anna.x')).toBe(true);
    expect(anna.mayTopic('shop', 'orders', 'write', 'bert.x')).toBe(false);
    expect(users.get('old')?.tags).toEqual(['administrator', 'policymaker']);
    expect(() => users.authenticate('device', 'x', { loopback: false })).toThrow('invalid credentials');
    expect(users.authenticateExternal('device', { loopback: false }).tags).toEqual([]);
    const shop = fixture.hosts.get('shop');
    expect(shop?.info.defaultQueueType).toBe('quorum');
    expect(shop?.queue('inbox')).toMatchObject({
      type: 'classic',
      durable: true,
      policy: { name: 'short', priority: 3 },
    });
    expect(shop?.queue('audit')).toMatchObject({ type: 'stream' });
    expect(shop?.exchange('lost')).toMatchObject({ type: 'fanout', internal: true });
    expect(plain(shop?.exchange('orders')?.arguments)).toEqual({ 'alternate-exchange': 'lost' });
    expect(plain(fixture.host.queue('jobs')?.arguments)).toEqual({ 'x-message-ttl': 60000, 'x-max-priority': 5 });
    expect(fixture.host.queue('amq.gen-x')).toBeUndefined();
    const bindings = [...(shop?.bindings() ?? [])].map(({ source, destinationName, key }) => [
      source,
      destinationName,
      key,
    ]);
    expect(bindings).toEqual([
      ['orders', 'inbox', 'a.#'],
      ['lost', 'orders', ''],
    ]);
    expect(logged).toEqual([
      ['parameters of the definitions are left out: there is nothing here that has them', { count: 1 }],
      ['global_parameters of the definitions are left out: there is nothing here that has them', { count: 1 }],
      ["a queue of the definitions is left out: its name begins with 'amq.'", { queue: 'amq.gen-x', vhost: '/' }],
    ]);
  });

  it('change nothing when they are imported again, also after a restart', async () => {
    await load(FROM_RABBITMQ);
    const before = saved();
    const written = fixture.shard.log('00000000-0000-4000-8000-000000000001').nextOffset;
    await load(FROM_RABBITMQ);
    expect(saved()).toEqual(before);
    expect(fixture.shard.log('00000000-0000-4000-8000-000000000001').nextOffset).toBe(written);
    await users.close();
    await fixture.restart();
    users = await openUsers();
    expect(sorted(saved())).toEqual(sorted(before));
    await load(FROM_RABBITMQ);
    expect(sorted(saved())).toEqual(sorted(before));
  });

  it('leave alone what is there, but for users and policies, which they change', async () => {
    await fixture.declare('jobs', { arguments: args({ 'x-max-length': 1 }) });
    await users.put({ name: 'anna', password: 'other' });
    await load(FROM_RABBITMQ);
    expect(plain(fixture.host.queue('jobs')?.arguments)).toEqual({ 'x-max-length': 1 });
    expect(users.authenticate('anna', 'test12', { loopback: false }).tags).toEqual(['monitoring']);
  });

  it('may have bindings of internal exchanges, which RabbitMQ leaves out: they are left out too', async () => {
    const binding = {
      source: 'amq.direct',
      vhost: '/',
      destination: 'internal',
      destination_type: 'exchange',
      routing_key: '',
    };
    await load({ bindings: [binding] });
    expect(saved().bindings).toEqual([]);
    expect(logged).toEqual([
      [
        "a binding of the definitions is left out: no exchange 'internal' in vhost '/'",
        { source: 'amq.direct', destination: 'internal', vhost: '/' },
      ],
    ]);
  });

  it('with passwords in plain are not written down again when the passwords are the same', async () => {
    const definitions = { users: [{ name: 'anna', password: 'secret', tags: [] }] };
    await load(definitions);
    const before = users.get('anna')?.record;
    await load(definitions);
    expect(users.get('anna')?.record).toBe(before);
  });
});

describe('what is wrong with definitions is told by its place:', () => {
  it.each<[string, unknown, string]>([
    ['no object', [], 'definitions: '],
    ['no list', { queues: {} }, 'queues: '],
    ['a wrong type', { queues: [{ name: 'q', vhost: '/', durable: 'yes' }] }, 'queues[0].durable: '],
    [
      'a file of one virtual host',
      { queues: [{ name: 'q' }] },
      'queues[0].vhost: it is missing: the file is that of one virtual host',
    ],
    [
      'an unknown virtual host',
      { queues: [{ name: 'q', vhost: 'x' }] },
      "queues[0] ('q'): there is no virtual host 'x'",
    ],
    [
      'an unknown user',
      { permissions: [{ user: 'u', vhost: '/', configure: '', write: '', read: '' }] },
      "permissions[0]: there is no user 'u'",
    ],
    [
      'a pattern',
      { users: [{ name: 'u' }], permissions: [{ user: 'u', vhost: '/', configure: '', write: '(?>a)', read: '' }] },
      "permissions[0]: '(?>a)' cannot be used as a pattern",
    ],
    [
      'MD5',
      { users: [{ name: 'u', password_hash: HASH, hashing_algorithm: 'rabbit_password_hashing_md5' }] },
      "users[0] ('u'): the hashing algorithm rabbit_password_hashing_md5 is not supported: MD5 is broken",
    ],
    [
      'a default queue type',
      { vhosts: [{ name: 'x', metadata: { default_queue_type: 'mirrored' } }] },
      "vhosts[0] ('x'): 'mirrored'",
    ],
    ['an exchange type', { exchanges: [{ name: 'x', vhost: '/', type: 'odd' }] }, "exchanges[0] ('x'): "],
    [
      'a queue argument',
      {
        queues: [
          { name: 'ok', vhost: '/' },
          { name: 'q', vhost: '/', arguments: { 'x-expires': 0 } },
        ],
      },
      "queues[1] ('q'): ",
    ],
    [
      'a policy',
      { policies: [{ name: 'p', vhost: '/', pattern: '.*', definition: { nonsense: 1 } }] },
      "policies[0] ('p'): 'nonsense'",
    ],
    [
      'a list in a policy',
      { policies: [{ name: 'p', vhost: '/', pattern: '.*', definition: { 'max-length': [1] } }] },
      "policies[0] ('p'): ",
    ],
  ])('%s', async (_, definitions, message) => {
    const error = await load(definitions).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'invalid-configuration' });
    expect((error as Error).message).toContain(message);
  });

  it('and nothing is made of what could be seen to be wrong', async () => {
    const definitions = {
      ...FROM_RABBITMQ,
      permissions: [...FROM_RABBITMQ.permissions, { user: 'anna', vhost: '/', configure: '', write: '', read: '(' }],
    };
    await expect(load(definitions)).rejects.toThrow('permissions[2]');
    expect([...users.all()]).toEqual([]);
    expect(fixture.hosts.names()).toEqual(['/']);
  });
});

describe('what was exported', () => {
  it('does not have what belongs to connections, or comes by itself', async () => {
    const owner = {};
    await fixture.declare('mine', { exclusive: true, owner });
    await fixture.host.bindQueue('mine', 'amq.direct', 'k', args({}), owner);
    await fixture.declare('passing', { durable: false });
    const { queues, exchanges, bindings } = saved();
    expect(queues?.map(({ name }) => name)).toEqual(['passing']);
    expect(exchanges).toEqual([]);
    expect(bindings).toEqual([]);
  });

  it('is the same when it is imported elsewhere and exported there', async () => {
    const pick = <Value>(...values: Value[]) => fc.constantFrom(...values);
    const name = pick('a', 'b.c', 'dé');
    const argument = fc.dictionary(
      pick('x', 'y'),
      fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.array(fc.integer()), pick(null, 1.5)),
      { maxKeys: 2 },
    );
    const definitions = fc.record({
      users: fc.uniqueArray(
        fc.record({
          name,
          password_hash: pick(HASH, ''),
          hashing_algorithm: pick('rabbit_password_hashing_sha256'),
          tags: fc.subarray(['a', 'b']),
          limits: pick({}, { 'max-channels': 2 }),
        }),
        { selector: (user) => user.name },
      ),
      queues: fc.uniqueArray(fc.record({ name, vhost: pick('/', 'v'), durable: fc.boolean(), arguments: argument }), {
        selector: (queue) => `${queue.vhost} ${queue.name}`,
      }),
      exchanges: fc.uniqueArray(
        fc.record({
          name,
          vhost: pick('/', 'v'),
          type: pick('direct', 'topic', 'fanout', 'headers'),
          durable: fc.boolean(),
          auto_delete: fc.boolean(),
          internal: fc.boolean(),
          arguments: argument,
        }),
        { selector: (exchange) => `${exchange.vhost} ${exchange.name}` },
      ),
      keys: fc.array(fc.record({ routing_key: pick('', 'k', '#'), arguments: argument })),
    });
    await fc.assert(
      fc.asyncProperty(definitions, async ({ keys, ...made }) => {
        await start();
        const bindings = made.queues.flatMap(({ name: destination, vhost }, index) =>
          keys
            .slice(index)
            .map((key) => ({ source: 'amq.topic', vhost, destination, destination_type: 'queue', ...key })),
        );
        const permissions = made.users.map(({ name: user }) => ({
          user,
          vhost: 'v',
          configure: '^a',
          write: '',
          read: '.*',
        }));
        await load({ ...made, vhosts: [{ name: 'v' }], permissions, bindings });
        const first = JSON.parse(JSON.stringify(saved())) as DefinitionsInput;
        expect(first.users).toEqual(made.users);
        expect(first.permissions).toEqual(permissions);
        await start();
        await load(first);
        expect(sorted(saved())).toEqual(sorted(first));
      }),
      { numRuns: 30 },
    );
  });
});

/** Of most lists the order means nothing. */
function sorted(definitions: DefinitionsInput): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(definitions).map(([kind, items]) => [
      kind,
      (items as unknown[]).map((item) => JSON.stringify(item)).sort(),
    ]),
  );
}
