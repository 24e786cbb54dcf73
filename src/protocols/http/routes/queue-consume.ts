import { z } from 'zod';
import type { Consumer, Delivery, MessageBytes, Queue } from '../../../broker/index.ts';
import { wholeNumber } from '../body-types.ts';
import { flagIn, numberIn, oneOf } from '../browse-query.ts';
import type { EventStream } from '../event-stream.ts';
import type { Lease } from '../leases.ts';
import { propertiesOf } from '../message-properties.ts';
import { participantOf } from '../participant.ts';
import { PROTOCOL } from '../protocol.ts';
import { checkQuota, useQuota } from '../quotas.ts';
import { readable } from '../readable-queue.ts';
import { payloadOf } from '../record-shape.ts';
import { type Answer, type Call, getEvents, ok, post, type Route } from '../route.ts';
import type { ConsumedMessage, ConsumedMessages, Settled } from '../shapes/consumption.ts';
import { notForStreams } from './queues.ts';

const IN_HOST = 'virtual-host';
const MAX_COUNT = 1000;
/** Of the messages of one answer; the first one is there however large it is. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_WAIT_MS = 60_000;
const DEFAULT_LOCK_MS = 30_000;
const MIN_LOCK_MS = 1000;
const MAX_LOCK_MS = 3_600_000;
/** Where there is one consumer at a time, a request has to become that first. */
const MIN_ACTIVE_WAIT_MS = 1000;
const DEFAULT_PREFETCH = 100;
const MAX_TOKENS = 10_000;

const within = (least: number, most: number) => wholeNumber().pipe(z.int().min(least).max(most));

const request = z.object({
  count: within(1, MAX_COUNT).default(1),
  wait_ms: within(0, MAX_WAIT_MS).default(0),
  ack: z.enum(['auto', 'manual']).default('auto'),
  lock_ms: within(MIN_LOCK_MS, MAX_LOCK_MS).default(DEFAULT_LOCK_MS),
});

const tokens = z.array(z.string().max(200)).max(MAX_TOKENS).default([]);
const settlements = z.object({ acknowledge: tokens, reject: tokens, requeue: tokens, renew: tokens });

export const queueConsumeRoutes: readonly Route[] = [
  post(
    '/queues/:vhost/:queue/consume',
    { access: IN_HOST, summary: 'Takes messages from a queue; waits for them where asked' },
    request,
    take,
  ),
  getEvents(
    '/queues/:vhost/:queue/consume',
    { access: IN_HOST, summary: 'Messages of a queue as they come, as events', changes: true },
    (call) => {
      const queue = queueIn(call);
      checkQuota(call, 'consumer_byte_rate');
      const prefetch = numberIn(call, 'prefetch', { default: DEFAULT_PREFETCH, min: 1, max: MAX_COUNT });
      const lockMs = numberIn(call, 'lock_ms', { default: DEFAULT_LOCK_MS, min: MIN_LOCK_MS, max: MAX_LOCK_MS });
      const manual = oneOf(call, 'ack', ['auto', 'manual']) === 'manual';
      const exclusive = flagIn(call, 'exclusive');
      return {
        status: 200,
        events: (events) => new EventConsumer(call, queue, events, { prefetch, lockMs, manual, exclusive }).start(),
      };
    },
  ),
  post(
    '/queues/:vhost/:queue/settle',
    {
      access: IN_HOST,
      summary: 'Acknowledges, rejects or gives back messages, or locks them for longer, by their tokens',
    },
    settlements,
    (call, given) => ok(settle(call, given)),
  ),
];

function queueIn(call: Call): Queue {
  const { host, entry } = readable(call);
  if (entry.kind === 'stream') throw notForStreams('basic.get', host, entry.name);
  return entry.queue;
}

/** Messages that a request has got, until it is answered. */
class Taken {
  readonly messages: ConsumedMessage[] = [];
  readonly deliveries: Delivery[] = [];
  readonly #call: Call;
  readonly #count: number;
  readonly #lease: Lease | undefined;
  #bytes = 0;

  constructor(call: Call, count: number, lease: Lease | undefined) {
    this.#call = call;
    this.#count = count;
    this.#lease = lease;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isFull(): boolean {
    const room = this.#lease === undefined || this.#call.leases.room > 0;
    return this.messages.length >= this.#count || this.#bytes >= MAX_BYTES || !room;
  }

