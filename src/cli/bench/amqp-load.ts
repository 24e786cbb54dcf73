import { AmqpClient, type AmqpClientOptions } from '../../client/amqp-client.ts';
import type { BrokerError } from '../../errors.ts';
import type { Load } from './load.ts';

export interface AmqpLoadOptions {
  readonly connection: AmqpClientOptions;
  readonly queue: string;
  readonly type: string;
  readonly durable: boolean;
  readonly prefetch: number;
}

const PERSISTENT = 2;
const TRANSIENT = 1;
/** Messages that are sent before anything else gets its turn. */
const AT_ONCE = 100;

/** Publishes to a queue of its own with confirms and consumes from it, and takes it away. */
export async function runAmqp(load: Load, options: AmqpLoadOptions): Promise<void> {
  const { connection, queue, type } = options;
  const clients: AmqpClient[] = [];
  const lost = Promise.withResolvers<never>();
  const open = async (handlers: Partial<AmqpClientOptions> = {}) => {
    const onLost = (error: BrokerError) => lost.reject(error);
    const client = await AmqpClient.connect({ ...connection, name: 'sluice-bench', onLost, ...handlers });
    clients.push(client);
    return client;
  };
  // Nobody may be waiting for it yet, or any more.
  lost.promise.catch(() => {});
  const admin = await open();
  try {
    const queueArguments = new Map([['x-queue-type', { type: 'S', value: type } as const]]);
    await admin.call('queue.declare', { queue, durable: true, arguments: queueArguments }, 'queue.declare-ok');
    await Promise.all(Array.from({ length: load.work.consumers }, () => read(open, load, options)));
    const producers = Array.from({ length: load.work.producers }, () => write(open, load, options));
    await Promise.race([Promise.all(producers), lost.promise]);
    if (load.work.consumers > 0) await Promise.race([load.settled(), lost.promise]);
  } finally {
    await admin.call('queue.delete', { queue }, 'queue.delete-ok').catch(() => {});
    await Promise.all(clients.map((client) => client.close()));
  }
}

type Open = (handlers?: Partial<AmqpClientOptions>) => Promise<AmqpClient>;

async function read(open: Open, load: Load, { queue, prefetch }: AmqpLoadOptions): Promise<void> {
  let last = 0;
  const client = await open({
    onMessage: ({ body, deliveryTag }) => {
      load.consumed(body);
      // What comes together is acknowledged together.
      if (last === 0)
        setImmediate(() => {
          client.acknowledge(last, true);
          last = 0;
        });
      last = deliveryTag;
    },
  });
  await client.call('basic.qos', { prefetchSize: 0, prefetchCount: prefetch }, 'basic.qos-ok');
  await client.call('basic.consume', { queue, consumerTag: '' }, 'basic.consume-ok');
}

async function write(open: Open, load: Load, { queue, durable }: AmqpLoadOptions): Promise<void> {
  const { inFlight } = load.work;
  /** When each message that is not confirmed was sent, in the order of their tags. */
  const sent: number[] = [];
  let first = 1;
  let wake: (() => void) | undefined;
  const client = await open({
    onConfirm: (tag, multiple, taken) => {
      const index = tag - first;
      const ended = multiple ? sent.slice(0, index + 1) : sent.slice(index, index + 1);
      for (const at of ended) if (taken && at >= 0) load.confirmed(1, at);
      sent.fill(-1, multiple ? 0 : index, index + 1);
      while (sent[0] === -1) {
        sent.shift();
        first++;
      }
      wake?.();
    },
  });
  await client.call('confirm.select', {}, 'confirm.select-ok');
  const properties = { deliveryMode: durable ? PERSISTENT : TRANSIENT };
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise<void>((resolve) => (wake = resolve));
  };
  for (;;) {
    await until(() => sent.length < inFlight);
    const count = await load.take(Math.min(AT_ONCE, inFlight - sent.length));
    if (count === 0) break;
    for (let i = 0; i < count; i++) {
      sent.push(load.now());
      client.publish({ exchange: '', routingKey: queue, body: load.message(), properties });
    }
    await client.drained();
  }
  await until(() => sent.length === 0);
}
