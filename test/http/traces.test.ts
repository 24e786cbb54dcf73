import amqp from 'amqplib';
import { Connection } from 'rabbitmq-client';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Trace, TraceSearch, TraceSettingsState, TraceStep } from '../../src/protocols/http/shapes/traces.ts';
import { until } from '../amqp/fixture.ts';
import {
  ACCEPT,
  append,
  configureGroup,
  connectTo,
  makeTopic,
  RELEASE,
  ShareConsumer,
} from '../kafka/share-consumer.ts';
import { type ApiBroker, makeUser } from './fixture.ts';
import { type StreamsBroker, startStreams } from './streams-fixture.ts';

/** A broker that traces everything, and a channel to it. */
async function start(settings: object = { mode: 'all' }) {
  const api = await startStreams();
  expect(await api.ask('PUT', '/api/traces/settings', settings)).toMatchObject({ status: 200 });
  return { api, ...(await connect(api)) };
}

async function connect({ sluice }: ApiBroker) {
  const connection = await amqp.connect(`amqp://guest:guest@127.0.0.1:${sluice.listeners[2]?.port}`, {
    clientProperties: { connection_name: 'orders service' },
  });
  onTestFinished(() => connection.close().catch(() => {}));
  return { connection, channel: await connection.createConfirmChannel() };
}

async function search({ ask }: ApiBroker, query: Record<string, string>, how = {}): Promise<TraceSearch> {
  const { status, body } = await ask('GET', `/api/traces?${new URLSearchParams(query)}`, undefined, how);
  expect(status, JSON.stringify(body)).toBe(200);
  return body as TraceSearch;
}

async function follow({ ask }: ApiBroker, trace: string, how = {}): Promise<Trace> {
  const { status, body } = await ask('GET', `/api/traces/${trace}`, undefined, how);
  expect(status, JSON.stringify(body)).toBe(200);
  return body as Trace;
}

/** The only message with that id, and its way. */
async function way(api: ApiBroker, messageId: string): Promise<Trace> {
  const { traces } = await search(api, { message_id: messageId });
  expect(traces).toHaveLength(1);
  return await follow(api, traces[0]?.trace ?? '');
}

const types = ({ events }: Pick<Trace, 'events'>) => events.map(({ type }) => type);
const step = ({ events }: Trace, type: string): TraceStep => {
  const found = events.find((event) => event.type === type);
  if (found === undefined) throw new Error(`there is no '${type}' in ${JSON.stringify(events)}`);
  return found;
};

