import type { Clock } from '../../environment/environment.ts';
import type { BrokerError } from '../../errors.ts';
import { type LogRecord, recordsIn } from '../../records/index.ts';
import type { MessageBytes } from '../messages/message-bytes.ts';
import type { Turn, TurnWaiter } from '../queues/turn.ts';
import type { How, Outcome } from './event.ts';
import type { Participant } from './place.ts';
import { contextOf, parseTraceContext, TRACEPARENT, TRACESTATE, type TraceContext } from './trace-context.ts';

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** Something that the broker did with a message, from when to when: milliseconds since the epoch. */
export interface MessageSpan {
  readonly parent: TraceContext;
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: SpanAttributes;
  /** Why it failed. */
  readonly error?: string | undefined;
}

/** Takes spans to where somebody looks at them. Never throws, never waits. */
export interface SpanSink {
  add(span: MessageSpan): void;
}

export interface MessageSpansOptions {
  readonly sink: SpanSink;
  readonly clock: Clock;
  /** Of the traces that are sampled by those who began them: 0 to 1. */
  readonly share: number;
}

/** A delivery that is out, and began then. */
export interface DeliverySpan {
  readonly parent: TraceContext;
  readonly startMs: number;
  readonly attributes: SpanAttributes;
}

interface Published {
  readonly parent: TraceContext;
  readonly startMs: number;
  readonly attributes: SpanAttributes;
  readonly outcome: Outcome;
}

export interface PublishedMessage {
  readonly how: How;
  readonly outcome: Outcome;
  readonly by?: Participant | undefined;
  readonly virtualHost: string;
}

/** Spans that one batch, or one piece of a partition, gives at most. */
const MAX_SPANS_OF_BATCH = 128;
/** What a batch may decompress to, to be looked into. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;
/** Publishes whose turn is not settled. */
const MAX_PENDING = 10_000;
const SYSTEM = 'sluice';
const PROTOCOLS: ReadonlyMap<string, string> = new Map([
  ['AMQP 0-9-1', 'amqp'],
  ['Kafka', 'kafka'],
  ['HTTP', 'http'],
]);

/**
 * The broker's own spans, by OpenTelemetry's conventions for messaging (https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/): one
 * for each publish, delivery and settlement of a message that carries a sampled context, as children of that context.
 */
export class MessageSpans implements TurnWaiter {
  readonly #sink: SpanSink;
  readonly #clock: Clock;
  /** Of a trace id's first 32 bits. */
  readonly #below: number;
  readonly #pending = new Map<Turn, Published[]>();
  #pendingCount = 0;

  constructor({ sink, clock, share }: MessageSpansOptions) {
    this.#sink = sink;
    this.#clock = clock;
    this.#below = share * 0x1_0000_0000;
  }

