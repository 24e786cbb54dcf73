import { describe, expect, test } from 'vitest';
import { makeUser, startApi } from './fixture.ts';

const refused = (reason: string) => ({ status: 401, body: { error: 'not_authorised', reason } });

describe('logging in', () => {
  test('without the right name and password nothing is answered, and nothing is said about why', async () => {
    const { ask } = await startApi();
    for (const as of ['', 'guest:wrong', 'nobody:guest', 'guest', ':']) {
      const answer = await ask('GET', '/api/whoami', undefined, { as });
      expect(answer, as).toMatchObject({ status: 401, body: { error: 'not_authorized', reason: 'Login failed' } });
      expect(answer.headers.get('www-authenticate')).toBe('Basic realm="Sluice"');
    }
    expect((await ask('GET', '/api/whoami')).body).toEqual({ name: 'guest', tags: ['administrator'] });
  });

  test('a user without a tag is not let in', async () => {
    const api = await startApi();
    const plain = await makeUser(api, 'plain', '', ['/']);
    expect(await api.ask('GET', '/api/whoami', undefined, plain)).toMatchObject(refused('Not management user'));
  });

  test('whoever is deleted has no access any more', async () => {
    const api = await startApi();
    const gone = await makeUser(api, 'gone', 'management');
    expect(await api.ask('GET', '/api/whoami', undefined, gone)).toMatchObject({ status: 200 });
    await api.ask('DELETE', '/api/users/gone');
    expect(await api.ask('GET', '/api/whoami', undefined, gone)).toMatchObject({ status: 401 });
  });
});

describe('tags', () => {
  test('management: what is in the own virtual hosts, and nothing of the broker', async () => {
    const api = await startApi();
    await api.ask('PUT', '/api/vhosts/own', {});
    for (const host of ['%2F', 'own']) await api.ask('PUT', `/api/queues/${host}/q`, {});
    const user = await makeUser(api, 'user', 'management', ['own']);
    const get = (path: string) => api.ask('GET', `/api/${path}`, undefined, user);
    expect((await get('queues')).body).toMatchObject([{ vhost: 'own' }]);
    expect((await get('vhosts')).body).toMatchObject([{ name: 'own' }]);
    expect((await get('overview')).body).not.toHaveProperty('listeners');
    expect((await get('overview')).body).toMatchObject({ object_totals: { queues: 1 } });
    expect(await get('queues/%2F')).toMatchObject(refused('User not authorised to access virtual host'));
    expect(await get('queues/%2F/q')).toMatchObject(refused('User not authorised to access virtual host'));
    expect(await get('queues/own/q')).toMatchObject({ status: 200 });
    expect(await get('queues/none/q')).toMatchObject({ status: 404 });
    for (const path of ['users', 'users/user', 'permissions', 'definitions', 'definitions/own', 'vhosts/own'])
      expect(await get(path), path).toMatchObject(refused('Not administrator user'));
    expect(await get('nodes')).toMatchObject(refused('Not monitor user'));
    const policy = { pattern: '', definition: { 'max-length': 1 } };
    expect(await api.ask('PUT', '/api/policies/own/p', policy, user)).toMatchObject(
      refused('User not authorised to access object'),
    );
  });

  test('policymaker: policies of the own virtual hosts', async () => {
    const api = await startApi();
    await api.ask('PUT', '/api/vhosts/own', {});
    const user = await makeUser(api, 'user', 'policymaker', ['own']);
    const policy = { pattern: '', definition: { 'max-length': 1 } };
    expect(await api.ask('PUT', '/api/policies/own/p', policy, user)).toMatchObject({ status: 201 });
    expect(await api.ask('PUT', '/api/policies/%2F/p', policy, user)).toMatchObject({ status: 401 });
    expect(await api.ask('GET', '/api/nodes', undefined, user)).toMatchObject({ status: 401 });
  });

  test('monitoring: the broker, and every virtual host, but not what is in them', async () => {
    const api = await startApi();
    const user = await makeUser(api, 'user', 'monitoring');
    expect(await api.ask('GET', '/api/nodes', undefined, user)).toMatchObject({ status: 200 });
    expect((await api.ask('GET', '/api/vhosts', undefined, user)).body).toHaveLength(1);
    expect((await api.ask('GET', '/api/overview', undefined, user)).body).toHaveProperty('listeners');
    expect(await api.ask('GET', '/api/queues/%2F', undefined, user)).toMatchObject({ status: 401 });
    expect(await api.ask('GET', '/api/users', undefined, user)).toMatchObject({ status: 401 });
  });

  test('an administrator needs permissions all the same for what is done in a virtual host', async () => {
    const api = await startApi();
    const boss = await makeUser(api, 'boss', 'administrator');
    expect(await api.ask('GET', '/api/queues/%2F', undefined, boss)).toMatchObject({ status: 200 });
    expect(await api.ask('PUT', '/api/queues/%2F/q', {}, boss)).toMatchObject(
      refused("configure access to queue 'q' in vhost '/' refused for user 'boss'"),
    );
  });
});

