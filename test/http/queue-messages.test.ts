import { expect, test } from 'vitest';
import type { MessagePage, QueuedMessage } from '../../src/protocols/http/shapes/queue-messages.ts';
import { makeUser } from './fixture.ts';
import { startQueues } from './queue-fixture.ts';

const INBOX = '/api/queues/%2F/inbox/messages';

test.each([
  ['classic', {}],
  ['quorum', { 'x-queue-type': 'quorum' }],
])('messages of a %s queue are seen where they lie, and nothing is delivered by it', async (_type, args) => {
  const api = await startQueues();
  const { channel, get } = api;
  await channel.assertQueue('inbox', { durable: true, arguments: args });
  channel.publish('amq.direct', 'lost', Buffer.from('unbound'));
  channel.sendToQueue('inbox', Buffer.from('{"a":1}'), {
    ...{ persistent: true, messageId: 'm1', contentType: 'application/json', headers: { tenant: 'x', list: ['1'] } },
  });
  await api.send('inbox', 'text');
  channel.sendToQueue('inbox', Buffer.of(0xff, 0xfe));
  await channel.waitForConfirms();
  const page = await get<MessagePage>(INBOX);
  expect(page).toMatchObject({ next: null, looked_at: 3, ready: 3, unacknowledged: 0 });
  expect(page.items).toMatchObject([
    {
      ...{ state: 'ready', holder: null, exchange: '', routing_key: 'inbox', redelivered: false, delivery_count: 0 },
      payload: { format: 'json', data: '{"a":1}', bytes: 7, truncated: false },
      properties: { message_id: 'm1', content_type: 'application/json', headers: { tenant: 'x', list: ['1'] } },
    },
    { payload: { format: 'text', data: 'text' } },
    { payload: { format: 'binary', data: '//4=', bytes: 2 } },
  ]);
  // Twice the same, and whoever consumes gets all of it as if nobody had looked.
  expect((await get<MessagePage>(INBOX)).items).toEqual(page.items);
  const first = await channel.get('inbox');
  expect(first).toMatchObject({ fields: { redelivered: false }, content: Buffer.from('{"a":1}') });
  if (first === false) throw new Error('there is a message');
  expect(first.properties.headers?.['x-delivery-count']).not.toBe(1);
});

test('of messages that are out it is said who has them', async () => {
  const api = await startQueues();
  const { channel, get } = api;
  await channel.assertQueue('inbox');
  await api.send('inbox', 'a', 'b', 'c');
  await channel.prefetch(1);
  const delivered = new Promise((resolve) => void channel.consume('inbox', resolve, { consumerTag: 'worker' }));
  await delivered;
  await channel.get('inbox');
  const { items, ready, unacknowledged } = await get<MessagePage>(INBOX);
  expect([ready, unacknowledged]).toEqual([1, 2]);
  expect(items.map(({ state, holder }) => [state, holder?.consumer_tag])).toEqual([
    ['unacknowledged', 'worker'],
    ['unacknowledged', null],
    ['ready', undefined],
  ]);
  expect(items[0]?.holder).toMatchObject({ channel: 1, user: 'guest' });
  const connections = await get<readonly { name: string }[]>('/api/connections');
  expect(connections.map(({ name }) => name)).toEqual([items[0]?.holder?.connection]);
  expect(await get<MessagePage>(`${INBOX}?state=ready`)).toMatchObject({ items: [{ payload: { data: 'c' } }] });
  expect((await get<MessagePage>(`${INBOX}?state=unacknowledged`)).items).toHaveLength(2);
});

test('pages follow one another by a cursor, and bodies are cut to what was asked for', async () => {
  const api = await startQueues();
  await api.channel.assertQueue('inbox');
  await api.send('inbox', ...Array.from({ length: 7 }, (_, i) => `${i}äöü`));
  const seen: string[] = [];
  for (let cursor = ''; ; ) {
    const page = await api.get<MessagePage>(`${INBOX}?limit=3&truncate=2&cursor=${cursor}`);
    seen.push(...page.items.map(({ payload }) => payload?.data ?? ''));
    expect(page.items[0]?.payload).toMatchObject({ truncated: true, bytes: 7, format: 'text' });
    if (page.next === null) break;
    cursor = page.next;
  }
  expect(seen).toEqual(['0', '1', '2', '3', '4', '5', '6']);
  const [first] = (await api.get<MessagePage>(INBOX)).items;
  const whole = await api.get<QueuedMessage>(`${INBOX}/${first?.id}`);
  expect(whole.payload).toMatchObject({ data: '0äöü', truncated: false });
  const raw = await api.ask('GET', `${INBOX}/${first?.id}?raw=true`);
  expect(raw).toMatchObject({ status: 200, body: '0äöü' });
  expect(raw.headers.get('content-type')).toBe('application/octet-stream');
});

test('of a queue with priorities the most important come first', async () => {
  const api = await startQueues();
  const { channel } = api;
  await channel.assertQueue('inbox', { arguments: { 'x-max-priority': 3 } });
  for (const priority of [0, 3, 1, 3]) channel.sendToQueue('inbox', Buffer.from(`p${priority}`), { priority });
  await channel.waitForConfirms();
  expect(await api.payloads('inbox')).toEqual(['p3', 'p3', 'p1', 'p0']);
});

