import { connect, credentials } from 'amqplib';
import { Connection } from 'rabbitmq-client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { channelOn, connection, onSluice, startBroker, startOnVirtualClock, until } from './fixture.ts';
import {
  connectionOpen,
  HEARTBEAT,
  method,
  PROTOCOL_HEADER,
  RawClient,
  shortString,
  startOk,
  tuneOk,
  u16,
} from './raw-client.ts';

const CHANNEL_MAX = 2047;

test('the broker says what it can do', async () => {
  const { serverProperties } = (await connection(await startBroker())).connection;
  expect(serverProperties).toMatchObject({
    product: expect.any(String),
    version: expect.any(String),
    capabilities: {
      publisher_confirms: true,
      exchange_exchange_bindings: true,
      'basic.nack': true,
      consumer_cancel_notify: true,
      'connection.blocked': true,
      consumer_priorities: true,
      authentication_failure_close: true,
      per_consumer_qos: true,
      direct_reply_to: true,
    },
  });
});

test('it proposes its limits, and takes the lower of the two', async () => {
  const client = await RawClient.connect(await startBroker());
  client.send(PROTOCOL_HEADER);
  await client.method('10.10');
  client.send(startOk('PLAIN', '\0guest\0guest'));
  const tune = await client.method('10.30');
  expect([tune.readUInt16BE(0), tune.readUInt32BE(2), tune.readUInt16BE(6)]).toEqual([CHANNEL_MAX, 131_072, 60]);
  client.send(tuneOk(2, 4096, 0), connectionOpen('/'));
  await client.method('10.41');
  for (const channel of [1, 2, 3]) client.send(method(channel, '20.10', shortString('')));
  expect(await client.connectionClose()).toMatchObject({
    code: 530,
    text: 'NOT_ALLOWED - number of channels opened (2) has reached the negotiated channel_max (2)',
  });
});

describe('authentication', () => {
  test.each([
    ['PLAIN', credentials.plain('guest', 'guest')],
    ['AMQPLAIN', credentials.amqplain('guest', 'guest')],
  ])('by %s', async (_mechanism, given) => {
    const broker = await startBroker();
    const model = await connect(broker.url.replace('guest:guest@', ''), { credentials: given });
    onTestFinished(() => model.close());
    await channelOn(model);
  });

  test.each([
    ['PLAIN', '\0guest\0wrong'],
    ['PLAIN', '\0nobody\0guest'],
  ])('by %s as %j is refused, with a word to who can hear it', async (mechanism, response) => {
    const client = await RawClient.connect(await startBroker());
    client.send(PROTOCOL_HEADER);
    await client.method('10.10');
    client.send(startOk(mechanism, response, 'authentication_failure_close'));
    expect(await client.connectionClose()).toEqual({
      code: 403,
      text: `ACCESS_REFUSED - Login was refused using authentication mechanism ${mechanism}. For details see the broker logfile.`,
      method: '0.0',
    });
  });

  test('a mechanism that the broker did not offer is refused', async () => {
    const client = await RawClient.connect(await startBroker());
    client.send(PROTOCOL_HEADER);
    await client.method('10.10');
    client.send(startOk('MAGIC', 'x'));
    await client.closed();
  });

  test('rabbitmq-client is told as well', async () => {
    const broker = await startBroker();
    const client = new Connection(broker.url.replace('guest:guest', 'guest:wrong'));
    onTestFinished(() => client.close());
    const error = await new Promise<{ code: string }>((resolve) => client.once('error', resolve));
    expect(error.code).toBe('ACCESS_REFUSED');
  });

  test('a virtual host that is not there is refused', async () => {
    const client = await RawClient.connect(await startBroker());
    client.send(PROTOCOL_HEADER);
    await client.method('10.10');
    client.send(startOk('PLAIN', '\0guest\0guest'));
    await client.method('10.30');
    client.send(tuneOk(CHANNEL_MAX, 131_072, 0), connectionOpen('nope'));
    expect(await client.connectionClose()).toEqual({
      code: 530,
      text: 'NOT_ALLOWED - vhost nope not found',
      method: '10.40',
    });
  });
});

