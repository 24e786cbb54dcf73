import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { completeSettings, loadSettings, parseListener, type SettingsSources } from './index.ts';
import { SETTINGS } from './setting.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-config-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function yaml(text: string): Promise<string> {
  const file = join(directory, 'sluice.yaml');
  await writeFile(file, text);
  return file;
}

function refusal(sources: SettingsSources): Promise<string> {
  return loadSettings(sources).then(
    () => expect.fail('the settings were accepted'),
    (error: Error & { code?: string }) => {
      expect(error.code).toBe('invalid-configuration');
      expect(error.message).not.toContain('\n');
      return error.message;
    },
  );
}

describe('where settings come from', () => {
  test('nothing given is all defaults', async () => {
    const settings = await loadSettings({});
    expect(settings).toEqual(completeSettings());
    expect(settings.listeners).toEqual(['kafka://127.0.0.1:9092', 'amqp://127.0.0.1:5672', 'http://127.0.0.1:15672']);
    expect(settings.storage).toMatchObject({ kind: 'disk', directory: './data', flush: 'always' });
    expect(settings.kafka.topicDefaults['retention.ms']).toBe(604_800_000);
    expect(settings.kafka.clusterId).toBeUndefined();
  });

  test('flags win over the environment, the environment over the file, the file over defaults', async () => {
    const file = await yaml('storage: { directory: file, kind: memory, shards: 2 }\nlogLevel: warn\n');
    const env = { SLUICE_STORAGE_DIRECTORY: 'environment', SLUICE_LOG_LEVEL: 'error' };
    const settings = await loadSettings({ file, env, flags: { storage: { directory: 'flag' } } });
    expect(settings.storage).toMatchObject({ directory: 'flag', kind: 'memory', shards: 2, flush: 'always' });
    expect(settings.logLevel).toBe('error');
  });

  test('a list is taken whole from the place that wins', async () => {
    const file = await yaml('listeners: [kafka://127.0.0.1:1, kafka://127.0.0.1:2]');
    const settings = await loadSettings({ file, flags: { listeners: ['kafka://127.0.0.1:3'] } });
    expect(settings.listeners).toEqual(['kafka://127.0.0.1:3']);
  });

  test('the environment can say numbers, booleans, lists and dotted names', async () => {
    const settings = await loadSettings({
      env: {
        SLUICE_LISTENERS: 'kafka://127.0.0.1:1, kafka://127.0.0.1:2',
        SLUICE_KAFKA_AUTO_CREATE_TOPICS: 'FALSE',
        SLUICE_KAFKA_TOPIC_DEFAULTS_RETENTION_MS: '-1',
        SLUICE_LIMITS_FRAME_BYTES: '2048',
        SLUICE_STORAGE_DIRECTORY: '',
      },
    });
    expect(settings.listeners).toEqual(['kafka://127.0.0.1:1', 'kafka://127.0.0.1:2']);
    expect(settings.kafka.autoCreateTopics).toBe(false);
    expect(settings.kafka.topicDefaults['retention.ms']).toBe(-1);
    expect(settings.limits.frameBytes).toBe(2048);
    expect(settings.storage.directory).toBe('./data');
  });

  test('a listener of the file may have settings of its own', async () => {
    const own = { url: 'kafka+tls://127.0.0.1:2', sasl: 'off', advertise: 'b.example:3', tls: { cert: 'c', key: 'k' } };
    const file = await yaml(`listeners: ['kafka://127.0.0.1:1', ${JSON.stringify(own)}]`);
    const { listeners } = await loadSettings({ file });
    expect(listeners).toEqual(['kafka://127.0.0.1:1', own]);
    expect(listeners.map(parseListener)[1]).toMatchObject({
      endpoint: { protocol: 'kafka', tls: true, host: '127.0.0.1', port: 2 },
      advertise: { host: 'b.example', port: 3 },
      sasl: 'off',
    });
  });

  test('an empty file is no settings', async () => {
    expect(await loadSettings({ file: await yaml('# nothing yet\n') })).toEqual(completeSettings());
  });

  test('variables of the test runner and of Kubernetes are not ours', async () => {
    const env = {
      SLUICE_TESTS: 'slow',
      SLUICE_PORT: 'tcp://10.0.0.1:9092',
      SLUICE_PORT_9092_TCP_ADDR: '10.0.0.1',
      SLUICE_SERVICE_HOST: '10.0.0.1',
      SLUICE_SERVICE_PORT_KAFKA: '9092',
      SLUICE_HEADLESS_SERVICE_HOST: '10.0.0.2',
    };
    expect(await loadSettings({ env })).toEqual(completeSettings());
  });

  test('each setting has a variable of its own, a description, and is no neighbour of what Kubernetes sets', () => {
    expect(new Set(SETTINGS.map(({ variable }) => variable)).size).toBe(SETTINGS.length);
    for (const { name, variable, description } of SETTINGS) {
      expect(description, name).not.toBe('');
      expect(variable).not.toMatch(/_(SERVICE_HOST|SERVICE_PORT|PORT)$/);
    }
  });
});

