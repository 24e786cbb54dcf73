import { expect, test } from 'vitest';
import { makeUser, startApi } from './fixture.ts';

const entry = { resource_type: 'topic', resource_name: 'orders', principal: 'User:anna', operation: 'read' };
const whole = { ...entry, pattern: 'literal', host: '*', permission: 'allow' };

test("entries of Kafka's access-control lists are made, listed and deleted", async () => {
  const { ask } = await startApi({ settings: { kafka: { authorizer: 'acl' } } });
  expect((await ask('GET', '/api/acls/info')).body).toMatchObject({
    enabled: true,
    operations: expect.arrayContaining(['all']),
  });
  for (let again = 0; again < 2; again++) expect(await ask('POST', '/api/acls', entry)).toMatchObject({ status: 204 });
  await ask('POST', '/api/acls', { ...entry, principal: 'User:bert', pattern: 'prefixed', permission: 'deny' });
  expect((await ask('GET', '/api/acls')).body).toMatchObject([whole, { principal: 'User:bert', pattern: 'prefixed' }]);
  expect((await ask('GET', '/api/acls?page=1&name=bert')).body).toMatchObject({ filtered_count: 1, total_count: 2 });
  expect(await ask('POST', '/api/acls/delete', whole)).toMatchObject({ status: 204 });
  expect(await ask('POST', '/api/acls/delete', whole)).toMatchObject({ status: 404 });
  for (const wrong of [
    { ...entry, principal: 'anna' },
    { ...entry, operation: 'fly' },
    { ...entry, other: 1 },
  ])
    expect(await ask('POST', '/api/acls', wrong)).toMatchObject({ status: 400 });
});

test('quotas are set, listed and removed', async () => {
  const { ask } = await startApi();
  await ask('PUT', '/api/quotas', { user: 'anna', client_id: null, values: { producer_byte_rate: 1000 } });
  await ask('PUT', '/api/quotas', { ip: '10.0.0.1', values: { connection_creation_rate: 5 } });
  expect((await ask('GET', '/api/quotas')).body).toEqual([
    { name: 'ip=10.0.0.1', ip: '10.0.0.1', values: { connection_creation_rate: 5 } },
    { name: 'user=anna client-id=*', user: 'anna', client_id: null, values: { producer_byte_rate: 1000 } },
  ]);
  await ask('PUT', '/api/quotas', { ip: '10.0.0.1', values: { connection_creation_rate: null } });
  expect((await ask('GET', '/api/quotas')).body).toHaveLength(1);
  expect(await ask('PUT', '/api/quotas', { user: 'anna', values: { speed: 1 } })).toMatchObject({ status: 400 });
  expect(await ask('PUT', '/api/quotas', { values: {} })).toMatchObject({ status: 400 });
});

test('how users log in by SCRAM is told without what passwords are checked by', async () => {
  const api = await startApi();
  await makeUser(api, 'anna', '');
  const { body } = await api.ask('GET', '/api/users/anna/scram');
  expect(body).toEqual(
    ['SCRAM-SHA-256', 'SCRAM-SHA-512'].map((mechanism) => ({ mechanism, iterations: expect.any(Number) })),
  );
  expect(await api.ask('DELETE', '/api/users/anna/scram/SCRAM-SHA-256')).toMatchObject({ status: 204 });
  expect((await api.ask('GET', '/api/users/anna/scram')).body).toHaveLength(1);
  expect(await api.ask('DELETE', '/api/users/anna/scram/MD5')).toMatchObject({ status: 400 });
  const monitor = await makeUser(api, 'monitor', 'monitoring');
  for (const path of ['/api/acls', '/api/quotas', '/api/users/anna/scram'])
    expect(await api.ask('GET', path, undefined, monitor), path).toMatchObject({ status: 401 });
});
