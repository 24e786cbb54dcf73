import { connect } from 'amqplib';
import { expect, test } from 'vitest';
import { ROUTES } from '../../src/protocols/http/routes/index.ts';
import { makeUser } from './fixture.ts';
import { type StreamsBroker, startStreams } from './streams-fixture.ts';

/** One of each kind; the password is the name. */
const ROLES = [
  /** Without any permission in a virtual host, and without entries in access-control lists. */
  'administrator',
  'monitoring',
  /** May everything in the virtual host 'own', and nothing in '/'. */
  'policymaker',
  'elsewhere',
  /** May everything in '/', and nothing that access-control lists are asked about. */
  'here',
  /** May see '/', and do nothing there. */
  'visitor',
  /** May everything that access-control lists are asked about, and nothing in a virtual host. */
  'streams',
  /** May everything there is, but has no tag. */
  'untagged',
  'nobody',
] as const;
type Role = (typeof ROLES)[number];

const TAGGED = ['administrator', 'monitoring', 'policymaker', 'elsewhere', 'here', 'visitor', 'streams'] as const;
const IN_HOST = ['administrator', 'here', 'visitor'] as const;

/** Who is let in by each kind of route; everybody else is answered 401 or 403. */
const AUDIENCES = {
  everybody: ROLES,
  tagged: TAGGED,
  administrators: ['administrator'],
  monitors: ['administrator', 'monitoring'],
  policymakers: ['administrator', 'policymaker'],
  /** As the former, in a virtual host that these do not reach. */
  'policymakers here': ['administrator'],
  'in the host': IN_HOST,
  /** Has permissions on what is there. */
  'may there': ['here'],
  /** By access-control lists. */
  'may streams': ['streams'],
} as const satisfies Readonly<Record<string, readonly Role[]>>;
type Audience = keyof typeof AUDIENCES;

const value = { value: 'x' };
const message = { routing_key: 'there', properties: {}, payload: 'x', payload_encoding: 'string' };
const permissions = { configure: '', write: '', read: '' };
const acl = { resource_type: 'topic', resource_name: 'other', principal: 'User:x', operation: 'read' };
const policy = { pattern: '^none', definition: { 'max-length': 1 } };

/** Routes whose answer depends on what is in the body, with one that can be. */
const BODIES: Readonly<Record<string, unknown>> = {
  'POST /api/session': { username: 'visitor', password: 'visitor' },
  'PUT /api/users/:user': { tags: '' },
  'POST /api/users/bulk-delete': { users: ['none'] },
  'PUT /api/permissions/:vhost/:user': permissions,
  'PUT /api/topic-permissions/:vhost/:user': { exchange: 'amq.topic', write: '', read: '' },
  'POST /api/acls': acl,
  'POST /api/acls/delete': acl,
  'PUT /api/quotas': { user: 'x', values: { producer_byte_rate: 1000 } },
  'PUT /api/policies/:vhost/:name': policy,
  'POST /api/queues/:vhost/:queue/actions': { action: 'sync' },
  'POST /api/exchanges/:vhost/:exchange/publish': message,
  'POST /api/queues/:vhost/:queue/get': { count: 1, ackmode: 'ack_requeue_true', encoding: 'auto' },
  'POST /api/queues/:vhost/:queue/move': { to: { queue: 'other' }, dry_run: true },
  'POST /api/dead-letters/:vhost/:queue/redrive': { dry_run: true },
  'POST /api/streams/:stream/partitions': { count: 2 },
  'PUT /api/streams/:stream/config': { config: { 'retention.ms': '100000' } },
  'POST /api/streams/:stream/trim': { before_offset: 0 },
  'POST /api/groups/:group/offsets': { offsets: [{ stream: 'records', partition: 0, offset: 0 }] },
  'POST /api/groups/:group/reset': { to: 'earliest', dry_run: true },
  'POST /api/streams/:stream/partitions/:partition/abort-transaction': { producer_id: 1, producer_epoch: 0 },
  'POST /api/streams/:stream/produce': value,
  'POST /api/exchanges/:vhost/:exchange/produce': value,
  'POST /api/queues/:vhost/:queue/produce': value,
  'PUT /api/settings/:name': { value: '1' },
  'PUT /api/log-level': {},
  'POST /api/backups/prune': { keep: 1 },
};

