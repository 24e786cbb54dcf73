import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import { type Delivery, type MessageBytes, Permissions, type Queue, type VirtualHost } from '../../../broker/index.ts';
import { wholeNumber } from '../body-types.ts';
import { badRequest, type HttpError } from '../errors.ts';
import { propertiesOf } from '../message-properties.ts';
import { participantOf } from '../participant.ts';
import { PROTOCOL } from '../protocol.ts';
import { messageProperties, Publisher } from '../publishing.ts';
import { type Call, ok, post, type Route } from '../route.ts';
import { exchangeOf } from './exchanges.ts';
import { notForStreams, queueOf } from './queues.ts';

/** Of one request, whatever it asks for: the answer has to fit into memory. */
const MAX_MESSAGES = 10_000;
const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;
const publication = z.object({
  routing_key: z.string(),
  properties: messageProperties,
  payload: z.string(),
  payload_encoding: z.string(),
});

const ACK_MODES = ['ack_requeue_true', 'ack_requeue_false', 'reject_requeue_true', 'reject_requeue_false'] as const;

const request = z.object({
  ackmode: z.enum(ACK_MODES),
  count: wholeNumber(),
  encoding: z.enum(['auto', 'base64']),
  truncate: wholeNumber().optional(),
});

export const messageRoutes: readonly Route[] = [
  post(
    '/exchanges/:vhost/:exchange/publish',
    { access: 'virtual-host', summary: 'Publishes a message; answered when it is safe' },
    publication,
    async (call, given) => ok({ routed: await publish(call, given) }),
  ),
  post(
    '/queues/:vhost/:queue/get',
    { access: 'virtual-host', summary: 'Gets messages from a queue, to look at or to take' },
    request,
    async (call, given) => ok(await getMessages(call, given)),
  ),
];

async function publish(call: Call, given: z.output<typeof publication>): Promise<boolean> {
  const publisher = new Publisher(call, exchangeOf(call));
  const routed = publisher.publish(given.routing_key, given.properties, payloadOf(given));
  await publisher.settled();
  return routed;
}

function payloadOf({ payload, payload_encoding: encoding }: z.output<typeof publication>): Buffer {
  if (encoding === 'string') return Buffer.from(payload);
  if (encoding !== 'base64') throw badRequest(`unsupported_encoding ${encoding}`);
  const bytes = Buffer.from(payload, 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') !== payload.replace(/=+$/, '')) throw badRequest('not_base64');
  return bytes;
}

async function getMessages(call: Call, { ackmode, count, encoding, truncate }: z.output<typeof request>) {
  const { host, entry } = queueOf(call);
  new Permissions(call.user, host.name).check('read', 'queue', entry.name);
  host.checkQueue(entry.name);
  if (entry.kind === 'stream') throw notForStreams('basic.get', host, entry.name);
  const { queue } = entry;
  if (entry.type === 'quorum' && queue.settings.singleActiveConsumer) throw lockedBySingleActive(host, queue);
  const takes = ackmode === 'ack_requeue_false';
  const messages: ReturnType<typeof show>[] = [];
  const out: Delivery[] = [];
  let bytes = 0;
  const { messages: counts } = call.broker.meters.protocol(PROTOCOL);
  try {
    while (messages.length < Math.min(count, MAX_MESSAGES) && bytes < MAX_PAYLOAD_BYTES) {
      const visit = (delivery: Delivery, message: MessageBytes) => {
        if (!takes) out.push(delivery);
        messages.push(show(queue, delivery, message, { encoding, truncate }));
        bytes += message.bodyLength;
        counts[takes ? 'gotNoAck' : 'got']++;
        counts.bytesOut += message.bodyLength;
      };
      const there = await queue.get(takes, visit, takes, participantOf(call));
      if (!there) break;
    }
  } finally {
    // Only now: a message that goes back is the next one again.
    for (const delivery of out)
      if (ackmode === 'reject_requeue_false') delivery.reject();
      else delivery.requeue();
  }
  return messages;
}

function lockedBySingleActive(host: VirtualHost, { name }: Queue): HttpError {
  return badRequest(`405 RESOURCE_LOCKED - cannot obtain access to locked queue '${name}' in vhost '${host.name}'`);
}

function show(
  queue: Queue,
  { redelivered }: Delivery,
  message: MessageBytes,
  { encoding, truncate }: Pick<z.output<typeof request>, 'encoding' | 'truncate'>,
) {
  const { body, bodyStart, bodyEnd, bodyLength } = message;
  const end = truncate === undefined ? bodyEnd : Math.min(bodyEnd, bodyStart + Math.max(0, truncate));
  const shown = body.subarray(bodyStart, end);
  const isText = encoding === 'auto' && isUtf8(shown);
  return {
    payload_bytes: bodyLength,
    redelivered,
    exchange: message.exchange,
    routing_key: message.routingKey,
    message_count: queue.readyCount,
    properties: propertiesOf(message),
    payload: shown.toString(isText ? 'utf8' : 'base64'),
    payload_encoding: isText ? 'string' : 'base64',
  };
}
