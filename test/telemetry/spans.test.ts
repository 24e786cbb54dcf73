import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import amqp from 'amqplib';
import { Kafka, logLevel } from 'kafkajs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type CreateBrokerOptions, createBroker } from '../../src/index.ts';
import { until } from '../amqp/fixture.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const SAMPLED = `00-${TRACE}-${PARENT}-01`;

interface Span {
  readonly traceId: string;
  readonly parentSpanId: string;
  readonly traceState?: string;
  readonly name: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  readonly status: { readonly code?: number };
}

/** A collector that takes spans by OTLP over HTTP, as JSON. */
async function collector() {
  const spans: Span[] = [];
  const requests: { url: string | undefined; headers: IncomingHttpHeaders }[] = [];
  const resources: unknown[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      requests.push({ url: request.url, headers: request.headers });
      for (const { resource, scopeSpans } of JSON.parse(body).resourceSpans) {
        resources.push(resource);
        for (const scope of scopeSpans) spans.push(...scope.spans);
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { endpoint, spans, requests, resources };
}

async function start(otlp: object, more: CreateBrokerOptions = {}) {
  const listeners = ['amqp://127.0.0.1:0', 'kafka://127.0.0.1:0'];
  const sluice = await createBroker({ listeners, ...more, settings: { telemetry: { otlp } } });
  onTestFinished(() => sluice.close());
  const [port, kafkaPort] = sluice.listeners.map((listener) => listener.port);
  const connection = await amqp.connect(`amqp://guest:guest@127.0.0.1:${port}`);
  onTestFinished(() => connection.close().catch(() => {}));
  const kafka = new Kafka({
    brokers: [`127.0.0.1:${kafkaPort}`],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 20 },
  });
  return { sluice, kafka, channel: await connection.createConfirmChannel() };
}

const attribute = ({ attributes }: Span, name: string) => {
  const value = attributes.find(({ key }) => key === name)?.value;
  return value === undefined ? undefined : Object.values(value)[0];
};
const operations = (spans: readonly Span[]) => spans.map(({ name }) => name).toSorted();

describe("the broker's spans", () => {
  test('publish, receive and settle are children of what the message carries, by the conventions for messaging', async () => {
    const { endpoint, spans, requests, resources } = await collector();
    const { channel } = await start({ endpoint, headers: ['authorization=Bearer x=y'], serviceName: 'orders broker' });
    await channel.assertQueue('q');
    await channel.bindQueue('q', 'amq.topic', '#');
    const headers = { traceparent: SAMPLED, tracestate: 'vendor=1' };
    channel.publish('amq.topic', 'a.b', Buffer.from('body'), { headers });
    await channel.waitForConfirms();
    await channel.consume('q', (message) => message && channel.ack(message));
    await until(() => spans.length >= 3);
    expect(operations(spans)).toEqual(['ack q', 'publish amq.topic', 'receive q']);
    for (const span of spans)
      expect(span).toMatchObject({ traceId: TRACE, parentSpanId: PARENT, traceState: 'vendor=1', kind: 2 });
    const [publish] = spans.filter(({ name }) => name.startsWith('publish'));
    if (publish === undefined) throw new Error('there is no span of the publish');
    expect(attribute(publish, 'messaging.operation.type')).toBe('send');
    expect(attribute(publish, 'messaging.destination.name')).toBe('amq.topic');
    expect(attribute(publish, 'messaging.rabbitmq.destination.routing_key')).toBe('a.b');
    expect(attribute(publish, 'network.protocol.name')).toBe('amqp');
    expect(requests[0]).toMatchObject({ url: '/v1/traces', headers: { authorization: 'Bearer x=y' } });
    expect(JSON.stringify(resources[0])).toContain('orders broker');
  });

  test('records of Kafka, and a message that crosses over', async () => {
    const { endpoint, spans } = await collector();
    const { kafka, channel } = await start({ endpoint });
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({
      topic: 'topic',
      messages: [{ value: 'no context' }, { key: 'k', value: 'x', headers: { traceparent: SAMPLED } }],
    });
    await producer.disconnect();
    await channel.bindQueue('topic', 'amq.direct', 'k');
    channel.publish('amq.direct', 'k', Buffer.from('x'), { headers: { traceparent: SAMPLED } });
    await channel.waitForConfirms();
    const consumer = kafka.consumer({ groupId: 'g', maxWaitTimeInMs: 50 });
    await consumer.connect();
    await consumer.subscribe({ topic: 'topic', fromBeginning: true });
    const seen: string[] = [];
    await consumer.run({
      eachMessage: async ({ message }) => void seen.push(String(message.headers?.['traceparent'])),
    });
    await until(() => seen.length === 3 && spans.length >= 4);
    await consumer.disconnect();
    // What is delivered is what was sent: the broker makes itself nobody's parent.
    expect(seen).toEqual(['undefined', SAMPLED, SAMPLED]);
    expect(operations(spans)).toEqual(['publish amq.direct', 'publish topic', 'receive topic', 'receive topic']);
    const [publish] = spans.filter(({ name }) => name === 'publish topic');
    if (publish === undefined) throw new Error('there is no span of the publish');
    expect(attribute(publish, 'messaging.kafka.message.key')).toBe('k');
    expect(Number(attribute(publish, 'messaging.kafka.offset'))).toBe(1);
    expect(attribute(publish, 'messaging.destination.partition.id')).toBe('0');
  });

  test('who did not sample gets none, nor who carries no context that is one, nor when the share is nothing', async () => {
    const { endpoint, spans } = await collector();
    const { channel } = await start({ endpoint });
    await channel.assertQueue('q');
    const contexts = [
      `00-${TRACE}-${PARENT}-00`,
      'nonsense',
      `ff-${TRACE}-${PARENT}-01`,
      `00-${'0'.repeat(32)}-${PARENT}-01`,
    ];
    for (const traceparent of contexts) channel.sendToQueue('q', Buffer.from('x'), { headers: { traceparent } });
    channel.sendToQueue('q', Buffer.from('x'), { headers: { traceparent: SAMPLED } });
    await channel.waitForConfirms();
    await until(() => spans.length > 0);
    expect(operations(spans)).toEqual(['publish q']);
    const none = await start({ endpoint, share: 0 });
    await none.channel.assertQueue('q');
    none.channel.sendToQueue('q', Buffer.from('x'), { headers: { traceparent: SAMPLED } });
    await none.channel.waitForConfirms();
    await none.sluice.close();
    expect(spans).toHaveLength(1);
  });

  test('a message that goes back and is refused: each delivery is one span, with what became of it', async () => {
    const { endpoint, spans } = await collector();
    const { channel } = await start({ endpoint });
    await channel.assertQueue('q', { maxLength: 1, arguments: { 'x-overflow': 'reject-publish' } });
    const publish = () => channel.sendToQueue('q', Buffer.from('x'), { headers: { traceparent: SAMPLED } });
    publish();
    await channel.waitForConfirms();
    publish();
    await channel.waitForConfirms().catch(() => {});
    await channel.consume('q', (message) => message && channel.nack(message, false, !message.fields.redelivered));
    await until(() => spans.length >= 6);
    expect(operations(spans)).toEqual(['publish q', 'publish q', 'receive q', 'receive q', 'reject q', 'requeue q']);
    const refused = spans.filter(({ status }) => status.code === 2);
    expect(refused.map((span) => attribute(span, 'error.type'))).toEqual(['refused']);
  });

  test('an endpoint that is down hurts nobody, and is told of in the log', async () => {
    const told: string[] = [];
    const log = (_: object, text: string) => void told.push(text);
    const logger = { debug: () => {}, info: () => {}, warn: log, error: log };
    const down = createServer();
    await new Promise<void>((resolve) => down.listen(0, '127.0.0.1', resolve));
    const { port } = down.address() as AddressInfo;
    await new Promise((resolve) => down.close(resolve));
    const { channel, sluice } = await start({ endpoint: `http://127.0.0.1:${port}` }, { logger: logger as never });
    await channel.assertQueue('q');
    for (let i = 0; i < 20_000; i++) channel.sendToQueue('q', Buffer.from('x'), { headers: { traceparent: SAMPLED } });
    await channel.waitForConfirms();
    await expect(channel.checkQueue('q')).resolves.toMatchObject({ messageCount: 20_000 });
    await until(() => told.some((text) => text.includes('spans could not be sent')));
    await sluice.close();
  }, 30_000);
});
