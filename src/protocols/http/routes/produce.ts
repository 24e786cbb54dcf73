import { z } from 'zod';
import type { Durability } from '../../../broker/index.ts';
import { BrokerError, toBrokerError } from '../../../errors.ts';
import { flagIn, numberIn, oneOf, timeIn } from '../browse-query.ts';
import { badRequest, HttpError, httpErrorOf } from '../errors.ts';
import {
  bytesFrom,
  contentFields,
  MAX_MESSAGES,
  type PlacedRecord,
  recordFrom,
  recordMessage,
  withTrace,
} from '../new-message.ts';
import { participantOf } from '../participant.ts';
import { type Outcome, produce } from '../producing.ts';
import { type MessageProperties, messageProperties, Publisher } from '../publishing.ts';
import { checkQuota, useQuota } from '../quotas.ts';
import { type Answer, type Call, post, postRaw, type Route } from '../route.ts';
import type { NotProduced, ProduceAnswer, PublishAnswer, Published } from '../shapes/streams.ts';
import { checkChangeable, streamOf } from '../stream-access.ts';
import { exchangeOf } from './exchanges.ts';
import { queueOf } from './queues.ts';

const IN_HOST = 'virtual-host';
/** What curl says of a body when nobody says what it is. */
const NO_TYPE = 'application/x-www-form-urlencoded';
/** Headers of a request that become headers of a message. */
const HEADER_PREFIX = 'x-header-';
/** Properties of a message that headers of a request say, each with `x-` before it. */
const PROPERTY_HEADERS = ['message-id', 'correlation-id', 'reply-to', 'type', 'app-id', 'expiration'] as const;
/** Messages outlive a restart, unless they say otherwise. */
const PERSISTENT = 2;

const ACKS: Readonly<Record<string, Durability>> = { all: 'durable', '-1': 'durable', '1': 'written', '0': 'memory' };
const acks = z
  .union([z.enum(['all', '-1', '0', '1']), z.literal([-1, 0, 1])])
  .transform((given) => ACKS[given] ?? 'durable')
  .default('durable');

const records = z.object({
  acks,
  messages: z.array(recordMessage).min(1).max(MAX_MESSAGES).optional(),
  ...recordMessage.shape,
});

const publication = z.object({
  ...contentFields,
  routing_key: z.string().default(''),
  properties: messageProperties.default({}),
});
const publications = z.object({
  messages: z.array(publication).min(1).max(MAX_MESSAGES).optional(),
  ...publication.shape,
});
type Publication = z.output<typeof publication>;

export const produceRoutes: readonly Route[] = [
  post(
    '/streams/:stream/produce',
    { access: 'user', summary: 'Appends one message or several to a stream; answered when they are safe' },
    records,
    async (call, { messages, acks: durability, ...single }) => {
      const now = call.broker.environment.clock.now();
      if (messages === undefined && single.value === undefined) throw badRequest('value, or messages, is wanted');
      const placed = (messages ?? [single]).map((message) => attempted(() => recordFrom(message, now, call)));
      return append(call, placed, durability);
    },
  ),
  postRaw(
    '/streams/:stream/produce/raw',
    { access: 'user', summary: 'Appends the body of the request to a stream; answered when it is safe' },
    (call, body) =>
      append(call, [rawRecord(call, body)], ACKS[oneOf(call, 'acks', ['all', '-1', '0', '1'])] ?? 'durable'),
  ),
  post(
    '/exchanges/:vhost/:exchange/produce',
    { access: IN_HOST, summary: 'Publishes one message or several to an exchange; answered when they are safe' },
    publications,
    (call, { messages, ...single }) => publish(call, new Publisher(call, exchangeOf(call)), messages ?? [single]),
  ),
  postRaw(
    '/exchanges/:vhost/:exchange/produce/raw',
    { access: IN_HOST, summary: 'Publishes the body of the request to an exchange' },
    (call, body) => publishRaw(call, new Publisher(call, exchangeOf(call)), call.query('routing_key') ?? '', body),
  ),
  post(
    '/queues/:vhost/:queue/produce',
    { access: IN_HOST, summary: 'Publishes one message or several to a queue; answered when they are safe' },
    publications,
    (call, { messages, ...single }) => {
      const { entry } = queueOf(call);
      const to = (messages ?? [single]).map((message) => ({ ...message, routing_key: entry.name }));
      return publish(call, toQueues(call), to);
    },
  ),
  postRaw(
    '/queues/:vhost/:queue/produce/raw',
    { access: IN_HOST, summary: 'Publishes the body of the request to a queue' },
    (call, body) => {
      const { entry } = queueOf(call);
      return publishRaw(call, toQueues(call), entry.name, body);
    },
  ),
];

/** By the default exchange. */
function toQueues(call: Call): Publisher {
  return new Publisher(call, { name: '', type: 'direct' });
}