test('a stream is looked at as well', async () => {
  const api = await startQueues();
  await api.channel.assertQueue('inbox', { arguments: { 'x-queue-type': 'stream' } });
  await api.send('inbox', 'a', 'b');
  expect(await api.payloads('inbox')).toEqual(['a', 'b']);
  const { items, next } = await api.get<MessagePage>(`${INBOX}?limit=1`);
  expect(items).toMatchObject([{ part: 0, offset: 0, properties: { headers: { 'x-stream-offset': 0 } } }]);
  expect((await api.get<MessagePage>(`${INBOX}?cursor=${next}`)).items).toMatchObject([{ payload: { data: 'b' } }]);
  expect(await api.get(`${INBOX}/${items[0]?.id}`)).toMatchObject({ payload: { data: 'a' } });
  expect(await api.ask('DELETE', `${INBOX}/${items[0]?.id}`)).toMatchObject({ status: 400 });
  expect(await api.ask('POST', '/api/queues/%2F/inbox/move', { to: { queue: 'inbox' } })).toMatchObject({
    status: 400,
  });
});

test('messages are found by text, routing key, exchange, header and id', async () => {
  const api = await startQueues();
  const { channel, get } = api;
  await channel.assertQueue('inbox');
  await channel.bindQueue('inbox', 'amq.topic', '#');
  channel.publish('amq.topic', 'orders.new', Buffer.from('needle here'), { headers: { tenant: 'a', n: 7 } });
  channel.publish('amq.topic', 'orders.old', Buffer.from('hay'), { headers: { tenant: 'b' }, messageId: 'm2' });
  await api.send('inbox', 'needle there');
  const found = async (query: string) =>
    (await get<MessagePage>(`${INBOX}?${query}`)).items.map(({ routing_key }) => routing_key);
  expect(await found('text=needle')).toEqual(['orders.new', 'inbox']);
  expect(await found('text=orders.o')).toEqual(['orders.old']);
  expect(await found('routing_key=orders.new')).toEqual(['orders.new']);
  expect(await found('exchange=amq.topic')).toEqual(['orders.new', 'orders.old']);
  expect(await found('header=tenant')).toEqual(['orders.new', 'orders.old']);
  expect(await found('header=tenant%3Db')).toEqual(['orders.old']);
  expect(await found('header=n%3D7')).toEqual(['orders.new']);
  expect(await found('message_id=m2')).toEqual(['orders.old']);
  expect(await found(`before=${Date.UTC(2001)}`)).toEqual([]);
  for (const wrong of ['cursor=x', 'limit=501', 'limit=-1', 'truncate=2000000', 'after=yesterday', 'state=gone'])
    expect(await api.ask('GET', `${INBOX}?${wrong}`), wrong).toMatchObject({ status: 400 });
});

test('a message that waits is deleted by its id, once; one that is out, or another in its place, is not', async () => {
  const api = await startQueues();
  const { channel, get, ask } = api;
  await channel.assertQueue('inbox', { durable: true });
  await api.send('inbox', 'a', 'b', 'c');
  await channel.get('inbox');
  const [a, b] = (await get<MessagePage>(INBOX)).items;
  expect(await ask('DELETE', `${INBOX}/${a?.id}`)).toMatchObject({ status: 409 });
  expect(await ask('DELETE', `${INBOX}/${b?.id}`)).toMatchObject({ status: 204 });
  expect(await ask('DELETE', `${INBOX}/${b?.id}`)).toMatchObject({ status: 404 });
  expect(await ask('GET', `${INBOX}/${b?.id}`)).toMatchObject({ status: 404 });
  expect(await ask('DELETE', `${INBOX}/0-2-abc`)).toMatchObject({ status: 404 });
  expect(await ask('DELETE', `${INBOX}/nonsense`)).toMatchObject({ status: 400 });
  expect(await api.payloads('inbox')).toEqual(['a', 'c']);
  expect(await channel.get('inbox')).toMatchObject({ content: Buffer.from('c') });
});

test('whoever may not read the queue does not see its messages', async () => {
  const api = await startQueues();
  await api.channel.assertQueue('inbox');
  await api.send('inbox', 'secret');
  const how = await makeUser(api, 'reader', 'management', ['/']);
  const rights = { configure: '.*', write: '.*', read: '^other' };
  await api.ask('PUT', '/api/permissions/%2F/reader', rights);
  const move = { to: { queue: 'inbox' } };
  expect(await api.ask('GET', INBOX, undefined, how)).toMatchObject({ status: 401 });
  expect(await api.ask('GET', `${INBOX}/0-0-0`, undefined, how)).toMatchObject({ status: 401 });
  expect(await api.ask('DELETE', `${INBOX}/0-0-0`, undefined, how)).toMatchObject({ status: 401 });
  expect(await api.ask('POST', '/api/queues/%2F/inbox/move', move, how)).toMatchObject({ status: 401 });
  expect(await api.ask('GET', '/api/dead-letters/%2F/inbox/messages', undefined, how)).toMatchObject({ status: 401 });
});
