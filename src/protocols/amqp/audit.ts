import { type Act, type FieldTable, jsonOfTable } from '../../broker/index.ts';
import { BrokerError } from '../../errors.ts';
import type { Method, MethodName } from './codec/index.ts';
import { AmqpError } from './errors.ts';
import type { ChannelContext } from './handlers/context.ts';

/** What a method is in the audit log, when it is something; whether it changed anything shows when it is done. */
type Told = Pick<Act, 'act' | 'object' | 'details'>;
type Telling<N extends MethodName> = (channel: ChannelContext, method: Method<N>) => Told | undefined;

/**
 * The administrative acts among the methods. No act is what changes nothing, as clients do when they declare at each start what they need, and what
 * is of one connection only: queues that are exclusive, or whose names the broker makes up.
 */
const ACTS: { readonly [N in MethodName]?: Telling<N> } = {
  'exchange.declare': ({ virtualHost }, { exchange, passive, type, durable, autoDelete, arguments: args }) =>
    passive || virtualHost.exchange(exchange) !== undefined
      ? undefined
      : { act: 'exchange.declare', object: exchange, details: { type, ...declared(durable, autoDelete, args) } },
  'exchange.delete': (_, { exchange }) => ({ act: 'exchange.delete', object: exchange }),
  'exchange.bind': (_, method) => binding('binding.make', method.source, 'e', method.destination, method),
  'exchange.unbind': (_, method) => binding('binding.remove', method.source, 'e', method.destination, method),
  'queue.declare': ({ virtualHost }, { queue, passive, exclusive, durable, autoDelete, arguments: args }) =>
    passive || exclusive || queue === '' || virtualHost.queue(queue) !== undefined
      ? undefined
      : { act: 'queue.declare', object: queue, details: declared(durable, autoDelete, args) },
  'queue.bind': (channel, method) => ofQueue(channel, method, (queue) => queueBinding('binding.make', method, queue)),
  'queue.unbind': (channel, method) =>
    ofQueue(channel, method, (queue) => queueBinding('binding.remove', method, queue)),
  'queue.purge': (channel, method) => ofQueue(channel, method, (object) => ({ act: 'queue.purge', object })),
  'queue.delete': (channel, method) => ofQueue(channel, method, (object) => ({ act: 'queue.delete', object })),
};

/** The methods that can be acts. */
export const AUDITED_METHODS: readonly string[] = Object.keys(ACTS);

/** Does what a method asks, and records it; what answers false or 0 found nothing to do. */
export function audited<N extends MethodName, Result>(
  channel: ChannelContext,
  method: Method<N>,
  work: () => Result,
): Result {
  const telling = ACTS[method.name] as Telling<N> | undefined;
  const told = telling?.(channel, method);
  if (told === undefined) return work();
  try {
    const result = work();
    if (!(result instanceof Promise)) {
      record(channel, told, result);
      return result;
    }
    const recorded = result.then(
      (value: unknown) => {
        record(channel, told, value);
        return value;
      },
      (error: unknown) => {
        recordFailure(channel, told, error);
        throw error;
      },
    );
    // A promise of the same.
    return recorded as Result;
  } catch (error) {
    recordFailure(channel, told, error);
    throw error;
  }
}

function record({ session: { broker, principal, virtualHost } }: ChannelContext, told: Told, result: unknown): void {
  if (result === false || (result === 0 && told.act === 'queue.purge')) return;
  broker.audit.record(principal, { ...told, virtualHost: virtualHost.name, outcome: 'done' });
}

function recordFailure(
  { session: { broker, principal, virtualHost } }: ChannelContext,
  told: Told,
  error: unknown,
): void {
  const isRefused =
    (error instanceof AmqpError && error.reply === 'ACCESS_REFUSED') ||
    (error instanceof BrokerError && error.code === 'access-refused');
  const outcome = isRefused ? 'refused' : 'failed';
  const reason = error instanceof Error ? error.message : String(error);
  broker.audit.record(principal, { ...told, virtualHost: virtualHost.name, outcome, reason });
}

/** Of a queue that others than one connection use. */
function ofQueue(
  channel: ChannelContext,
  { queue: given }: { readonly queue: string },
  told: (queue: string) => Told,
): Told | undefined {
  const queue = given === '' ? channel.lastQueue : given;
  const entry = channel.virtualHost.queue(queue);
  const isShared = entry !== undefined && !entry.exclusive && !queue.startsWith('amq.gen-');
  return isShared ? told(queue) : undefined;
}

interface BindingFields {
  readonly routingKey: string;
  readonly arguments: FieldTable;
}

function queueBinding(act: string, method: BindingFields & { readonly exchange: string }, queue: string): Told {
  return binding(act, method.exchange, 'q', queue, method);
}

function binding(
  act: string,
  source: string,
  type: 'q' | 'e',
  destination: string,
  { routingKey, arguments: args }: BindingFields,
): Told {
  const details = { routing_key: routingKey, ...(args.size > 0 && { arguments: jsonOfTable(args) }) };
  return { act, object: `${source} ${type} ${destination}`, details };
}

function declared(durable: boolean, autoDelete: boolean, args: FieldTable) {
  return { durable, auto_delete: autoDelete, ...(args.size > 0 && { arguments: jsonOfTable(args) }) };
}