function rawRecord(call: Call, body: Buffer): PlacedRecord {
  const partition = numberIn(call, 'partition', { default: -1, min: 0, max: 1_000_000 });
  const key = call.query('key') ?? call.header('x-key');
  const type = contentType(call);
  const headers = [
    ...(type === undefined ? [] : [['content-type', Buffer.from(type)] as const]),
    ...call.headersAfter(HEADER_PREFIX).map(([name, value]) => [name, Buffer.from(value, 'latin1')] as const),
  ];
  return {
    record: {
      key: bytesFrom(key, oneOf<'text' | 'base64'>(call, 'key_encoding', ['text', 'base64'])),
      value: flagIn(call, 'tombstone') ? null : body,
      timestamp: timeIn(call, 'timestamp') ?? call.broker.environment.clock.now(),
      headers: withTrace(headers, call),
    },
    partition: partition < 0 ? undefined : partition,
  };
}

async function append(
  call: Call,
  placed: readonly (PlacedRecord | BrokerError)[],
  durability: Durability,
): Promise<Answer> {
  const stream = streamOf(call, 'write');
  checkChangeable(stream);
  const { broker } = call;
  checkQuota(call, 'producer_byte_rate');
  if (broker.turns.overloaded)
    throw new HttpError(503, 'service_unavailable', 'producers wait for memory or for the disk: try again later');
  const { tracing } = broker.turns;
  const participant = participantOf(call);
  const outcomes = await produce(broker, stream, placed, durability, (partition, from, to) => {
    if (tracing.on) tracing.appended(stream.name, partition, from, to, participant);
  });
  const bytes = placed.reduce((sum, each) => sum + (each instanceof BrokerError ? 0 : lengthOf(each)), 0);
  useQuota(call, 'producer_byte_rate', bytes);
  return answerOf<Extract<Outcome, { offset: number }>, ProduceAnswer>(outcomes);
}

async function publish(call: Call, publisher: Publisher, messages: readonly Publication[]): Promise<Answer> {
  if (messages.some(({ value }) => value === undefined)) throw badRequest('value, or messages, is wanted');
  checkQuota(call, 'producer_byte_rate');
  let bytes = 0;
  const outcomes = messages.map((message) =>
    attempted((): Published => {
      const body = bytesFrom(message.value, message.value_encoding) ?? Buffer.alloc(0);
      bytes += body.length;
      const properties = { delivery_mode: PERSISTENT, ...message.properties };
      return { routed: publisher.publish(message.routing_key, traced(properties, call), body) };
    }),
  );
  await publisher.settled();
  useQuota(call, 'producer_byte_rate', bytes);
  return answerOf<Published, PublishAnswer>(outcomes);
}

async function publishRaw(call: Call, publisher: Publisher, routingKey: string, body: Buffer): Promise<Answer> {
  checkQuota(call, 'producer_byte_rate');
  const own = PROPERTY_HEADERS.flatMap((name) => {
    const value = call.header(`x-${name}`);
    return value === undefined ? [] : [[name.replaceAll('-', '_'), value] as const];
  });
  const headers = Object.fromEntries(call.headersAfter(HEADER_PREFIX));
  const type = contentType(call);
  const priority = call.header('x-priority');
  const properties = messageProperties.safeParse({
    delivery_mode: call.query('persistent') === 'false' ? 1 : PERSISTENT,
    ...(type !== undefined && { content_type: type }),
    ...Object.fromEntries(own),
    ...(priority !== undefined && { priority: Number(priority) }),
    ...(Object.keys(headers).length > 0 && { headers }),
  });
  if (!properties.success) throw badRequest('x-priority is a number from 0 to 255');
  const outcome = attempted(() => ({
    routed: publisher.publish(routingKey, traced(properties.data, call), body),
  }));
  await publisher.settled();
  useQuota(call, 'producer_byte_rate', body.length);
  return answerOf<Published, PublishAnswer>([outcome]);
}

/** The type that the request says its body has. */
function contentType(call: Call): string | undefined {
  const type = call.header('content-type');
  return type === NO_TYPE || type === '' ? undefined : type;
}

function traced(properties: MessageProperties, call: Call): MessageProperties {
  const { headers = {} } = properties;
  const known = Object.entries(headers).map(([name, value]) => [name, value] as const);
  const all = withTrace(known, call).map(([name, value]) => [name, Buffer.isBuffer(value) ? value.toString() : value]);
  return all.length === 0 ? properties : { ...properties, headers: Object.fromEntries(all) as typeof headers };
}

function attempted<Result>(attempt: () => Result): Result | BrokerError {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof HttpError) return new BrokerError('precondition-failed', error.message);
    if (error instanceof BrokerError) return error;
    throw toBrokerError(error);
  }
}

/** One message that failed is an error; of several, each is answered for itself. */
function answerOf<Good extends object, Whole extends { results: readonly (Good | NotProduced)[]; failed: number }>(
  outcomes: readonly (Good | BrokerError)[],
): Answer {
  const [only, ...others] = outcomes;
  if (only instanceof BrokerError && others.length === 0) throw only;
  const results = outcomes.map((outcome): Good | NotProduced => {
    if (!(outcome instanceof BrokerError)) return outcome;
    const { error, message } = httpErrorOf(outcome);
    return { error, reason: message };
  });
  const failed = outcomes.filter((outcome) => outcome instanceof BrokerError).length;
  return { status: failed === 0 ? 200 : 207, body: { results, failed } as unknown as Whole };
}

function lengthOf({ record: { key, value } }: PlacedRecord): number {
  return (key?.length ?? 0) + (value?.length ?? 0);
}
