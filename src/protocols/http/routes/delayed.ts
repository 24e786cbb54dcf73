import { DelayedMessages, type MessageAt, type SeenMessage, turnEnd, type VirtualHost } from '../../../broker/index.ts';
import { reachableHosts } from '../access.ts';
import { nothing } from '../body-types.ts';
import { badRequest, notAuthorised, notFound } from '../errors.ts';
import { filterOf, messageId, parseMessageId, showMessage } from '../message-shape.ts';
import { boundedNumber } from '../readable-queue.ts';
import { type Call, DONE, found, get, getList, post, type Route, remove } from '../route.ts';
import type { DelayedHost, DelayedMessage, DelayedPage } from '../shapes/delayed.ts';

const IN_HOST = 'virtual-host';
const PAGE = { default: 50, most: 500 };
const SHOWN_BYTES = { default: 1024, most: 1024 * 1024 };
/** Messages that are read for one page, each from where it happens to lie. */
const MAX_READ = 1000;
const MAX_PAGE_BYTES = 8 * 1024 * 1024;

export const delayedRoutes: readonly Route[] = [
  getList('/delayed', { access: 'user', summary: 'Virtual hosts, and how many messages they hold back' }, (call) => {
    const show = (host: VirtualHost) => ({ ...hostOf(host) });
    const items = reachableHosts(call.broker, call.user);
    return { items, basics: show, show, order: ['vhost'], paged: true };
  }),
  get(
    '/delayed/:vhost',
    { access: IN_HOST, summary: 'A page of the messages that are held back, by when they are due' },
    page,
  ),
  get('/delayed/:vhost/:id', { access: IN_HOST, summary: 'One of them, with the whole of its body' }, async (call) => {
    const { host } = call;
    const id = parseMessageId(call.param('id'));
    const shown = await delayedOf(host).messages.find(id, (seen) =>
      seen.timestamp === id.timestamp && sees(call, seen, 'read')
        ? show(host, seen, Number.POSITIVE_INFINITY)
        : undefined,
    );
    return found(shown);
  }),
  remove('/delayed/:vhost/:id', { access: IN_HOST, summary: 'Cancels one: it is not delivered' }, async (call) => {
    await takeOut(call, false);
    return DONE;
  }),
  post('/delayed/:vhost/:id/deliver', { access: IN_HOST, summary: 'Delivers one now' }, nothing, async (call) => {
    await takeOut(call, true);
    return DONE;
  }),
];

async function page(call: Call): Promise<DelayedPage> {
  const { host } = call;
  const limit = boundedNumber(call, 'limit', PAGE);
  const truncate = boundedNumber(call, 'truncate', SHOWN_BYTES);
  const filter = filterOf((name) => call.query(name));
  const delayed = delayedOf(host);
  const places: { time: number; offset: number }[] = [];
  delayed.inOrder(cursorOf(call.query('cursor')), ({ time, offset }) => {
    // One that came back after an append had failed is there twice.
    if (places.at(-1)?.offset !== offset) places.push({ time, offset });
    return places.length <= MAX_READ;
  });
  const items: DelayedMessage[] = [];
  let bytes = 0;
  let last: (typeof places)[number] | undefined;
  for (const place of places.slice(0, MAX_READ)) {
    if (items.length >= limit || bytes >= MAX_PAGE_BYTES) break;
    last = place;
    await delayed.messages.find({ part: 0, offset: place.offset }, (seen) => {
      const { message, timestamp } = seen;
      const isMeant = DelayedMessages.dueAt(message, timestamp) === place.time && sees(call, seen, 'read');
      if (!isMeant || filter?.matches(message, timestamp) === false) return;
      bytes += Math.min(message.bodyLength, truncate);
      items.push(show(host, seen, truncate));
    });
  }
  const next = last === undefined || last === places.at(-1) ? null : `${last.time}-${last.offset}`;
  return { items, next, total: delayed.count };
}

async function takeOut(call: Call, delivers: boolean): Promise<void> {
  const { broker, host } = call;
  const id: MessageAt = parseMessageId(call.param('id'));
  let ended: ReturnType<typeof turnEnd> | undefined;
  let refused = false;
  const outcome = await delayedOf(host).takeOut(id.offset, delivers, (message, timestamp) => {
    if (timestamp !== id.timestamp) return false;
    const { exchange } = message;
    refused = !call.user.may(host.name, 'write', exchange);
    if (refused) return false;
    if (delivers && host.exchange(exchange) === undefined)
      throw badRequest(`exchange '${exchange}' is not there any more: the message would be lost`);
    ended = turnEnd(broker.turns.current);
    return true;
  });
  if (refused) throw notAuthorised('to cancel or deliver a message needs write access to its exchange');
  if (outcome !== 'taken') throw notFound();
  const error = await ended;
  if (error !== undefined) throw error;
}

function hostOf(host: VirtualHost): DelayedHost {
  let next: number | null = null;
  host.delayed?.inOrder(undefined, ({ time }) => {
    next = time;
    return false;
  });
  const messages = host.delayed?.count ?? 0;
  return { vhost: host.name, messages, next_due_at: messages === 0 ? null : next };
}

function delayedOf(host: VirtualHost): DelayedMessages {
  return found(host.delayed);
}

/** As far as the user may read what its exchange gets. */
function sees({ user, host }: Call, { message }: SeenMessage, permission: 'read' | 'write'): boolean {
  return user.may(host.name, permission, message.exchange);
}

function show(host: VirtualHost, seen: SeenMessage, truncate: number): DelayedMessage {
  const { message, timestamp } = seen;
  const { published_at, exchange, routing_key, properties, payload } = showMessage(seen, truncate, null);
  const due_at = DelayedMessages.dueAt(message, timestamp);
  return { id: messageId(seen), vhost: host.name, due_at, published_at, exchange, routing_key, properties, payload };
}

/** Throws 400. */
function cursorOf(text: string | undefined): { time: number; offset: number } | undefined {
  if (text === undefined || text === '') return undefined;
  const [, time, offset] = /^(\d{1,16})-(\d{1,16})$/.exec(text) ?? [];
  if (time === undefined) throw badRequest(`'${text}' is no cursor: take the one of the page before`);
  return { time: Number(time), offset: Number(offset) };
}
