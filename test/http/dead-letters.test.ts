import { Connection } from 'rabbitmq-client';
import { expect, onTestFinished, test } from 'vitest';
import type { DeadLetterMessage, DeadLetterQueue } from '../../src/protocols/http/shapes/dead-letters.ts';
import type { MessagePage, ShownTransfer } from '../../src/protocols/http/shapes/queue-messages.ts';
import { until } from '../amqp/fixture.ts';
import { makeUser } from './fixture.ts';
import { startQueues } from './queue-fixture.ts';

const LETTERS = '/api/dead-letters/%2F/dead/messages';
const REDRIVE = '/api/dead-letters/%2F/dead/redrive';

/** Two queues whose dead letters all go to one, by a topic exchange. */
async function dying() {
  const api = await startQueues();
  const { channel } = api;
  await channel.assertExchange('dlx', 'topic');
  await channel.assertQueue('dead', { durable: true });
  await channel.bindQueue('dead', 'dlx', '#');
  for (const queue of ['orders', 'mails'])
    await channel.assertQueue(queue, { durable: true, arguments: { 'x-dead-letter-exchange': 'dlx' } });
  await channel.bindQueue('orders', 'amq.topic', 'orders.#');
  const reject = async (queue: string) => {
    const message = await channel.get(queue);
    if (message === false) throw new Error(`nothing in ${queue}`);
    channel.nack(message, false, false);
    await expect.poll(async () => (await channel.checkQueue(queue)).messageCount).toBe(0);
  };
  const publish = async (key: string, body: string, options = {}) => {
    channel.publish('amq.topic', key, Buffer.from(body), { persistent: true, ...options });
    await channel.waitForConfirms();
  };
  return { ...api, reject, publish };
}

test('what holds dead letters is found by where they go, and by what is in it', async () => {
  const api = await dying();
  await api.channel.assertQueue('elsewhere', { durable: true });
  await api.channel.assertQueue('plain', { durable: true });
  await api.publish('orders.new', 'a');
  await api.reject('orders');
  await api.send('mails', 'b');
  await api.reject('mails');
  await api.post('/api/queues/%2F/dead/move', { to: { queue: 'elsewhere' }, count: 1 });
  const found = await api.get<readonly DeadLetterQueue[]>('/api/dead-letters');
  const now = expect.any(Number);
  expect(found).toEqual([
    {
      ...{ vhost: '/', name: 'dead', type: 'classic', messages: 1, redriven: 0, oldest: now, sampled: 1 },
      ...{ reasons: { rejected: 1 }, sources: { mails: 1 } },
      ...{ dead_letters_of: ['orders', 'mails'], dead_letters_of_count: 2 },
    },
    {
      ...{ vhost: '/', name: 'elsewhere', type: 'classic', messages: 1, redriven: 0, oldest: now, sampled: 1 },
      ...{ reasons: { rejected: 1 }, sources: { orders: 1 }, dead_letters_of: [], dead_letters_of_count: 0 },
    },
  ]);
  expect(await api.get('/api/dead-letters/%2F?page=1&page_size=1&sort=messages&name=else')).toMatchObject({
    ...{ total_count: 2, filtered_count: 1, items: [{ name: 'elsewhere' }] },
  });
  const how = await makeUser(api, 'other', 'management', ['/']);
  await api.ask('PUT', '/api/permissions/%2F/other', { configure: '', write: '', read: '^elsewhere$' });
  expect(await api.get('/api/dead-letters', how)).toMatchObject([{ name: 'elsewhere' }]);
});

test('each letter tells where, why, when and how often it died', async () => {
  const api = await dying();
  await api.publish('orders.new', 'a', { CC: ['orders.copy'] });
  await api.reject('orders');
  await api.send('mails', 'b');
  await api.reject('mails');
  const { items } = await api.get<MessagePage<DeadLetterMessage>>(LETTERS);
  const place = { queue: 'orders', reason: 'rejected', exchange: 'amq.topic' };
  expect(items[0]).toMatchObject({
    payload: { data: 'a' },
    deaths: [{ ...place, count: 1, time: expect.any(Number), routing_keys: ['orders.new', 'orders.copy'] }],
    ...{ first_death: place, last_death: place, origin: null },
  });
  expect(await api.get(`${LETTERS}?source=mails`)).toMatchObject({ items: [{ payload: { data: 'b' } }] });
  expect(await api.get(`${LETTERS}?reason=expired`)).toMatchObject({ items: [] });
});

