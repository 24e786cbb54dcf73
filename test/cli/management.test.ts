import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ManagedBroker } from './managed-broker.ts';
import { sluice, temporaryDirectory } from './sluice.ts';

test('a queue is declared, filled, looked at, purged and deleted', async () => {
  const broker = await ManagedBroker.start();
  const declare = ['queue', 'create', 'orders', '--max-length', '100', '--argument', 'x-expires=600000'];
  expect(await broker.text(declare)).toBe('created orders\n');
  expect(await broker.text(declare)).toBe('orders was there already\n');
  expect(await broker.json(['queue', 'declare', 'jobs', '--type', 'quorum'])).toMatchObject({
    ...{ name: 'jobs', vhost: '/', durable: true, arguments: { 'x-queue-type': 'quorum' }, created: true },
  });

  expect(await broker.text(['queue', 'publish', 'orders', 'hello', '--header', 'tenant=7'])).toBe(
    'published 1 message\n',
  );
  expect(await broker.text(['queue', 'publish', 'orders', '--lines'], { stdin: 'a\nb\nc\n' })).toBe(
    'published 3 messages\n',
  );
  expect(
    await broker.text(['queue', 'list', '--columns', 'name,ready,arguments.x-max-length', '--sort', '-ready']),
  ).toBe('NAME    READY  ARGUMENTS.X-MAX-LENGTH\norders      4  100\njobs        0  -\n');
  expect(await broker.text(['queue', 'list', 'JOB', '--columns', 'name'])).toBe('NAME\njobs\n');
  expect(await broker.json(['queue', 'list', '--filter', 'ready>0', '--columns', 'name,type'])).toEqual([
    { name: 'orders', type: 'classic' },
  ]);

  const shown = await broker.text(['queue', 'show', 'orders']);
  expect(shown).toMatch(/^messages: +4$/m);
  expect(shown).toMatch(/^\(default\) +orders/m);
  const got = await broker.text(['queue', 'get', 'orders']);
  expect(got).toMatch(/^header tenant: 7$/m);
  expect(got).toMatch(/^ {2}hello$/m);
  expect(await broker.text(['queue', 'get', 'orders', '--ack', '--raw'])).toBe('hello');
  expect(await broker.json(['queue', 'get', 'orders', '--count', '9'])).toMatchObject([
    ...[{ payload: 'a' }, { payload: 'b' }, { payload: 'c' }],
  ]);

  expect(await broker.text(['queue', 'purge', 'orders'])).toBe('purged orders: 3 messages\n');
  expect(await broker.text(['queue', 'delete', 'orders', 'jobs', '--yes'])).toBe('deleted orders, jobs\n');
  expect(await broker.text(['queue', 'list'])).toContain('no queues');
  expect(await broker.json(['queue', 'list'])).toEqual([]);
});

test('a list says whether nothing is there, nothing fits, or nothing has what was asked for', async () => {
  const broker = await ManagedBroker.start();
  const said = async (...args: string[]) => {
    const { code, stdout, stderr } = await broker.run(['queue', 'list', ...args]);
    return { code, stdout, stderr };
  };
  expect(await said('--filter', 'nope>1')).toMatchObject({ stdout: expect.stringContaining('create one'), stderr: '' });
  await broker.text(['queue', 'create', 'orders']);
  expect(await said('--filter', 'ready>1')).toEqual({ code: 0, stdout: 'nothing fits the filter\n', stderr: '' });
  expect(await said('nobody')).toEqual({ code: 0, stdout: 'nothing fits the filter\n', stderr: '' });
  for (const args of [
    ['--filter', 'nope>1'],
    ['--sort', '-nope'],
    ['--columns', 'name,nope'],
  ])
    expect((await said(...args)).stderr).toContain("nothing in this list has 'nope'; its columns are vhost, name,");
  expect((await said('--filter', 'auto_delete=false')).stderr).toBe('');
});

