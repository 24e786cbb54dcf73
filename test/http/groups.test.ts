import { expect, onTestFinished, test } from 'vitest';
import type { GroupMember, GroupOffset, GroupSummary, ResetAnswer } from '../../src/protocols/http/shapes/groups.ts';
import { ShareConsumer } from '../kafka/share-consumer.ts';
import { makeUser } from './fixture.ts';
import { type StreamsBroker, startStreams } from './streams-fixture.ts';

async function withWork(): Promise<StreamsBroker> {
  const api = await startStreams();
  await api.ask('PUT', '/api/streams/work', { partitions: 2 });
  await api.send(
    'work',
    Array.from({ length: 20 }, (_, i) => ({ partition: i % 2, value: `${i}`, timestamp: `${1_700_000_000_000 + i}` })),
  );
  return api;
}

/** A consumer that has got everything and committed that; answers what stops it. */
async function consume(api: StreamsBroker, groupId: string): Promise<() => Promise<void>> {
  const consumer = api.kafka.consumer({ groupId, maxWaitTimeInMs: 50 });
  await consumer.connect();
  await consumer.subscribe({ topic: 'work', fromBeginning: true });
  let got = 0;
  await consumer.run({
    autoCommitThreshold: 1,
    eachMessage: async () => {
      got++;
    },
  });
  onTestFinished(() => consumer.disconnect());
  await expect.poll(() => got, { timeout: 10_000 }).toBe(20);
  await expect.poll(async () => (await groupOf(api, groupId)).lag, { timeout: 10_000 }).toBe(0);
  return () => consumer.disconnect();
}

async function groupOf({ ask }: StreamsBroker, group: string): Promise<GroupSummary> {
  return (await ask('GET', `/api/groups/${group}`)).body as GroupSummary;
}

async function offsetsOf({ ask }: StreamsBroker, group: string): Promise<GroupOffset[]> {
  return (await ask('GET', `/api/groups/${group}/offsets`)).body as GroupOffset[];
}

test('a classic group is seen with members, offsets and lag; it is reset and deleted when its members are gone', async () => {
  const api = await withWork();
  const { ask } = api;
  const stop = await consume(api, 'workers');
  expect(await groupOf(api, 'workers')).toMatchObject({
    ...{ name: 'workers', type: 'classic', state: 'Stable', protocol_type: 'consumer', members: 1, streams: 1, lag: 0 },
    epoch: null,
  });
  await api.send('work', [{ partition: 1, value: 'more' }]);
  const [member] = (await ask('GET', '/api/groups/workers/members')).body as GroupMember[];
  expect(member).toMatchObject({ client_id: 'kafkajs', instance_id: null, subscription: ['work'] });
  expect(member?.assignment).toEqual([{ stream: 'work', partitions: [0, 1] }]);
  expect(member?.host).toContain('127.0.0.1');
  expect(await offsetsOf(api, 'workers')).toMatchObject([
    { stream: 'work', partition: 0, offset: 10, end_offset: 10, lag: 0, member_id: member?.member_id },
    { stream: 'work', partition: 1, start_offset: 0 },
  ]);
  expect((await ask('GET', '/api/groups?page=1&name=work&sort=lag')).body).toMatchObject({
    items: [{ name: 'workers', members: 1 }],
  });
  expect((await ask('GET', '/api/streams/work/groups')).body).toMatchObject([{ name: 'workers' }]);
  expect((await ask('GET', '/api/groups?types=classic&states=stable,empty')).body).toMatchObject([{ name: 'workers' }]);
  expect((await ask('GET', '/api/groups?types=share')).body).toEqual([]);

  // As Kafka's tools, nothing is done while there are members.
  for (const dry_run of [true, false])
    expect(await ask('POST', '/api/groups/workers/reset', { to: 'earliest', dry_run })).toMatchObject({ status: 409 });
  expect(await ask('DELETE', '/api/groups/workers')).toMatchObject({ status: 409 });
  expect(await ask('DELETE', '/api/groups/workers/offsets/work')).toMatchObject({ status: 409 });
  const offsets = [{ stream: 'work', partition: 0, offset: 1 }];
  expect(await ask('POST', '/api/groups/workers/offsets', { offsets })).toMatchObject({ status: 409 });

  await stop();
  const preview = await ask('POST', '/api/groups/workers/reset', { to: { shift: -3 }, dry_run: true });
  expect(preview).toMatchObject({
    body: { applied: false, offsets: [{ partition: 0, offset: 10, new_offset: 7, new_lag: 3 }, { partition: 1 }] },
  });
  expect((await offsetsOf(api, 'workers'))[0]).toMatchObject({ offset: 10 });
  expect((await ask('POST', '/api/groups/workers/reset', { to: { shift: -3 } })).body).toMatchObject({ applied: true });
  expect((await offsetsOf(api, 'workers'))[0]).toMatchObject({ offset: 7, lag: 3, member_id: null });

  expect(await ask('DELETE', '/api/groups/workers/offsets/work')).toMatchObject({ status: 204 });
  expect(await offsetsOf(api, 'workers')).toEqual([]);
  expect(await ask('DELETE', '/api/groups/workers')).toMatchObject({ status: 204 });
  expect(await ask('GET', '/api/groups/workers')).toMatchObject({ status: 404 });
});