describe('heartbeats', () => {
  test('come from the broker when it has nothing else to say', async () => {
    const broker = await startOnVirtualClock();
    const client = await RawClient.open(broker, { heartbeat: 1 });
    await broker.pass(600);
    await client.until(() => client.frames.some(({ type }) => type === HEARTBEAT));
  });

  test('that stay away cost the connection', async () => {
    const broker = await startOnVirtualClock();
    const client = await RawClient.open(broker, { heartbeat: 1 });
    for (let i = 0; i < 8 && !client.isClosed; i++) await broker.pass(500);
    await client.closed();
  });

  test('are not wanted by who asks for none', async () => {
    const broker = await startOnVirtualClock();
    const client = await RawClient.open(broker, { heartbeat: 0 });
    await broker.pass(onSluice ? 600_000 : 100);
    client.send(method(1, '20.40', u16(200), shortString('bye'), u16(0), u16(0)));
    await client.method('20.41');
    expect(client.frames.filter(({ type }) => type === HEARTBEAT)).toEqual([]);
  });
});

describe('channels', () => {
  test('each by itself: an error closes one of them', async () => {
    const model = await connection(await startBroker());
    const channels = [];
    for (let i = 0; i < 10; i++) channels.push(await channelOn(model));
    const [first, ...others] = channels;
    await first?.checkQueue('nope').catch(() => {});
    for (const other of others) await other.assertQueue('', { exclusive: true });
    // Its number is free again.
    await channelOn(model);
  });

  test('as many as were agreed', async () => {
    const broker = await startBroker();
    const client = await RawClient.open(broker, { channels: 0 });
    for (let channel = 1; channel <= CHANNEL_MAX; channel++) client.send(method(channel, '20.10', shortString('')));
    await client.until(() => client.frames.length >= CHANNEL_MAX);
    // A number is free again when its channel is closed.
    client.send(method(1, '20.40', u16(200), shortString('bye'), u16(0), u16(0)));
    await client.method('20.41');
    client.send(method(1, '20.10', shortString('')));
    await client.method('20.11');
  });

  test('that were closed by the broker take nothing but close-ok', async () => {
    const broker = await startBroker();
    const client = await RawClient.open(broker);
    const passive = (queue: string) =>
      method(1, '50.10', u16(0), shortString(queue), Buffer.from([1]), Buffer.alloc(4));
    client.send(passive('nope'), passive('nope'), passive('nope'));
    expect((await client.channelClose()).code).toBe(404);
    client.send(passive('nope'), method(1, '20.41'), method(1, '20.10', shortString('')));
    await client.method('20.11');
    expect(client.frames).toEqual([]);
  });

  test('can be told to pause and go on', async () => {
    const client = await RawClient.open(await startBroker());
    client.send(method(1, '20.20', Buffer.from([1])));
    expect((await client.method('20.21'))[0]).toBe(1);
  });
});

test('a new secret is taken', async () => {
  const model = await connection(await startBroker());
  await model.updateSecret(Buffer.from('guest'), 'because');
});

test('a client that closes has its answer; one that goes without a word is noticed', async () => {
  const broker = await startBroker();
  const client = await RawClient.open(broker);
  client.send(method(0, '10.50', u16(200), shortString('bye'), u16(0), u16(0)));
  await client.method('10.51');
  client.end();
  await client.closed();
  const model = await connection(broker);
  const own = await channelOn(model);
  const rude = await RawClient.open(broker);
  rude.send(method(1, '50.10', u16(0), shortString('rude'), Buffer.from([0b100]), Buffer.alloc(4)));
  await rude.method('50.11');
  rude.end();
  const gone = async () => {
    const probe = await channelOn(model);
    return probe.checkQueue('rude').then(
      () => false,
      (error: { code?: number }) => error.code === 404,
    );
  };
  await until(gone);
  await own.close();
});
