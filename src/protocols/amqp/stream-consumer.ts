import {
  type FieldTable,
  headerText,
  type MessageBytes,
  type Partition,
  type StreamQueue,
} from '../../broker/index.ts';
import type { LogRecord } from '../../records/index.ts';
import { AmqpError } from './errors.ts';
import { OFFSET_ARGUMENT, streamStart } from './stream-offset.ts';

const FILTER_ARGUMENT = 'x-stream-filter';
const MATCH_UNFILTERED_ARGUMENT = 'x-stream-match-unfiltered';
/** Of a message, by which consumers may ask for it. */
const FILTER_VALUE = 'x-stream-filter-value';

/** Bytes of a content header frame beside the properties: type, channel, size, class, weight, body size, end; section 4.2.6.1. */
const HEADER_FRAME_BYTES = 8 + 12;

export interface StreamConsumeOptions {
  readonly queue: StreamQueue;
  /** Of `basic.consume`. */
  readonly arguments: FieldTable;
  readonly noAck: boolean;
  /** Messages that may be out at a time. */
  readonly prefetch: number;
  /** Whether the channel has a prefetch for all of its consumers together. */
  readonly channelPrefetch: boolean;
  /** As negotiated: properties go in one frame. */
  readonly frameMax: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Whether one more message can be delivered now: asked before each. When that becomes true again, call `wake`. */
  canTake(): boolean;
  /** The bytes are valid during the call only. Whatever becomes of it, the stream keeps it: settling it is for the prefetch only. */
  deliver(message: MessageBytes): void;
  /** Is told of what it was given, piece by piece. */
  given?(partition: Partition, offset: number, end: number): void;
  /** Nothing will come any more. */
  cancelled(): void;
}

/** What a delivery of a stream's message can be told without consequence: nothing is kept of it. */
export const STREAM_DELIVERY = { acknowledge() {}, requeue() {}, reject() {} } as const;

/**
 * Has a stream queue deliver to a consumer of a channel, in RabbitMQ's ways. Nothing is delivered before this returns. Throws
 * `PRECONDITION_FAILED` without a prefetch or for wrong arguments, `NOT_IMPLEMENTED` for what streams do not do.
 */
export function consumeStream(options: StreamConsumeOptions): { wake(): void; cancel(): void } {
  const { queue, arguments: args } = options;
  const name = `queue '${queue.name}' in vhost '${queue.virtualHost}'`;
  const start = streamStart(args.get(OFFSET_ARGUMENT), name, options.now);
  if (options.prefetch === 0)
    throw new AmqpError('PRECONDITION_FAILED', `consumer prefetch count is not set for stream ${name}`);
  if (options.noAck)
    throw new AmqpError('NOT_IMPLEMENTED', `automatic acknowledgement not supported by stream ${name}`);
  if (options.channelPrefetch) throw new AmqpError('NOT_IMPLEMENTED', `${name} does not support global qos`);
  return queue.subscribe({
    start,
    accepts: streamFilter(args),
    maxPropertiesBytes: options.frameMax === 0 ? undefined : options.frameMax - HEADER_FRAME_BYTES,
    canTake: () => options.canTake(),
    deliver: (message) => options.deliver(message),
    given: (...piece) => options.given?.(...piece),
    cancelled: () => options.cancelled(),
  });
}

/** `basic.get` and `queue.purge` are not for streams. */
export function refuseForStream(method: 'basic.get' | 'queue.purge', { name, virtualHost }: StreamQueue): never {
  const queue = `queue '${name}' in vhost '${virtualHost}'`;
  throw new AmqpError('NOT_IMPLEMENTED', `${method} not supported by stream queues ${queue}`);
}

/** Which records a consumer asked for; undefined for all. Unlike RabbitMQ's, this lets none through that was not asked for. */
export function streamFilter(args: FieldTable): ((record: LogRecord) => boolean) | undefined {
  const wanted = filterValues(args);
  if (wanted === undefined) return undefined;
  const unfiltered = args.get(MATCH_UNFILTERED_ARGUMENT);
  const matchUnfiltered = unfiltered?.type === 't' && unfiltered.value;
  return ({ headers }) => {
    const value = headerText(headers, FILTER_VALUE);
    return value === undefined ? matchUnfiltered : wanted.has(value);
  };
}

function filterValues(args: FieldTable): ReadonlySet<string> | undefined {
  const filter = args.get(FILTER_ARGUMENT);
  if (filter?.type === 'S') return new Set([filter.value]);
  if (filter?.type !== 'A') return undefined;
  return new Set(filter.value.flatMap((element) => (element.type === 'S' ? [element.value] : [])));
}
