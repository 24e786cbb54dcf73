import {
  consume,
  createTopic,
  findTopic,
  KafkaClient,
  type KafkaClientOptions,
  latestOffsets,
  Producer,
  removeTopics,
} from '../../client/index.ts';
import type { Load } from './load.ts';

export interface KafkaLoadOptions {
  readonly connection: KafkaClientOptions;
  readonly topic: string;
  readonly partitions: number;
  readonly acks: 1 | -1;
  /** Messages of one request. */
  readonly batch: number;
}

/** Produces to a topic of its own and consumes from it, and takes it away. */
export async function runKafka(load: Load, options: KafkaLoadOptions): Promise<void> {
  const { topic, partitions } = options;
  const clients: KafkaClient[] = [];
  const connect = async () => {
    const client = await KafkaClient.connect({ ...options.connection, clientId: 'sluice-bench' });
    clients.push(client);
    return client;
  };
  const admin = await connect();
  try {
    await createTopic(admin, { name: topic, partitions, configs: {} });
    const done = new AbortController();
    const consumers = Array.from({ length: load.work.consumers }, async (_, index) => {
      const mine = Array.from({ length: partitions }, (_, partition) => partition).filter(
        (partition) => partition % load.work.consumers === index,
      );
      if (mine.length > 0) await read(await connect(), load, topic, mine, done.signal);
    });
    const { batch, acks } = options;
    const together = Math.max(1, Math.floor(load.work.inFlight / batch));
    const producers = Array.from({ length: load.work.producers }, async () => {
      const client = await connect();
      const producer = new Producer(client, await findTopic(client, topic), { acks });
      await Promise.all(Array.from({ length: together }, () => write(producer, load, batch)));
    });
    await Promise.all(producers);
    if (load.work.consumers > 0) await load.settled();
    done.abort();
    await Promise.all(consumers);
  } finally {
    await removeTopics(admin, [topic]).catch(() => {});
    await Promise.all(clients.map((client) => client.close()));
  }
}

async function write(producer: Producer, load: Load, batch: number): Promise<void> {
  for (let count = await load.take(batch); count > 0; count = await load.take(batch)) {
    const sentAt = load.now();
    await producer.produce(Array.from({ length: count }, () => ({ value: load.message() })));
    load.confirmed(count, sentAt);
  }
}

async function read(
  client: KafkaClient,
  load: Load,
  topic: string,
  partitions: readonly number[],
  signal: AbortSignal,
): Promise<void> {
  const from = await latestOffsets(client, topic, partitions);
  for await (const records of consume(client, { topic, from, signal }))
    for (const { value } of records) if (value !== null) load.consumed(value);
}
