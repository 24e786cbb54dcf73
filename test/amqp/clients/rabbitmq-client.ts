import { type AsyncMessage, type Channel, Connection } from 'rabbitmq-client';
import { fibonacci, type Running, type TutorialClient } from './client.ts';

const line = ({ routingKey, body }: AsyncMessage) => `${routingKey} ${body}`;

async function withChannel<T>(url: string, use: (channel: Channel) => Promise<T>): Promise<T> {
  const connection = new Connection(url);
  const channel = await connection.acquire();
  try {
    return await use(channel);
  } finally {
    await channel.close();
    await connection.close();
  }
}

/** Resolves when the consumer is there; until then, whoever publishes to what it has declared may be too early. */
async function started(connection: Connection, consumer: ReturnType<Connection['createConsumer']>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    consumer.once('ready', resolve);
    consumer.once('error', reject);
    connection.once('error', reject);
  });
}

export const rabbitmqClient: TutorialClient = {
  name: 'rabbitmq-client',

  send: (url, { name, durable }, bodies) =>
    withChannel(url, async (channel) => {
      await channel.queueDeclare({ queue: name, durable });
      for (const body of bodies) await channel.basicPublish({ routingKey: name, durable }, body);
    }),

  async work(url, { name, durable }, work) {
    const connection = new Connection(url);
    const lines: string[] = [];
    // One that holds a message has to be able to end all the same.
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const consumer = connection.createConsumer(
      { queue: name, queueOptions: { durable }, qos: { prefetchCount: 1 }, concurrency: 1 },
      async (message) => {
        lines.push(line(message));
        if (work === 'hold') await held;
      },
    );
    await started(connection, consumer);
    const stop = async () => {
      if (work === 'hold') {
        // Without a word to the broker: what it has is another worker's from then on.
        connection.unsafeDestroy();
        release();
        return;
      }
      await consumer.close();
      await connection.close();
    };
    return { lines, stop };
  },

  emit: (url, { name, type }, messages) =>
    withChannel(url, async (channel) => {
      await channel.exchangeDeclare({ exchange: name, type });
      for (const [routingKey, body] of messages) await channel.basicPublish({ exchange: name, routingKey }, body);
    }),

  async subscribe(url, { name, type }, keys) {
    const connection = new Connection(url);
    const lines: string[] = [];
    const consumer = connection.createConsumer(
      {
        noAck: true,
        queueOptions: { exclusive: true },
        exchanges: [{ exchange: name, type }],
        queueBindings: keys.map((routingKey) => ({ exchange: name, routingKey })),
      },
      (message) => void lines.push(line(message)),
    );
    await started(connection, consumer);
    return { lines, stop: () => consumer.close().then(() => connection.close()) } satisfies Running;
  },

  /** Its own RPC client answers by way of direct reply-to. */
  async call(url, queue, numbers) {
    const connection = new Connection(url);
    const client = connection.createRPCClient();
    const answers: number[] = [];
    for (const n of numbers) answers.push(Number((await client.send(queue, `${n}`)).body));
    await client.close();
    await connection.close();
    return answers;
  },

  async serve(url, queue) {
    const connection = new Connection(url);
    const lines: string[] = [];
    const consumer = connection.createConsumer(
      { queue, queueOptions: { durable: false }, qos: { prefetchCount: 1 } },
      async (message, reply) => {
        lines.push(line(message));
        await reply(`${fibonacci(Number(message.body))}`);
      },
    );
    await started(connection, consumer);
    return { lines, stop: () => consumer.close().then(() => connection.close()) };
  },

  async confirm(url, queue, bodies) {
    const connection = new Connection(url);
    const publisher = connection.createPublisher({ confirm: true, queues: [{ queue, durable: true }] });
    await Promise.all(bodies.map((body) => publisher.send({ routingKey: queue, durable: true }, body)));
    await publisher.close();
    await connection.close();
  },
};
