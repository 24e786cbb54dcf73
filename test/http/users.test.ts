import { describe, expect, test } from 'vitest';
import { startApi } from './fixture.ts';

describe('users', () => {
  test('are made, changed, listed and deleted', async () => {
    const { ask } = await startApi();
    const put = (name: string, body: object) => ask('PUT', `/api/users/${name}`, body);
    expect(await put('anna', { password: 'secret', tags: 'management, monitoring' })).toMatchObject({ status: 201 });
    expect((await ask('GET', '/api/users/anna')).body).toMatchObject({
      ...{ name: 'anna', tags: ['management', 'monitoring'], limits: {} },
      hashing_algorithm: 'rabbit_password_hashing_sha256',
    });
    expect(JSON.stringify((await ask('GET', '/api/users')).body)).not.toContain('secret');
    const { ok: hash } = (await ask('GET', '/api/auth/hash_password/secret')).body as { ok: string };
    expect(await put('berta', { password_hash: hash, tags: ['administrator'] })).toMatchObject({ status: 201 });
    expect((await ask('GET', '/api/whoami', undefined, { as: 'berta:secret' })).body).toMatchObject({ name: 'berta' });
    expect(await put('berta', { tags: '' })).toMatchObject({ status: 204 });
    expect(await ask('GET', '/api/whoami', undefined, { as: 'berta:secret' })).toMatchObject({ status: 401 });
    expect(await put('carl', { password: 'x' })).toMatchObject({ status: 400, body: { reason: 'tags_not_present' } });
    expect(await put('carl', { password: 'x', password_hash: hash, tags: '' })).toMatchObject({
      body: { reason: 'both_password_and_password_hash_are_provided' },
    });
    expect(await put('carl', { password_hash: 'x', tags: '' })).toMatchObject({ status: 400 });
    const without = (await ask('GET', '/api/users/without-permissions?columns=name')).body;
    expect(without).toEqual([{ name: 'anna' }, { name: 'berta' }]);
    expect(await ask('POST', '/api/users/bulk-delete', { users: ['anna', 'none'] })).toMatchObject({ status: 204 });
    expect(await ask('DELETE', '/api/users/anna')).toMatchObject({ status: 404 });
    expect(await ask('DELETE', '/api/users/berta')).toMatchObject({ status: 204 });
  });

  test('get what is kept of a password, to carry it elsewhere', async () => {
    const { ask } = await startApi();
    const { ok: hash } = (await ask('GET', '/api/auth/hash_password/secret')).body as { ok: string };
    await ask('PUT', '/api/users/anna', { password_hash: hash, tags: 'management' });
    expect(await ask('GET', '/api/whoami', undefined, { as: 'anna:secret' })).toMatchObject({ status: 200 });
  });
});

test('what a password is checked by is not told; sent back as it came, it keeps the password', async () => {
  const { ask } = await startApi();
  await ask('PUT', '/api/users/anna', { password: 'secret', tags: 'management' });
  const anna = (await ask('GET', '/api/users/anna')).body as { password_hash: string; tags: string[] };
  const { users } = (await ask('GET', '/api/definitions')).body as { users: { name: string; password_hash: string }[] };
  const hash = users.find(({ name }) => name === 'anna')?.password_hash ?? '';
  expect(hash).toMatch(/^[\w+/]{48}$/);
  for (const path of ['/api/users', '/api/users/anna', '/api/users/without-permissions'])
    expect(JSON.stringify((await ask('GET', path)).body), path).not.toContain(hash);
  const change = { ...anna, tags: ['monitoring'] };
  expect(await ask('PUT', '/api/users/anna', change)).toMatchObject({ status: 204 });
  expect((await ask('GET', '/api/whoami', undefined, { as: 'anna:secret' })).body).toMatchObject({
    tags: ['monitoring'],
  });
  expect((await ask('GET', '/api/users/anna/scram')).body).toHaveLength(2);
  await ask('PUT', '/api/users/berta', { tags: '' });
  expect((await ask('GET', '/api/users/berta')).body).toMatchObject({ password_hash: '' });
  for (const name of ['berta', 'none'])
    expect(await ask('PUT', `/api/users/${name}`, change)).toMatchObject({ status: 400 });
  expect(await ask('GET', '/api/users/none')).toMatchObject({ status: 404 });
});

