import { once } from 'node:events';
import { connect } from 'amqplib';
import { Kafka, logLevel } from 'kafkajs';
import { expect, onTestFinished, test } from 'vitest';
import { type ApiBroker, makeUser, startApi } from './fixture.ts';

const LISTENERS = ['http://127.0.0.1:0', 'amqp://127.0.0.1:0', 'kafka://127.0.0.1:0'];

async function connected({ sluice }: ApiBroker, user = 'guest') {
  const port = sluice.listeners[1]?.port ?? 0;
  const clientProperties = { connection_name: 'the shop' };
  const model = await connect(`amqp://${user}:${user}@127.0.0.1:${port}?heartbeat=30`, { clientProperties });
  model.on('error', () => {});
  onTestFinished(() => model.close().catch(() => {}));
  return model;
}

const path = (of: string, name: string) => `/api/${of}/${encodeURIComponent(name)}`;

interface Named {
  readonly name: string;
}

async function first({ ask }: ApiBroker, list: string): Promise<string> {
  const [item] = (await ask('GET', list)).body as Named[];
  return item?.name ?? '';
}

test('a connection is shown with its channels and consumers', async () => {
  const api = await startApi({ listeners: LISTENERS });
  const model = await connected(api);
  const channel = await model.createConfirmChannel();
  await channel.assertQueue('orders');
  await channel.prefetch(7);
  await channel.consume('orders', () => {}, { consumerTag: 'c', arguments: { x: 1 } });
  channel.sendToQueue('orders', Buffer.from('x'));
  await channel.waitForConfirms();
  await api.sluice.idle();

  const name = await first(api, '/api/connections');
  expect(name).toMatch(/^127\.0\.0\.1:\d+ -> 127\.0\.0\.1:\d+$/);
  const connection = {
    ...{ protocol: 'AMQP 0-9-1', type: 'network', state: 'running', user: 'guest', vhost: '/', channels: 1 },
    ...{ user_provided_name: 'the shop', timeout: 30, ssl: false, host: '127.0.0.1' },
    client_properties: { product: 'amqplib' },
    recv_oct: expect.any(Number),
  };
  expect((await api.ask('GET', path('connections', name))).body).toMatchObject(connection);
  for (const list of ['/api/connections', '/api/vhosts/%2F/connections', '/api/connections/username/guest'])
    expect((await api.ask('GET', list)).body, list).toMatchObject([connection]);

  const consumer = {
    ...{ consumer_tag: 'c', queue: { name: 'orders', vhost: '/' }, prefetch_count: 7, ack_required: true },
    ...{ active: true, exclusive: false, arguments: { x: 1 } },
    channel_details: { name: `${name} (1)`, connection_name: name, number: 1, user: 'guest' },
  };
  const shown = {
    ...{ name: `${name} (1)`, number: 1, confirm: true, transactional: false, consumer_count: 1 },
    ...{ messages_unacknowledged: 1, messages_unconfirmed: 0, prefetch_count: 0, connection_details: { name } },
  };
  for (const list of ['/api/channels', '/api/vhosts/%2F/channels', `${path('connections', name)}/channels`])
    expect((await api.ask('GET', list)).body, list).toMatchObject([{ ...shown, prefetch_count: 7 }]);
  expect((await api.ask('GET', path('channels', `${name} (1)`))).body).toMatchObject({ consumer_details: [consumer] });
  expect((await api.ask('GET', '/api/consumers')).body).toMatchObject([consumer]);
  expect((await api.ask('GET', '/api/consumers/%2F')).body).toMatchObject([consumer]);
  expect((await api.ask('GET', '/api/queues/%2F/orders')).body).toMatchObject({
    ...{ consumers: 1, messages: 1, messages_unacknowledged: 1, consumer_details: [consumer] },
  });
  expect((await api.ask('GET', '/api/overview')).body).toMatchObject({
    object_totals: { connections: 1, channels: 1, consumers: 1 },
  });
});

test('a connection is closed by name, and the client is told why', async () => {
  const api = await startApi({ listeners: LISTENERS });
  const model = await connected(api);
  const name = await first(api, '/api/connections');
  const closed = once(model, 'close');
  expect(
    await api.ask('DELETE', path('connections', name), undefined, { headers: { 'x-reason': 'go home' } }),
  ).toMatchObject({ status: 204 });
  expect(String((await closed)[0])).toContain('go home');
  while (((await api.ask('GET', '/api/connections')).body as unknown[]).length > 0);
  expect(await api.ask('DELETE', path('connections', name))).toMatchObject({ status: 404 });
});

test('an exclusive queue says whose it is, and a single active consumer which it is', async () => {
  const api = await startApi({ listeners: LISTENERS });
  const model = await connected(api);
  const channel = await model.createChannel();
  await channel.assertQueue('mine', { exclusive: true });
  await channel.assertQueue('single', { arguments: { 'x-single-active-consumer': true } });
  for (const consumerTag of ['one', 'two']) await channel.consume('single', () => {}, { consumerTag });
  const name = await first(api, '/api/connections');
  expect((await api.ask('GET', '/api/queues/%2F/mine')).body).toMatchObject({
    exclusive: true,
    owner_pid_details: { name },
  });
  expect(await api.ask('DELETE', '/api/queues/%2F/mine')).toMatchObject({ status: 400 });
  expect((await api.ask('GET', '/api/queues/%2F/single')).body).toMatchObject({
    single_active_consumer_tag: 'one',
    consumer_details: [{ active: true }, { active: false }],
  });
});

test('users see and close their own; who watches the broker sees all, and closes none', async () => {
  const api = await startApi({ listeners: LISTENERS });
  const user = await makeUser(api, 'user', 'management', ['/']);
  const watcher = await makeUser(api, 'watcher', 'monitoring', ['/']);
  const [theirs, own] = [await connected(api), await connected(api, 'user')];
  await Promise.all([theirs.createChannel(), own.createChannel()]);
  const names = async (how: object) =>
    ((await api.ask('GET', '/api/connections', undefined, how)).body as { user: string }[]).map((each) => each.user);
  expect(await names({})).toHaveLength(2);
  expect(await names(watcher)).toHaveLength(2);
  expect(await names(user)).toEqual(['user']);
  expect((await api.ask('GET', '/api/channels', undefined, user)).body).toHaveLength(1);
  const [{ name } = { name: '' }] = (await api.ask('GET', '/api/connections/username/guest')).body as Named[];
  for (const [method, how] of [
    ['GET', user],
    ['DELETE', user],
    ['DELETE', watcher],
  ] as const)
    expect(await api.ask(method, path('connections', name), undefined, how), method).toMatchObject({ status: 401 });
  expect(await api.ask('DELETE', '/api/connections/username/guest', undefined, user)).toMatchObject({ status: 401 });
  const closed = once(own, 'close');
  expect(await api.ask('DELETE', '/api/connections/username/user', undefined, user)).toMatchObject({ status: 204 });
  await closed;
});

test("Kafka's clients are among them, without channels", async () => {
  const api = await startApi({ listeners: LISTENERS });
  const broker = `127.0.0.1:${api.sluice.listeners[2]?.port}`;
  const admin = new Kafka({ brokers: [broker], clientId: 'tool', logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  onTestFinished(() => admin.disconnect());
  expect((await api.ask('GET', '/api/connections')).body).toMatchObject([
    { protocol: 'Kafka', user_provided_name: 'tool', channels: 0, state: 'running' },
  ]);
  expect((await api.ask('GET', '/api/channels')).body).toEqual([]);
});
