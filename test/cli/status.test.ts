import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { apiUrl } from '../../src/cli/api/index.ts';
import { ManagedBroker } from './managed-broker.ts';
import { SluiceProcess, temporaryDirectory } from './sluice.ts';

test('the status of a broker stands on one screen', async () => {
  const broker = await ManagedBroker.start();
  await broker.text(['queue', 'create', 'orders']);
  await broker.text(['queue', 'publish', 'orders', 'x']);
  const text = await broker.text(['status']);
  expect(text).toMatch(/^Sluice \S+ is ready$/m);
  expect(text).toMatch(/^there are: +1 queue, 7 exchanges$/m);
  expect(text).toMatch(/^messages: +1: 1 ready, 0 unacknowledged$/m);
  expect(text).toMatch(/^kafka +127\.0\.0\.1 +\d+$/m);
  expect(text).toMatch(/^data: +in memory only$/m);
  expect(await broker.json(['status'])).toMatchObject({
    ready: true,
    reasons: [],
    overview: {},
    node: { running: true },
  });
});

test('who may not see the broker sees what there is of its own', async () => {
  const broker = await ManagedBroker.start();
  const password = { env: { SLUICE_CLIENT_NEW_PASSWORD: 'secret', SLUICE_CLIENT_PASSWORD: 'secret' } };
  await broker.text(['user', 'create', 'anna', '--tags', 'management'], password);
  expect(await broker.json(['status', '--user', 'anna'], password)).toMatchObject({ ready: true, node: null });
});

test('a broker that takes nothing is not ready, which the exit code tells', async () => {
  const broker = await ManagedBroker.start(['--data', await temporaryDirectory()], {
    env: { SLUICE_STORAGE_MIN_FREE_BYTES: String(2 ** 50) },
  });
  const { code, stdout } = await broker.run(['status', '--wait', '0.1']);
  expect([code, stdout]).toEqual([1, expect.stringContaining('is not ready: disk')]);
  await broker.stop();
  expect(await broker.run(['status'])).toMatchObject({ code: 1, stderr: expect.stringContaining('nothing listens') });
});

test('a script waits for a broker that starts', async () => {
  const first = await ManagedBroker.start();
  const { host } = apiUrl(first.url);
  await first.stop();
  const waiting = new SluiceProcess(['status', '--url', host, '--wait', '60', '--json']);
  await ManagedBroker.start(['--storage', 'memory', '--listen', `http://${host}`]);
  const { code, stdout } = await waiting.finished;
  expect([code, JSON.parse(stdout)]).toMatchObject([0, { ready: true }]);
});

test('definitions go out of one broker and into another, thousands of them too', async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'definitions.json');
  const broker = await ManagedBroker.start();
  const queues = Array.from({ length: 2500 }, (_, n) => ({
    ...{ name: `q${n}`, vhost: 'shop', durable: true, auto_delete: false, arguments: {} },
  }));
  const bindings = queues.slice(0, 600).map(({ name }) => ({
    ...{
      source: 'amq.topic',
      vhost: 'shop',
      destination: name,
      destination_type: 'queue',
      routing_key: name,
      arguments: {},
    },
  }));
  await writeFile(file, JSON.stringify({ vhosts: [{ name: 'shop' }], queues, bindings }));
  expect(await broker.text(['definitions', 'import', file])).toBe(
    'imported 1 virtual host, 2500 queues, 600 bindings\n',
  );
  expect(await broker.json(['queue', 'list', '--vhost', 'shop', '--columns', 'name'])).toHaveLength(2500);

  const exported = join(directory, 'exported.json');
  expect(await broker.text(['definitions', 'export', exported])).toContain('2500 queues, 600 bindings to');
  expect((await stat(exported)).mode & 0o077).toBe(0);
  const again = await broker.run(['definitions', 'export', exported]);
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('--force')]);

  const other = await ManagedBroker.start();
  expect(await other.json(['definitions', 'import'], { stdin: await readFile(exported) })).toMatchObject({
    ...{ users: 1, vhosts: 2, queues: 2500, bindings: 600 },
  });
  expect(await other.json(['binding', 'list', '--vhost', 'shop'])).toHaveLength(600);

  const ofHost = await broker.text(['definitions', 'export', '--vhost', 'shop']);
  await other.text(['vhost', 'create', 'copy']);
  expect(await other.text(['definitions', 'import', '--vhost', 'copy'], { stdin: ofHost })).toBe(
    'imported 2500 queues, 600 bindings\n',
  );
  const bad = await other.run(['definitions', 'import'], { stdin: 'hello' });
  expect([bad.code, bad.stderr]).toEqual([1, expect.stringContaining('no definitions')]);
  const wrong = await other.run(['definitions', 'import'], { stdin: '{"queues":[{"name":"x","vhost":"nowhere"}]}' });
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('nowhere')]);
});
