import { randomUUID } from 'node:crypto';
import type { Channel, ConsumeMessage, Options } from 'amqplib';
import { Kafka, type KafkaMessage, logLevel } from 'kafkajs';
import { onTestFinished } from 'vitest';
import { type CreateBrokerOptions, createBroker, type RunningBroker } from '../../src/index.ts';
import { type TestBroker, until } from '../amqp/fixture.ts';

export interface TwoFacedBroker extends TestBroker {
  readonly sluice: RunningBroker;
  readonly kafka: Kafka;
}

/** A broker that clients of RabbitMQ and of Kafka connect to; the end of the test closes it. */
export async function startBroker(options: CreateBrokerOptions = {}): Promise<TwoFacedBroker> {
  const sluice = await createBroker({ listeners: ['amqp://127.0.0.1:0', 'kafka://127.0.0.1:0'], ...options });
  onTestFinished(() => sluice.close());
  const [amqp, kafka] = sluice.listeners;
  const host = '127.0.0.1';
  const port = amqp?.port ?? 0;
  return {
    sluice,
    url: `amqp://guest:guest@${host}:${port}`,
    host,
    port,
    pass: async (ms) => {
      await sluice.idle();
      await sluice.clock.advance(ms);
      await sluice.idle();
    },
    kafka: new Kafka({
      brokers: [`${host}:${kafka?.port}`],
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 20, retries: 12 },
    }),
  };
}

export async function createTopic({ kafka }: TwoFacedBroker, topic: string, numPartitions = 1): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions }] });
  await admin.disconnect();
}

export type ConsumedRecord = KafkaMessage & { readonly partition: number };

/** The first so many records of a topic, in the order of their offsets. */
export async function records({ kafka }: TwoFacedBroker, topic: string, count: number): Promise<ConsumedRecord[]> {
  const consumer = kafka.consumer({ groupId: randomUUID(), maxWaitTimeInMs: 50 });
  const found: ConsumedRecord[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message, partition }) => {
      found.push({ ...message, partition });
    },
  });
  await until(() => found.length >= count);
  await consumer.disconnect();
  return found.sort((one, other) => Number(one.offset) - Number(other.offset));
}

/** The headers of a record, as text; null where the value is. */
export function headersOf(record: KafkaMessage | undefined): Record<string, unknown> {
  const text = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(text) : Buffer.isBuffer(value) ? value.toString() : value;
  return Object.fromEntries(Object.entries(record?.headers ?? {}).map(([name, value]) => [name, text(value)]));
}

export async function produce(
  { kafka }: TwoFacedBroker,
  topic: string,
  messages: Parameters<ReturnType<Kafka['producer']>['send']>[0]['messages'],
): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic, messages });
  await producer.disconnect();
}

/** Consumes a stream, and acknowledges what comes. */
export async function readStream(
  channel: Channel,
  queue: string,
  offset?: unknown,
  options: Options.Consume = {},
): Promise<ConsumeMessage[]> {
  const got: ConsumeMessage[] = [];
  await channel.prefetch(100);
  await channel.consume(
    queue,
    (message) => {
      if (message === null) return;
      got.push(message);
      channel.ack(message);
    },
    { ...options, arguments: { ...options.arguments, ...(offset !== undefined && { 'x-stream-offset': offset }) } },
  );
  return got;
}

export function bodies(messages: readonly { readonly content: Buffer }[]): string[] {
  return messages.map(({ content }) => content.toString());
}

export const STREAM = { durable: true, arguments: { 'x-queue-type': 'stream' } } as const;
