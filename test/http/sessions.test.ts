import { expect, test } from 'vitest';
import { type ApiBroker, makeUser, startApi } from './fixture.ts';
import { listen } from './streams-fixture.ts';

const GUEST = { username: 'guest', password: 'guest' };
const BROWSER = { as: '', headers: { 'x-requested-with': 'fetch' } };

async function logIn(api: ApiBroker, credentials: object = GUEST) {
  const answer = await api.ask('POST', '/api/session', credentials, BROWSER);
  const setCookie = answer.headers.get('set-cookie') ?? '';
  const { csrf_token: token } = answer.body as { csrf_token: string };
  const cookie = setCookie.split(';')[0] ?? '';
  const asking = (headers: Readonly<Record<string, string>> = {}) => ({ as: '', headers: { cookie, ...headers } });
  return { answer, setCookie, token, asking };
}

test('a browser logs in once, and logs out', async () => {
  const api = await startApi();
  const { answer, setCookie, token, asking } = await logIn(api);
  expect(answer).toMatchObject({
    status: 200,
    body: { user: { name: 'guest', tags: ['administrator'] }, csrf_token: token, expires: expect.any(Number) },
  });
  expect(setCookie).toMatch(new RegExp(`^sluice-session-${api.port}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict$`));
  expect(JSON.stringify(answer.body)).not.toContain(setCookie.split(/[=;]/)[1]);
  expect(await api.ask('GET', '/api/session', undefined, asking())).toMatchObject({ status: 200, body: answer.body });
  expect(await api.ask('GET', '/api/overview', undefined, asking())).toMatchObject({ status: 200 });
  expect(await api.ask('DELETE', '/api/session', undefined, asking())).toMatchObject({ status: 403 });
  const out = await api.ask('DELETE', '/api/session', undefined, asking({ 'x-csrf-token': token }));
  expect(out.status).toBe(204);
  expect(out.headers.get('set-cookie')).toContain('Max-Age=0');
  expect(await api.ask('GET', '/api/session', undefined, asking())).toMatchObject({ status: 401 });
});

test('what changes something needs the token besides the cookie; basic authentication does not', async () => {
  const api = await startApi();
  const { token, asking } = await logIn(api);
  const other = await logIn(api);
  for (const headers of [{}, { 'x-csrf-token': 'wrong' }, { 'x-csrf-token': other.token }])
    for (const [method, path] of [
      ['PUT', '/api/vhosts/v'],
      ['POST', '/api/users/bulk-delete'],
      ['DELETE', '/api/queues/%2F/q/contents'],
    ] as const)
      expect(await api.ask(method, path, {}, asking(headers)), path).toMatchObject({
        status: 403,
        body: { error: 'forbidden' },
      });
  expect(await api.ask('PUT', '/api/vhosts/v', {}, asking({ 'x-csrf-token': token }))).toMatchObject({ status: 201 });
  expect(await api.ask('PUT', '/api/vhosts/w', {})).toMatchObject({ status: 201 });
});

test("a session ends with the user's password, and with the user", async () => {
  const api = await startApi();
  await makeUser(api, 'anna', 'management');
  const first = await logIn(api, { username: 'anna', password: 'anna' });
  const ask = (who: typeof first) => api.ask('GET', '/api/whoami', undefined, who.asking());
  await api.ask('PUT', '/api/users/anna', { password: 'anna', tags: 'monitoring' });
  expect(await ask(first)).toMatchObject({ status: 200, body: { tags: ['monitoring'] } });
  await api.ask('PUT', '/api/users/anna', { password: 'other', tags: 'monitoring' });
  expect(await ask(first)).toMatchObject({ status: 401 });
  const second = await logIn(api, { username: 'anna', password: 'other' });
  await api.ask('DELETE', '/api/users/anna');
  expect(await ask(second)).toMatchObject({ status: 401 });
});

test('who cannot log in gets no session, and a page no window of the browser that asks for a password', async () => {
  const api = await startApi();
  await makeUser(api, 'plain', '');
  for (const credentials of [
    { username: 'guest', password: 'wrong' },
    { username: 'nobody', password: 'guest' },
    { username: 'guest', password: '' },
    { username: 'plain', password: 'plain' },
  ]) {
    const { answer, setCookie } = await logIn(api, credentials);
    expect(answer.status).toBe(401);
    expect(setCookie).toBe('');
    expect(answer.headers.get('www-authenticate')).toBeNull();
  }
  const whoami = (headers: Readonly<Record<string, string>>) =>
    api.ask('GET', '/api/session', undefined, { as: '', headers });
  expect((await whoami({ 'sec-fetch-dest': 'empty' })).headers.get('www-authenticate')).toBeNull();
  expect((await whoami({ 'sec-fetch-dest': 'document' })).headers.get('www-authenticate')).not.toBeNull();
  expect((await whoami({})).headers.get('www-authenticate')).not.toBeNull();
});

test('who fails too often has to wait, with whatever password', async () => {
  const api = await startApi({ clock: 'virtual' });
  for (let i = 0; i < 5; i++) {
    expect((await logIn(api, { ...GUEST, password: 'wrong' })).answer.status).toBe(401);
    expect(await api.ask('GET', '/api/whoami', undefined, { as: 'guest:wrong' })).toMatchObject({ status: 401 });
  }
  const { answer } = await logIn(api);
  expect(answer).toMatchObject({ status: 429, body: { error: 'too_many_requests' } });
  expect(answer.headers.get('retry-after')).toBe('6');
  expect(await api.ask('GET', '/api/whoami')).toMatchObject({ status: 429 });
  await api.sluice.clock.advance(6_000);
  expect((await logIn(api)).answer.status).toBe(200);
});

test('basic authentication has no session to tell of', async () => {
  const { ask } = await startApi();
  expect((await ask('GET', '/api/session')).body).toEqual({
    user: { name: 'guest', tags: ['administrator'] },
    csrf_token: null,
    expires: null,
  });
});

test('who logs out, or has to give way, listens to events no longer', async () => {
  const api = await startApi({ settings: { http: { sessions: 2 } } });
  const { token, asking } = await logIn(api);
  const other = await logIn(api);
  const open = async (headers: Readonly<Record<string, string>>) => {
    const events = await listen(`${api.url}/api/streams/records/tail`, { authorization: '', ...headers });
    expect((await events.next()).event).toBe('ready');
    return events;
  };
  await api.ask('PUT', '/api/streams/records', { partitions: 1 });
  const [one, two, theirs] = [
    await open(asking().headers),
    await open(asking().headers),
    await open(other.asking().headers),
  ];
  await api.ask('DELETE', '/api/session', undefined, asking({ 'x-csrf-token': token }));
  for (const events of [one, two]) {
    expect(await events.next()).toMatchObject({ event: 'error', data: { reason: expect.stringContaining('login') } });
    await expect(events.next()).rejects.toThrow('no more events');
  }
  await logIn(api);
  await logIn(api);
  expect(await theirs.next()).toMatchObject({ event: 'error' });
});
