import { type ConfirmChannel, connect } from 'amqplib';
import { onTestFinished } from 'vitest';
import type { CreateBrokerOptions } from '../../src/index.ts';
import type { MessagePage, ShownTransfer } from '../../src/protocols/http/shapes/queue-messages.ts';
import { type ApiBroker, type AskOptions, startApi } from './fixture.ts';

export interface QueueApi extends ApiBroker {
  readonly channel: ConfirmChannel;
  /** The body of an answer that has to be 2xx. */
  get<Body>(path: string, how?: AskOptions): Promise<Body>;
  post<Body>(path: string, body: unknown, how?: AskOptions): Promise<Body>;
  /** Payloads of all messages of a queue, as they lie there. */
  payloads(queue: string): Promise<string[]>;
  send(queue: string, ...bodies: readonly string[]): Promise<void>;
}

/** A broker, its HTTP API, and amqplib's client. */
export async function startQueues(options: CreateBrokerOptions = {}): Promise<QueueApi> {
  const api = await startApi(options);
  const amqp = api.sluice.listeners[1];
  const connection = await connect(`amqp://guest:guest@127.0.0.1:${amqp?.port}`);
  connection.on('error', () => {});
  onTestFinished(() => connection.close().catch(() => {}));
  const channel = await connection.createConfirmChannel();
  const asked = async <Body>(method: string, path: string, body: unknown, how?: AskOptions): Promise<Body> => {
    const answer = await api.ask(method, path, body, how);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body as Body;
  };
  const get = <Body>(path: string, how?: AskOptions) => asked<Body>('GET', path, undefined, how);
  return {
    ...api,
    channel,
    get,
    post: (path, body, how) => asked('POST', path, body, how),
    payloads: async (queue) => {
      const page = await get<MessagePage>(`/api/queues/%2F/${queue}/messages?limit=500`);
      return page.items.map(({ payload }) => payload?.data ?? '');
    },
    send: async (queue, ...bodies) => {
      for (const body of bodies) channel.sendToQueue(queue, Buffer.from(body), { persistent: true });
      await channel.waitForConfirms();
    },
  };
}

/** Asks until the transfer has ended. */
export async function ended({ get }: QueueApi, { id }: ShownTransfer): Promise<ShownTransfer> {
  for (;;) {
    const transfer = await get<ShownTransfer>(`/api/transfers/${id}`);
    if (transfer.state !== 'running') return transfer;
  }
}
