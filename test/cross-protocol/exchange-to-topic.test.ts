import { expect, it } from 'vitest';
import { channel, confirmChannel, until } from '../amqp/fixture.ts';
import { bodies, createTopic, headersOf, readStream, records, STREAM, startBroker } from './fixture.ts';

it('what is published to an exchange is read by a Kafka consumer, with its properties in headers', async () => {
  const broker = await startBroker();
  const amqp = await confirmChannel(broker);
  await amqp.assertExchange('shop', 'topic');
  await amqp.assertQueue('orders', STREAM);
  await amqp.bindQueue('orders', 'shop', 'order.#');
  amqp.publish('shop', 'order.created', Buffer.from('{"id":1}'), {
    contentType: 'application/json',
    contentEncoding: 'utf-8',
    persistent: true,
    priority: 3,
    correlationId: 'c-1',
    replyTo: 'answers',
    expiration: '60000',
    messageId: 'm-1',
    timestamp: 1_600_000_000,
    type: 'order',
    appId: 'tests',
    headers: { region: 'eu', count: 42, urgent: true, nested: { a: [1, 'x'] }, tags: ['new', 'big'], none: null },
  });
  await amqp.waitForConfirms();
  const [record] = await records(broker, 'orders', 1);
  const { 'amqp-properties': exact, ...headers } = headersOf(record);
  expect(headers).toEqual({
    exchange: 'shop',
    'routing-key': 'order.created',
    'content-type': 'application/json',
    'content-encoding': 'utf-8',
    'delivery-mode': '2',
    priority: '3',
    'correlation-id': 'c-1',
    'reply-to': 'answers',
    expiration: '60000',
    'message-id': 'm-1',
    timestamp: '1600000000',
    type: 'order',
    'app-id': 'tests',
    region: 'eu',
    count: '42',
    urgent: 'true',
    nested: '{"a":[1,"x"]}',
    tags: ['new', 'big'],
    none: null,
  });
  expect(exact).toBeDefined();
  expect([record?.value?.toString(), record?.key, record?.timestamp]).toEqual(['{"id":1}', null, '1600000000000']);
});

it('a fanout exchange gives a message to a queue and to a stream', async () => {
  const broker = await startBroker();
  const amqp = await confirmChannel(broker);
  await amqp.assertExchange('news', 'fanout');
  await amqp.assertQueue('work');
  await amqp.assertQueue('log', STREAM);
  await amqp.bindQueue('work', 'news', '');
  await amqp.bindQueue('log', 'news', '');
  for (let i = 0; i < 20; i++) amqp.publish('news', '', Buffer.from(`${i}`));
  await amqp.waitForConfirms();
  const numbers = Array.from({ length: 20 }, (_, i) => `${i}`);
  expect(await amqp.checkQueue('log')).toMatchObject({ messageCount: 20 });
  const worked: string[] = [];
  await amqp.consume('work', (message) => worked.push(`${message?.content}`), { noAck: true });
  await until(() => worked.length === 20);
  expect(worked).toEqual(numbers);
  expect((await records(broker, 'log', 20)).map(({ value }) => value?.toString())).toEqual(numbers);
  // What is read from a stream stays there.
  const again = await readStream(await channel(broker), 'log', 'first');
  await until(() => again.length === 20);
  expect(bodies(again)).toEqual(numbers);
});

it('a topic that there is can be bound, and its partition is that of the key', async () => {
  const broker = await startBroker();
  await createTopic(broker, 'events', 3);
  const amqp = await confirmChannel(broker);
  await amqp.bindQueue('events', 'amq.direct', 'event');
  const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
  for (const key of keys) amqp.publish('amq.direct', 'event', Buffer.from(key), { headers: { 'x-kafka-key': key } });
  await amqp.waitForConfirms();
  const found = await records(broker, 'events', keys.length);
  const partitions = Object.fromEntries(found.map(({ key, partition }) => [key?.toString(), partition]));

  // Kafka's own clients agree.
  const producer = broker.kafka.producer();
  await producer.connect();
  await producer.send({ topic: 'events', messages: keys.map((key) => ({ key, value: 'again' })) });
  await producer.disconnect();
  const all = await records(broker, 'events', keys.length * 2);
  for (const { key, partition } of all) expect(partition).toBe(partitions[key?.toString() ?? '']);
  expect(headersOf(found[0])).toEqual({ exchange: 'amq.direct', 'routing-key': 'event' });
});

it('a message is confirmed when its record is safe, and after a restart it is there', async () => {
  const { temporaryDirectory } = await import('../kafka/fixture.ts');
  const options = { storage: 'disk', directory: await temporaryDirectory() } as const;
  const first = await startBroker(options);
  const amqp = await confirmChannel(first);
  await amqp.assertQueue('orders', STREAM);
  for (let i = 0; i < 10; i++) amqp.sendToQueue('orders', Buffer.from(`${i}`), { persistent: true });
  await amqp.waitForConfirms();
  await first.sluice.close();
  const second = await startBroker(options);
  const got = await readStream(await channel(second), 'orders', 5);
  await until(() => got.length === 5);
  expect(got.map(({ content, properties }) => [content.toString(), properties.headers?.['x-stream-offset']])).toEqual(
    [5, 6, 7, 8, 9].map((i) => [`${i}`, i]),
  );
});
