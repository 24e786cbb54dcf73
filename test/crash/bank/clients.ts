import { Producer, stringSerializers } from '@platformatic/kafka';
import { KafkaClient, kafkaError } from '../../../src/client/index.ts';
import { endTxn } from '../../../src/protocols/kafka/codec/apis/end-txn.ts';
import { initProducerId } from '../../../src/protocols/kafka/codec/apis/init-producer-id.ts';
import { produce } from '../../../src/protocols/kafka/codec/apis/produce.ts';
import { encodeBatch } from '../../../src/records/index.ts';
import { kafkajs } from '../../kafka/fixture.ts';

export interface Message {
  readonly topic: string;
  readonly partition: number;
  readonly value: string;
}

/** One life of a producer with a transactional id: what its predecessor had open is aborted when it begins. */
export interface TransactionalClient {
  begin(): Promise<void>;
  send(messages: readonly Message[]): Promise<void>;
  commit(): Promise<void>;
  abort(): Promise<void>;
  close(): Promise<void>;
}

export type ClientFactory = (address: string, transactionalId: string) => Promise<TransactionalClient>;

const TIMEOUT_MS = 30_000;

export async function kafkajsClient(address: string, transactionalId: string): Promise<TransactionalClient> {
  const producer = kafkajs(address).producer({
    transactionalId,
    maxInFlightRequests: 1,
    transactionTimeout: TIMEOUT_MS,
  });
  await producer.connect();
  let transaction: Awaited<ReturnType<typeof producer.transaction>> | undefined;
  return {
    begin: async () => {
      transaction = await producer.transaction();
    },
    send: async (messages) => {
      const topics = Map.groupBy(messages, ({ topic }) => topic);
      const topicMessages = Array.from(topics, ([topic, messages]) => ({ topic, messages }));
      await transaction?.sendBatch({ topicMessages });
    },
    commit: async () => transaction?.commit(),
    abort: async () => transaction?.abort(),
    close: () => producer.disconnect(),
  };
}

export async function platformaticClient(address: string, transactionalId: string): Promise<TransactionalClient> {
  const producer = new Producer({
    ...{ clientId: transactionalId, bootstrapBrokers: [address], transactionalId, idempotent: true },
    // It says that it is producer 0 unless it is told that it is none yet.
    ...{ producerId: -1n, producerEpoch: -1 },
    ...{ serializers: stringSerializers, timeout: TIMEOUT_MS, retryDelay: 50, acks: -1 },
  });
  let transaction: Awaited<ReturnType<typeof producer.beginTransaction>> | undefined;
  return {
    begin: async () => {
      transaction = await producer.beginTransaction();
    },
    send: async (messages) => {
      await transaction?.send({ messages: [...messages] });
    },
    commit: async () => transaction?.commit(),
    abort: async () => transaction?.abort(),
    close: async () => producer.close(),
  };
}

/** The last version that names topics by their names; from 12 on a batch makes its partition part of the transaction (KIP-890). */
const PRODUCE_VERSION = 12;

/** As the Java client of Kafka 4 does it, which is not always there: an epoch for each transaction, and no AddPartitionsToTxn. */
export async function epochPerTransactionClient(
  address: string,
  transactionalId: string,
): Promise<TransactionalClient> {
  const [host = '', port = ''] = address.split(':');
  const client = await KafkaClient.connect({ host, port: Number(port), clientId: transactionalId, timeoutMs: 10_000 });
  let producer = { producerId: -1, producerEpoch: -1 };
  let sequences = new Map<string, number>();
  const answered = <T extends { readonly errorCode: number }>(answer: T): T => {
    if (answer.errorCode !== 0) throw kafkaError(answer.errorCode, transactionalId);
    return answer;
  };
  const end = async (committed: boolean) => {
    const { producerId, producerEpoch } = answered(
      await client.request(endTxn, { transactionalId, ...producer, committed }),
    );
    producer = { producerId, producerEpoch };
    sequences = new Map();
  };
  const batchOf = (place: string, values: readonly string[]) => {
    const baseSequence = sequences.get(place) ?? 0;
    sequences.set(place, baseSequence + values.length);
    return encodeBatch({
      ...{ timestamp: 1_000_000, ...producer, baseSequence, transactional: true },
      records: values.map((value) => ({ key: null, value: Buffer.from(value) })),
    });
  };
  return {
    begin: async () => {
      if (producer.producerId >= 0) return;
      const { producerId, producerEpoch } = answered(
        await client.request(initProducerId, { transactionalId, transactionTimeoutMs: TIMEOUT_MS }),
      );
      producer = { producerId, producerEpoch };
    },
    send: async (messages) => {
      // All at once, each partition in a request of its own: what joins the transaction and what follows are under way together.
      const places = Map.groupBy(messages, ({ topic, partition }) => `${topic} ${partition}`);
      const answers = Array.from(places, ([place, messages]) => {
        const [name = '', index = ''] = place.split(' ');
        const records = batchOf(
          place,
          messages.map(({ value }) => value),
        );
        const topicData = [{ name, partitionData: [{ index: Number(index), records }] }];
        const request = { transactionalId, acks: -1, timeoutMs: 10_000, topicData };
        return client.request(produce, request, { maxVersion: PRODUCE_VERSION });
      });
      for (const { responses } of await Promise.all(answers))
        for (const { partitionResponses } of responses) for (const answer of partitionResponses) answered(answer);
    },
    commit: () => end(true),
    abort: () => end(false),
    close: () => client.close(),
  };
}
