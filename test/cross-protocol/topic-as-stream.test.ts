import type { ConsumeMessage } from 'amqplib';
import { CompressionTypes } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { channel, confirmChannel, until } from '../amqp/fixture.ts';
import { bodies, createTopic, headersOf, produce, readStream, records, startBroker } from './fixture.ts';

describe('a topic that is consumed as a stream queue', () => {
  it('begins where the consumer asks: first, last, next, an offset, a time', async () => {
    const broker = await startBroker();
    const now = Date.now();
    await createTopic(broker, 'orders');
    for (const [i, values] of [['a', 'b'], ['c'], ['d', 'e']].entries()) {
      const timestamp = String(now - 7_200_000 + i * 3_000_000);
      await produce(
        broker,
        'orders',
        values.map((value) => ({ value, timestamp })),
      );
    }
    // Three batches: two hours ago, 70 minutes ago, 20 minutes ago.
    const seconds = (ms: number) => ({ '!': 'timestamp', value: Math.floor(ms / 1000) });
    const wanted = [
      ['first', 'abcdef'],
      ['last', 'def'],
      ['next', 'f'],
      [undefined, 'f'],
      [1, 'bcdef'],
      [0, 'abcdef'],
      [seconds(now - 7_000_000), 'cdef'],
      [seconds(now + 60_000), 'f'],
      ['1h', 'def'],
      ['1D', 'abcdef'],
    ] as const;
    const reads: ConsumeMessage[][] = [];
    for (const [offset] of wanted) reads.push(await readStream(await channel(broker), 'orders', offset));
    await produce(broker, 'orders', [{ value: 'f' }]);
    await until(() => reads.every((got) => got.at(-1)?.content.toString() === 'f'));
    expect(reads.map((got) => bodies(got).join(''))).toEqual(wanted.map(([, text]) => text));
    expect(reads[4]?.map(({ properties }) => properties.headers?.['x-stream-offset'])).toEqual([1, 2, 3, 4, 5]);
  });

  it('has key, headers and time of a record in properties', async () => {
    const broker = await startBroker();
    await createTopic(broker, 'orders');
    const headers = {
      'content-type': 'text/plain',
      'correlation-id': 'c-1',
      text: 'grün',
      bytes: Buffer.from([0xff, 0]),
      twice: ['1', '2'],
    };
    await produce(broker, 'orders', [
      { key: 'k-1', value: 'body', headers, timestamp: '1600000000999' },
      { key: null, value: null, headers: {} },
    ]);
    const got = await readStream(await channel(broker), 'orders', 'first');
    await until(() => got.length === 2);
    const [first, second] = got;
    expect(first?.fields).toMatchObject({ exchange: '', routingKey: 'orders', redelivered: false });
    expect(first?.properties).toMatchObject({
      contentType: 'text/plain',
      correlationId: 'c-1',
      timestamp: 1_600_000_000,
      headers: {
        text: 'grün',
        bytes: Buffer.from([0xff, 0]),
        twice: ['1', '2'],
        'x-kafka-key': 'k-1',
        'x-stream-offset': 0,
      },
    });
    expect(second?.content.length).toBe(0);
    expect(second?.properties.headers).toEqual({ 'x-kafka-tombstone': true, 'x-stream-offset': 1 });
  });

  it('is read whatever codec its batches have', async () => {
    const broker = await startBroker();
    await createTopic(broker, 'orders');
    const producer = broker.kafka.producer();
    await producer.connect();
    const values = Array.from({ length: 500 }, (_, i) => `value ${i}`);
    await producer.send({
      topic: 'orders',
      compression: CompressionTypes.GZIP,
      messages: values.map((value) => ({ value })),
    });
    await producer.disconnect();
    const got = await readStream(await channel(broker), 'orders', 'first');
    await until(() => got.length === 500);
    expect(bodies(got)).toEqual(values);
  });

  it('is all of its partitions under its name, and one of them under the name of a partition', async () => {
    const broker = await startBroker();
    await createTopic(broker, 'orders', 3);
    const messages = [0, 1, 2].flatMap((partition) =>
      ['a', 'b'].map((value) => ({ partition, value: `${partition}${value}` })),
    );
    await produce(broker, 'orders', messages);
    const all = await readStream(await channel(broker), 'orders', 'first');
    const one = await readStream(await channel(broker), 'orders-1', 'first');
    await until(() => all.length === 6 && one.length === 2);
    expect(bodies(one)).toEqual(['1a', '1b']);
    expect(bodies(all).sort()).toEqual(['0a', '0b', '1a', '1b', '2a', '2b']);
    for (const { content, properties } of all)
      expect(properties.headers?.['x-kafka-partition']).toBe(Number(content.toString().slice(0, 1)));
  });

  it('is counted, and no more is out than the prefetch allows', async () => {
    const broker = await startBroker();
    await createTopic(broker, 'orders');
    await produce(
      broker,
      'orders',
      Array.from({ length: 50 }, (_, i) => ({ value: `${i}` })),
    );
    const amqp = await channel(broker);
    expect(await amqp.checkQueue('orders')).toEqual({ queue: 'orders', messageCount: 50, consumerCount: 0 });
    await amqp.prefetch(10);
    const got: string[] = [];
    const tags: (() => void)[] = [];
    await amqp.consume(
      'orders',
      (message) => {
        if (message === null) return;
        got.push(message.content.toString());
        // However it is settled, the stream keeps it and the next one comes.
        tags.push(() => (got.length % 2 === 0 ? amqp.ack(message) : amqp.nack(message)));
      },
      { arguments: { 'x-stream-offset': 'first' } },
    );
    await until(() => got.length === 10);
    await broker.sluice.idle();
    expect(got.length).toBe(10);
    expect(await amqp.checkQueue('orders')).toMatchObject({ consumerCount: 1, messageCount: 50 });
    while (got.length < 50) {
      for (const settle of tags.splice(0)) settle();
      await until(() => tags.length > 0 || got.length === 50);
    }
    expect(got).toEqual(Array.from({ length: 50 }, (_, i) => `${i}`));
  });

  it('tells its consumers when it is deleted by a Kafka client', async () => {
    const broker = await startBroker();
    await createTopic(broker, 'orders');
    const amqp = await channel(broker);
    await amqp.prefetch(1);
    let cancelled = false;
    await amqp.consume('orders', (message) => {
      cancelled = message === null;
    });
    const admin = broker.kafka.admin();
    await admin.connect();
    await admin.deleteTopics({ topics: ['orders'] });
    await admin.disconnect();
    await until(() => cancelled);
    await expect(amqp.checkQueue('orders')).rejects.toThrow(/404/);
  });

  it('gives to an application that copies it everything that a copy needs', async () => {
    const broker = await startBroker();
    await createTopic(broker, 'orders');
    await createTopic(broker, 'copies');
    const headers = {
      'content-type': 'text/plain',
      priority: 'high',
      a: '1',
      bytes: Buffer.from([0xff]),
      twice: ['x', 'y'],
    };
    await produce(broker, 'orders', [
      { key: 'k', value: 'v', headers, timestamp: '1600000000000' },
      { key: Buffer.from([0xff]), value: null },
    ]);
    const amqp = await confirmChannel(broker);
    const got = await readStream(amqp, 'orders', 'first');
    await until(() => got.length === 2);
    for (const { content, properties } of got) amqp.sendToQueue('copies', content, properties);
    await amqp.waitForConfirms();
    const [first, second] = await records(broker, 'copies', 2);
    expect([first?.key?.toString(), first?.value?.toString(), first?.timestamp]).toEqual(['k', 'v', '1600000000000']);
    expect([second?.key, second?.value]).toEqual([Buffer.from([0xff]), null]);
    const original = (await records(broker, 'orders', 2))[0];
    expect(headersOf(first)).toMatchObject(headersOf(original));
  });
});
