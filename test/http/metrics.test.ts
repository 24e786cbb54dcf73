import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'amqplib';
import { Kafka, logLevel } from 'kafkajs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FAMILIES } from '../../src/protocols/http/metrics/families.ts';
import { type ApiBroker, makeUser, startApi } from './fixture.ts';
import { parseScrape, type Scrape } from './scrape.ts';

const QUEUE = 'a "quoted" name\\';
const LISTENERS = ['http://127.0.0.1:0', 'amqp://127.0.0.1:0', 'kafka://127.0.0.1:0'];

async function scrape({ ask }: ApiBroker): Promise<Scrape> {
  const { status, body } = await ask('GET', '/metrics');
  expect(status).toBe(200);
  return parseScrape(String(body));
}

function value({ series }: Scrape, name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
  return series.find(
    (each) => each.name === name && Object.entries(labels).every(([key, text]) => each.labels[key] === text),
  )?.value;
}

/** A broker in which something of everything has happened. */
async function busy(): Promise<ApiBroker> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-metrics-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const api = await startApi({ listeners: LISTENERS, storage: 'disk', directory });
  const [, amqp, kafkaListener] = api.sluice.listeners;
  const model = await connect(`amqp://guest:guest@127.0.0.1:${amqp?.port}`);
  onTestFinished(() => model.close());
  const channel = await model.createConfirmChannel();
  await channel.assertQueue(QUEUE);
  for (let i = 0; i < 3; i++) channel.sendToQueue(QUEUE, Buffer.from('12345'));
  channel.publish('', 'nowhere', Buffer.from('x'));
  await channel.waitForConfirms();
  const back = await channel.get(QUEUE);
  if (back !== false) channel.nack(back);
  const got = await channel.get(QUEUE);
  if (got !== false) channel.ack(got);
  await channel.assertQueue('dying', { messageTtl: 1, deadLetterExchange: '', deadLetterRoutingKey: 'dead' });
  await channel.assertQueue('dead');
  channel.sendToQueue('dying', Buffer.from('x'));
  await expect.poll(async () => (await channel.checkQueue('dead')).messageCount).toBe(1);
  const kafka = new Kafka({ brokers: [`127.0.0.1:${kafkaListener?.port}`], logLevel: logLevel.NOTHING });
  const producer = kafka.producer();
  const admin = kafka.admin();
  onTestFinished(async () => {
    await producer.disconnect();
    await admin.disconnect();
  });
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: 'events', numPartitions: 2 }] });
  await producer.connect();
  await producer.send({ topic: 'events', messages: [1, 2, 3, 4].map((n) => ({ key: String(n), value: 'x' })) });
  await admin.setOffsets({
    groupId: 'readers',
    topic: 'events',
    partitions: [0, 1].map((partition) => ({ partition, offset: '0' })),
  });
  const consumer = kafka.consumer({ groupId: 'others' });
  onTestFinished(() => consumer.disconnect());
  await consumer.connect();
  await consumer.subscribe({ topic: 'events', fromBeginning: true });
  const seen = new Set<string | undefined>();
  await new Promise<void>((resolve) => {
    void consumer.run({
      eachMessage: async ({ message }) => {
        seen.add(message.key?.toString());
        if (seen.size === 4) resolve();
      },
    });
  });
  await api.sluice.idle();
  return api;
}

