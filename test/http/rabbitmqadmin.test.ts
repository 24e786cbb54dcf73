import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startApi } from './fixture.ts';

/** Of Debian's package rabbitmq-server. */
const SCRIPT = '/usr/bin/rabbitmqadmin';
const PYTHON = '/usr/bin/python3';

const run = promisify(execFile);

test.skipIf(!existsSync(SCRIPT) || !existsSync(PYTHON))(`${SCRIPT} works (skipped where it is not there)`, async () => {
  const { port } = await startApi();
  const admin = async (...args: string[]) => {
    const { stdout } = await run(PYTHON, [SCRIPT, '--host', '127.0.0.1', '--port', String(port), ...args]);
    return stdout.trim();
  };
  const list = async (what: string, ...columns: string[]) =>
    (await admin('--format', 'tsv', 'list', what, ...columns)).split('\n').slice(1);

  expect(await admin('declare', 'vhost', 'name=shop')).toBe('vhost declared');
  expect(await admin('declare', 'exchange', 'name=news', 'type=topic')).toBe('exchange declared');
  const args = 'arguments={"x-max-length": 3}';
  expect(await admin('declare', 'queue', 'name=inbox', 'durable=true', args)).toBe('queue declared');
  expect(await admin('declare', 'binding', 'source=news', 'destination=inbox', 'routing_key=a.#')).toBe(
    'binding declared',
  );
  expect(await admin('publish', 'exchange=news', 'routing_key=a.b', 'payload=hello')).toBe('Message published');
  expect(await admin('publish', 'exchange=news', 'routing_key=x', 'payload=hello')).toBe(
    'Message published but NOT routed',
  );
  expect(await list('queues', 'name', 'messages')).toEqual(['inbox\t1']);
  expect(await admin('--format', 'tsv', 'get', 'queue=inbox', 'ackmode=ack_requeue_false')).toContain('hello');
  expect(await admin('purge', 'queue', 'name=inbox')).toBe('queue purged');
  expect(await list('bindings', 'source', 'destination', 'properties_key')).toEqual([
    '\tinbox\tinbox',
    'news\tinbox\ta.%23',
  ]);
  expect(await list('exchanges', 'name')).toContain('news');
  expect(await admin('declare', 'user', 'name=anna', 'password=x', 'tags=management')).toBe('user declared');
  expect(await admin('declare', 'permission', 'vhost=/', 'user=anna', 'configure=.*', 'write=.*', 'read=.*')).toBe(
    'permission declared',
  );
  expect(await list('permissions', 'user', 'vhost')).toEqual(['anna\t/', 'guest\t/', 'guest\tshop']);
  expect(await admin('declare', 'policy', 'name=p', 'pattern=^in', 'definition={"max-length": 2}')).toBe(
    'policy declared',
  );
  expect(await list('policies', 'name', 'priority')).toEqual(['p\t0']);
  expect(await list('users', 'name')).toEqual(['anna', 'guest']);
  expect(await list('vhosts', 'name')).toEqual(['/', 'shop']);
  expect(await list('nodes', 'name')).toHaveLength(1);
  expect(await admin('show', 'overview')).toContain('rabbitmq_version');

  const file = join(await mkdtemp(join(tmpdir(), 'sluice-')), 'definitions.json');
  await admin('export', file);
  const exported = JSON.parse(await readFile(file, 'utf8')) as { queues: unknown };
  expect(exported.queues).toMatchObject([{ name: 'inbox' }]);
  expect(await admin('delete', 'queue', 'name=inbox')).toBe('queue deleted');
  await admin('import', file);
  expect(await list('queues', 'name', 'policy')).toEqual(['inbox\tp']);

  const props = 'properties_key=a.%23';
  expect(await admin('delete', 'binding', 'source=news', 'destination=inbox', 'destination_type=queue', props)).toBe(
    'binding deleted',
  );
  for (const [kind, name] of [
    ['policy', 'p'],
    ['user', 'anna'],
    ['exchange', 'news'],
    ['queue', 'inbox'],
    ['vhost', 'shop'],
  ])
    expect(await admin('delete', kind ?? '', `name=${name}`)).toBe(`${kind} deleted`);
});
