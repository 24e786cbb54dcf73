import {
  type ClientConnection,
  connectionName,
  type MessageAt,
  type MessageCriteria,
  MessageFilter,
  type MessagePosition,
  type SeenMessage,
} from '../../broker/index.ts';
import { badRequest } from './errors.ts';
import { propertiesOf } from './message-properties.ts';
import { payloadOf } from './record-shape.ts';
import type { MessageHolder, QueuedMessage } from './shapes/queue-messages.ts';

/*
 * Messages of queues, in paths and answers. An id is `PART-OFFSET-TIME`: the lane or the partition, the place in it, and when the message was
 * published (milliseconds since the epoch, in base 36), which tells it from one that has the place later.
 */

const ID = /^(\d{1,6})-(\d{1,16})-(-?[0-9a-z]{1,11})$/;
const CURSOR = /^(\d{1,6})-(\d{1,16})$/;
/** Deliveries of channels that are looked through for who has the messages of a page. */
const MAX_HELD = 100_000;

export function messageId({ part, offset, timestamp }: Pick<SeenMessage, 'part' | 'offset' | 'timestamp'>): string {
  return `${part}-${offset}-${timestamp.toString(36)}`;
}

/** Throws 400. */
export function parseMessageId(id: string): MessageAt {
  const [, part, offset, time = ''] = ID.exec(id) ?? [];
  if (part === undefined) throw badRequest(`'${id}' is no id of a message`);
  return { part: Number(part), offset: Number(offset), timestamp: Number.parseInt(time, 36) };
}

export function cursorText(next: MessagePosition | undefined): string | null {
  return next === undefined ? null : `${next.part}-${next.offset}`;
}

/** Throws 400. */
export function parseCursor(cursor: string | undefined): MessagePosition | undefined {
  if (cursor === undefined || cursor === '') return undefined;
  const [, part, offset] = CURSOR.exec(cursor) ?? [];
  if (part === undefined) throw badRequest(`'${cursor}' is no cursor: take the one of the page before`);
  return { part: Number(part), offset: Number(offset) };
}

/** What a query asks for; undefined when it asks for all. Throws 400. */
export function filterOf(query: (name: string) => string | undefined): MessageFilter | undefined {
  const header = query('header');
  const split = header?.indexOf('=') ?? -1;
  const criteria: MessageCriteria = {
    text: query('text'),
    exchange: query('exchange'),
    routingKey: query('routing_key'),
    header:
      header === undefined || header === ''
        ? undefined
        : split < 0
          ? { name: header }
          : { name: header.slice(0, split), value: header.slice(split + 1) },
    messageId: query('message_id'),
    correlationId: query('correlation_id'),
    after: timeOf(query('after')),
    before: timeOf(query('before')),
    reason: query('reason'),
    deathQueue: query('source'),
  };
  return filterBy(criteria);
}

/** Undefined when nothing is asked for. */
export function filterBy(criteria: MessageCriteria): MessageFilter | undefined {
  return Object.values(criteria).some((wanted) => wanted !== undefined && wanted !== '')
    ? new MessageFilter(criteria)
    : undefined;
}

function timeOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,15}$/.test(text)) throw badRequest(`'${text}' is no time: milliseconds since 1970 are wanted`);
  return Number(text);
}

/** With no more than so many bytes of the body. */
export function showMessage(seen: SeenMessage, truncate: number, holder: MessageHolder | null): QueuedMessage {
  const { message, part, offset, timestamp, ready, redelivered, deliveryCount } = seen;
  return {
    id: messageId(seen),
    state: ready ? 'ready' : 'unacknowledged',
    holder,
    ...{ part, offset, published_at: timestamp },
    exchange: message.exchange,
    routing_key: message.routingKey,
    redelivered,
    delivery_count: deliveryCount,
    properties: propertiesOf(message),
    payload: payloadOf(message.body.subarray(message.bodyStart, message.bodyEnd), truncate),
  };
}

/** Who has the messages of a queue that are out, by part and offset. */
export function holdersOf(
  connections: Iterable<ClientConnection>,
  virtualHost: string,
  queue: string,
): (seen: MessagePosition) => MessageHolder | null {
  let holders: Map<string, MessageHolder> | undefined;
  const find = () => {
    const found = new Map<string, MessageHolder>();
    for (const connection of connections) {
      if (connection.virtualHost !== virtualHost) continue;
      for (const { number: channel, held } of connection.channels)
        for (const { lane, offset, consumer } of held?.(queue) ?? []) {
          if (found.size >= MAX_HELD) return found;
          found.set(`${lane}-${offset}`, {
            ...{ connection: connectionName(connection), channel, user: connection.user ?? null },
            consumer_tag: consumer ?? null,
          });
        }
    }
    return found;
  };
  return ({ part, offset }) => {
    holders ??= find();
    return holders.get(`${part}-${offset}`) ?? null;
  };
}
