import { connect } from 'amqplib';
import { Kafka, logLevel } from 'kafkajs';
import { expect, onTestFinished, test } from 'vitest';
import { type ApiBroker, makeUser, startApi } from './fixture.ts';

interface Details {
  readonly rate: number;
  readonly samples?: readonly { readonly sample: number; readonly timestamp: number }[];
  readonly avg_rate?: number;
  readonly avg?: number;
}
type Stats = Readonly<Record<string, unknown>>;
interface Told {
  readonly message_stats?: Stats;
  readonly [name: string]: unknown;
}

const SAMPLE_MS = 5_000;
const RANGE = 'msg_rates_age=20&msg_rates_incr=5&lengths_age=20&lengths_incr=5&data_rates_age=10&data_rates_incr=5';

async function start() {
  const api = await startApi({ clock: 'virtual', listeners: ['http://127.0.0.1:0', 'amqp://127.0.0.1:0'] });
  const model = await connect(`amqp://guest:guest@127.0.0.1:${api.sluice.listeners[1]?.port}?heartbeat=0`);
  onTestFinished(() => model.close().catch(() => {}));
  const channel = await model.createConfirmChannel();
  return { api, channel, told: async (path: string) => (await api.ask('GET', path)).body as Told };
}

const details = (stats: Stats | undefined, name: string) => stats?.[`${name}_details`] as Details;

async function pass({ sluice }: ApiBroker, samples = 1) {
  for (let i = 0; i < samples; i++) {
    await sluice.clock.advance(SAMPLE_MS);
    await sluice.idle();
  }
}

test('what is published, delivered and acknowledged is counted, and has rates', async () => {
  const { api, channel, told } = await start();
  await channel.assertQueue('orders');
  await pass(api);
  for (let i = 0; i < 50; i++) channel.sendToQueue('orders', Buffer.from('x'.repeat(10)));
  channel.publish('amq.direct', 'nobody', Buffer.from('x'), { mandatory: true });
  channel.publish('amq.direct', 'nobody', Buffer.from('x'));
  await channel.waitForConfirms();
  await pass(api);

  const queue = await told('/api/queues/%2F/orders');
  expect(queue.message_stats).toMatchObject({ publish: 50, publish_details: { rate: 10 }, deliver_get: 0 });
  expect(queue).toMatchObject({ messages: 50, messages_details: { rate: 10 }, messages_ready_details: { rate: 10 } });
  const overview = await told('/api/overview');
  expect(overview).toMatchObject({ rates_mode: 'basic' });
  expect(overview.message_stats).toMatchObject({
    ...{ publish: 52, confirm: 52, return_unroutable: 1, drop_unroutable: 1 },
    ...{ publish_details: { rate: 10.4 }, confirm_details: { rate: 10.4 } },
  });
  expect(overview['queue_totals']).toMatchObject({ messages: 50, messages_ready_details: { rate: 10 } });
  expect(overview['churn_rates']).toMatchObject({ queue_created: 1, queue_declared: 1, channel_created: 1 });
  expect((await told('/api/exchanges/%2F/amq.default')).message_stats).toMatchObject({
    ...{ publish_in: 50, publish_out: 50, publish_in_details: { rate: 10 } },
  });
  expect((await told('/api/exchanges/%2F/amq.direct')).message_stats).toMatchObject({ publish_in: 2, publish_out: 0 });
  expect((await told('/api/exchanges/%2F/amq.topic')).message_stats).toBeUndefined();

  await channel.get('orders', { noAck: true });
  const got = await channel.get('orders');
  if (got !== false) channel.nack(got, false, true);
  let seen = 0;
  await channel.consume('orders', (message) => {
    if (message === null) return;
    if (seen++ === 0) channel.reject(message, false);
    else channel.ack(message);
  });
  await expect.poll(async () => (await told('/api/queues/%2F/orders'))['messages']).toBe(0);
  await channel.checkQueue('orders');
  await pass(api);
  const after = await told('/api/queues/%2F/orders');
  expect(after.message_stats).toMatchObject({
    ...{ deliver: 49, deliver_no_ack: 0, get: 1, get_no_ack: 1, get_empty: 0, deliver_get: 51, redeliver: 1 },
    ...{ ack: 48, reject: 1, requeue: 1, dead_letter: 0, ack_details: { rate: 9.6 }, publish_details: { rate: 0 } },
  });
  const [shown] = (await api.ask('GET', '/api/channels')).body as Told[];
  expect(shown?.message_stats).toMatchObject({ publish: 52, confirm: 52, deliver: 49, ack: 48, return_unroutable: 1 });
  const [host] = (await api.ask('GET', '/api/vhosts')).body as Told[];
  expect(host?.message_stats).toMatchObject({ publish: 52, deliver_get: 51, ack: 48 });
});

test('samples of a range come newest first, with their average', async () => {
  const { api, channel, told } = await start();
  await channel.assertQueue('orders');
  await pass(api);
  for (let i = 0; i < 4; i++) {
    for (let n = 0; n < 10; n++) channel.sendToQueue('orders', Buffer.from('x'));
    await channel.waitForConfirms();
    await pass(api);
  }
  const queue = await told(`/api/queues/%2F/orders?${RANGE}`);
  const published = details(queue.message_stats, 'publish');
  expect(published.samples?.map(({ sample }) => sample)).toEqual(
    [40, 30, 20, 10, 0].slice(0, published.samples?.length),
  );
  const times = published.samples?.map(({ timestamp }) => timestamp) ?? [];
  expect(times).toEqual(times.toSorted((a, b) => b - a));
  expect(published).toMatchObject({ rate: 2, avg_rate: 2 });
  expect(details(queue, 'messages').avg).toBe(20);
  const connections = (await api.ask('GET', `/api/connections?${RANGE}`)).body as Stats[];
  expect(details(connections[0], 'recv_oct').samples).toHaveLength(3);
  expect((await api.ask('GET', '/api/overview?lengths_age=10&lengths_incr=0')).status).toBe(400);
  expect((await api.ask('GET', '/api/overview?lengths_age=100000&lengths_incr=1')).status).toBe(400);
});