describe('a message through a queue', () => {
  test('is found by its id, with who published it, where it went, who got it and who acknowledged it', async () => {
    const { api, channel } = await start();
    await channel.assertQueue('q');
    await channel.bindQueue('q', 'amq.topic', 'order.#');
    channel.publish('amq.topic', 'order.new', Buffer.from('secret body'), { messageId: 'id-1', persistent: true });
    await channel.waitForConfirms();
    await channel.consume('q', (message) => message && channel.ack(message), { consumerTag: 'worker' });
    await until(async () => types(await way(api, 'id-1')).includes('acknowledged'));
    const trace = await way(api, 'id-1');
    expect(types(trace).toSorted()).toEqual(['acknowledged', 'delivered', 'durable', 'published', 'stored']);
    expect(types(trace)[0]).toBe('published');
    const by = { protocol: 'AMQP 0-9-1', user: 'guest', client: 'orders service' };
    const place = { kind: 'queue', vhost: '/', name: 'q', offset: 0 };
    expect(step(trace, 'published')).toMatchObject({
      ...{ how: 'published', outcome: 'routed', vhost: '/', exchange: 'amq.topic', routing_key: 'order.new', by },
    });
    expect(step(trace, 'published').by?.connection).toMatch(/^127\.0\.0\.1:\d+ -> 127\.0\.0\.1:\d+$/);
    expect(step(trace, 'stored')).toMatchObject({ place });
    expect(step(trace, 'delivered')).toMatchObject({ place, by, consumer: 'worker', delivery_count: 0, no_ack: false });
    expect(step(trace, 'acknowledged')).toMatchObject({ place, by });
    expect(trace).toMatchObject({ message_id: 'id-1', key: 'order.new', bytes: 11, complete: true, dropped: 0 });
    expect(JSON.stringify(trace)).not.toContain('secret body');
  });

  test('is found by its routing key, by destination and time, and not by what it has not', async () => {
    const { api, channel } = await start();
    await channel.assertQueue('found');
    channel.sendToQueue('found', Buffer.from('1'), { messageId: 'one' });
    channel.publish('amq.fanout', 'nowhere', Buffer.from('2'), { messageId: 'two' });
    await channel.waitForConfirms();
    const ids = async (query: Record<string, string>) =>
      (await search(api, query)).traces.map((trace) => trace.message_id);
    expect(await ids({})).toEqual(['two', 'one']);
    expect(await ids({ key: 'found' })).toEqual(['one']);
    expect(await ids({ destination: 'found' })).toEqual(['one']);
    expect(await ids({ destination: 'amq.fanout' })).toEqual(['two']);
    expect(await ids({ vhost: 'other' })).toEqual([]);
    expect(await ids({ message_id: 'none' })).toEqual([]);
    expect(await ids({ from: String(Date.now() - 60_000), to: String(Date.now() + 60_000) })).toEqual(['two', 'one']);
    expect(await ids({ from: String(Date.now() + 60_000) })).toEqual([]);
    expect(await ids({ to: String(Date.now() - 60_000) })).toEqual([]);
    expect((await search(api, { message_id: 'two' })).traces[0]).toMatchObject({ outcome: 'unroutable', places: [] });
  });

  test('is found on a later page, each once, however many were published at a time', async () => {
    const { api, channel } = await start();
    await channel.assertQueue('q');
    for (let i = 0; i < 500; i++) channel.sendToQueue('q', Buffer.from('x'), { messageId: `m${i}` });
    await channel.waitForConfirms();
    for (const query of [{}, { destination: 'q' }, { key: 'q' }]) {
      const ids: (string | undefined)[] = [];
      let cursor = '';
      do {
        const page = await search(api, { ...query, count: '60', cursor });
        expect(page.traces.length).toBeLessThanOrEqual(60);
        ids.push(...page.traces.map((trace) => trace.message_id));
        cursor = page.cursor ?? '';
      } while (cursor !== '');
      expect(ids, JSON.stringify(query)).toEqual(Array.from({ length: 500 }, (_, i) => `m${499 - i}`));
    }
  });

  test('is found by a header where it has no id', async () => {
    const { api, channel } = await start({ mode: 'all', id_header: 'x-request-id' });
    await channel.assertQueue('q');
    channel.sendToQueue('q', Buffer.from('1'), {
      headers: { 'x-request-id': 'request 7', 'x-kafka-key': 'customer 3' },
    });
    await channel.waitForConfirms();
    expect(step(await way(api, 'request 7'), 'stored').place).toMatchObject({ name: 'q' });
    expect((await search(api, { key: 'customer 3' })).traces).toMatchObject([{ message_id: 'request 7' }]);
  });

  test('goes back, is rejected, and goes on as a dead letter: one trace', async () => {
    const { api, channel } = await start();
    await channel.assertQueue('dead');
    await channel.assertQueue('q', { deadLetterExchange: '', deadLetterRoutingKey: 'dead' });
    channel.sendToQueue('q', Buffer.from('x'), { messageId: 'bad', persistent: true });
    await channel.waitForConfirms();
    await channel.consume('q', (message) => message && channel.nack(message, false, !message.fields.redelivered));
    await channel.consume('dead', (message) => message && channel.ack(message));
    await until(async () => types(await way(api, 'bad')).includes('acknowledged'));
    const trace = await way(api, 'bad');
    const told = trace.events.filter(({ type }) => type !== 'durable');
    expect(told.map(({ type, place, how }) => [type, place?.name ?? how])).toEqual([
      ['published', 'published'],
      ['stored', 'q'],
      ['delivered', 'q'],
      ['requeued', 'q'],
      ['delivered', 'q'],
      ['rejected', 'q'],
      ['left', 'q'],
      ['published', 'dead-lettered'],
      ['stored', 'dead'],
      ['delivered', 'dead'],
      ['acknowledged', 'dead'],
    ]);
    expect(step(trace, 'left')).toMatchObject({ reason: 'rejected', dead_lettered: true });
    expect(told[7]).toMatchObject({ from: { kind: 'queue', name: 'q', offset: 0 }, exchange: '', routing_key: 'dead' });
    expect(told[4]).toMatchObject({ redelivered: true, delivery_count: 1 });
    // And from the dead letter back to where it came from.
    const { traces } = await search(api, { destination: 'dead' });
    expect(types(await follow(api, traces[0]?.trace ?? ''))).toEqual(types(trace));
  });

  test('expires, is too much, and is purged', async () => {
    const { api, channel } = await start();
    await channel.assertQueue('q', { maxLength: 2 });
    for (const messageId of ['first', 'second', 'third']) channel.sendToQueue('q', Buffer.from('x'), { messageId });
    await channel.waitForConfirms();
    await until(async () => types(await way(api, 'first')).includes('left'));
    expect(step(await way(api, 'first'), 'left')).toMatchObject({ reason: 'maxlen', dead_lettered: false });
    await channel.purgeQueue('q');
    expect(types(await way(api, 'second'))).toContain('purged');
    expect(types(await way(api, 'first'))).not.toContain('purged');
    channel.sendToQueue('q', Buffer.from('x'), { messageId: 'short', expiration: 1 });
    await channel.waitForConfirms();
    await until(async () => types(await way(api, 'short')).includes('left'));
    expect(step(await way(api, 'short'), 'left')).toMatchObject({ reason: 'expired' });
  });

  test('is held back until it is due', async () => {
    const { api, channel } = await start();
    await channel.assertExchange('later', 'x-delayed-message', { arguments: { 'x-delayed-type': 'direct' } });
    await channel.assertQueue('q');
    await channel.bindQueue('q', 'later', 'k');
    channel.publish('later', 'k', Buffer.from('x'), { messageId: 'late', headers: { 'x-delay': 50 } });
    await channel.waitForConfirms();
    await until(async () => (await way(api, 'late')).events.some(({ place }) => place?.name === 'q'));
    const trace = await way(api, 'late');
    const published = trace.events.filter(({ type }) => type === 'published');
    expect(published).toMatchObject([
      { how: 'published', outcome: 'held' },
      { how: 'due', outcome: 'routed', from: { kind: 'delayed' } },
    ]);
    expect(published[0]?.due_at).toBeGreaterThan(0);
  });

  test('is refused by a full queue', async () => {
    const { api, channel } = await start();
    await channel.assertQueue('full', { maxLength: 1, arguments: { 'x-overflow': 'reject-publish' } });
    channel.sendToQueue('full', Buffer.from('x'), { messageId: 'fits' });
    await channel.waitForConfirms();
    channel.sendToQueue('full', Buffer.from('x'), { messageId: 'refused' });
    await channel.waitForConfirms().catch(() => {});
    expect((await search(api, { message_id: 'refused' })).traces).toMatchObject([{ outcome: 'refused', places: [] }]);
  });

  test('with rabbitmq-client, over HTTP, and to those who do not acknowledge', async () => {
    const { api } = await start();
    const rabbit = new Connection(`amqp://guest:guest@127.0.0.1:${api.sluice.listeners[2]?.port}`);
    onTestFinished(() => rabbit.close());
    const consumer = rabbit.createConsumer(
      { queue: 'q', queueOptions: { durable: true }, noAck: true },
      async () => {},
    );
    onTestFinished(() => consumer.close());
    await new Promise<void>((resolve) => consumer.once('ready', () => resolve()));
    const message = {
      properties: { message_id: 'by http' },
      routing_key: 'q',
      payload: 'x',
      payload_encoding: 'string',
    };
    await api.ask('POST', '/api/exchanges/%2F/amq.default/publish', message);
    await until(async () => types(await way(api, 'by http')).includes('delivered'));
    const trace = await way(api, 'by http');
    expect(step(trace, 'published').by).toMatchObject({ protocol: 'HTTP', user: 'guest' });
    expect(step(trace, 'delivered')).toMatchObject({ no_ack: true, by: { protocol: 'AMQP 0-9-1' } });
  });
});