test('what is not there is said in one sentence', async () => {
  const broker = await ManagedBroker.start();
  const said = async (...args: string[]) => (await broker.run(args)).stderr;
  expect(await said('permission', 'set', 'nobody')).toBe("sluice: there is no user 'nobody', or no virtual host '/'\n");
  expect(await said('queue', 'publish', 'nowhere', 'x')).toContain("there is no queue 'nowhere'");
  expect(await said('timer', 'show', '0-0-mwqtt1wl')).toBe(
    "sluice: there is no message '0-0-mwqtt1wl' that is held back in '/'\n",
  );
  expect(await said('trace', 'find', '--from', 'yesterday')).toContain('A time as in');
  expect(await said('log-level', 'loud')).toMatch(/Allowed choices are trace, debug/);
});

test('exchanges and bindings are made, shown and taken away', async () => {
  const broker = await ManagedBroker.start();
  await broker.text(['queue', 'create', 'orders']);
  expect(await broker.text(['exchange', 'create', 'events', '--type', 'topic'])).toBe('created events\n');
  await broker.text(['exchange', 'create', 'audit', '--type', 'fanout', '--alternate-exchange', 'events']);
  expect(await broker.text(['binding', 'create', 'events', 'orders', '--routing-key', 'order.#'])).toBe(
    'bound orders to events\n',
  );
  await broker.text(['binding', 'create', 'events', 'audit', '--to-exchange']);
  expect(await broker.text(['binding', 'list', '--columns', 'source,kind,destination,routing-key'])).toBe(
    'SOURCE  KIND      DESTINATION  ROUTING-KEY\nevents  exchange  audit        -\nevents  queue     orders       order.#\n',
  );
  expect(await broker.json(['binding', 'list', '--default'])).toHaveLength(3);
  expect(await broker.text(['exchange', 'show', 'events'])).toMatch(/^queue +orders +order\.#/m);
  expect(
    await broker.json(['exchange', 'list', '--filter', 'type=topic', '--filter', 'name!~^amq', '--columns', 'name']),
  ).toEqual([{ name: 'events' }]);

  expect(await broker.text(['exchange', 'publish', 'events', 'x', '--routing-key', 'order.made'])).toBe(
    'published 1 message\n',
  );
  await broker.text(['binding', 'delete', 'events', 'audit', '--to-exchange']);
  const lost = await broker.run(['exchange', 'publish', 'events', 'x', '--routing-key', 'other']);
  expect([lost.code, lost.stderr]).toEqual([1, expect.stringContaining('no queue is bound')]);

  await broker.text(['binding', 'delete', 'events', 'orders', '--routing-key', 'order.#']);
  expect(await broker.text(['binding', 'list'])).toContain('no bindings');
  expect(await broker.text(['exchange', 'delete', 'events', 'audit'])).toBe('deleted events, audit\n');
  const system = await broker.run(['exchange', 'delete', 'amq.topic']);
  expect([system.code, system.stderr]).toEqual([1, expect.stringContaining('system exchange')]);
});

test('users get passwords, tags and permissions, and no password is printed', async () => {
  const broker = await ManagedBroker.start();
  const directory = await temporaryDirectory();
  const file = join(directory, 'password');
  await writeFile(file, 'anna’s secret\n');
  const secret = { env: { SLUICE_CLIENT_NEW_PASSWORD: 'first' } };
  expect(await broker.text(['user', 'create', 'anna', '--tags', 'monitoring'], secret)).toBe('created anna\n');
  expect(await broker.text(['user', 'set-password', 'anna', '--new-password-file', file])).toBe(
    'changed the password of anna\n',
  );
  const none = await broker.run(['user', 'create', 'bert']);
  expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('SLUICE_CLIENT_NEW_PASSWORD')]);

  const login = ['--user', 'anna', '--password-file', file];
  expect(await broker.json(['user', 'whoami', ...login])).toEqual({ name: 'anna', tags: ['monitoring'] });
  const refused = await broker.run(['user', 'list', ...login]);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("user 'anna' may not")]);
  const wrong = await broker.run(['user', 'whoami', '--user', 'anna'], { env: { SLUICE_CLIENT_PASSWORD: 'first' } });
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("did not let 'anna' in")]);

  await broker.text(['user', 'set-tags', 'anna', 'administrator', 'policymaker']);
  // The password is still the same.
  expect(await broker.json(['user', 'whoami', ...login])).toEqual({
    name: 'anna',
    tags: ['administrator', 'policymaker'],
  });
  await broker.text(['permission', 'set', 'anna', '--read', '^orders$']);
  await broker.text(['permission', 'set', 'anna', '--topic-of', 'amq.topic', '--write', '^order']);
  expect(await broker.json(['permission', 'list', 'anna'])).toEqual([
    { user: 'anna', vhost: '/', configure: '', write: '', read: '^orders$' },
  ]);
  expect(await broker.text(['permission', 'list', '--topic', '--vhost', '/'])).toMatch(
    /^anna +\/ +amq\.topic +\^order/m,
  );
  const shown = await broker.text(['user', 'show', 'anna']);
  expect(shown).toMatch(/\^orders\$/);
  const all = [shown, await broker.text(['user', 'list']), await broker.text(['user', 'list', '--json'])].join();
  expect(all).not.toMatch(/hash|secret/i);

  await broker.text(['permission', 'clear', 'anna']);
  await broker.text(['permission', 'delete', 'anna', '--topic-of', 'amq.topic']);
  expect(await broker.text(['user', 'show', 'anna'])).toContain('no permissions');
  expect(await broker.text(['user', 'delete', 'anna'])).toBe('deleted anna\n');
});