  /** A message came to an exchange: the span ends when it is safe. */
  published(turn: Turn, message: MessageBytes, { how, outcome, by, virtualHost }: PublishedMessage): void {
    const parent = this.#wanted(contextOf(message));
    if (parent === undefined || this.#pendingCount >= MAX_PENDING) return;
    const { exchange, routingKey } = message;
    const attributes = {
      ...common('publish', 'send', exchange === '' ? routingKey : exchange, by),
      'messaging.rabbitmq.destination.routing_key': routingKey,
      'messaging.message.body.size': message.bodyLength,
      'sluice.virtual_host': virtualHost,
      'sluice.message.how': how,
      'sluice.message.outcome': outcome,
    };
    const one = { parent, startMs: this.#clock.now(), attributes, outcome };
    const others = this.#pending.get(turn);
    this.#pendingCount++;
    if (others !== undefined) others.push(one);
    else {
      this.#pending.set(turn, [one]);
      turn.wait(this);
    }
  }

  turnSettled(turn: Turn, error: BrokerError | undefined): void {
    const published = this.#pending.get(turn) ?? [];
    this.#pending.delete(turn);
    this.#pendingCount -= published.length;
    const endMs = this.#clock.now();
    for (const { parent, startMs, attributes, outcome } of published)
      this.#add(parent, attributes, startMs, endMs, error?.code ?? (outcome === 'refused' ? 'refused' : undefined));
  }

  /** A message went out: the span ends when it is settled, or at once where nobody does that. */
  delivered(
    message: MessageBytes,
    queue: { readonly name: string; readonly virtualHost: string },
    by: Participant | undefined,
    noAck: boolean,
  ): DeliverySpan | undefined {
    const parent = this.#wanted(contextOf(message));
    if (parent === undefined) return undefined;
    const attributes = {
      ...common('receive', 'receive', queue.name, by),
      'messaging.message.body.size': message.bodyLength,
      'sluice.virtual_host': queue.virtualHost,
    };
    const startMs = this.#clock.now();
    if (!noAck) return { parent, startMs, attributes };
    this.#add(parent, attributes, startMs, startMs);
    return undefined;
  }

  settled({ parent, startMs, attributes }: DeliverySpan, how: 'ack' | 'requeue' | 'reject'): void {
    const endMs = this.#clock.now();
    this.#add(parent, attributes, startMs, endMs);
    const settle = { ...attributes, 'messaging.operation.name': how, 'messaging.operation.type': 'settle' };
    this.#add(parent, settle, endMs, endMs);
  }

  /** A batch of a Kafka producer was appended at an offset. */
  appended(
    stream: string,
    partition: number,
    batch: Buffer,
    baseOffset: number,
    by: Participant,
    startMs: number,
  ): void {
    this.#records('publish', 'send', stream, partition, [batch], baseOffset, by, startMs);
  }

  /** Batches of a partition, each with its own offsets, went to a reader. */
  fetched(stream: string, partition: number, batches: Iterable<Buffer>, by: Participant): void {
    this.#records('receive', 'receive', stream, partition, batches, undefined, by, this.#clock.now());
  }

  #records(
    operation: string,
    type: string,
    stream: string,
    partition: number,
    batches: Iterable<Buffer>,
    baseOffset: number | undefined,
    by: Participant,
    startMs: number,
  ): void {
    const endMs = this.#clock.now();
    let count = 0;
    for (const batch of batches) {
      let index = 0;
      for (const record of readable(batch)) {
        const parent = this.#wanted(contextOfRecord(record));
        const offset = baseOffset === undefined ? record.offset : baseOffset + index;
        index++;
        if (parent === undefined) continue;
        this.#add(parent, recordAttributes(operation, type, stream, partition, offset, record, by), startMs, endMs);
        if (++count >= MAX_SPANS_OF_BATCH) return;
      }
    }
  }

  #wanted(context: TraceContext | undefined): TraceContext | undefined {
    if (context?.sampled !== true) return undefined;
    return Number.parseInt(context.traceId.slice(0, 8), 16) < this.#below ? context : undefined;
  }

  #add(parent: TraceContext, attributes: SpanAttributes, startMs: number, endMs: number, error?: string): void {
    const name = `${attributes['messaging.operation.name']} ${attributes['messaging.destination.name']}`;
    this.#sink.add({ parent, name, startMs, endMs, attributes, ...(error !== undefined && { error }) });
  }
}

function common(operation: string, type: string, destination: string, by: Participant | undefined): SpanAttributes {
  const protocol = by === undefined ? undefined : PROTOCOLS.get(by.protocol);
  return {
    'messaging.system': SYSTEM,
    'messaging.operation.name': operation,
    'messaging.operation.type': type,
    'messaging.destination.name': destination,
    ...(protocol !== undefined && { 'network.protocol.name': protocol }),
    ...(by !== undefined && by.client !== '' && { 'messaging.client.id': by.client }),
  };
}

function recordAttributes(
  operation: string,
  type: string,
  stream: string,
  partition: number,
  offset: number,
  { key, value }: LogRecord,
  by: Participant,
): SpanAttributes {
  return {
    ...common(operation, type, stream, by),
    'messaging.destination.partition.id': String(partition),
    'messaging.kafka.offset': offset,
    'messaging.message.body.size': value?.length ?? 0,
    ...(key !== null && { 'messaging.kafka.message.key': key.toString() }),
    ...(value === null && { 'messaging.kafka.message.tombstone': true }),
  };
}

/** What cannot be read, or would be too much, gives no spans. */
function* readable(batch: Buffer): Generator<LogRecord, void> {
  try {
    yield* recordsIn(batch, MAX_BATCH_BYTES);
  } catch {
    // Whoever reads the records is told of it.
  }
}

function contextOfRecord({ headers }: LogRecord): TraceContext | undefined {
  let [parent, state] = ['', ''];
  for (const [name, value] of headers) {
    if (name === TRACEPARENT) parent = value?.toString() ?? '';
    else if (name === TRACESTATE) state = value?.toString() ?? '';
  }
  return parent === '' ? undefined : parseTraceContext(parent, state);
}