describe('a record of a stream', () => {
  test('published by AMQP, read by Kafka: who fetched it, and which group is past it', async () => {
    const { api, channel } = await start();
    await channel.assertQueue('events', { arguments: { 'x-queue-type': 'stream' }, durable: true });
    await channel.bindQueue('events', 'amq.topic', '#');
    const options = { messageId: 'crossing', headers: { 'x-kafka-key': 'k1' }, persistent: true };
    channel.publish('amq.topic', 'a.b', Buffer.from('x'), options);
    await channel.waitForConfirms();
    const consumer = api.kafka.consumer({ groupId: 'readers', maxWaitTimeInMs: 50 });
    await consumer.connect();
    await consumer.subscribe({ topic: 'events', fromBeginning: true });
    let seen = 0;
    await consumer.run({ eachMessage: async () => void seen++ });
    await until(() => seen === 1);
    await consumer.disconnect();
    await until(async () => types(await way(api, 'crossing')).includes('committed'));
    const trace = await way(api, 'crossing');
    const place = { kind: 'stream', name: 'events', partition: 0 };
    expect(step(trace, 'published').by).toMatchObject({ protocol: 'AMQP 0-9-1' });
    expect(step(trace, 'stored')).toMatchObject({ place: { ...place, offset: 0 } });
    expect(step(trace, 'fetched')).toMatchObject({ place, by: { protocol: 'Kafka', client: 'kafkajs' }, records: 1 });
    expect(step(trace, 'committed')).toMatchObject({ place, group: 'readers', committed_offset: 1 });
    expect((await search(api, { key: 'k1' })).traces).toMatchObject([{ message_id: 'crossing', key: 'k1' }]);
    // Once, though it is found in the log of traces and in the stream.
    expect((await search(api, { key: 'k1', destination: 'events' })).traces).toHaveLength(1);
  });

  test('sent by Kafka is found by its key, though nothing was recorded', async () => {
    const api = await startStreams();
    await api.send('topic', [
      { key: 'a', value: '1' },
      { key: 'b', value: '2', headers: { 'message-id': 'two' } },
      { key: 'a', value: '3' },
    ]);
    const offsets = async (query: Record<string, string>) =>
      (await search(api, { destination: 'topic', ...query })).traces.map(({ places }) => places[0]?.offset);
    expect(await offsets({ key: 'a' })).toEqual([2, 0]);
    expect(await offsets({ message_id: 'two' })).toEqual([1]);
    expect(await offsets({ from: String(Date.now() + 60_000) })).toEqual([]);
    const first = await search(api, { destination: 'topic', count: '2' });
    expect(first).toMatchObject({ mode: 'off', traces: [{ key: 'a' }, { key: 'b' }] });
    const second = await search(api, { destination: 'topic', count: '2', cursor: first.cursor ?? '' });
    expect(second.traces).toMatchObject([{ key: 'a', places: [{ offset: 0 }] }]);
    expect(await follow(api, second.traces[0]?.trace ?? '')).toMatchObject({
      ...{ key: 'a', bytes: 1, events: [], complete: true },
    });
  });

  test('sent by Kafka: the batch that it came in, and an AMQP consumer that reads it', async () => {
    const { api, channel } = await start();
    await api.send('topic', [{ key: 'a', value: '1' }, { value: '2' }]);
    await channel.prefetch(10);
    const got: unknown[] = [];
    await channel.consume('topic', (message) => got.push(message), { arguments: { 'x-stream-offset': 'first' } });
    await until(() => got.length === 2);
    const { traces } = await search(api, { destination: 'topic', key: 'a' });
    await until(async () => types(await follow(api, traces[0]?.trace ?? '')).includes('fetched'));
    const trace = await follow(api, traces[0]?.trace ?? '');
    expect(trace).toMatchObject({ key: 'a', bytes: 1 });
    expect(step(trace, 'appended')).toMatchObject({ records: 2, by: { protocol: 'Kafka', client: 'kafkajs' } });
    expect(step(trace, 'fetched')).toMatchObject({ by: { protocol: 'AMQP 0-9-1' }, place: { name: 'topic' } });
  });
});

