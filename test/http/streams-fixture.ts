import { Kafka, logLevel, type Message } from 'kafkajs';
import { onTestFinished } from 'vitest';
import type { CreateBrokerOptions } from '../../src/index.ts';
import { type ApiBroker, startApi } from './fixture.ts';

export interface StreamsBroker extends ApiBroker {
  readonly kafka: Kafka;
  /** Of Kafka's listener. */
  readonly address: string;
  /** Sends messages as one batch for each partition. */
  send(topic: string, messages: Message[]): Promise<void>;
}

/** A broker that is asked over HTTP and used by Kafka's clients. */
export async function startStreams(options: CreateBrokerOptions = {}): Promise<StreamsBroker> {
  const listeners = ['http://127.0.0.1:0', 'kafka://127.0.0.1:0', 'amqp://127.0.0.1:0'];
  const api = await startApi({ listeners, ...options });
  const address = `127.0.0.1:${api.sluice.listeners[1]?.port}`;
  const kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING, retry: { initialRetryTime: 20 } });
  let producer: ReturnType<Kafka['producer']> | undefined;
  return {
    ...api,
    ...{ kafka, address },
    send: async (topic, messages) => {
      if (producer === undefined) {
        producer = kafka.producer();
        await producer.connect();
        onTestFinished(() => producer?.disconnect());
      }
      await producer.send({ topic, messages });
    },
  };
}

export interface ReceivedEvent {
  readonly event: string;
  readonly id: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: what tests look into
  readonly data: any;
}

/** Listens to server-sent events; `next` resolves with the following one. The end of the test closes it. */
export async function listen(url: string, headers: Readonly<Record<string, string>> = {}) {
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  const authorization = `Basic ${Buffer.from('guest:guest').toString('base64')}`;
  const response = await fetch(url, { headers: { authorization, ...headers }, signal: controller.signal });
  const events = response.body === null ? undefined : eventsOf(response.body);
  return {
    response,
    close: () => controller.abort(),
    next: async (): Promise<ReceivedEvent> => {
      const found = await events?.next();
      if (found === undefined || found.done) throw new Error('there are no more events');
      return found.value;
    },
  };
}

async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<ReceivedEvent, void> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const lines = text.slice(0, end).split('\n');
      text = text.slice(end + 2);
      const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      const data = field('data');
      // Comments have none.
      if (data !== undefined) yield { event: field('event') ?? 'message', id: field('id'), data: JSON.parse(data) };
    }
  }
}
