import { expect, test } from 'vitest';
import type { DelayedMessage, DelayedPage } from '../../src/protocols/http/shapes/delayed.ts';
import { makeUser } from './fixture.ts';
import { startQueues } from './queue-fixture.ts';

async function delaying() {
  const api = await startQueues();
  const { channel } = api;
  await channel.assertExchange('later', 'x-delayed-message', { arguments: { 'x-delayed-type': 'direct' } });
  await channel.assertQueue('inbox', { durable: true });
  await channel.bindQueue('inbox', 'later', 'k');
  const hold = async (body: string, delay: number) => {
    channel.publish('later', 'k', Buffer.from(body), { persistent: true, headers: { 'x-delay': delay } });
    await channel.waitForConfirms();
  };
  const list = async (query = '') => await api.get<DelayedPage>(`/api/delayed/%2F?${query}`);
  return { ...api, hold, list };
}

const HOUR = 3_600_000;
const bodies = (items: readonly DelayedMessage[]) => items.map(({ payload }) => payload?.data);

test('messages that are held back are listed by when they are due', async () => {
  const api = await delaying();
  for (const [body, delay] of [
    ['c', 3 * HOUR],
    ['a', HOUR],
    ['b', 2 * HOUR],
  ] as const)
    await api.hold(body, delay);
  const { items, next, total } = await api.list();
  expect([total, next]).toEqual([3, null]);
  expect(items).toMatchObject([
    {
      vhost: '/',
      exchange: 'later',
      routing_key: 'k',
      payload: { data: 'a', bytes: 1 },
      properties: { delivery_mode: 2 },
    },
    { payload: { data: 'b' } },
    { payload: { data: 'c' } },
  ]);
  for (const { due_at, published_at, payload } of items)
    expect(due_at - published_at).toBe(HOUR * 'abc'.indexOf(payload?.data ?? '') + HOUR);
  expect(await api.get(`/api/delayed/%2F/${items[0]?.id}`)).toEqual(items[0]);
  expect(await api.get('/api/delayed')).toEqual([{ vhost: '/', messages: 3, next_due_at: items[0]?.due_at }]);
  expect(bodies((await api.list('text=b')).items)).toEqual(['b']);
});

test('by pages, as many as there are', async () => {
  const api = await delaying();
  for (let i = 0; i < 7; i++) await api.hold(String(i), HOUR + ((i * 4) % 7) * 1000);
  const seen: unknown[] = [];
  for (let cursor = ''; ; ) {
    const { items, next } = await api.list(`limit=2&cursor=${cursor}`);
    seen.push(...bodies(items));
    if (next === null) break;
    cursor = next;
  }
  expect(seen).toEqual(['0', '2', '4', '6', '1', '3', '5']);
});

test('one is cancelled, another delivered now, and the rest comes in its time', async () => {
  const api = await delaying();
  for (const body of ['a', 'b', 'c']) await api.hold(body, HOUR);
  const [a, b] = (await api.list()).items;
  expect(await api.ask('DELETE', `/api/delayed/%2F/${a?.id}`)).toMatchObject({ status: 204 });
  expect(await api.ask('POST', `/api/delayed/%2F/${b?.id}/deliver`, {})).toMatchObject({ status: 204 });
  expect(await api.payloads('inbox')).toEqual(['b']);
  expect(bodies((await api.list()).items)).toEqual(['c']);
  for (const id of [a?.id, b?.id, '0-99-abc']) {
    expect(await api.ask('DELETE', `/api/delayed/%2F/${id}`)).toMatchObject({ status: 404 });
    expect(await api.ask('POST', `/api/delayed/%2F/${id}/deliver`, {})).toMatchObject({ status: 404 });
  }
  expect(await api.channel.get('inbox')).toMatchObject({ properties: { headers: { 'x-delay': -HOUR } } });
});

test('they are seen by who may read their exchange, and taken out by who may publish to it', async () => {
  const api = await delaying();
  await api.hold('a', HOUR);
  const [a] = (await api.list()).items;
  const how = await makeUser(api, 'other', 'management', ['/']);
  const permit = (read: string) => api.ask('PUT', '/api/permissions/%2F/other', { configure: '', write: '', read });
  await permit('');
  expect(await api.get('/api/delayed/%2F', how)).toMatchObject({ items: [] });
  expect(await api.ask('GET', `/api/delayed/%2F/${a?.id}`, undefined, how)).toMatchObject({ status: 404 });
  await permit('later');
  expect(await api.get('/api/delayed/%2F', how)).toMatchObject({ items: [{ id: a?.id }] });
  expect(await api.ask('DELETE', `/api/delayed/%2F/${a?.id}`, undefined, how)).toMatchObject({ status: 401 });
  expect((await api.list()).total).toBe(1);
});