test('statistics can be left out', async () => {
  const { channel, told } = await start();
  await channel.assertQueue('orders');
  channel.sendToQueue('orders', Buffer.from('x'));
  await channel.waitForConfirms();
  const bare = await told('/api/queues/%2F/orders?disable_stats=true');
  expect(Object.keys(bare)).toEqual(
    expect.arrayContaining(['name', 'vhost', 'type', 'durable', 'auto_delete', 'exclusive', 'arguments', 'node']),
  );
  expect(bare).not.toHaveProperty('messages');
  expect(bare).not.toHaveProperty('message_stats');
  expect(await told('/api/queues/%2F/orders?disable_stats=true&enable_queue_totals=true')).toMatchObject({
    ...{ messages: 1, messages_ready: 1, messages_unacknowledged: 0 },
  });
  expect(await told('/api/overview?disable_stats=true')).not.toHaveProperty('message_stats');
});

test('history has rates of what is counted and values of the rest, for those who may see it', async () => {
  const { api, channel, told } = await start();
  await channel.assertQueue('orders');
  await pass(api);
  for (let i = 0; i < 3; i++) {
    for (let n = 0; n < 10; n++) channel.sendToQueue('orders', Buffer.from('x'));
    await channel.waitForConfirms();
    await pass(api);
  }
  const { timestamps, series } = (await told('/api/history?of=queue&name=orders&age=10&increment=5')) as unknown as {
    timestamps: number[];
    series: Record<string, number[]>;
  };
  expect(timestamps).toHaveLength(3);
  expect(series['publish']).toEqual([2, 2, 2]);
  expect(series['messages']?.at(-1)).toBeGreaterThanOrEqual(20);
  const overview = (await told('/api/history?age=10&increment=5')) as { series?: Stats };
  expect(Object.keys(overview.series ?? {})).toEqual(expect.arrayContaining(['publish', 'mem_used', 'confirm_p99_ms']));

  const plain = await makeUser(api, 'plain', 'management');
  expect((await api.ask('GET', '/api/history', undefined, plain)).body).toMatchObject({ series: {} });
  expect((await api.ask('GET', '/api/history?of=queue&name=orders', undefined, plain)).status).toBe(404);
  const mine = await makeUser(api, 'mine', 'management', ['/']);
  const seen = (await api.ask('GET', '/api/history?age=10&increment=5', undefined, mine)).body as { series: Stats };
  expect(seen.series['publish']).toEqual([2, 2, 2]);
  expect(seen.series).not.toHaveProperty('mem_used');
  for (const query of ['of=nothing', 'of=queue', 'age=0', 'age=1000&increment=1', 'age=x'])
    expect((await api.ask('GET', `/api/history?${query}`)).status).toBe(400);
  for (const query of [
    'of=queue&name=x',
    'of=exchange&name=x',
    'of=stream&name=x',
    'of=connection&name=x',
    'of=vhost&vhost=x',
  ])
    expect((await api.ask('GET', `/api/history?${query}`)).status).toBe(404);
});

test('a group has its lag over time, in all topics and in each, and a stream what was written and read', async () => {
  // What commits offsets joins the group, which takes some time.
  const settings = { metrics: { sampleMs: 1_000 } };
  const api = await startApi({ settings, listeners: ['http://127.0.0.1:0', 'kafka://127.0.0.1:0'] });
  const kafka = new Kafka({ brokers: [`127.0.0.1:${api.sluice.listeners[1]?.port}`], logLevel: logLevel.NOTHING });
  const [admin, producer] = [kafka.admin(), kafka.producer()];
  onTestFinished(async () => {
    await admin.disconnect();
    await producer.disconnect();
  });
  await admin.connect();
  await producer.connect();
  await admin.createTopics({ topics: ['a', 'b'].map((topic) => ({ topic, numPartitions: 1 })) });
  for (const topic of ['a', 'b'])
    await producer.send({ topic, messages: Array.from({ length: 10 }, () => ({ value: 'x' })) });
  const commit = (topic: string, offset: string) =>
    admin.setOffsets({ groupId: 'readers', topic, partitions: [{ partition: 0, offset }] });
  await commit('a', '10');
  await commit('b', '4');
  const latest = async (query: string) => {
    const { body } = await api.ask('GET', `/api/history?age=10&increment=1&${query}`);
    const { series } = body as { readonly series: Readonly<Record<string, readonly number[]>> };
    return Object.fromEntries(Object.entries(series).map(([name, values]) => [name, values.at(-1)]));
  };
  const patience = { timeout: 30_000 };
  await expect.poll(() => latest('of=group&name=readers'), patience).toMatchObject({ lag: 6, 'lag:a': 0, 'lag:b': 6 });
  expect(await latest('of=group&name=readers&topic=b')).toMatchObject({ lag: 6, 'lag:b': 6 });
  expect(await latest('of=group&name=nobody')).toEqual({});
  await expect.poll(() => latest('of=stream&name=a'), patience).toMatchObject({ messages: 10, records_in: 0 });
  expect(await latest('of=queue&name=a')).toMatchObject({ messages: 10 });
  await commit('b', '10');
  await expect.poll(() => latest('of=group&name=readers'), patience).toMatchObject({ lag: 0, 'lag:b': 0 });
});