test('they go back to where they died, all, by filter, or some, with their trail or without', async () => {
  const api = await dying();
  const { channel } = api;
  for (const body of ['a', 'b']) {
    await api.publish('orders.new', body, { headers: { own: 1 } });
    await api.reject('orders');
  }
  await api.send('mails', 'c');
  await api.reject('mails');
  await api.send('dead', 'no letter');
  const dry = await api.post<ShownTransfer>(REDRIVE, { dry_run: true });
  expect(dry).toMatchObject({ matched: 4, moved: 0, targets: { orders: 2, mails: 1 }, skipped: { 'no-trail': 1 } });
  expect(await api.post(REDRIVE, { filter: { source: 'mails' } })).toMatchObject({ matched: 1, moved: 1 });
  expect(await api.payloads('mails')).toEqual(['c']);
  const { items } = await api.get<MessagePage>(LETTERS);
  await api.post(REDRIVE, { ids: [items[1]?.id], keep_trail: false });
  expect(await api.payloads('orders')).toEqual(['b']);
  const fresh = await channel.get('orders');
  if (fresh === false) throw new Error('it is there');
  expect(fresh.properties.headers).toEqual({ own: 1 });
  channel.ack(fresh);
  await api.post(REDRIVE, {});
  expect(await channel.get('orders')).toMatchObject({
    content: Buffer.from('a'),
    properties: { headers: { own: 1, 'x-death': [{ count: 1, queue: 'orders' }] } },
  });
  expect(await api.payloads('dead')).toEqual(['no letter']);
});

test('by their first publication they take the whole way again; to a queue that is gone they do not go', async () => {
  const api = await dying();
  const { channel } = api;
  await channel.assertQueue('audit', { durable: true });
  await channel.bindQueue('audit', 'amq.topic', '#');
  await api.publish('orders.new', 'a');
  await api.reject('orders');
  await channel.purgeQueue('audit');
  expect(await api.post(REDRIVE, { to: 'publication' })).toMatchObject({ moved: 1, targets: { orders: 1, audit: 1 } });
  expect(await channel.get('audit')).toMatchObject({ fields: { exchange: 'amq.topic', routingKey: 'orders.new' } });
  await api.reject('orders');
  await channel.deleteQueue('orders');
  expect(await api.post(REDRIVE, {})).toMatchObject({ moved: 0, skipped: { 'no-source': 1 } });
  expect(await api.post(REDRIVE, { to: { queue: 'mails' } })).toMatchObject({ moved: 1 });
  expect(await api.payloads('mails')).toEqual(['a']);
});

test('where a message died several times, the queue of its first death can be asked for', async () => {
  const api = await dying();
  const { channel } = api;
  await channel.assertQueue('final', { durable: true });
  await channel.assertQueue('second', {
    arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'final' },
  });
  await api.publish('orders.new', 'a');
  await api.reject('orders');
  await api.post('/api/queues/%2F/dead/move', { to: { queue: 'second' } });
  await api.reject('second');
  const final = '/api/dead-letters/%2F/final';
  expect((await api.get<MessagePage<DeadLetterMessage>>(`${final}/messages`)).items[0]?.deaths).toMatchObject([
    { queue: 'second' },
    { queue: 'orders' },
  ]);
  expect(await api.post(`${final}/redrive`, { dry_run: true })).toMatchObject({ targets: { second: 1 } });
  expect(await api.post(`${final}/redrive`, { to: 'first-source' })).toMatchObject({ targets: { orders: 1 } });
});

test('who may not publish where they came from does not bring them back', async () => {
  const api = await dying();
  await api.publish('orders.new', 'a');
  await api.reject('orders');
  const how = await makeUser(api, 'other', 'management', ['/']);
  await api.ask('PUT', '/api/permissions/%2F/other', { configure: '', write: '^nothing$', read: '.*' });
  expect(await api.post(REDRIVE, {}, how)).toMatchObject({ moved: 0, skipped: { refused: 1 } });
  expect(await api.post(REDRIVE, { to: 'publication' }, how)).toMatchObject({ moved: 0, skipped: { refused: 1 } });
  expect(await api.payloads('dead')).toEqual(['a']);
});