describe('permissions in a virtual host', () => {
  test('hold for declaring, binding, publishing, getting, purging and deleting', async () => {
    const api = await startApi();
    await api.ask('PUT', '/api/queues/%2F/theirs', {});
    await api.ask('POST', '/api/bindings/%2F/e/amq.topic/q/theirs', { routing_key: 'theirs.x' });
    const user = await makeUser(api, 'user', 'management');
    const own = { configure: '^own', write: '^own|topic', read: '^own' };
    await api.ask('PUT', '/api/permissions/%2F/user', own);
    await api.ask('PUT', '/api/topic-permissions/%2F/user', { exchange: 'amq.topic', write: '^own', read: '' });
    const message = { routing_key: 'theirs.x', properties: {}, payload: '', payload_encoding: 'string' };
    const get = { count: 1, ackmode: 'ack_requeue_true', encoding: 'auto' };
    for (const [method, path, body] of [
      ['PUT', 'queues/%2F/other', {}],
      ['PUT', 'queues/%2F/own', { arguments: { 'x-dead-letter-exchange': 'amq.direct' } }],
      ['PUT', 'exchanges/%2F/other', {}],
      ['PUT', 'exchanges/%2F/own', { arguments: { 'alternate-exchange': 'amq.direct' } }],
      ['POST', 'bindings/%2F/e/amq.topic/q/theirs', {}],
      ['DELETE', 'bindings/%2F/e/amq.topic/q/theirs/theirs.x', undefined],
      ['POST', 'exchanges/%2F/amq.default/publish', message],
      ['POST', 'exchanges/%2F/amq.topic/publish', message],
      [
        'POST',
        'exchanges/%2F/amq.topic/publish',
        { ...message, routing_key: 'own', properties: { headers: { CC: ['x'] } } },
      ],
      ['POST', 'queues/%2F/theirs/get', get],
      ['DELETE', 'queues/%2F/theirs/contents', undefined],
      ['DELETE', 'queues/%2F/theirs', undefined],
    ] as const)
      expect(await api.ask(method, `/api/${path}`, body, user), `${method} ${path}`).toMatchObject({
        status: 401,
        body: { error: 'not_authorised' },
      });
    expect(await api.ask('PUT', '/api/queues/%2F/own', {}, user)).toMatchObject({ status: 201 });
  });
});

describe('other sites', () => {
  test('cannot have a browser change anything with the password that it knows', async () => {
    const { ask, url } = await startApi();
    const put = (headers: Readonly<Record<string, string>>) => ask('PUT', '/api/vhosts/v', {}, { headers });
    expect(await put({ origin: 'http://evil.example' })).toMatchObject({ status: 403 });
    expect(await put({ origin: 'null' })).toMatchObject({ status: 403 });
    expect(await put({ 'x-nothing': '' })).toMatchObject({ status: 201 });
    expect(await put({ origin: url })).toMatchObject({ status: 204 });
  });
});