describe('what is refused, in one line that says how to mend it', () => {
  test.each([
    ["['kafka://x']", "listeners.0 (FILE): 'kafka://x' is not PROTO://HOST:PORT, as in kafka://127.0.0.1:9092"],
    [
      "[{ url: 'kafka://x' }]",
      "listeners.0.url (FILE): 'kafka://x' is not PROTO://HOST:PORT, as in kafka://127.0.0.1:9092",
    ],
    [
      "[{ url: 'kafka://x:1', sasl: 'on' }]",
      'listeners.0.sasl (FILE): "on" is not one of off, optional, remote, required',
    ],
    ["[{ url: 'amqp://x:1', sasl: 'off' }]", 'listeners.0.sasl (FILE): it is for listeners of kafka, not of amqp'],
    ["[{ url: 'kafka://x:1', advertise: 'y' }]", 'listeners.0.advertise (FILE): give HOST:PORT'],
    ["[{ url: 'kafka://x:1', tls: { cert: 'c' } }]", "listeners.0.tls (FILE): 'kafka://x:1' is without TLS"],
    ["[{ url: 'kafka+tls://x:1', tls: { cert: 'c' } }]", "listeners.0 (FILE): 'kafka+tls://x:1' needs a certificate"],
    ["[{ url: 'kafka://x:1', salt: 'off' }]", 'listeners.0.salt (FILE): there is no such setting'],
  ])('a listener as %s', async (listeners, message) => {
    const file = await yaml(`listeners: ${listeners}`);
    expect(await refusal({ file })).toContain(message.replace('FILE', file));
  });

  test('an unknown name in the file, with the nearest known one', async () => {
    const file = await yaml('storage:\n  directroy: /var/lib/sluice\n');
    expect(await refusal({ file })).toBe(
      `storage.directroy (${file}): there is no such setting; did you mean 'directory'?`,
    );
  });

  test('a known name in the wrong section, with the right one', async () => {
    const file = await yaml('directory: /var/lib/sluice\n');
    expect(await refusal({ file })).toContain("did you mean 'storage.directory'?");
  });

  test('an unknown variable, with the nearest known one', async () => {
    expect(await refusal({ env: { SLUICE_STORAGE_DIRECTROY: 'x' } })).toBe(
      'the environment variable SLUICE_STORAGE_DIRECTROY is no setting; did you mean SLUICE_STORAGE_DIRECTORY?',
    );
  });

  test.each<[string, SettingsSources, string]>([
    [
      'a choice',
      { env: { SLUICE_STORAGE_KIND: 'disc' } },
      'storage.kind (SLUICE_STORAGE_KIND): "disc" is not one of disk, memory; did you mean disk?',
    ],
    [
      'no number',
      { env: { SLUICE_KAFKA_NUM_PARTITIONS: 'many' } },
      'kafka.numPartitions (SLUICE_KAFKA_NUM_PARTITIONS): "many" is not a number',
    ],
    [
      'too little',
      { env: { SLUICE_STORAGE_SHARDS: '0' } },
      'storage.shards (SLUICE_STORAGE_SHARDS): 0 is too small; give at least 1',
    ],
    [
      'too much',
      { env: { SLUICE_STORAGE_SHARDS: '65' } },
      'storage.shards (SLUICE_STORAGE_SHARDS): 65 is too large; give at most 64',
    ],
    [
      'no boolean',
      { env: { SLUICE_KAFKA_AUTO_CREATE_TOPICS: 'yes' } },
      'kafka.autoCreateTopics (SLUICE_KAFKA_AUTO_CREATE_TOPICS): "yes" is not true or false',
    ],
    [
      'a protocol',
      { flags: { listeners: ['mqtt://h:1'] } },
      "listeners.0 (--listen): 'mqtt' is not supported yet: this version speaks kafka, amqp, http",
    ],
    [
      'no listener',
      { flags: { listeners: [] } },
      'listeners (--listen): it must not be empty; give a value or leave it out',
    ],
    [
      'TLS without a certificate',
      { flags: { listeners: ['kafka+tls://h:1'] } },
      "listeners.0 (--listen): 'kafka+tls://h:1' needs a certificate: set tls.cert and tls.key",
    ],
    [
      'an advertised port of 0',
      { flags: { advertise: ['kafka://h:0'] } },
      'advertise.0 (--advertise): clients cannot connect to port 0: give the port they are to use',
    ],
    ['a part of TLS', { flags: { tls: { cert: 'c.pem' } as never } }, 'tls.key: it is missing; give text'],
    [
      'a range upside down',
      { env: { SLUICE_GROUPS_MAX_SESSION_TIMEOUT_MS: '5000' } },
      'groups.minSessionTimeoutMs: it is above groups.maxSessionTimeoutMs (5000): lower it',
    ],
    [
      'bounds upside down',
      { env: { SLUICE_KAFKA_GROUP_BOUNDS_SHARE_MAX_RECORD_LOCK_DURATION_MS: '3000' } },
      'kafka.groupBounds.share.min.record.lock.duration.ms: it is above kafka.groupBounds.share.max.record.lock.duration.ms (3000): lower it',
    ],
  ])('%s', async (_, sources, message) => {
    expect(await refusal(sources)).toBe(message);
  });

  test('a file that is not there, is not YAML, or holds no settings', async () => {
    expect(await refusal({ file: join(directory, 'none.yaml') })).toMatch(
      /cannot read .*none\.yaml: there is no such file; check/,
    );
    expect(await refusal({ file: await yaml('storage: [') })).toMatch(/is not YAML: .* at line 1/);
    expect(await refusal({ file: await yaml('- kafka') })).toMatch(/must hold settings/);
  });

  test('what a program gives, by the same rules', () => {
    expect(() => completeSettings({ storage: { shards: 0 } })).toThrow('storage.shards (settings): 0 is too small');
  });
});