describe('other ways', () => {
  test('a message that somebody moves goes on in the other queue', async () => {
    const { api, channel } = await start();
    for (const queue of ['from', 'to']) await channel.assertQueue(queue);
    channel.sendToQueue('from', Buffer.from('x'), { messageId: 'mover', persistent: true });
    await channel.waitForConfirms();
    await api.ask('POST', '/api/queues/%2F/from/move', { to: { queue: 'to' }, wait_ms: 20_000 });
    const trace = await way(api, 'mover');
    const [, moved] = trace.events.filter(({ type }) => type === 'published');
    expect(moved).toMatchObject({ how: 'moved', from: { name: 'from' }, by: { protocol: 'HTTP', user: 'guest' } });
    expect(step(trace, 'left')).toMatchObject({ reason: 'removed', place: { name: 'from' } });
    expect(trace.events.some(({ place }) => place?.name === 'to')).toBe(true);
  });

  test('share groups: who acquires records, and what becomes of them', async () => {
    const { api } = await start();
    const admin = await connectTo(api.address);
    const topic = { name: 'work', topicId: await makeTopic(admin, 'work', 1) };
    await append(admin, 'work', ['a', 'b']);
    await configureGroup(admin, 'g', { 'share.auto.offset.reset': 'earliest' });
    const consumer = await ShareConsumer.join(api.address, topic);
    await until(async () => (await consumer.deliveries()).length > 0);
    await consumer.acknowledge([
      [0, 0, 0, ACCEPT],
      [0, 1, 1, RELEASE],
    ]);
    const { traces } = await search(api, { destination: 'work' });
    const [second, first] = await Promise.all(traces.map(({ trace }) => follow(api, trace)));
    if (first === undefined || second === undefined) throw new Error('two records were sent');
    expect(step(first, 'acquired')).toMatchObject({ group: 'g', records: 2, by: { protocol: 'Kafka' } });
    expect(step(first, 'answered')).toMatchObject({ group: 'g', settlement: 'accepted' });
    expect(step(second, 'answered')).toMatchObject({ settlement: 'released' });
  });
});

