import type { ConsumeMessage } from 'amqplib';
import { describe, expect, it } from 'vitest';
import { channel, channelOn, confirmChannel, connection, until } from '../amqp/fixture.ts';
import { closedByBroker } from '../amqp/refusal.ts';
import { bodies, readStream, STREAM, startBroker } from './fixture.ts';

describe('a stream queue', () => {
  it('gives back to the byte what was published, with the offset beside it', async () => {
    const broker = await startBroker();
    const amqp = await confirmChannel(broker);
    await amqp.assertQueue('orders', STREAM);
    const properties = {
      contentType: 'text/plain',
      correlationId: 'c',
      priority: 7,
      timestamp: 1_700_000_000,
      type: 'order',
      deliveryMode: 2,
    };
    const headers = {
      n: 42,
      big: 2 ** 40,
      half: 0.5,
      yes: true,
      none: null,
      bytes: Buffer.from([1]),
      list: [1, 'a'],
      t: { u: 1 },
      type: 'x',
    };
    amqp.sendToQueue('orders', Buffer.from('body'), { ...properties, headers });
    await amqp.waitForConfirms();
    const got = await readStream(await channel(broker), 'orders', 'first');
    await until(() => got.length === 1);
    expect(got[0]?.properties).toMatchObject(properties);
    expect(got[0]?.properties.headers).toEqual({ ...headers, 'x-stream-offset': 0 });
    expect(got[0]?.fields).toMatchObject({ exchange: '', routingKey: 'orders' });
  });

  it('gives each consumer what it filters for', async () => {
    const broker = await startBroker();
    const amqp = await confirmChannel(broker);
    await amqp.assertQueue('orders', STREAM);
    for (const [body, value] of [
      ['1', 'eu'],
      ['2', 'us'],
      ['3', undefined],
      ['4', 'eu'],
      ['5', 'asia'],
    ] as const) {
      const headers = value === undefined ? {} : { 'x-stream-filter-value': value };
      amqp.sendToQueue('orders', Buffer.from(body), { headers });
    }
    await amqp.waitForConfirms();
    const wanted = [
      [{ 'x-stream-filter': 'eu' }, '14e'],
      [{ 'x-stream-filter': ['eu', 'us'] }, '124e'],
      [{ 'x-stream-filter': 'eu', 'x-stream-match-unfiltered': true }, '134e'],
      [{}, '12345e'],
    ] as const;
    const reads: ConsumeMessage[][] = [];
    for (const [args] of wanted)
      reads.push(await readStream(await channel(broker), 'orders', 'first', { arguments: args }));
    amqp.sendToQueue('orders', Buffer.from('e'), { headers: { 'x-stream-filter-value': 'eu' } });
    await until(() => reads.every((got) => got.at(-1)?.content.toString() === 'e'));
    expect(reads.map((got) => bodies(got).join(''))).toEqual(wanted.map(([, text]) => text));
  });

  it('lets go of what is older than x-max-age, for both protocols', async () => {
    const broker = await startBroker({
      clock: 'virtual',
      // Clients do not live by this clock.
      settings: { amqp: { heartbeatSeconds: 0 } },
    });
    const amqp = await confirmChannel(broker);
    await amqp.assertQueue('short', { durable: true, arguments: { 'x-queue-type': 'stream', 'x-max-age': '1h' } });
    await amqp.assertQueue('long', STREAM);
    const publish = async (body: string) => {
      for (const queue of ['short', 'long']) amqp.sendToQueue(queue, Buffer.from(body));
      await amqp.waitForConfirms();
    };
    await publish('old');
    await broker.pass(3_000_000);
    await publish('new');
    await broker.pass(1_000_000);
    await until(async () => (await amqp.checkQueue('short')).messageCount === 1);
    expect(await amqp.checkQueue('long')).toMatchObject({ messageCount: 2 });
    const got = await readStream(await channel(broker), 'short', 'first');
    await until(() => got.length === 1);
    expect([bodies(got), got[0]?.properties.headers?.['x-stream-offset']]).toEqual([['new'], 1]);
    const admin = broker.kafka.admin();
    await admin.connect();
    expect(await admin.fetchTopicOffsets('short')).toMatchObject([{ low: '1', high: '2' }]);
    await admin.disconnect();
  });

  it('takes messages as large as a queue does', async () => {
    const broker = await startBroker();
    const amqp = await confirmChannel(broker);
    await amqp.assertQueue('large', STREAM);
    const body = Buffer.alloc(5 * 1024 * 1024, 'x');
    amqp.sendToQueue('large', body);
    amqp.sendToQueue('large', Buffer.from('after'));
    await amqp.waitForConfirms();
    const got = await readStream(await channel(broker), 'large', 'first');
    await until(() => got.length === 2);
    expect([got[0]?.content.equals(body), got[1]?.content.toString()]).toEqual([true, 'after']);
  });

  it.each([
    ['without a prefetch', 0, { noAck: false }, 406, 'consumer prefetch count is not set'],
    ['that acknowledges by itself', 10, { noAck: true }, 540, 'automatic acknowledgement not supported'],
    ['that begins at nothing', 10, { arguments: { 'x-stream-offset': 'soon' } }, 406, 'invalid_stream_offset_arg'],
  ])('refuses a consumer %s', async (_, prefetch, options, code, message) => {
    const broker = await startBroker();
    const model = await connection(broker);
    const amqp = await channelOn(model);
    await amqp.assertQueue('orders', STREAM);
    if (prefetch > 0) await amqp.prefetch(prefetch);
    const refused = closedByBroker(code === 540 ? model : amqp);
    await amqp.consume('orders', () => {}, options).catch(() => {});
    expect(await refused).toMatchObject({ code, text: expect.stringContaining(message) });
  });

  it('with a name that no topic can have is a topic with a name like it', async () => {
    const broker = await startBroker();
    const amqp = await confirmChannel(broker);
    await amqp.assertQueue('my orders', STREAM);
    amqp.sendToQueue('my orders', Buffer.from('odd'));
    await amqp.waitForConfirms();
    const admin = broker.kafka.admin();
    await admin.connect();
    const topics = await admin.listTopics();
    await admin.disconnect();
    expect(topics).toEqual([expect.stringMatching(/^my-orders-[0-9a-f]{10}$/)]);
    const got = await readStream(await channel(broker), 'my orders', 'first');
    await until(() => got.length === 1);
  });
});
