import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connection, onSluice, startBroker, type TestBroker } from './fixture.ts';
import {
  BODY,
  type Close,
  connectionOpen,
  frame,
  HEADER,
  HEARTBEAT,
  header,
  METHOD,
  method,
  PROTOCOL_HEADER,
  publish,
  RawClient,
  shortString,
  u16,
  u32,
} from './raw-client.ts';

let broker: TestBroker;
/** Somebody whose connection has nothing to do with it. */
let bystander: Awaited<ReturnType<typeof connection>>;

beforeEach(async () => {
  broker = await startBroker();
  bystander = await connection(broker);
});

afterEach(async () => {
  await (await bystander.createChannel()).close();
});

describe('what is no AMQP 0-9-1 is answered with the header of what is, and closed', () => {
  test.each<[what: string, bytes: Buffer]>([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['AMQP 7.7', Buffer.from('AMQP\x00\x07\x07\x07', 'latin1')],
    ['zeros', Buffer.alloc(64)],
  ])('%s', async (_what, bytes) => {
    const client = await RawClient.connect(broker);
    client.send(bytes);
    await client.closed();
    expect(client.received).toEqual(PROTOCOL_HEADER);
  });
});

describe('bytes that are wrong close that connection, with a word', () => {
  test.each<[what: string, bytes: Buffer, close: Close]>([
    [
      'a frame that does not end as frames do',
      frame(METHOD, 1, Buffer.alloc(12), 0),
      { code: 501, text: expect.stringMatching(/^FRAME_ERROR - .*/), method: '0.0' },
    ],
    [
      'a frame of a type that there is not',
      frame(77, 1, Buffer.alloc(4)),
      { code: 501, text: expect.stringMatching(/^FRAME_ERROR - /), method: '0.0' },
    ],
    [
      'a method that ends too soon',
      frame(METHOD, 1, Buffer.concat([u16(50), u16(10), u16(0), Buffer.from([200, 1, 2])])),
      { code: 501, text: expect.stringMatching(/^FRAME_ERROR - cannot decode /), method: '50.10' },
    ],
    [
      'a body before a header',
      Buffer.concat([publish(1, '', 'q'), frame(BODY, 1, Buffer.from('x'))]),
      { code: 505, text: expect.stringMatching(/^UNEXPECTED_FRAME - expected content header/), method: '60.40' },
    ],
    [
      'a header before a method',
      header(1, 0),
      { code: 505, text: expect.stringMatching(/^UNEXPECTED_FRAME - expected method frame/), method: '0.0' },
    ],
    [
      'a header of another class',
      Buffer.concat([publish(1, '', 'q'), header(1, 0, 50)]),
      {
        code: 505,
        text: expect.stringMatching(/^UNEXPECTED_FRAME - expected content header for class 60/),
        method: '60.40',
      },
    ],
    [
      'a method before the body has ended',
      Buffer.concat([publish(1, '', 'q'), header(1, 5), publish(1, '', 'q')]),
      { code: 505, text: expect.stringMatching(/^UNEXPECTED_FRAME - expected content body/), method: '60.40' },
    ],
    [
      'a channel that is not open',
      method(9, '60.10', u32(0), u16(1), Buffer.from([0])),
      { code: 504, text: expect.stringMatching(/^CHANNEL_ERROR - expected 'channel.open'/), method: '60.10' },
    ],
    [
      'a channel that is open already',
      method(1, '20.10', shortString('')),
      { code: 504, text: expect.stringMatching(/^CHANNEL_ERROR - second 'channel.open' seen/), method: '20.10' },
    ],
    [
      'a method of channels on channel 0',
      publish(0, '', 'q'),
      { code: 504, text: 'CHANNEL_ERROR - unexpected method in connection state running', method: '60.40' },
    ],
    [
      'a method of connections on channel 1',
      method(1, '10.40', shortString('/'), shortString(''), Buffer.from([0])),
      { code: 503, text: expect.stringMatching(/^COMMAND_INVALID - /), method: '10.40' },
    ],
    [
      'a connection that is opened for the second time',
      connectionOpen('/'),
      { code: 504, text: 'CHANNEL_ERROR - unexpected method in connection state running', method: '10.40' },
    ],
    [
      'the broker’s own part',
      method(1, '50.11', shortString('q'), u32(0), u32(0)),
      { code: 503, text: expect.stringMatching(/^COMMAND_INVALID - /), method: '50.11' },
    ],
  ])('%s', async (_what, bytes, close) => {
    const client = await RawClient.open(broker);
    client.send(bytes);
    expect(await client.connectionClose()).toEqual(close);
    client.send(method(0, '10.51'));
    await client.closed();
  });

  test('a frame that is larger than was agreed, before it has come', async () => {
    const client = await RawClient.open(broker, { frameMax: 4096 });
    client.send(Buffer.concat([Buffer.from([METHOD]), u16(1), u32(4097)]));
    expect(await client.connectionClose()).toMatchObject({
      code: 501,
      text: expect.stringMatching(/^FRAME_ERROR - /),
    });
  });

  // RabbitMQ waits for more.
  test.runIf(onSluice)('a body that is longer than its header says', async () => {
    const client = await RawClient.open(broker);
    client.send(publish(1, '', 'q'), header(1, 2), frame(BODY, 1, Buffer.from('long')));
    expect((await client.connectionClose()).code).toBeGreaterThanOrEqual(501);
  });

  // RabbitMQ has no word for it.
  test.each(['60.99', '99.10'])('a method that there is not: %s', async (name) => {
    const client = await RawClient.open(broker);
    client.send(method(1, name));
    await (onSluice ? client.connectionClose() : client.closed());
  });
});

test('heartbeats and empty bodies are frames as well, and may come in between', async () => {
  const client = await RawClient.open(broker);
  client.send(frame(HEARTBEAT, 0, Buffer.alloc(0)));
  client.send(publish(1, '', 'q'), header(1, 2), frame(BODY, 1, Buffer.alloc(0)), frame(BODY, 1, Buffer.from('ab')));
  client.send(frame(HEARTBEAT, 0, Buffer.alloc(0)));
  client.send(method(1, '20.40', u16(200), shortString('bye'), u16(0), u16(0)));
  await client.method('20.41');
});

test('a client may send byte by byte', async () => {
  const client = await RawClient.open(broker);
  const bytes = method(1, '50.10', u16(0), shortString(''), Buffer.from([0b0100]), u32(0));
  for (const byte of bytes) {
    client.send(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await client.method('50.11');
});

test('a client that says nothing more after its greeting, or closes in the middle of a frame, is let go', async () => {
  const greeted = await RawClient.connect(broker);
  greeted.send(PROTOCOL_HEADER);
  await greeted.method('10.10');
  greeted.end();
  await greeted.closed();
  const cut = await RawClient.open(broker);
  cut.send(publish(1, '', 'q').subarray(0, 9));
  cut.end();
  await cut.closed();
});

// RabbitMQ may wait for the rest of what looks like a frame.
test.runIf(onSluice)('random bytes never close more than their own connection', async () => {
  let state = 1;
  const random = (below: number) => {
    state = (state * 48_271) % 0x7fff_ffff;
    return state % below;
  };
  for (let i = 0; i < 50; i++) {
    const client = await RawClient.open(broker);
    const payload = Buffer.from(Array.from({ length: random(60) }, () => random(256)));
    client.send(frame([METHOD, HEADER, BODY][random(3)] ?? METHOD, 1, payload));
    client.send(Buffer.from(Array.from({ length: 100 }, () => random(256))));
    client.end();
    await client.closed();
  }
});