describe('settings', () => {
  test('off unless asked for; nothing is recorded then, and what was recorded is found later', async () => {
    const api = await startStreams();
    const { channel } = await connect(api);
    await channel.assertQueue('q');
    const publish = async (messageId: string) => {
      channel.sendToQueue('q', Buffer.from('x'), { messageId });
      await channel.waitForConfirms();
    };
    await publish('unseen');
    const settings = async () => (await api.ask('GET', '/api/traces/settings')).body as TraceSettingsState;
    expect(await settings()).toMatchObject({ mode: 'off', overridden: false, recorded: { events: 0, bytes: 0 } });
    await api.ask('PUT', '/api/traces/settings', { mode: 'all' });
    await publish('seen');
    expect(await settings()).toMatchObject({ mode: 'all', overridden: true });
    await api.ask('DELETE', '/api/traces/settings');
    await publish('unseen');
    expect(await settings()).toMatchObject({ mode: 'off', overridden: false });
    expect((await search(api, {})).traces.map(({ message_id: id }) => id)).toEqual(['seen']);
  });

  test('only what is selected is traced', async () => {
    const { api, channel } = await start({ mode: 'all', destinations: ['ord*'] });
    for (const queue of ['orders', 'others']) {
      await channel.assertQueue(queue);
      channel.sendToQueue(queue, Buffer.from('x'), { messageId: queue });
    }
    await channel.waitForConfirms();
    expect((await search(api, {})).traces.map(({ message_id: id }) => id)).toEqual(['orders']);
  });

  test('of a sample, all events of a message are there or none', async () => {
    const { api, channel } = await start({ mode: 'sampled', sample_share: 0.5 });
    await channel.assertQueue('q');
    for (let i = 0; i < 200; i++) channel.sendToQueue('q', Buffer.from('x'), { messageId: `m${i}` });
    await channel.waitForConfirms();
    let seen = 0;
    await channel.consume('q', (message) => {
      seen++;
      if (message !== null) channel.ack(message);
    });
    await until(() => seen === 200);
    await channel.checkQueue('q');
    const { traces } = await search(api, { count: '200' });
    expect(traces.length).toBeGreaterThan(40);
    expect(traces.length).toBeLessThan(160);
    for (const { trace } of traces.slice(0, 10))
      expect(types(await follow(api, trace))).toEqual(expect.arrayContaining(['stored', 'delivered', 'acknowledged']));
  });

  test('what cannot be is refused', async () => {
    const api = await startStreams();
    for (const wrong of [{ mode: 'some' }, { sample_share: 2 }, { retention_bytes: 1 }, { other: 1 }])
      expect(await api.ask('PUT', '/api/traces/settings', wrong)).toMatchObject({ status: 400 });
    for (const query of ['count=0', 'count=1000', 'from=yesterday', 'cursor=x', 'cursor=1~x'])
      expect(await api.ask('GET', `/api/traces?${query}&destination=q`), query).toMatchObject({ status: 400 });
    for (const trace of ['m-', 'm-zzzzzzzzzzzz', 'p-1-2-3', 'x', 'm-1'])
      expect(await api.ask('GET', `/api/traces/${trace}`), trace).toMatchObject({ status: 404 });
  });
});

