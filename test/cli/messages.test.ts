import { expect, test } from 'vitest';
import { ManagedBroker } from './managed-broker.ts';

/** Five jobs, of which those with an odd number were rejected. */
async function withDeadLetters(): Promise<ManagedBroker> {
  const broker = await ManagedBroker.start();
  await broker.text(['queue', 'create', 'jobs.failed']);
  await broker.text([
    ...['queue', 'create', 'jobs', '--dead-letter-exchange', '', '--dead-letter-routing-key', 'jobs.failed'],
  ]);
  await broker.text(['queue', 'publish', 'jobs', '--lines'], { stdin: 'j1\nj2\nj3\n' });
  await broker.text(['queue', 'get', 'jobs', '--reject', '--count', '2']);
  return broker;
}

test('messages are looked at as they lie, and moved', async () => {
  const broker = await ManagedBroker.start();
  await broker.text(['queue', 'create', 'orders']);
  await broker.text(['queue', 'create', 'parked']);
  for (const tenant of ['7', '8'])
    await broker.text(['queue', 'publish', 'orders', '--lines', '--header', `tenant=${tenant}`], {
      stdin: 'a\nb\nc\n',
    });
  const peeked = await broker.text(['queue', 'peek', 'orders', '--header', 'tenant=8', '--count', '1']);
  expect(peeked).toMatch(/^header tenant: 8$/m);
  expect(peeked).toMatch(/^state: +ready$/m);
  expect(peeked).toMatch(/^ {2}a$/m);
  const all = (await broker.json(['queue', 'peek', 'orders', '--text', 'b'])) as { readonly id: string }[];
  expect(all).toHaveLength(2);

  const move = ['queue', 'move', 'orders', 'parked'];
  expect(await broker.text([...move, '--header', 'tenant=7', '--dry-run'])).toBe(
    'would move 3 messages\n  parked: 3\n',
  );
  expect(await broker.text([...move, '--header', 'tenant=7'])).toBe('moved 3 messages\n  parked: 3\n');
  expect(await broker.json([...move, '--id', all[1]?.id ?? ''])).toMatchObject({ state: 'done', moved: 1 });
  expect(await broker.json(['queue', 'list', '--columns', 'name,messages'])).toEqual([
    { name: 'orders', messages: 2 },
    { name: 'parked', messages: 4 },
  ]);
  const nowhere = await broker.run(['queue', 'move', 'orders', 'nowhere']);
  expect([nowhere.code, nowhere.stderr]).toEqual([1, expect.stringContaining('nowhere')]);
});

test('dead letters are listed with how they died, and brought back', async () => {
  const broker = await withDeadLetters();
  expect(await broker.text(['dlq', 'list', '--columns', 'queue,messages,reasons,died-in'])).toBe(
    'QUEUE        MESSAGES  REASONS     DIED-IN\njobs.failed         2  rejected=2  jobs=2\n',
  );
  const shown = await broker.text(['dlq', 'show', 'jobs.failed', '--reason', 'rejected']);
  expect(shown).toMatch(/^died: +rejected in jobs, 1 time, 20\d\d-/m);
  expect(shown).toMatch(/^ {2}j2$/m);
  expect(await broker.text(['dlq', 'show', 'jobs.failed', '--reason', 'expired'])).toBe('no such dead letters\n');
  expect(await broker.text(['dlq', 'redrive', 'jobs.failed', '--dry-run'])).toContain('would move 2 messages');
  expect(await broker.text(['dlq', 'redrive', 'jobs.failed', '--count', '1', '--yes'])).toBe(
    'moved 1 message\n  jobs: 1\n',
  );
  expect(await broker.json(['dlq', 'redrive', 'jobs.failed', '--to-queue', 'jobs'])).toMatchObject({ moved: 1 });
  expect(await broker.json(['queue', 'list', '--columns', 'name,messages'])).toEqual([
    { name: 'jobs', messages: 3 },
    { name: 'jobs.failed', messages: 0 },
  ]);
});