test('offsets are reset to either end, an offset, a time, and are what consumers go on from', async () => {
  const api = await withWork();
  const { ask } = api;
  const streams = [{ stream: 'work' }];
  const reset = async (to: unknown, more = {}) => {
    const { status, body } = await ask('POST', '/api/groups/fresh/reset', { to, streams, ...more });
    expect(status, JSON.stringify(body)).toBe(200);
    return (body as ResetAnswer).offsets.map(({ new_offset: offset }) => offset);
  };
  expect(await reset('latest')).toEqual([10, 10]);
  expect(await reset('earliest')).toEqual([0, 0]);
  expect(await reset({ offset: 4 })).toEqual([4, 4]);
  expect(await reset({ offset: 4000 })).toEqual([10, 10]);
  expect(await reset({ timestamp: 1_700_000_000_010 })).toEqual([5, 5]);
  expect(await reset({ ago: 1000 })).toEqual([10, 10]);
  expect(await reset({ shift: -2 })).toEqual([8, 8]);
  expect(await reset({ shift: -200 })).toEqual([0, 0]);
  expect(await reset('current')).toEqual([0, 0]);
  expect(await reset({ offset: 3 }, { streams: [{ stream: 'work', partitions: [1] }] })).toEqual([3]);
  const admin = api.kafka.admin();
  await admin.connect();
  const [{ partitions } = { partitions: [] }] = await admin.fetchOffsets({ groupId: 'fresh', topics: ['work'] });
  expect(partitions.map(({ partition, offset }) => [partition, offset]).sort()).toEqual([
    [0, '0'],
    [1, '3'],
  ]);
  await admin.disconnect();
  for (const body of [{}, { to: 'nowhere' }, { to: { offset: -1 } }])
    expect(await ask('POST', '/api/groups/fresh/reset', body), JSON.stringify(body)).toMatchObject({ status: 400 });
  const elsewhere = { to: 'latest', streams: [{ stream: 'none' }] };
  expect(await ask('POST', '/api/groups/fresh/reset', elsewhere)).toMatchObject({ status: 404 });
  expect(await ask('POST', '/api/groups/unknown/reset', { to: 'latest' })).toMatchObject({ status: 404 });
});

test('a share group is seen with what its members have, and reset when they are gone', async () => {
  const api = await withWork();
  const { ask } = api;
  const { id: topicId } = (await ask('GET', '/api/streams/work')).body as { id: string };
  const member = await ShareConsumer.join(api.address, { name: 'work', topicId });
  expect(await groupOf(api, 'g')).toMatchObject({ type: 'share', members: 1 });
  const [shown] = (await ask('GET', '/api/groups/g/members')).body as GroupMember[];
  expect(shown).toMatchObject({ protocol: 'share', subscription: ['work'] });
  expect(await ask('POST', '/api/groups/g/reset', { to: 'latest' })).toMatchObject({ status: 409 });
  await member.heartbeat({ memberEpoch: -1 });
  const streams = [{ stream: 'work' }];
  expect(await ask('POST', '/api/groups/g/reset', { to: { offset: 4 }, streams })).toMatchObject({ status: 200 });
  expect(await offsetsOf(api, 'g')).toMatchObject([
    { partition: 0, offset: 4, lag: 6, committed_at: null, delivery: { acquired: 0, returned: 0 } },
    { partition: 1, offset: 4, lag: 6 },
  ]);
  const again = await ShareConsumer.join(api.address, { name: 'work', topicId });
  const got = await again.deliveries({ maxRecords: 3 });
  expect(got.length).toBeGreaterThan(0);
  const acquired = (await offsetsOf(api, 'g')).reduce((sum, { delivery }) => sum + (delivery?.acquired ?? 0), 0);
  expect(acquired).toBe(got.length);
});

