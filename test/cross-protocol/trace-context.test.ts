import type { ConsumeMessage } from 'amqplib';
import { expect, test } from 'vitest';
import { confirmChannel } from '../amqp/fixture.ts';
import { createTopic, records, startBroker, type TwoFacedBroker } from './fixture.ts';

/** W3C trace context and baggage: what comes is what goes, to the byte, whoever sends and whoever gets it. */
const CONTEXT = {
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  tracestate: 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE',
  baggage: 'user=anna%20b,shop=7;ttl=3',
};
const OTHER = { ...CONTEXT, traceparent: '00-11111111111111111111111111111111-2222222222222222-00', baggage: 'x=é' };
const CONTEXTS = [CONTEXT, OTHER];

async function sendByKafka({ kafka }: TwoFacedBroker, topic: string): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic, messages: CONTEXTS.map((headers) => ({ value: 'x', headers })) });
  await producer.disconnect();
}

async function sendByAmqp(broker: TwoFacedBroker, exchange: string, key: string): Promise<void> {
  const opened = await confirmChannel(broker);
  for (const headers of CONTEXTS) opened.publish(exchange, key, Buffer.from('x'), { headers, persistent: true });
  await opened.waitForConfirms();
}

async function takeByAmqp(broker: TwoFacedBroker, queue: string, args: object = {}): Promise<object[]> {
  const opened = await confirmChannel(broker);
  await opened.prefetch(10);
  return await new Promise((resolve) => {
    const found: object[] = [];
    const take = (message: ConsumeMessage | null) => {
      if (message === null) return;
      opened.ack(message);
      const { traceparent, tracestate, baggage } = message.properties.headers ?? {};
      found.push({ traceparent, tracestate, baggage });
      if (found.length === CONTEXTS.length) resolve(found);
    };
    void opened.consume(queue, take, { arguments: args });
  });
}

async function takeByKafka(broker: TwoFacedBroker, topic: string): Promise<object[]> {
  const found = await records(broker, topic, CONTEXTS.length);
  return found.map(({ headers = {} }) => {
    const { traceparent, tracestate, baggage } = headers;
    return { traceparent: String(traceparent), tracestate: String(tracestate), baggage: String(baggage) };
  });
}

test('from AMQP to AMQP, by a queue, and by a dead letter', async () => {
  const broker = await startBroker();
  const opened = await confirmChannel(broker);
  await opened.assertQueue('dead');
  await opened.assertQueue('q', { messageTtl: 1, deadLetterExchange: '', deadLetterRoutingKey: 'dead' });
  await sendByAmqp(broker, '', 'q');
  expect(await takeByAmqp(broker, 'dead')).toEqual(CONTEXTS);
});

test('from AMQP to Kafka', async () => {
  const broker = await startBroker();
  await createTopic(broker, 'topic');
  const opened = await confirmChannel(broker);
  await opened.bindQueue('topic', 'amq.topic', '#');
  await sendByAmqp(broker, 'amq.topic', 'key');
  expect(await takeByKafka(broker, 'topic')).toEqual(CONTEXTS);
});

test('from Kafka to AMQP', async () => {
  const broker = await startBroker();
  await createTopic(broker, 'topic');
  await sendByKafka(broker, 'topic');
  expect(await takeByAmqp(broker, 'topic', { 'x-stream-offset': 'first' })).toEqual(CONTEXTS);
});

test('from Kafka to Kafka', async () => {
  const broker = await startBroker();
  await createTopic(broker, 'topic');
  await sendByKafka(broker, 'topic');
  expect(await takeByKafka(broker, 'topic')).toEqual(CONTEXTS);
});