describe('permissions', () => {
  test('are set, listed by user and by virtual host, and taken away', async () => {
    const { ask } = await startApi();
    await ask('PUT', '/api/users/anna', { password: 'x', tags: '' });
    const permissions = { configure: '', write: '^a', read: '.*' };
    const path = '/api/permissions/%2F/anna';
    expect(await ask('PUT', path, permissions)).toMatchObject({ status: 201 });
    expect(await ask('PUT', path, permissions)).toMatchObject({ status: 204 });
    const shown = { user: 'anna', vhost: '/', ...permissions };
    expect((await ask('GET', path)).body).toEqual(shown);
    expect((await ask('GET', '/api/users/anna/permissions')).body).toEqual([shown]);
    expect((await ask('GET', '/api/vhosts/%2F/permissions')).body).toContainEqual(shown);
    expect((await ask('GET', '/api/permissions')).body).toHaveLength(2);
    expect(await ask('PUT', path, { configure: '' })).toMatchObject({
      body: { reason: '[{key_missing,write},{key_missing,read}]' },
    });
    expect(await ask('PUT', path, { ...permissions, read: '*' })).toMatchObject({ status: 400 });
    expect(await ask('PUT', '/api/permissions/%2F/none', permissions)).toMatchObject({
      body: { reason: 'vhost_or_user_not_found' },
    });
    expect(await ask('DELETE', path)).toMatchObject({ status: 204 });
    expect(await ask('GET', path)).toMatchObject({ status: 404 });
    expect(await ask('DELETE', path)).toMatchObject({ status: 404 });
  });

  test('on topics likewise, for each exchange', async () => {
    const { ask } = await startApi();
    const path = '/api/topic-permissions/%2F/guest';
    const given = { exchange: 'amq.topic', write: '^a', read: '.*' };
    expect(await ask('PUT', path, given)).toMatchObject({ status: 201 });
    expect(await ask('PUT', path, given)).toMatchObject({ status: 204 });
    const shown = [{ user: 'guest', vhost: '/', ...given }];
    for (const list of ['topic-permissions', 'topic-permissions/%2F/guest', 'users/guest/topic-permissions'])
      expect((await ask('GET', `/api/${list}`)).body).toEqual(shown);
    expect((await ask('GET', `${path}/amq.topic`)).body).toEqual(shown[0]);
    expect(await ask('DELETE', `${path}/amq.topic`)).toMatchObject({ status: 204 });
    expect(await ask('GET', path)).toMatchObject({ status: 404 });
  });
});

describe('virtual hosts', () => {
  test('belong to whoever made them, and go with everything in them', async () => {
    const { ask } = await startApi();
    expect(await ask('PUT', '/api/vhosts/shop', { default_queue_type: 'quorum' })).toMatchObject({ status: 201 });
    expect(await ask('PUT', '/api/vhosts/shop', {})).toMatchObject({ status: 204 });
    expect((await ask('GET', '/api/vhosts/shop')).body).toMatchObject({ name: 'shop', default_queue_type: 'quorum' });
    expect(await ask('PUT', '/api/queues/shop/q', { durable: true })).toMatchObject({ status: 201 });
    expect((await ask('GET', '/api/queues/shop/q')).body).toMatchObject({ type: 'quorum' });
    expect(await ask('DELETE', '/api/vhosts/shop')).toMatchObject({ status: 204 });
    expect(await ask('GET', '/api/queues/shop/q')).toMatchObject({ status: 404 });
    expect((await ask('GET', '/api/permissions')).body).toHaveLength(1);
    expect(await ask('PUT', '/api/vhosts/shop', { tracing: true })).toMatchObject({ status: 400 });
  });
});

describe('definitions', () => {
  test('carry everything over to another broker', async () => {
    const [one, other] = [await startApi(), await startApi()];
    await one.ask('PUT', '/api/vhosts/shop', {});
    await one.ask('PUT', '/api/users/anna', { password: 'secret', tags: 'management' });
    await one.ask('PUT', '/api/permissions/shop/anna', { configure: '.*', write: '.*', read: '.*' });
    await one.ask('PUT', '/api/queues/shop/orders', { durable: true, arguments: { 'x-max-length': 5 } });
    await one.ask('PUT', '/api/exchanges/shop/news', { type: 'fanout', durable: true });
    await one.ask('POST', '/api/bindings/shop/e/news/q/orders', {});
    await one.ask('PUT', '/api/policies/shop/p', { pattern: '', definition: { 'max-length': 3 } });
    const { body } = await one.ask('GET', '/api/definitions');
    expect(body).toMatchObject({ product_name: 'Sluice' });
    expect(await other.ask('POST', '/api/definitions', body)).toMatchObject({ status: 204 });
    const { body: carried } = await other.ask('GET', '/api/definitions');
    expect(carried).toEqual(body);
    expect((await other.ask('GET', '/api/queues', undefined, { as: 'anna:secret' })).body).toHaveLength(1);
  });

  test('of one virtual host say nothing of it, and go into any', async () => {
    const { ask } = await startApi();
    await ask('PUT', '/api/queues/%2F/orders', { durable: true });
    const { body } = await ask('GET', '/api/definitions/%2F');
    expect(body).toMatchObject({ queues: [{ name: 'orders' }] });
    expect(JSON.stringify(body)).not.toContain('vhost');
    expect(body).not.toHaveProperty('users');
    await ask('PUT', '/api/vhosts/copy', {});
    expect(await ask('POST', '/api/definitions/copy', body)).toMatchObject({ status: 204 });
    expect((await ask('GET', '/api/queues/copy')).body).toMatchObject([{ name: 'orders', vhost: 'copy' }]);
  });

  test('that are wrong are refused by their place', async () => {
    const { ask } = await startApi();
    expect(await ask('POST', '/api/definitions', { queues: [{ vhost: '/' }] })).toMatchObject({
      status: 400,
      body: { error: 'bad_request', reason: expect.stringContaining('queues[0].name') },
    });
    expect(await ask('POST', '/api/definitions/%2F', { queues: 7 })).toMatchObject({ status: 400 });
  });
});
