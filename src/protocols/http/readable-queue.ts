import { type MessageSource, Permissions, type QueueEntry, StreamMessages } from '../../broker/index.ts';
import { badRequest } from './errors.ts';
import type { Call } from './route.ts';
import { type QueueAt, queueOf } from './routes/queues.ts';

/** The queue of the path, for a user who may read it. Throws 404, 401, and 400 where a connection has the queue for itself. */
export function readable(call: Call): QueueAt {
  const { host, entry } = queueOf(call);
  new Permissions(call.user, host.name).check('read', 'queue', entry.name);
  host.checkQueue(entry.name);
  return { host, entry };
}

/** Its messages, where they lie. */
export function sourceOf(entry: QueueEntry): MessageSource {
  if (entry.kind === 'queue') return entry.queue.messages;
  return new StreamMessages({ name: entry.name, partitions: entry.stream.partitions });
}

/** A number of the query. Throws 400 for one that is none, or out of bounds. */
export function boundedNumber(
  call: Call,
  name: string,
  bounds: { readonly default: number; readonly most: number },
): number {
  const text = call.query(name);
  if (text === undefined || text === '') return bounds.default;
  if (!/^\d{1,9}$/.test(text) || Number(text) > bounds.most)
    throw badRequest(`${name} is a whole number, ${bounds.most} at most`);
  return Number(text);
}
