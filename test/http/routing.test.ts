import { expect, test } from 'vitest';
import type { Graph, RouteAnswer } from '../../src/protocols/http/shapes/routing.ts';
import { makeUser } from './fixture.ts';
import { type QueueApi, startQueues } from './queue-fixture.ts';

const route = (api: QueueApi, exchange: string, question: object) =>
  api.post<RouteAnswer>(`/api/exchanges/%2F/${exchange}/route`, question);

async function network() {
  const api = await startQueues();
  const { channel } = api;
  for (const queue of ['one', 'two', 'three', 'rest']) await channel.assertQueue(queue);
  await channel.assertExchange('unmatched', 'fanout');
  await channel.assertExchange('in', 'topic', { alternateExchange: 'unmatched' });
  await channel.assertExchange('inner', 'headers');
  await channel.bindQueue('one', 'in', 'orders.*');
  await channel.bindQueue('two', 'in', 'orders.new');
  await channel.bindExchange('inner', 'in', 'orders.#');
  await channel.bindQueue('one', 'inner', '', { tenant: 'a' });
  await channel.bindQueue('three', 'inner', '', { tenant: 'b' });
  await channel.bindQueue('three', 'inner', '', { 'x-match': 'any', other: 1 });
  await channel.bindQueue('rest', 'unmatched', '');
  return api;
}

test('every way to every queue is told, and why bindings match or do not', async () => {
  const api = await network();
  const answer = await route(api, 'in', { routing_key: 'orders.new', headers: { tenant: 'a' } });
  expect(answer).toMatchObject({ routed: true, routing_keys: ['orders.new'], delay: 0, internal: false, cut: false });
  const direct = (key: string, to: string) => [{ from: 'in', via: 'binding', routing_key: key, to }];
  const paths = Object.fromEntries(answer.queues.map(({ name, paths }) => [name, paths]));
  expect(paths).toEqual({
    one: [
      direct('orders.*', 'one'),
      [...direct('orders.#', 'inner'), { from: 'inner', via: 'binding', routing_key: '', to: 'one' }],
    ],
    two: [direct('orders.new', 'two')],
  });
  const [first, inner] = answer.exchanges;
  expect(first).toMatchObject({ name: 'in', type: 'topic', alternate: 'unmatched', alternate_use: 'not-needed' });
  expect(first?.bindings.map(({ matches, reason }) => [matches, reason]).sort()).toEqual([
    [true, 'key-equals'],
    [true, 'pattern-matches'],
    [true, 'pattern-matches'],
  ]);
  expect(inner?.bindings).toMatchObject([
    { destination: 'one', matches: true, reason: 'headers-match', arguments: { tenant: 'a' } },
    { destination: 'three', matches: false, reason: 'header-differs', header: 'tenant' },
    { destination: 'three', matches: false, reason: 'no-header-matches', header: null },
  ]);
  // What is said is what happens.
  api.channel.publish('in', 'orders.new', Buffer.from('m'), { headers: { tenant: 'a' } });
  await api.channel.waitForConfirms();
  for (const [queue, count] of [
    ['one', 1],
    ['two', 1],
    ['three', 0],
    ['rest', 0],
  ] as const)
    expect((await api.channel.checkQueue(queue)).messageCount, queue).toBe(count);
});

test('what nothing matches takes the alternate exchange, or ends', async () => {
  const api = await network();
  const { channel } = api;
  const lost = await route(api, 'in', { routing_key: 'x' });
  expect(lost.queues).toEqual([
    {
      name: 'rest',
      type: 'classic',
      paths: [
        [
          { from: 'in', via: 'alternate', routing_key: null, to: 'unmatched' },
          { from: 'unmatched', via: 'binding', routing_key: '', to: 'rest' },
        ],
      ],
    },
  ]);
  await channel.unbindQueue('rest', 'unmatched', '');
  const ended = await route(api, 'in', { routing_key: 'x' });
  expect(ended).toMatchObject({ routed: false, queues: [] });
  expect(ended.exchanges.map(({ name, dead_end }) => [name, dead_end])).toEqual([
    ['in', false],
    ['unmatched', true],
  ]);
  await channel.deleteExchange('unmatched');
  expect((await route(api, 'in', { routing_key: 'x' })).exchanges).toMatchObject([
    { alternate_use: 'missing', dead_end: true, unmatched: 3 },
  ]);
});

