import { type Channel, type ChannelModel, connect } from 'amqplib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { onSluice, startBroker, type TestBroker } from './fixture.ts';
import { type Refusal, refusal } from './refusal.ts';

interface Patterns {
  readonly configure?: string;
  readonly write?: string;
  readonly read?: string;
}

/** Anna may touch what is called `orders…`; there is a queue and a topic exchange of that name, and others. */
async function start(patterns: Patterns = {}) {
  const broker = await startBroker();
  const own = { configure: '^orders', write: '^orders', read: '^orders', ...patterns };
  const permit = (changed: Patterns) =>
    broker.sluice?.importDefinitions({ permissions: [{ user: 'anna', vhost: '/', ...own, ...changed }] });
  await broker.sluice?.importDefinitions({
    users: [{ name: 'anna', password: 'secret', tags: [] }],
    vhosts: [{ name: 'shop' }],
    permissions: [{ user: 'anna', vhost: '/', ...own }],
    topic_permissions: [
      { user: 'anna', vhost: '/', exchange: 'orders-topic', write: '^{username}\\.', read: '^{vhost}$' },
    ],
    exchanges: [
      { name: 'orders-topic', vhost: '/', type: 'topic' },
      { name: 'other', vhost: '/', type: 'fanout' },
    ],
    queues: ['orders', 'other'].map((name) => ({ name, vhost: '/' })),
  });
  const connectAs = (login: string, virtualHost = '') => open(broker, login, virtualHost);
  const anna = await connectAs('anna:secret');
  const refused = async (attempt: (channel: Channel) => unknown): Promise<Pick<Refusal, 'code' | 'text'>> => {
    const { code, text } = await refusal(await anna.createChannel(), attempt);
    return { code, text };
  };
  return { broker, anna, permit, refused, connectAs };
}

async function open({ host, port }: TestBroker, login: string, virtualHost: string): Promise<ChannelModel> {
  const model = await connect(`amqp://${login}@${host}:${port}/${virtualHost}`);
  model.on('error', () => {});
  onTestFinished(() => model.close().catch(() => {}));
  return model;
}

const refusedAccess = (permission: string, what: string) => ({
  code: 403,
  text: `ACCESS_REFUSED - ${permission} access to ${what} in vhost '/' refused for user 'anna'`,
});

describe.runIf(onSluice)('a user', () => {
  test('may do what its patterns allow', async () => {
    const { anna } = await start();
    const channel = await anna.createConfirmChannel();
    await channel.assertQueue('orders-new');
    await channel.bindQueue('orders-new', 'orders-topic', '/');
    channel.publish('orders-topic', 'anna.x', Buffer.from('m'));
    await channel.waitForConfirms();
    await channel.get('orders-new');
    await channel.purgeQueue('orders-new');
    await channel.deleteQueue('orders-new');
  });

  test.each<[what: string, attempt: (channel: Channel) => unknown, permission: string, on: string]>([
    ['declare', (channel) => channel.assertQueue('mine'), 'configure', "queue 'mine'"],
    ['declare an exchange', (channel) => channel.assertExchange('mine', 'fanout'), 'configure', "exchange 'mine'"],
    ['delete', (channel) => channel.deleteQueue('other'), 'configure', "queue 'other'"],
    ['look for a queue', (channel) => channel.checkQueue('other'), 'configure', "queue 'other'"],
    ['bind to', (channel) => channel.bindQueue('other', 'orders-topic', '/'), 'write', "queue 'other'"],
    ['bind from', (channel) => channel.bindQueue('orders', 'other', 'k'), 'read', "exchange 'other'"],
    ['publish', (channel) => channel.publish('other', 'k', Buffer.alloc(1)), 'write', "exchange 'other'"],
    [
      'publish to a queue',
      (channel) => channel.sendToQueue('orders', Buffer.alloc(1)),
      'write',
      "exchange 'amq.default'",
    ],
    ['get', (channel) => channel.get('other'), 'read', "queue 'other'"],
    ['consume', (channel) => channel.consume('other', () => {}), 'read', "queue 'other'"],
    ['purge', (channel) => channel.purgeQueue('other'), 'read', "queue 'other'"],
    [
      'dead-letter to',
      (channel) => channel.assertQueue('orders-2', { deadLetterExchange: 'other' }),
      'write',
      "exchange 'other'",
    ],
    [
      'publish with another routing key',
      (channel) => channel.publish('orders-topic', 'bert.x', Buffer.alloc(1)),
      'write',
      "topic 'bert.x' in exchange topic 'orders-topic'",
    ],
    [
      'publish a copy with another routing key',
      (channel) => channel.publish('orders-topic', 'anna.x', Buffer.alloc(1), { CC: ['bert.x'] }),
      'write',
      "topic 'bert.x' in exchange topic 'orders-topic'",
    ],
    [
      'bind with another routing key',
      (channel) => channel.bindQueue('orders', 'orders-topic', '#'),
      'read',
      "topic '#' in exchange topic 'orders-topic'",
    ],
  ])('may not otherwise: %s', async (_, attempt, permission, on) => {
    const { refused } = await start();
    expect(await refused(attempt)).toEqual(refusedAccess(permission, on));
  });

  test('may not touch anything that an empty pattern stands for', async () => {
    const { refused } = await start({ configure: '', write: '', read: '' });
    expect(await refused((channel) => channel.assertQueue('orders'))).toEqual(
      refusedAccess('configure', "queue 'orders'"),
    );
  });

  test('may do less, or more, as soon as it is said', async () => {
    const { permit, anna, refused } = await start();
    const channel = await anna.createConfirmChannel();
    channel.publish('orders-topic', 'anna.x', Buffer.from('m'));
    await channel.waitForConfirms();
    await permit({ write: '^other$' });
    channel.publish('other', '', Buffer.from('m'));
    await channel.waitForConfirms();
    const refusedPublish = await refused((own) => own.publish('orders-topic', 'anna.x', Buffer.from('m')));
    expect(refusedPublish).toEqual(refusedAccess('write', "exchange 'orders-topic'"));
  });

  test('connects to virtual hosts that it has permissions in', async () => {
    const { connectAs } = await start();
    // amqplib does not say why.
    await expect(connectAs('anna:secret', 'shop')).rejects.toThrow(/ConnectionClose/);
    await expect(connectAs('anna:secret', 'none')).rejects.toThrow(/ConnectionClose/);
    await expect(connectAs('anna:wrong')).rejects.toThrow(
      /Login was refused using authentication mechanism PLAIN\. For details see the broker logfile\./,
    );
  });
});
