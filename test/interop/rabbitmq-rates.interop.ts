import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'amqplib';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../bench/peers/free-port.ts';
import { rabbitmq, rabbitmqMissing } from '../../bench/peers/rabbitmq.ts';
import { createBroker } from '../../src/index.ts';
import { asking } from '../http/fixture.ts';

/*
 * The same work done with RabbitMQ and with this broker: what its management API tells of it has the same names, and the same counts.
 */

type Json = Readonly<Record<string, unknown>>;

const PATHS = [
  '/api/overview',
  '/api/queues/%2F/orders',
  '/api/exchanges/%2F/amq.direct',
  '/api/vhosts/%2F',
  '/api/channels',
];
const RANGES = 'msg_rates_age=60&msg_rates_incr=5&lengths_age=60&lengths_incr=5';
/** RabbitMQ counts these for its own store. */
const NOT_OURS = /^disk_(reads|writes)/;
/** Both show what was done some seconds later. */
const PATIENCE = { timeout: 60_000, interval: 500 };

/** Without RabbitMQ's message store, `message_stats` of what a path shows. */
function statsOf(shown: unknown): Json {
  const one = (Array.isArray(shown) ? shown[0] : shown) as { readonly message_stats?: Json } | undefined;
  return Object.fromEntries(Object.entries(one?.message_stats ?? {}).filter(([name]) => !NOT_OURS.test(name)));
}

async function work(url: string): Promise<void> {
  const model = await connect(url);
  onTestFinished(() => model.close().catch(() => {}));
  const channel = await model.createConfirmChannel();
  await channel.assertQueue('orders');
  await channel.bindQueue('orders', 'amq.direct', 'orders');
  for (let i = 0; i < 10; i++) channel.publish('amq.direct', 'orders', Buffer.from('x'));
  channel.publish('amq.direct', 'nowhere', Buffer.from('x'), { mandatory: true });
  await channel.waitForConfirms();
  await channel.get('orders', { noAck: true });
  const first = await channel.get('orders');
  if (first !== false) channel.ack(first);
  const second = await channel.get('orders');
  if (second !== false) channel.nack(second, false, true);
  let seen = 0;
  await new Promise<void>((resolve) => {
    void channel.consume('orders', (message) => {
      if (message === null) return;
      channel.ack(message);
      if (++seen === 8) resolve();
    });
  });
  await channel.checkQueue('orders');
}

test.skipIf(rabbitmqMissing() !== undefined)('what is counted is told as RabbitMQ tells it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-rates-'));
  const managementPort = await freePort('127.0.0.1');
  const sluice = await createBroker({
    listeners: ['amqp://127.0.0.1:0', 'http://127.0.0.1:0'],
    settings: { metrics: { sampleMs: 1_000 } },
  });
  const peer = await rabbitmq({ managementPort }).start(directory);
  onTestFinished(async () => {
    await sluice.close();
    await peer.stop();
    await rm(directory, { recursive: true, force: true });
  });
  const [amqp, http] = sluice.listeners;
  const ours = asking(http?.url ?? '');
  const theirs = asking(`http://127.0.0.1:${managementPort}`);
  await work(`amqp://guest:guest@${peer.address.host}:${peer.address.port}`);
  await work(`amqp://guest:guest@127.0.0.1:${amqp?.port}`);
  const orders = async (ask: typeof ours) => statsOf((await ask('GET', '/api/queues/%2F/orders')).body)['ack'];
  await expect.poll(() => orders(theirs), PATIENCE).toBe(9);
  await expect.poll(() => orders(ours), PATIENCE).toBe(9);
  for (const path of PATHS) {
    const wanted = statsOf((await theirs('GET', path)).body);
    const seen = statsOf((await ours('GET', path)).body);
    const counts = Object.entries(wanted).filter(([, value]) => typeof value === 'number');
    expect([path, counts.length > 0]).toEqual([path, true]);
    expect([path, seen]).toEqual([path, expect.objectContaining(Object.fromEntries(counts))]);
    expect([path, Object.keys(wanted).filter((name) => !(name in seen))]).toEqual([path, []]);
  }
  const shapes = await Promise.all(
    [theirs, ours].map(async (ask) => {
      const { body } = await ask('GET', `/api/queues/%2F/orders?${RANGES}`);
      const lengths = (body as Record<string, Json>)['messages_details'];
      return [statsOf(body)['publish_details'] as Json, lengths ?? {}].map((details) =>
        Object.keys(details).toSorted(),
      );
    }),
  );
  expect(shapes[1]).toEqual(shapes[0]);
});
