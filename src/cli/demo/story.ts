import { AmqpClient, type AmqpMessage } from '../../client/amqp-client.ts';
import { type ConsumedRecord, consume, findTopic, KafkaClient, Producer } from '../../client/index.ts';
import type { ShownTransfer } from '../../protocols/http/shapes/queue-messages.ts';
import { type ApiClient, path } from '../api/index.ts';
import type { Address } from '../arguments.ts';
import { pause } from '../pause.ts';
import { Inbox } from './inbox.ts';
import type { Narrator } from './narrator.ts';

export interface Stage {
  readonly narrator: Narrator;
  readonly api: ApiClient;
  readonly amqp: Address;
  readonly kafka: Address;
  readonly signal: AbortSignal;
}

const HOST = '/';
const EXCHANGE = 'shop';
const MAILS = 'mails';
const FAILED = 'mails.failed';
const ORDERS = 'orders';
const PERSISTENT = 2;
const ASK_AGAIN_MS = 20;

/** Clients of every protocol talk to each other, and all of it is told. */
export async function play(stage: Stage): Promise<void> {
  await declare(stage);
  const mails = new Inbox<AmqpMessage>();
  const orders = new Inbox<ConsumedRecord>();
  const worker = await AmqpClient.connect({
    ...stage.amqp,
    name: 'mail worker',
    onMessage: (message) => mails.put(message),
  });
  const shop = await AmqpClient.connect({ ...stage.amqp, name: 'shop' });
  const kafka = await KafkaClient.connect({ ...stage.kafka, clientId: 'analytics' });
  const done = new AbortController();
  const reading = readOrders(kafka, orders, AbortSignal.any([done.signal, stage.signal]));
  try {
    await subscribe(stage, worker);
    await order(stage, shop, worker, mails, orders);
    await fromKafka(stage);
    await fromHttp(stage, worker, mails, orders);
    await fail(stage, worker, mails);
  } finally {
    done.abort();
    await Promise.all([worker.close(), shop.close(), reading.catch(() => {})]);
    await kafka.close();
  }
}

async function declare({ narrator, api }: Stage): Promise<void> {
  await narrator.step('HTTP makes what the others use: an exchange, a queue, a stream');
  const failed = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': FAILED };
  await api.put(path`/exchanges/${HOST}/${EXCHANGE}`, { type: 'topic', durable: true });
  await api.put(path`/queues/${HOST}/${FAILED}`, { durable: true });
  await api.put(path`/queues/${HOST}/${MAILS}`, { durable: true, arguments: failed });
  await api.put(path`/queues/${HOST}/${ORDERS}`, { durable: true, arguments: { 'x-queue-type': 'stream' } });
  for (const queue of [MAILS, ORDERS])
    await api.post(path`/bindings/${HOST}/e/${EXCHANGE}/q/${queue}`, { routing_key: 'order.*' });
  await narrator.tell('http', `exchange ${EXCHANGE} (topic): what has a key like order.* goes to both of these`);
  await narrator.tell('http', `queue ${MAILS}: each message is for one worker, and leaves when it is acknowledged`);
  await narrator.tell('http', `stream ${ORDERS}: a Kafka topic, which many read, each at its own pace`);
}

async function subscribe({ narrator }: Stage, worker: AmqpClient): Promise<void> {
  await narrator.step('Clients subscribe');
  await worker.call('basic.qos', { prefetchSize: 0, prefetchCount: 10 }, 'basic.qos-ok');
  await worker.call('basic.consume', { queue: MAILS, consumerTag: 'mail worker' }, 'basic.consume-ok');
  await narrator.tell('amqp', `a mail worker consumes queue ${MAILS}`);
  await narrator.tell('kafka', `analytics reads topic ${ORDERS}`);
}

async function readOrders(client: KafkaClient, orders: Inbox<ConsumedRecord>, signal: AbortSignal): Promise<void> {
  for await (const records of consume(client, { topic: ORDERS, from: new Map([[0, 0]]), signal }))
    for (const record of records) orders.put(record);
}

async function order(
  { narrator }: Stage,
  shop: AmqpClient,
  worker: AmqpClient,
  mails: Inbox<AmqpMessage>,
  orders: Inbox<ConsumedRecord>,
): Promise<void> {
  await narrator.step('One message, published over AMQP, reaches both');
  const body = Buffer.from('{"order":1,"item":"tea"}');
  const properties = { contentType: 'application/json', deliveryMode: PERSISTENT };
  shop.publish({ exchange: EXCHANGE, routingKey: 'order.created', body, properties });
  await narrator.tell('amqp', `the shop publishes to ${EXCHANGE} with the key order.created: ${body}`);
  await receive(narrator, worker, mails, orders);
}