test('a message with several keys, by the default exchange, by hash, and one that is held back', async () => {
  const api = await network();
  const { channel } = api;
  const several = await route(api, 'amq.default', { routing_key: 'one', headers: { CC: ['two'], BCC: ['none'] } });
  expect(several).toMatchObject({ routed: true, routing_keys: ['one', 'two', 'none'] });
  expect(several.queues.map(({ name }) => name)).toEqual(['one', 'two']);
  expect(await api.ask('POST', '/api/exchanges/%2F/in/route', { headers: { CC: 'two' } })).toMatchObject({
    status: 400,
  });
  await channel.assertExchange('hash', 'x-consistent-hash', { arguments: { 'hash-property': 'message_id' } });
  for (const queue of ['one', 'two', 'three']) await channel.bindQueue(queue, 'hash', '1');
  for (const message_id of ['a', 'b', 'c', 'd']) {
    const { queues, exchanges } = await route(api, 'hash', { properties: { message_id } });
    expect(queues).toHaveLength(1);
    expect(exchanges[0]?.bindings.map(({ reason }) => reason)).toEqual([
      ...['hash-chosen', 'hash-chose-another', 'hash-chose-another'],
    ]);
    const [chosen] = queues;
    await channel.purgeQueue(chosen?.name ?? '');
    channel.publish('hash', '', Buffer.from('m'), { messageId: message_id });
    await channel.waitForConfirms();
    expect((await channel.checkQueue(chosen?.name ?? '')).messageCount).toBe(1);
  }
  await channel.assertExchange('later', 'x-delayed-message', { arguments: { 'x-delayed-type': 'fanout' } });
  await channel.bindQueue('one', 'later', '');
  expect(await route(api, 'later', { headers: { 'x-delay': 5000 } })).toMatchObject({
    ...{ delay: 5000, routed: true, exchanges: [{ type: 'x-delayed-message' }] },
  });
});

test('circles of exchanges end', async () => {
  const api = await startQueues();
  const { channel } = api;
  for (const name of ['a', 'b']) await channel.assertExchange(name, 'fanout');
  await channel.bindExchange('a', 'b', '');
  await channel.bindExchange('b', 'a', '');
  await channel.assertQueue('q');
  await channel.bindQueue('q', 'b', '');
  const { queues, exchanges } = await route(api, 'a', {});
  expect(exchanges.map(({ name }) => name)).toEqual(['a', 'b']);
  expect(queues[0]?.paths.map((steps) => steps.map(({ from }) => from))).toEqual([['a', 'b']]);
});

test('the graph has what leads from one to another, by name, around one, and within bounds', async () => {
  const api = await network();
  await api.channel.assertQueue('dying', {
    arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'rest' },
  });
  await api.channel.assertQueue('lonely');
  const graph = (query: string) => api.get<Graph>(`/api/graph/%2F?${query}`);
  const ids = ({ nodes }: Graph) => nodes.map(({ id }) => id).sort();
  const all = await graph('');
  expect(ids(all)).toEqual(
    ['e:in', 'e:inner', 'e:unmatched', 'q:dying', 'q:lonely', 'q:one', 'q:rest', 'q:three', 'q:two'].sort(),
  );
  expect(all.edges).toContainEqual({ from: 'e:in', to: 'q:one', kind: 'binding', keys: ['orders.*'], count: 1 });
  expect(all.edges).toContainEqual({ from: 'e:inner', to: 'q:three', kind: 'binding', keys: ['', ''], count: 2 });
  expect(all.edges).toContainEqual({ from: 'e:in', to: 'e:unmatched', kind: 'alternate', keys: [], count: 1 });
  expect(all.edges).toContainEqual({ from: 'q:dying', to: 'q:rest', kind: 'dead-letter', keys: ['rest'], count: 1 });
  expect(ids(await graph('name=INNER'))).toEqual(['e:in', 'e:inner', 'q:one', 'q:three']);
  expect(ids(await graph('around=q:rest&depth=1'))).toEqual(['e:unmatched', 'q:dying', 'q:rest']);
  expect(await graph('max_nodes=3')).toMatchObject({ cut: true, nodes: { length: 3 } });
  const how = await makeUser(api, 'other', 'management', ['/']);
  await api.ask('PUT', '/api/permissions/%2F/other', { configure: '', write: '^in$', read: '^one$' });
  expect(ids(await api.get<Graph>('/api/graph/%2F', how))).toEqual(['e:in', 'q:one']);
  expect(await api.ask('POST', '/api/exchanges/%2F/inner/route', {}, how)).toMatchObject({ status: 401 });
});