describe('permissions', () => {
  async function twoQueues() {
    const { api, channel } = await start();
    await channel.assertQueue('theirs', { deadLetterExchange: '', deadLetterRoutingKey: 'secret' });
    await channel.assertQueue('secret');
    channel.sendToQueue('theirs', Buffer.from('x'), { messageId: 'shared' });
    channel.sendToQueue('secret', Buffer.from('x'), { messageId: 'hidden' });
    await channel.waitForConfirms();
    const message = await channel.get('theirs');
    if (message !== false) channel.nack(message, false, false);
    await channel.checkQueue('theirs');
    return api;
  }

  async function reader(api: StreamsBroker, name: string, tags: string) {
    const user = await makeUser(api, name, tags);
    await api.ask('PUT', `/api/permissions/%2F/${name}`, { configure: '', write: '', read: '^theirs$' });
    return user;
  }

  test('a user sees what happened where they may read, and nothing else', async () => {
    const api = await twoQueues();
    const user = await reader(api, 'user', 'management');
    const { traces } = await search(api, {}, user);
    expect(traces.map(({ message_id: id }) => id)).toEqual(['shared']);
    const trace = await follow(api, traces[0]?.trace ?? '', user);
    expect(types(trace)).toEqual(expect.arrayContaining(['published', 'delivered', 'rejected', 'left']));
    expect(JSON.stringify(trace.events)).not.toContain('secret"');
    const hidden = (await search(api, { message_id: 'hidden' })).traces[0]?.trace;
    expect(await api.ask('GET', `/api/traces/${hidden}`, undefined, user)).toMatchObject({ status: 404 });
    expect(await api.ask('PUT', '/api/traces/settings', { mode: 'off' }, user)).toMatchObject({ status: 401 });
  });

  test('who watches over the broker sees all of them', async () => {
    const api = await twoQueues();
    const user = await reader(api, 'monitor', 'monitoring');
    expect((await search(api, {}, user)).traces.map(({ message_id: id }) => id).toSorted()).toEqual([
      'hidden',
      'shared',
    ]);
  });
});
