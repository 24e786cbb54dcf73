import { Permissions, type SeenMessage, turnEnd } from '../../../broker/index.ts';
import { badRequest, HttpError, notFound } from '../errors.ts';
import { cursorText, filterOf, holdersOf, parseCursor, parseMessageId, showMessage } from '../message-shape.ts';
import { boundedNumber, readable, sourceOf } from '../readable-queue.ts';
import { type Call, DONE, found, get, ok, post, type Route, remove } from '../route.ts';
import type { MessagePage, QueuedMessage } from '../shapes/queue-messages.ts';
import { startMove, transferRequest } from '../transfer-requests.ts';
import { notForStreams, queueOf } from './queues.ts';

/** Messages on a page. */
const PAGE = { default: 50, most: 500 };
/** Bytes of a body that are shown of each. */
const SHOWN_BYTES = { default: 4096, most: 1024 * 1024 };
/** Bytes of bodies on a page: then it ends. */
const PAGE_BYTES = 8 * 1024 * 1024;

const IN_HOST = 'virtual-host';

export const queueMessageRoutes: readonly Route[] = [
  get(
    '/queues/:vhost/:queue/messages',
    { access: IN_HOST, summary: 'A page of the messages in a queue, as they lie there: nothing is delivered' },
    (call) => peek(call, (seen, truncate, holder) => showMessage(seen, truncate, holder)),
  ),
  {
    ...get(
      '/queues/:vhost/:queue/messages/:id',
      { access: IN_HOST, summary: 'One message with the whole of its body; with `raw=true` the body alone, as bytes' },
      () => undefined,
    ),
    answer: one,
  },
  remove(
    '/queues/:vhost/:queue/messages/:id',
    { access: IN_HOST, summary: 'Deletes one message that waits; answered when that is safe' },
    async (call) => {
      await deleteOne(call);
      return DONE;
    },
  ),
  post(
    '/queues/:vhost/:queue/move',
    { access: IN_HOST, summary: 'Moves messages to another queue or to an exchange' },
    transferRequest,
    async (call, request) => ok(await startMove(call, request)),
  ),
];

type Holder = ReturnType<ReturnType<typeof holdersOf>>;

/** A page of messages that match what the query asks for. */
export async function peek<Message = QueuedMessage>(
  call: Call,
  show: (seen: SeenMessage, truncate: number, holder: Holder) => Message,
): Promise<MessagePage<Message>> {
  const { host, entry } = readable(call);
  const limit = boundedNumber(call, 'limit', PAGE);
  const truncate = boundedNumber(call, 'truncate', SHOWN_BYTES);
  const filter = filterOf((name) => call.query(name));
  const state = call.query('state');
  if (state !== undefined && state !== 'ready' && state !== 'unacknowledged')
    throw badRequest('state is ready or unacknowledged');
  const holder = holdersOf(call.broker.clients.all(), host.name, entry.name);
  const items: Message[] = [];
  let bytes = 0;
  let looked = 0;
  const next = await sourceOf(entry).walk({ from: parseCursor(call.query('cursor')) }, (seen) => {
    if (items.length >= limit || bytes >= PAGE_BYTES) return false;
    looked++;
    if (state !== undefined && (state === 'ready') !== seen.ready) return true;
    if (filter?.matches(seen.message, seen.timestamp) === false) return true;
    bytes += Math.min(seen.message.bodyLength, truncate) + seen.message.propertiesEnd - seen.message.propertiesStart;
    items.push(show(seen, truncate, seen.ready ? null : holder(seen)));
    return true;
  });
  const [ready, unacknowledged] =
    entry.kind === 'queue' ? [entry.queue.readyCount, entry.queue.unacknowledgedCount] : [entry.stream.messageCount, 0];
  return { items, next: cursorText(next), looked_at: looked, ready, unacknowledged };
}

async function one(call: Call) {
  const { host, entry } = readable(call);
  const id = parseMessageId(call.param('id'));
  const raw = call.query('raw') === 'true';
  const holder = holdersOf(call.broker.clients.all(), host.name, entry.name);
  let message: QueuedMessage | undefined;
  let body: Buffer | undefined;
  await sourceOf(entry).walk({ from: id, budget: 1 }, (seen) => {
    if (seen.part !== id.part || seen.offset !== id.offset || seen.timestamp !== id.timestamp) return false;
    const { message: bytes } = seen;
    if (raw) body = Buffer.from(bytes.body.subarray(bytes.bodyStart, bytes.bodyEnd));
    else message = showMessage(seen, Number.POSITIVE_INFINITY, seen.ready ? null : holder(seen));
    return true;
  });
  if (body !== undefined) {
    const headers = { 'content-type': 'application/octet-stream', 'content-disposition': 'attachment' };
    return { status: 200, bytes: body, headers };
  }
  return ok(found(message));
}

async function deleteOne(call: Call): Promise<void> {
  const { host, entry } = queueOf(call);
  new Permissions(call.user, host.name).check('read', 'queue', entry.name);
  host.checkQueue(entry.name);
  if (entry.kind === 'stream') throw notForStreams('deleting a message is', host, entry.name);
  const { turns } = call.broker;
  const id = parseMessageId(call.param('id'));
  let ended: ReturnType<typeof turnEnd> | undefined;
  const outcome = await entry.queue.messages.takeOut(id, id.timestamp, () => {
    ended = turnEnd(turns.current);
    return true;
  });
  if (outcome === 'gone') throw notFound();
  if (outcome === 'out')
    throw new HttpError(409, 'conflict', 'a consumer has the message: it can be deleted when it comes back');
  const error = await ended;
  if (error !== undefined) throw error;
}