test('letters in a stream that one user may not bring back are there for the others', async () => {
  const api = await dying();
  const { channel } = api;
  await channel.unbindQueue('dead', 'dlx', '#');
  await channel.assertQueue('log', { durable: true, arguments: { 'x-queue-type': 'stream' } });
  await channel.bindQueue('log', 'dlx', '#');
  for (const body of ['a', 'b']) {
    await api.publish('orders.new', body);
    await api.reject('orders');
  }
  const how = await makeUser(api, 'other', 'management', ['/']);
  await api.ask('PUT', '/api/permissions/%2F/other', { configure: '', write: '^nothing$', read: '.*' });
  const redrive = '/api/dead-letters/%2F/log/redrive';
  await expect.poll(() => api.post(redrive, { dry_run: true })).toMatchObject({ matched: 2 });
  expect(await api.post(redrive, {}, how)).toMatchObject({ state: 'failed', moved: 0, skipped: { refused: 1 } });
  expect(await api.post(redrive, {})).toMatchObject({ state: 'done', moved: 2 });
  expect(await api.payloads('orders')).toEqual(['a', 'b']);
});

test('letters in a stream are copied back once: the next re-drive goes on after them', async () => {
  const api = await dying();
  const { channel } = api;
  await channel.unbindQueue('dead', 'dlx', '#');
  await channel.assertQueue('log', { durable: true, arguments: { 'x-queue-type': 'stream' } });
  await channel.bindQueue('log', 'dlx', '#');
  for (const body of ['a', 'b']) {
    await api.publish('orders.new', body);
    await api.reject('orders');
  }
  const redrive = (body: object) => api.post<ShownTransfer>('/api/dead-letters/%2F/log/redrive', body);
  await expect.poll(() => redrive({ dry_run: true })).toMatchObject({ matched: 2, targets: { orders: 2 } });
  expect(await redrive({ count: 1 })).toMatchObject({ moved: 1 });
  expect(await redrive({})).toMatchObject({ moved: 1 });
  expect(await redrive({})).toMatchObject({ moved: 0, matched: 0 });
  expect(await api.payloads('orders')).toEqual(['a', 'b']);
  expect(await api.get('/api/dead-letters')).toMatchObject([
    {
      name: 'log',
      type: 'stream',
      messages: 2,
      redriven: 2,
      reasons: { rejected: 2 },
      dead_letters_of: ['orders', 'mails'],
    },
  ]);
  const { items } = await api.get<MessagePage>('/api/dead-letters/%2F/log/messages');
  expect(await redrive({ ids: [items[0]?.id] })).toMatchObject({ moved: 1 });
  expect(await api.payloads('orders')).toEqual(['a', 'b', 'a']);
});

test("a consumer of rabbitmq-client's gets what was brought back, and its own trail with it", async () => {
  const api = await dying();
  const amqp = api.sluice.listeners[1];
  const rabbit = new Connection(`amqp://guest:guest@127.0.0.1:${amqp?.port}`);
  onTestFinished(() => rabbit.close());
  const counts: unknown[] = [];
  const consumer = rabbit.createConsumer(
    { queue: 'orders', queueOptions: { passive: true }, requeue: false },
    async ({ headers }) => {
      counts.push((headers?.['x-death'] as readonly { count: number }[] | undefined)?.[0]?.count ?? 0);
      if (counts.length < 3) throw new Error('not yet');
    },
  );
  consumer.on('error', () => {});
  onTestFinished(() => consumer.close());
  await api.publish('orders.new', 'a');
  for (const deaths of [1, 2]) {
    await until(async () => (await api.payloads('dead')).join() === 'a');
    const { items } = await api.get<MessagePage<DeadLetterMessage>>(LETTERS);
    expect(items[0]?.deaths).toMatchObject([{ queue: 'orders', reason: 'rejected', count: deaths }]);
    expect(await api.post(REDRIVE, {})).toMatchObject({ moved: 1 });
  }
  await until(() => counts.length === 3);
  expect(counts).toEqual([0, 1, 2]);
});