/** Everything that can be asked for, by who may: a route that is not here fails the test. */
const TABLE: readonly (readonly [audience: Audience, routes: RegExp])[] = [
  ['everybody', /^GET \/(healthz|readyz|metrics|api\/openapi\.json|api\/auth)$|^POST \/api\/session$/],
  ['administrators', /^(POST|PUT|DELETE) \/api\/(cluster-name|log-level|settings|traces\/settings)/],
  ['administrators', /^(PUT|DELETE) \/api\/(operator-policies|vhost-limits)\//],
  ['administrators', /^\w+ \/api\/(audit|settings|support-bundle|definitions|backups|acls|quotas)/],
  ['administrators', /^\w+ \/api\/(users|permissions|topic-permissions)/],
  ['administrators', /^\w+ \/api\/vhosts\/:vhost(\/(topic-)?permissions)?$|\/actions$/],
  ['monitors', /^GET \/api\/(logs|log-level|nodes)/],
  ['policymakers here', /^(PUT|DELETE) \/api\/policies\/|^\w+ \/api\/parameters\/:component\/:vhost/],
  ['policymakers', /^\w+ \/api\/(parameters|global-parameters)/],
  [
    'in the host',
    /^GET \/api\/vhosts\/:vhost\/(connections|channels)$|^GET \/api\/(consumers|aliveness-test)\/:vhost$/,
  ],
  ['in the host', /^GET \/api\/(exchanges|queues|bindings|policies|graph|dead-letters|delayed)\/:vhost$/],
  ['in the host', /^GET \/api\/(exchanges|queues)\/:vhost\/:\w+(\/bindings.*)?$|^GET \/api\/policies\/:vhost\/:name$/],
  ['in the host', /^GET \/api\/bindings\/:vhost\/e\//],
  ['may there', /^\w+ \/api\/(exchanges|queues|bindings|dead-letters)\/:vhost\//],
  // Nothing is held back: what is not there is nobody's.
  ['in the host', /^\w+ \/api\/delayed\/:vhost\/:id/],
  ['may streams', /^\w+ \/api\/(streams\/:stream|groups\/:group|transactions\/:transaction)/],
  ['tagged', /^GET \/api\/(overview|cluster-name|whoami|auth\/.*|extensions|feature-flags|history|session)$/],
  ['tagged', /^DELETE \/api\/session$|^GET \/api\/(vhosts|exchanges|queues|bindings|policies|streams|groups)$/],
  // Whose they are is asked there.
  ['tagged', /^GET \/api\/(connections|channels|consumers|transactions|dead-letters|delayed|transfers|traces)/],
  ['tagged', /^DELETE \/api\/transfers\/:id$|^GET \/api\/(health|healthchecks|operator-policies|vhost-limits)/],
];

/** Tried by themselves. */
const OF_CONNECTIONS = /^\w+ \/api\/(connections\/|channels\/:channel)/;
/** What it would do ends the test. */
const ENDS = /^DELETE \/api\/vhosts\/:vhost$|^POST \/api\/backups$/;

function audienceOf(key: string): Audience {
  const found = TABLE.find(([, routes]) => routes.test(key));
  if (found === undefined) throw new Error(`who may ask for ${key}?`);
  return found[0];
}

function urlOf(path: string, port: number): string {
  return path
    .replace(':vhost', '%2F')
    .replace(':stream', 'records')
    .replace(':group', 'group')
    .replace(':transaction', 'transaction')
    .replace(':source', 'amq.topic')
    .replace(':dtype', 'q')
    .replace(':props', '~')
    .replace(':protocol', 'amqp')
    .replace(':port', String(port))
    .replace(/:(partition|offset)\b/g, '0')
    .replace(/:\w+/g, 'there');
}

async function start(): Promise<StreamsBroker> {
  const api = await startStreams({
    settings: {
      kafka: { authorizer: 'acl', superUsers: ['User:guest', 'User:ANONYMOUS'] },
      metrics: { access: 'open' },
    },
  });
  await api.ask('PUT', '/api/vhosts/own', {});
  for (const queue of ['there', 'other']) await api.ask('PUT', `/api/queues/%2F/${queue}`, { durable: true });
  await api.ask('PUT', '/api/exchanges/%2F/there', { type: 'fanout' });
  await api.ask('POST', '/api/bindings/%2F/e/amq.topic/q/there', {});
  await api.ask('PUT', '/api/queues/own/own-queue', { durable: true });
  await makeUser(api, 'administrator', 'administrator');
  await makeUser(api, 'monitoring', 'monitoring');
  await makeUser(api, 'policymaker', 'policymaker', ['own']);
  await makeUser(api, 'elsewhere', 'management', ['own']);
  await makeUser(api, 'here', 'management', ['/']);
  await makeUser(api, 'visitor', 'management', []);
  await api.ask('PUT', '/api/permissions/%2F/visitor', permissions);
  await makeUser(api, 'streams', 'management', []);
  await makeUser(api, 'untagged', '', ['/', 'own']);
  for (const principal of ['User:streams', 'User:untagged'])
    for (const [resource_type, resource_name] of [
      ...[['topic', '*'] as const, ['group', '*'] as const, ['transactional-id', '*'] as const],
      ['cluster', 'kafka-cluster'] as const,
    ])
      await api.ask('POST', '/api/acls', { resource_type, resource_name, principal, operation: 'all' });
  expect((await api.ask('GET', '/api/acls')).body).toHaveLength(8);
  expect(await api.ask('PUT', '/api/streams/records', { partitions: 1 })).toMatchObject({ status: 201 });
  await api.ask('POST', '/api/streams/records/produce', { key: 'secret-key', value: 'secret-value' });
  const offsets = [{ stream: 'records', partition: 0, offset: 1 }];
  expect(await api.ask('POST', '/api/groups/group/offsets', { offsets })).toMatchObject({ status: 204 });
  const producer = api.kafka.producer({ transactionalId: 'transaction', maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.send({ topic: 'records', messages: [{ value: 'y' }] });
  await transaction.commit();
  await producer.disconnect();
  return api;
}

function headersOf(role: Role): Record<string, string> {
  return role === 'nobody' ? {} : { authorization: `Basic ${Buffer.from(`${role}:${role}`).toString('base64')}` };
}

interface Asked {
  readonly method: string;
  readonly path: string;
}

/** The status, and what came of the answer; of one without an end, its beginning. */
async function ask({ url, port }: StreamsBroker, { method, path }: Asked, role: Role) {
  const body = BODIES[`${method} ${path}`];
  const stop = new AbortController();
  const response = await fetch(url + urlOf(path, port), {
    ...{ method, headers: headersOf(role), signal: stop.signal },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const isEndless = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  const text = isEndless ? '' : await response.text();
  stop.abort();
  return { status: response.status, text };
}

test('each route lets in whom it has to, and nobody else', async () => {
  const api = await start();
  const routes = ROUTES.map((route) => ({ ...route, key: `${route.method} ${route.path}` })).filter(
    ({ key }) => !OF_CONNECTIONS.test(key),
  );
  const wrong: string[] = [];
  // First who is refused: all is there.
  for (const route of routes)
    for (const role of ROLES) {
      if ((AUDIENCES[audienceOf(route.key)] as readonly Role[]).includes(role)) continue;
      const { status } = await ask(api, route, role);
      if (status !== 401 && status !== 403) wrong.push(`${route.key} answers ${status} to ${role}`);
    }
  expect(wrong).toEqual([]);
  for (const path of ['/api/queues/%2F/there', '/api/exchanges/%2F/there', '/api/groups/group', '/api/streams/records'])
    expect(await api.ask('GET', path), path).toMatchObject({ status: 200 });
  const last = routes.filter(({ method }) => method === 'DELETE');
  for (const route of [...routes.filter(({ method }) => method !== 'DELETE'), ...last]) {
    if (ENDS.test(route.key)) continue;
    for (const role of AUDIENCES[audienceOf(route.key)]) {
      const { status, text } = await ask(api, route, role);
      if (status === 401 || status === 403 || status >= 500)
        wrong.push(`${route.key} answers ${status} to ${role}: ${text}`);
    }
  }
  expect(wrong).toEqual([]);
}, 60_000);

/** What is in answers for these alone, whatever they ask for. Kafka's topics are queues of '/', too: who may read there may read them. */
const SEEN_BY: Readonly<Record<string, readonly Role[]>> = {
  'secret-value': ['streams', 'here'],
  'secret-key': ['streams', 'here'],
  'secret-body': ['here'],
  'secret-queue': ['administrator', 'monitoring', 'here', 'visitor'],
  'secret-exchange': ['administrator', 'monitoring', 'here', 'visitor'],
  'secret-group': ['streams', 'administrator', 'monitoring'],
  'secret-stream': ['streams', 'administrator', 'monitoring', 'here', 'visitor'],
  'secret-client': ['administrator', 'monitoring'],
  'own-queue': ['administrator', 'monitoring', 'policymaker', 'elsewhere'],
};

/** Questions that a path alone does not ask. */
const QUESTIONS = [
  '/api/traces?destination=secret-stream',
  '/api/traces?destination=secret-stream&key=secret-key',
  '/api/traces?destination=secret-queue',
  '/api/traces?destination=secret-queue&vhost=%2F',
  '/api/traces?message_id=secret-body',
  ...['queue', 'stream', 'group'].map((of) => `/api/history?of=${of}&name=secret-${of}`),
  '/api/graph/%2F?name=secret',
  '/api/graph/own?around=q:own-queue',
  '/api/queues?page=1&name=secret&sort=messages',
  '/api/streams?page=1&name=secret',
  '/api/groups?page=1&name=secret',
  '/api/transactions?open=true',
];

test('nobody is shown what they may not see, whatever they ask for', async () => {
  const api = await start();
  await api.ask('PUT', '/api/queues/%2F/secret-queue', { durable: true, arguments: { 'x-dead-letter-exchange': '' } });
  await api.ask('PUT', '/api/exchanges/%2F/secret-exchange', { type: 'fanout' });
  const publication = { value: 'secret-body', properties: { message_id: 'secret-body' } };
  await api.ask('POST', '/api/queues/%2F/secret-queue/produce', publication);
  await api.ask('POST', '/api/queues/%2F/secret-queue/move', { to: { queue: 'there' }, dry_run: true });
  await api.ask('PUT', '/api/streams/secret-stream', { partitions: 1 });
  await api.ask('POST', '/api/streams/secret-stream/produce', { key: 'secret-key', value: 'secret-value' });
  const offsets = [{ stream: 'secret-stream', partition: 0, offset: 0 }];
  await api.ask('POST', '/api/groups/secret-group/offsets', { offsets });
  const amqp = api.sluice.listeners[2]?.url.replace('amqp://', 'amqp://guest:guest@') ?? '';
  const connection = await connect(amqp, { clientProperties: { connection_name: 'secret-client' } });
  await connection.createChannel();
  const names: Readonly<Record<string, string>> = {
    ...{ stream: 'secret-stream', group: 'secret-group', exchange: 'secret-exchange', source: 'secret-exchange' },
    ...{ queue: 'secret-queue', destination: 'secret-queue', username: 'guest', dtype: 'q' },
    ...{ partition: '0', offset: '0', port: String(api.port) },
  };
  const paths = ROUTES.filter(
    ({ method, streams, access }) => method === 'GET' && !streams && access !== 'scrape',
  ).flatMap(({ path }) => [
    path.replaceAll(/:(\w+)/g, (_, name: string) => names[name] ?? '%2F'),
    path.replace(':vhost', 'own').replaceAll(/:(\w+)/g, (_, name: string) => names[name] ?? 'own-queue'),
  ]);
  const wrong: string[] = [];
  const seen = new Set<string>();
  for (const path of new Set([...paths, ...QUESTIONS]))
    for (const role of ROLES) {
      const { status, text } = await ask(api, { method: 'GET', path }, role);
      if (status !== 200) continue;
      for (const [secret, roles] of Object.entries(SEEN_BY)) {
        if (!text.includes(secret) || (path.includes(secret) && !path.includes('?'))) continue;
        seen.add(secret);
        if (!roles.includes(role)) wrong.push(`${path} shows ${secret} to ${role}`);
      }
    }
  await connection.close();
  expect(wrong).toEqual([]);
  expect([...seen].sort()).toEqual(Object.keys(SEEN_BY).sort());
}, 60_000);