describe('/metrics', () => {
  test('has everything that it says it has, with its types, labels and help', async () => {
    const found = await scrape(await busy());
    for (const [name, { type, labels, help }] of FAMILIES) {
      const title = type === 'counter' ? `${name}_total` : name;
      expect([title, found.types.get(title), found.help.get(title)]).toEqual([title, type, help]);
      const series = found.series.filter((each) => each.name === (type === 'histogram' ? `${name}_count` : title));
      expect([title, series.length > 0]).toEqual([title, true]);
      for (const each of series) expect([title, Object.keys(each.labels)]).toEqual([title, labels]);
    }
    expect(found.types.size).toBe(FAMILIES.size);
  });

  test('has what was done', async () => {
    const found = await scrape(await busy());
    const queue = { vhost: '/', queue: QUEUE };
    expect(value(found, 'sluice_queue_messages_ready', queue)).toBe(2);
    expect(value(found, 'sluice_queue_messages_published_total', queue)).toBe(3);
    expect(value(found, 'sluice_queue_messages_acknowledged_total', queue)).toBe(1);
    expect(value(found, 'sluice_queue_ready_bytes', queue)).toBe(10);
    expect(value(found, 'sluice_vhost_messages_published_total', { vhost: '/' })).toBe(5);
    expect(value(found, 'sluice_messages_published_total', { protocol: 'AMQP 0-9-1' })).toBe(5);
    expect(value(found, 'sluice_messages_confirmed_total', { protocol: 'AMQP 0-9-1' })).toBe(5);
    expect(value(found, 'sluice_messages_dropped_total', { protocol: 'AMQP 0-9-1' })).toBe(1);
    expect(value(found, 'sluice_messages_delivered_total', { protocol: 'AMQP 0-9-1', how: 'get' })).toBe(2);
    expect(value(found, 'sluice_publish_confirm_seconds_count', { protocol: 'AMQP 0-9-1' })).toBe(5);
    expect(value(found, 'sluice_messages_published_total', { protocol: 'Kafka' })).toBe(4);
    expect(value(found, 'sluice_publish_confirm_seconds_count', { protocol: 'Kafka' })).toBe(4);
    expect(value(found, 'sluice_messages_delivered_total', { protocol: 'Kafka', how: 'deliver_no_ack' })).toBe(4);
    expect(value(found, 'sluice_stream_records_in_total', { stream: 'events' })).toBe(4);
    expect(value(found, 'sluice_stream_records_out_total', { stream: 'events' })).toBe(4);
    expect(value(found, 'sluice_stream_records', { stream: 'events' })).toBe(4);
    expect(value(found, 'sluice_group_lag_records', { group: 'readers', stream: 'events' })).toBe(4);
    expect(value(found, 'sluice_exchange_messages_in_total', { vhost: '/', exchange: '' })).toBe(5);
    expect(value(found, 'sluice_storage_flushes_total')).toBeGreaterThan(0);
    expect(value(found, 'sluice_storage_written_bytes_total')).toBeGreaterThan(100);
    expect(value(found, 'sluice_connections', { protocol: 'AMQP 0-9-1' })).toBe(1);
    expect(value(found, 'sluice_alarm', { alarm: 'memory' })).toBe(0);
    const buckets = found.series.filter(({ name }) => name === 'sluice_queue_wait_seconds_bucket');
    expect(buckets.at(-1)?.labels['le']).toBe('+Inf');
  });

  test('comes as OpenMetrics to who asks for that', async () => {
    const api = await startApi();
    const accept = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5';
    const { body, headers } = await api.ask('GET', '/metrics', undefined, { headers: { accept } });
    expect(headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(String(body).endsWith('# EOF\n')).toBe(true);
    expect(String(body)).toContain('# TYPE sluice_storage_writes counter\nsluice_storage_writes_total 0\n');
    expect((await api.ask('GET', '/metrics')).headers.get('content-type')).toBe(
      'text/plain; version=0.0.4; charset=utf-8',
    );
  });

  test('tells of so many single queues, and of the others together', async () => {
    const api = await startApi({ settings: { metrics: { destinations: 2 } } });
    for (const name of ['a', 'b', 'c', 'd']) {
      await api.ask('PUT', `/api/queues/%2F/${name}`, {});
      await api.ask('POST', '/api/exchanges/%2F/amq.default/publish', {
        ...{ properties: {}, routing_key: name, payload: 'x', payload_encoding: 'string' },
      });
    }
    const found = await scrape(api);
    const ready = found.series.filter(({ name }) => name === 'sluice_queue_messages_ready');
    expect(ready.map(({ labels, value }) => [labels['queue'], value])).toEqual([
      ['a', 1],
      ['b', 1],
      ['', 2],
    ]);
    const published = found.series.filter(({ name }) => name === 'sluice_queue_messages_published_total');
    expect(published.map(({ labels }) => labels['queue'])).toEqual(['a', 'b']);
    expect([value(found, 'sluice_queues'), value(found, 'sluice_queues_untold')]).toEqual([4, 2]);
  });

  test('is for who may watch the broker, unless a setting says otherwise', async () => {
    const api = await startApi();
    const plain = await makeUser(api, 'plain', 'management');
    const watcher = await makeUser(api, 'watcher', 'monitoring');
    const status = async (how: { readonly as: string }) => (await api.ask('GET', '/metrics', undefined, how)).status;
    expect([await status({ as: '' }), await status(plain), await status(watcher)]).toEqual([401, 401, 200]);
    for (const access of ['loopback', 'open'] as const) {
      const open = await startApi({ settings: { metrics: { access } } });
      expect((await open.ask('GET', '/metrics', undefined, { as: '' })).status).toBe(200);
    }
  });
});

test('the page docs/metrics.md has all metrics as they are', () => {
  const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \| (.*) \|$/gm)].map(
    ([, ...cells]) => cells,
  );
  expect(rows).toEqual(
    Array.from(FAMILIES.values(), ({ name, type, labels, help }) => [
      ...[type === 'counter' ? `${name}_total` : name, type],
      ...[labels.map((label) => `\`${label}\``).join(', '), unitOf(name), help],
    ]),
  );
});

function unitOf(name: string): string {
  const [, unit = ''] = /_(seconds|bytes|ratio|records)$/.exec(name) ?? [];
  return unit;
}