test('virtual hosts and policies come and go', async () => {
  const broker = await ManagedBroker.start();
  expect(await broker.text(['vhost', 'create', 'shop', '--queue-type', 'quorum'])).toBe('created shop\n');
  await broker.text(['queue', 'create', 'orders', '--vhost', 'shop']);
  expect(await broker.text(['queue', 'list', '--columns', 'vhost,name,type'])).toBe(
    'VHOST  NAME    TYPE\nshop   orders  quorum\n',
  );
  const set = ['policy', 'set', 'short', '^ord', '--define', 'max-length=5', '--vhost', 'shop'];
  expect(await broker.text(set)).toBe('created short\n');
  expect(await broker.text([...set, '--priority', '2'])).toBe('changed short\n');
  expect(await broker.text(['policy', 'list', '--vhost', 'shop'])).toMatch(/^short +\^ord +all +2 +max-length=5/m);
  expect(await broker.json(['queue', 'show', 'orders', '--vhost', 'shop'])).toMatchObject({
    ...{ policy: 'short', effective_policy_definition: { 'max-length': 5 } },
  });
  const empty = await broker.run(['policy', 'set', 'x', 'y']);
  expect([empty.code, empty.stderr]).toEqual([2, expect.stringContaining('--define')]);
  await broker.text(['policy', 'delete', 'short', '--vhost', 'shop']);
  expect(await broker.text(['vhost', 'list', '--columns', 'name'])).toBe('NAME\n/\nshop\n');
  await broker.text(['vhost', 'delete', 'shop']);
  expect(await broker.json(['queue', 'list'])).toEqual([]);
});

test('what is not there, and a broker that is not there, are told in one line', async () => {
  const broker = await ManagedBroker.start();
  const refusals: [string[], RegExp][] = [
    [['queue', 'show', 'x'], /^sluice: there is no queue 'x'\n$/],
    [['queue', 'purge', 'x', '--vhost', 'y'], /no queue 'x' in virtual host 'y'/],
    [['queue', 'delete', 'x'], /no queue 'x'/],
    [['exchange', 'show', 'x'], /no exchange 'x'/],
    [['binding', 'delete', 'amq.topic', 'x'], /no binding of 'x' to amq.topic/],
    [['user', 'show', 'x'], /no user 'x'/],
    [['policy', 'show', 'x'], /no policy 'x'/],
    [['connection', 'close', 'x'], /no connection 'x'/],
    [['channel', 'show', 'x'], /no channel 'x'/],
    [['exchange', 'create', 'x', '--type', 'odd'], /odd/],
  ];
  const finished = await Promise.all(refusals.map(([args]) => broker.run(args)));
  for (const [index, { code, stdout, stderr }] of finished.entries()) {
    expect({ code, stdout }, refusals[index]?.[0].join(' ')).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^sluice: .+\n$/);
    expect(stderr).toMatch(refusals[index]?.[1] as RegExp);
  }
  await broker.stop();
  const gone = await broker.run(['queue', 'list']);
  expect([gone.code, gone.stderr]).toEqual([1, expect.stringContaining('nothing listens there')]);
  const bad = await sluice(['queue', 'list', '--url', 'http://guest:guest@localhost']);
  expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining('--user')]);
});
