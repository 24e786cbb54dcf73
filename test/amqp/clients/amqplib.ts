import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type Channel, type ChannelModel, type ConsumeMessage, connect } from 'amqplib';
import { fibonacci, type Running, type TutorialClient } from './client.ts';

const line = ({ fields, content }: ConsumeMessage) => `${fields.routingKey} ${content}`;

async function withChannel<T>(url: string, use: (channel: Channel) => Promise<T>): Promise<T> {
  const connection = await connect(url);
  try {
    const channel = await connection.createChannel();
    const result = await use(channel);
    await channel.close();
    return result;
  } finally {
    await connection.close();
  }
}

/** Publishes as fast as the socket takes it. */
async function publish(channel: Channel, exchange: string, key: string, body: string, persistent: boolean) {
  if (!channel.publish(exchange, key, Buffer.from(body), { persistent })) await once(channel, 'drain');
}

const running = (connection: ChannelModel, lines: readonly string[]): Running => ({
  lines,
  stop: () => connection.close(),
});

export const amqplib: TutorialClient = {
  name: 'amqplib',

  send: (url, { name, durable }, bodies) =>
    withChannel(url, async (channel) => {
      await channel.assertQueue(name, { durable });
      for (const body of bodies) await publish(channel, '', name, body, durable);
    }),

  async work(url, { name, durable }, work) {
    const connection = await connect(url);
    const channel = await connection.createChannel();
    await channel.assertQueue(name, { durable });
    await channel.prefetch(1);
    const lines: string[] = [];
    const onMessage = (message: ConsumeMessage | null) => {
      if (message === null) return;
      lines.push(line(message));
      if (work === 'acknowledge') channel.ack(message);
    };
    await channel.consume(name, onMessage);
    return running(connection, lines);
  },

  emit: (url, { name, type }, messages) =>
    withChannel(url, async (channel) => {
      await channel.assertExchange(name, type, { durable: false });
      for (const [key, body] of messages) await publish(channel, name, key, body, false);
    }),

  async subscribe(url, { name, type }, keys) {
    const connection = await connect(url);
    const channel = await connection.createChannel();
    await channel.assertExchange(name, type, { durable: false });
    const { queue } = await channel.assertQueue('', { exclusive: true });
    for (const key of keys) await channel.bindQueue(queue, name, key);
    const lines: string[] = [];
    await channel.consume(queue, (message) => void (message && lines.push(line(message))), { noAck: true });
    return running(connection, lines);
  },

  call: (url, queue, numbers) =>
    withChannel(url, async (channel) => {
      const { queue: replyTo } = await channel.assertQueue('', { exclusive: true });
      const waiting = new Map<string, (answer: number) => void>();
      const onAnswer = (message: ConsumeMessage | null) => {
        if (message !== null) waiting.get(String(message.properties.correlationId))?.(Number(message.content));
      };
      await channel.consume(replyTo, onAnswer, { noAck: true });
      const answers: number[] = [];
      for (const n of numbers) {
        const correlationId = randomUUID();
        const answer = new Promise<number>((resolve) => waiting.set(correlationId, resolve));
        channel.sendToQueue(queue, Buffer.from(`${n}`), { correlationId, replyTo });
        answers.push(await answer);
      }
      return answers;
    }),

  async serve(url, queue) {
    const connection = await connect(url);
    const channel = await connection.createChannel();
    await channel.assertQueue(queue, { durable: false });
    await channel.prefetch(1);
    const lines: string[] = [];
    const onMessage = (message: ConsumeMessage | null) => {
      if (message === null) return;
      lines.push(line(message));
      const { replyTo, correlationId } = message.properties;
      channel.sendToQueue(String(replyTo), Buffer.from(`${fibonacci(Number(message.content))}`), { correlationId });
      channel.ack(message);
    };
    await channel.consume(queue, onMessage);
    return running(connection, lines);
  },

  async confirm(url, queue, bodies) {
    const connection = await connect(url);
    const channel = await connection.createConfirmChannel();
    await channel.assertQueue(queue, { durable: true });
    for (const body of bodies) await publish(channel, '', queue, body, true);
    await channel.waitForConfirms();
    await connection.close();
  },
};