  add(delivery: Delivery, message: MessageBytes): void {
    this.deliveries.push(delivery);
    this.#bytes += message.bodyLength;
    const { messages: counts } = this.#call.broker.meters.protocol(PROTOCOL);
    counts.got++;
    counts.bytesOut += message.bodyLength;
    this.messages.push(show(delivery, message, this.#lease?.add(delivery) ?? null));
  }

  /** The client never got them. */
  giveBack(): void {
    if (this.#lease !== undefined) this.#lease.release(false);
    else for (const delivery of this.deliveries) delivery.requeue(false);
  }
}

async function take(
  call: Call,
  { count, wait_ms: waitMs, ack, lock_ms: lockMs }: z.output<typeof request>,
): Promise<Answer> {
  const queue = queueIn(call);
  checkQuota(call, 'consumer_byte_rate');
  const lease = ack === 'manual' ? openLease(call, queue, lockMs) : undefined;
  const taken = new Taken(call, count, lease);
  try {
    const participant = participantOf(call);
    const single = queue.settings.singleActiveConsumer;
    const visit = (delivery: Delivery, message: MessageBytes) => taken.add(delivery, message);
    if (!single) while (!taken.isFull) if (!(await queue.get(false, visit, ack === 'auto', participant))) break;
    if (taken.messages.length === 0)
      await waitFor(call, queue, taken, single ? Math.max(waitMs, MIN_ACTIVE_WAIT_MS) : waitMs);
  } catch (error) {
    taken.giveBack();
    throw error;
  }
  useQuota(call, 'consumer_byte_rate', taken.bytes);
  const answer = ok({ messages: taken.messages } satisfies ConsumedMessages);
  return { ...answer, sent: (complete) => finish(taken, complete, ack === 'auto') };
}

/** What the client did not get goes back; what it got is acknowledged, unless it does that itself. */
function finish(taken: Taken, complete: boolean, auto: boolean): void {
  if (!complete) taken.giveBack();
  else if (auto) for (const delivery of taken.deliveries) delivery.acknowledge();
}

/** As a consumer among the others of the queue, for as long as there is nothing. */
async function waitFor(call: Call, queue: Queue, taken: Taken, waitMs: number): Promise<void> {
  await call.wait(waitMs, (wake) => {
    const consumer = queue.subscribe({
      tag: consumerTag(call),
      participant: participantOf(call),
      noAck: false,
      exclusive: false,
      priority: 0,
      canTake: () => !taken.isFull && !call.gone,
      deliver: (delivery, message) => {
        taken.add(delivery, message);
        // The others that are there come first.
        queueMicrotask(wake);
      },
      cancelled: wake,
    });
    return () => consumer.cancel();
  });
}

function openLease(call: Call, { name, virtualHost }: Queue, lockMs: number, onSettled?: () => void): Lease {
  return call.leases.open({
    ...{ user: call.user.name, virtualHost, queue: name, lockMs },
    ...(onSettled && { onSettled }),
  });
}

function consumerTag({ visitor: { address } }: Call): string {
  return `http ${address ?? ''}`;
}

function show(delivery: Delivery, message: MessageBytes, token: string | null): ConsumedMessage {
  const body = message.body.subarray(message.bodyStart, message.bodyEnd);
  return {
    token,
    exchange: message.exchange,
    routing_key: message.routingKey,
    redelivered: delivery.redelivered,
    delivery_count: delivery.deliveryCount,
    published_at: delivery.timestamp,
    properties: propertiesOf(message),
    // Not null: there are bytes, if only none of them.
    value: payloadOf(body, Number.POSITIVE_INFINITY) ?? { format: 'text', data: '', bytes: 0, truncated: false },
  };
}

interface EventOptions {
  readonly prefetch: number;
  readonly lockMs: number;
  readonly manual: boolean;
  readonly exclusive: boolean;
}

/** Gives the messages of a queue to one listener, no faster than it reads them. */
class EventConsumer {
  readonly #call: Call;
  readonly #queue: Queue;
  readonly #events: EventStream;
  readonly #options: EventOptions;
  #consumer: Consumer | undefined;
  #lease: Lease | undefined;
  /** The listener, or its quota, has no room. */
  #held = false;

  constructor(call: Call, queue: Queue, events: EventStream, options: EventOptions) {
    this.#call = call;
    this.#queue = queue;
    this.#events = events;
    this.#options = options;
  }

  start(): void {
    const { manual, lockMs, exclusive } = this.#options;
    try {
      if (manual) this.#lease = openLease(this.#call, this.#queue, lockMs, () => this.#consumer?.wake());
      this.#consumer = this.#queue.subscribe({
        tag: consumerTag(this.#call),
        participant: participantOf(this.#call),
        noAck: false,
        exclusive,
        priority: 0,
        canTake: () => this.#canTake(),
        deliver: (delivery, message) => this.#deliver(delivery, message),
        cancelled: () => this.#end('the queue is gone'),
      });
    } catch (error) {
      this.#end(error instanceof Error ? error.message : String(error));
      return;
    }
    this.#events.onClose(() => {
      this.#consumer?.cancel();
      // Whoever had them is gone.
      this.#lease?.release(true);
    });
  }

  #canTake(): boolean {
    if (this.#events.ended || this.#held) return false;
    if (this.#events.congested) {
      this.#hold(this.#events.drained());
      return false;
    }
    if (this.#lease === undefined) return true;
    return this.#lease.size < this.#options.prefetch && this.#call.leases.room > 0;
  }

  #deliver(delivery: Delivery, message: MessageBytes): void {
    if (this.#call.user.record === undefined) {
      delivery.requeue(false);
      this.#end('the user is gone');
      return;
    }
    const waitMs = useQuota(this.#call, 'consumer_byte_rate', message.bodyLength);
    if (waitMs > 0) this.#hold(new Promise((resolve) => this.#call.broker.environment.clock.setTimer(waitMs, resolve)));
    this.#events.send({ data: show(delivery, message, this.#lease?.add(delivery) ?? null) });
    if (this.#lease === undefined) delivery.acknowledge();
  }

  /** Nothing more until then. */
  #hold(until: Promise<void>): void {
    this.#held = true;
    void until.then(() => {
      this.#held = false;
      this.#consumer?.wake();
    });
  }

  #end(reason: string): void {
    this.#events.send({ event: 'error', data: { reason } });
    this.#events.end();
  }
}

function settle(call: Call, given: z.output<typeof settlements>): Settled {
  const { entry, host } = readable(call);
  const unknown: string[] = [];
  let settled = 0;
  for (const how of ['acknowledge', 'reject', 'requeue', 'renew'] as const)
    for (const token of given[how]) {
      const found = call.leases.find(token, { user: call.user.name, virtualHost: host.name, queue: entry.name });
      const done = how === 'renew' ? found?.lease.renew(found.number) : found?.lease.settle(found.number, how);
      if (done) settled++;
      else unknown.push(token);
    }
  return { settled, unknown };
}