test('messages that are held back are listed, cancelled and delivered', async () => {
  const broker = await ManagedBroker.start();
  await broker.text(['queue', 'create', 'mails']);
  await broker.text([
    'exchange',
    'create',
    'later',
    '--type',
    'x-delayed-message',
    '--argument',
    'x-delayed-type=fanout',
  ]);
  await broker.text(['binding', 'create', 'later', 'mails']);
  expect(await broker.text(['timer', 'list'])).toBe('no messages are held back\n');
  for (const [body, delay] of [
    ['second', '7200000'],
    ['first', '3600000'],
  ] as const)
    await broker.run(['exchange', 'publish', 'later', body, '--delay', delay, '--routing-key', 'mail']);
  const listed = (await broker.json(['timer', 'list'])) as {
    readonly id: string;
    readonly payload: { readonly data: string };
  }[];
  expect(listed.map(({ payload }) => payload.data)).toEqual(['first', 'second']);
  expect(await broker.text(['timer', 'list'])).toMatch(/^20\d\d-\S+ +\S+ +\/ +later +mail +5 +first/m);
  const [first, second] = listed.map(({ id }) => id) as [string, string];
  expect(await broker.text(['timer', 'show', first])).toMatch(/^due: +20\d\d/m);
  expect(await broker.text(['timer', 'deliver', first])).toBe('delivered 1 message\n');
  expect(await broker.text(['timer', 'cancel', second, '--yes'])).toBe('cancelled 1 message\n');
  const again = await broker.run(['timer', 'cancel', second, '--yes']);
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('no message')]);
  expect(await broker.text(['queue', 'get', 'mails', '--ack', '--raw'])).toBe('first');
  expect(await broker.json(['timer', 'list'])).toEqual([]);
});

test('the way of a message is found and shown', async () => {
  const broker = await ManagedBroker.start();
  expect(await broker.text(['trace', 'settings'])).toMatch(/^mode: +off$/m);
  expect(await broker.text(['trace', 'find'])).toContain('tracing is off');
  expect(await broker.json(['trace', 'settings', '--mode', 'all', '--of-destination', 'ord*'])).toMatchObject({
    ...{ mode: 'all', destinations: ['ord*'], overridden: true },
  });
  await broker.text(['queue', 'create', 'orders']);
  await broker.text(['queue', 'publish', 'orders', 'x', '--property', 'message_id=m1']);
  await broker.text(['queue', 'get', 'orders', '--ack']);
  let found: readonly { readonly trace: string }[] = [];
  while (found.length === 0) found = (await broker.json(['trace', 'find', '--message-id', 'm1'])) as typeof found;
  expect(await broker.text(['trace', 'find', '--destination', 'orders'])).toMatch(/ m1 +orders .* routed /m);
  const { trace = '' } = found[0] ?? {};
  let shown = '';
  while (!/ delivered /.test(shown)) shown = await broker.text(['trace', 'show', trace]);
  expect(shown).toMatch(/ published /);
  expect(shown).toMatch(/ stored +orders@0 /);
  expect(await broker.text(['trace', 'settings', '--reset'])).toMatch(/^mode: +off$/m);
});

test('where a message would go is told without one', async () => {
  const broker = await ManagedBroker.start();
  await broker.text(['queue', 'create', 'orders']);
  await broker.text(['exchange', 'create', 'events', '--type', 'topic']);
  await broker.text(['binding', 'create', 'events', 'orders', '--routing-key', 'order.*']);
  const route = ['exchange', 'route', 'events', '--routing-key'];
  expect(await broker.text([...route, 'order.made'])).toBe("orders (classic)\n  events → orders, bound by 'order.*'\n");
  expect(await broker.text([...route, 'other'])).toContain('no queue gets it');
  expect(await broker.json(['exchange', 'route', '', '--routing-key', 'orders'])).toMatchObject({ routed: true });
  expect(await broker.json(['queue', 'list', '--columns', 'messages'])).toEqual([{ messages: 0 }]);
});