test('only what a user may describe is seen', async () => {
  const api = await startStreams({
    settings: { kafka: { authorizer: 'acl', superUsers: ['User:guest', 'User:ANONYMOUS'] } },
  });
  await api.ask('PUT', '/api/streams/open', {});
  await api.ask('PUT', '/api/streams/closed', {});
  const anna = await makeUser(api, 'anna', 'management');
  const admin = api.kafka.admin();
  await admin.connect();
  await admin.createAcls({
    acl: [
      {
        resourceType: 2,
        resourceName: 'open',
        resourcePatternType: 3,
        principal: 'User:anna',
        host: '*',
        operation: 3,
        permissionType: 3,
      },
      {
        resourceType: 3,
        resourceName: 'mine',
        resourcePatternType: 4,
        principal: 'User:anna',
        host: '*',
        operation: 3,
        permissionType: 3,
      },
    ],
  });
  await admin.disconnect();
  const offsets = (stream: string) => ({ offsets: [{ stream, partition: 0, offset: 0 }] });
  await api.ask('POST', '/api/groups/other/offsets', offsets('open'));
  await api.ask('POST', '/api/groups/mine/offsets', offsets('closed'));
  const as = async (method: string, path: string, body?: unknown) => await api.ask(method, path, body, anna);
  const names = async (path: string) => ((await as('GET', path)).body as { name: string }[]).map(({ name }) => name);
  expect(await names('/api/streams')).toEqual(['open']);
  expect(await names('/api/groups')).toEqual(['mine']);
  expect(await names('/api/streams/open/groups')).toEqual([]);
  // The offsets of a stream that she may not describe are not told.
  expect((await as('GET', '/api/groups/mine/offsets')).body).toEqual([]);
  expect(await as('GET', '/api/groups/mine')).toMatchObject({ status: 200, body: { lag: 0, streams: 0 } });
  for (const [method, path, body] of [
    ['GET', '/api/streams/closed'],
    ['GET', '/api/streams/none'],
    ['GET', '/api/streams/closed/messages'],
    ['GET', '/api/streams/closed/messages/0/0/value'],
    ['GET', '/api/streams/closed/tail'],
    ['GET', '/api/streams/closed/consume'],
    ['POST', '/api/streams/closed/consume', {}],
    ['POST', '/api/streams/open/consume', { group: 'other' }],
    ['POST', '/api/streams/open/produce', { value: 'x' }],
    ['POST', '/api/streams/open/produce/raw', { value: 'x' }],
    ['GET', '/api/streams/closed/producers'],
    ['GET', '/api/streams/open/config'],
    ['PUT', '/api/streams/open/config', { config: {} }],
    ['PUT', '/api/streams/new', {}],
    ['DELETE', '/api/streams/open'],
    ['POST', '/api/streams/open/partitions', { count: 2 }],
    ['POST', '/api/streams/open/trim', { before_offset: 'end' }],
    ['GET', '/api/groups/other'],
    ['GET', '/api/groups/other/offsets'],
    ['DELETE', '/api/groups/mine'],
    ['DELETE', '/api/groups/mine/offsets/open'],
    ['POST', '/api/groups/other/reset', { to: 'latest' }],
    ['POST', '/api/groups/mine/offsets', offsets('closed')],
    ['GET', '/api/transactions/t'],
    ['POST', '/api/transactions/t/abort', {}],
    ['POST', '/api/streams/open/partitions/0/abort-transaction', { producer_id: 1, producer_epoch: 0 }],
  ] as const)
    expect(await as(method, path, body), `${method} ${path}`).toMatchObject({
      status: 401,
      body: { error: 'not_authorised' },
    });
  expect(await as('GET', '/api/streams/open/messages')).toMatchObject({ status: 200 });
  expect(await as('POST', '/api/groups/mine/offsets', offsets('open'))).toMatchObject({ status: 204 });
});

test('a page of hundreds of groups costs what is on it', async () => {
  const api = await withWork();
  const commits = Array.from({ length: 300 }, (_, i) =>
    api.ask('POST', `/api/groups/g${String(i).padStart(4, '0')}/offsets`, {
      offsets: [{ stream: 'work', partition: 0, offset: i % 10 }],
    }),
  );
  await Promise.all(commits);
  const page = (await api.ask('GET', '/api/groups?page=6&page_size=2')).body as { items: GroupSummary[] };
  expect(page).toMatchObject({
    total_count: 300,
    items: [
      { name: 'g0010', lag: 10 },
      { name: 'g0011', lag: 9 },
    ],
  });
  const byLag = (await api.ask('GET', '/api/groups?page=1&page_size=1&sort=lag&sort_reverse=true')).body;
  expect(byLag).toMatchObject({ items: [{ lag: 10 }] });
});
