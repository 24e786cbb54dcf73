import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadWithOrigins } from '../../src/config/index.ts';
import type { SettingShape } from '../../src/protocols/http/shapes/settings.ts';
import { type ApiBroker, makeUser, startApi } from './fixture.ts';

async function setting(api: ApiBroker, name: string): Promise<SettingShape> {
  return (await api.ask('GET', `/api/settings/${name}`)).body as SettingShape;
}

const LISTENERS = 'listeners: [http://127.0.0.1:0, amqp://127.0.0.1:0]\n';

/** Settings of a file that the test writes. */
async function withFile(text: string) {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-settings-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, 'sluice.yaml');
  await writeFile(file, LISTENERS + text);
  const env = { SLUICE_SECURITY_DEFAULT_PASSWORD: 'env-secret', SLUICE_LIMITS_QUEUES: '77' };
  const loaded = await loadWithOrigins({ file, env, flags: { storage: { kind: 'memory' } } });
  const api = await startApi({ settings: loaded.settings, loaded, storage: 'memory' });
  const as = { as: 'guest:env-secret' };
  const ask: ApiBroker['ask'] = (method, path, body) => api.ask(method, path, body, as);
  return { api: { ...api, ask }, write: (changed: string) => writeFile(file, LISTENERS + changed) };
}

test('every setting is told with what counts, its default, where from, and what it means', async () => {
  const { api } = await withFile('limits: { virtualHosts: 12 }\n');
  expect(await setting(api, 'limits.virtualHosts')).toMatchObject({
    ...{ value: 12, default: 1000, source: 'file', kind: 'number', minimum: 1, dynamic: false, secret: false },
    variable: 'SLUICE_LIMITS_VIRTUAL_HOSTS',
    description: expect.stringContaining('vhost_max'),
  });
  expect(await setting(api, 'limits.queues')).toMatchObject({ value: 77, source: 'environment' });
  expect(await setting(api, 'storage.kind')).toMatchObject({
    value: 'memory',
    source: 'flag',
    choices: ['disk', 'memory'],
  });
  expect(await setting(api, 'amqp.maxChannels')).toMatchObject({ value: 2047, source: 'default' });
  expect(await setting(api, 'security.defaultPassword')).toMatchObject({ value: null, default: null, secret: true });
  const page = await api.ask('GET', '/api/settings?page=1&page_size=5&name=limits&sort=name');
  expect(page.body).toMatchObject({ page: 1, item_count: 5 });
  expect(JSON.stringify((await api.ask('GET', '/api/settings')).body)).not.toContain('env-secret');
  expect(await api.ask('GET', '/api/settings/none')).toMatchObject({ status: 404 });
});

describe('while the broker runs', () => {
  test('some can be changed, by the same way as for clients of Kafka', async () => {
    const api = await startApi();
    expect(await api.ask('PUT', '/api/settings/limits.connections', { value: 5 })).toMatchObject({ status: 204 });
    expect(await setting(api, 'limits.connections')).toMatchObject({
      value: 5,
      source: 'dynamic',
      kafka_name: 'max.connections',
    });
    expect(await api.ask('PUT', '/api/settings/kafka.topicDefaults.retention.ms', { value: '1000' })).toMatchObject({
      status: 204,
    });
    expect(await setting(api, 'kafka.topicDefaults.retention.ms')).toMatchObject({ value: 1000, source: 'dynamic' });
    await api.ask('PUT', '/api/settings/max.connections.per.ip.overrides', { value: '10.0.0.1:3' });
    expect(await setting(api, 'max.connections.per.ip.overrides')).toMatchObject({
      value: '10.0.0.1:3',
      variable: null,
    });
    expect(await api.ask('DELETE', '/api/settings/limits.connections')).toMatchObject({ status: 204 });
    expect(await setting(api, 'limits.connections')).toMatchObject({ value: 10_000, source: 'default' });
    await api.ask('PUT', '/api/settings/logLevel', { value: 'error' });
    expect(await setting(api, 'logLevel')).toMatchObject({ value: 'error', source: 'dynamic' });
    expect((await api.ask('GET', '/api/log-level')).body).toMatchObject({ level: 'error' });
  });

  test('others cannot, and nor can what cannot be', async () => {
    const api = await startApi();
    const monitor = await makeUser(api, 'monitor', 'monitoring');
    const put = (name: string, value: unknown) => api.ask('PUT', `/api/settings/${name}`, { value });
    expect(await put('limits.queues', 5)).toMatchObject({
      status: 400,
      body: { reason: expect.stringContaining('restart') },
    });
    expect(await put('limits.connections', 0)).toMatchObject({ status: 400 });
    expect(await put('limits.connections', 'many')).toMatchObject({ status: 400 });
    expect(await put('logLevel', 'loud')).toMatchObject({ status: 400 });
    expect(await put('none', 1)).toMatchObject({ status: 404 });
    expect(await api.ask('POST', '/api/settings/reload', {})).toMatchObject({ status: 400 });
    for (const path of ['/api/settings', '/api/settings/logLevel'])
      expect(await api.ask('GET', path, undefined, monitor)).toMatchObject({ status: 401 });
    expect(await api.ask('PUT', '/api/settings/logLevel', { value: 'info' }, monitor)).toMatchObject({ status: 401 });
  });

  test('the file is read again for what can be changed, and tells what needs a restart', async () => {
    const { api, write } = await withFile('limits: { connections: 50, virtualHosts: 12 }\n');
    const reload = () => api.ask('POST', '/api/settings/reload', {});
    expect(await reload()).toMatchObject({ status: 200, body: { changed: [], needs_restart: [] } });
    await write('limits: { connections: 60, virtualHosts: 13 }\nkafka: { topicDefaults: { retention.ms: 5000 } }\n');
    const changed = ['limits.connections', 'kafka.topicDefaults.retention.ms'];
    expect((await reload()).body).toEqual({ changed, needs_restart: ['limits.virtualHosts'] });
    expect(await setting(api, 'limits.connections')).toMatchObject({ value: 60, source: 'file' });
    expect(await setting(api, 'kafka.topicDefaults.retention.ms')).toMatchObject({ value: 5000, source: 'file' });
    expect(await setting(api, 'limits.virtualHosts')).toMatchObject({ value: 12 });
    expect((await reload()).body).toEqual({ changed: [], needs_restart: ['limits.virtualHosts'] });
    await write('limits: { connections: none }\n');
    expect(await reload()).toMatchObject({ status: 400 });
    expect(await setting(api, 'limits.connections')).toMatchObject({ value: 60 });
  });
});