async function receive(
  narrator: Narrator,
  worker: AmqpClient,
  mails: Inbox<AmqpMessage>,
  orders: Inbox<ConsumedRecord>,
): Promise<void> {
  const mail = await mails.next('the message of the queue');
  worker.acknowledge(mail.deliveryTag);
  await narrator.tell('amqp', `the mail worker got ${mail.body}, and acknowledges it`);
  const { offset, value } = await orders.next('the record of the stream');
  await narrator.tell('kafka', `analytics read ${value} at offset ${offset}`);
}

async function fromKafka({ narrator, kafka, amqp }: Stage): Promise<void> {
  await narrator.step('A record, produced over Kafka, is read over AMQP');
  const client = await KafkaClient.connect({ ...kafka, clientId: 'warehouse' });
  const value = Buffer.from('{"order":2,"item":"coffee"}');
  const [produced] = await new Producer(client, await findTopic(client, ORDERS)).produce([
    { key: Buffer.from('2'), value },
  ]);
  await client.close();
  await narrator.tell('kafka', `the warehouse produces ${value} with the key 2: offset ${produced?.baseOffset}`);
  const read = new Inbox<AmqpMessage>();
  const reader = await AmqpClient.connect({
    ...amqp,
    name: 'stream reader',
    onMessage: (message) => read.put(message),
  });
  await reader.call('basic.qos', { prefetchSize: 0, prefetchCount: 10 }, 'basic.qos-ok');
  const first = new Map([['x-stream-offset', { type: 'S', value: 'first' } as const]]);
  await reader.call('basic.consume', { queue: ORDERS, consumerTag: 'reader', arguments: first }, 'basic.consume-ok');
  for (let count = 0; count < 2; count++) {
    const { body } = await read.next('what the stream has');
    await narrator.tell('amqp', `a reader of the stream, from its beginning: ${body}`);
  }
  await reader.close();
}

async function fromHttp(
  { narrator, api }: Stage,
  worker: AmqpClient,
  mails: Inbox<AmqpMessage>,
  orders: Inbox<ConsumedRecord>,
): Promise<void> {
  await narrator.step('HTTP publishes too');
  const payload = '{"order":3,"item":"cake"}';
  await publishOverHttp(api, payload);
  await narrator.tell('http', `POST /api/exchanges/%2F/${EXCHANGE}/publish: ${payload}`);
  // What the warehouse produced comes first: it went to the stream alone.
  await orders.next('the record of the warehouse');
  await receive(narrator, worker, mails, orders);
}

async function publishOverHttp(api: ApiClient, payload: string): Promise<void> {
  const properties = { delivery_mode: PERSISTENT };
  const message = { routing_key: 'order.created', properties, payload, payload_encoding: 'string' };
  await api.post(path`/exchanges/${HOST}/${EXCHANGE}/publish`, message);
}

async function fail({ narrator, api }: Stage, worker: AmqpClient, mails: Inbox<AmqpMessage>): Promise<void> {
  await narrator.step('A message that cannot be worked on is a dead letter, until somebody brings it back');
  await publishOverHttp(api, '{"order":4,"item":null}');
  const bad = await mails.next('the message of the queue');
  worker.reject(bad.deliveryTag, false);
  await narrator.tell('amqp', `the mail worker rejects ${bad.body}`);
  await arrived(api);
  await narrator.tell('broker', `it lies in ${FAILED} now, with a header that says why`);
  const redrive = path`/dead-letters/${HOST}/${FAILED}/redrive`;
  const { moved } = (await api.post(redrive, {})).body as ShownTransfer;
  await narrator.tell('http', `POST /api/dead-letters/%2F/${FAILED}/redrive: ${moved} brought back`);
  const again = await mails.next('what was brought back');
  worker.acknowledge(again.deliveryTag);
  await narrator.tell('amqp', `the mail worker got ${again.body} again, and acknowledges it`);
}

/** The broker works on what the worker has sent while others ask. */
async function arrived(api: ApiClient): Promise<void> {
  for (;;) {
    const { messages } = await api.get<{ readonly messages: number }>(path`/queues/${HOST}/${FAILED}`);
    if (messages > 0) return;
    await pause(ASK_AGAIN_MS);
  }
}
