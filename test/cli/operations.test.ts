import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { ManagedBroker } from './managed-broker.ts';
import { temporaryDirectory } from './sluice.ts';

test('who did what is shown, the level of the log changed, and a support bundle taken', async () => {
  const broker = await ManagedBroker.start();
  await broker.text(['queue', 'create', 'orders']);
  await broker.text(['queue', 'delete', 'orders', '--yes']);
  const table = await broker.text(['audit', '--act', 'queue']);
  expect(table).toMatch(/^TIME +USER +ADDRESS +BY +ACT +OBJECT +VHOST +OUTCOME\n/);
  expect(table).toMatch(/guest +127\.0\.0\.1 +http +queue\.delete +orders +\/ +done\n.*queue\.declare/);
  const lines = (await broker.text(['audit', '--act', 'queue', '--count', '1', '--json'])).trim().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ act: 'queue.delete', object: 'orders' }]);
  expect(await broker.text(['audit', '--object', 'nothing'])).toBe('nothing was done that fits\n');

  expect(await broker.text(['log-level', 'debug', '--part', 'kafka'])).toMatch(/^all +info\n.*\nkafka +debug$/m);
  expect(await broker.json(['log-level', '--part', 'kafka', '--reset'])).toMatchObject({ parts: { kafka: null } });
  expect(await broker.json(['log-level', 'warn'])).toMatchObject({ level: 'warn' });
  expect(await broker.run(['log-level', 'loud'])).toMatchObject({ code: 2 });

  const file = join(await temporaryDirectory(), 'bundle.tar.gz');
  expect(await broker.text(['support-bundle', file])).toMatch(new RegExp(`^wrote ${file}: `));
  expect(gunzipSync(await readFile(file)).toString('latin1')).toContain('settings.json');
  expect((await broker.run(['support-bundle', file])).stderr).toContain('--force overwrites it');
});
