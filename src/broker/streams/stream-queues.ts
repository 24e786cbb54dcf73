import { createHash } from 'node:crypto';
import { QueueOverStream } from './stream-queue.ts';
import { parseAge } from './stream-start.ts';
import type { Streams } from './streams.ts';

/** What is kept of a stream that was declared as a queue; undefined for no limit of the kind. */
export interface StreamQueueSettings {
  /** Like `7D`, checked. */
  readonly maxAge: string | undefined;
  readonly maxLengthBytes: number | undefined;
  readonly maxSegmentBytes: number | undefined;
}

/** The virtual host in which every stream has its own name. */
const ROOT = '/';
const LEGAL_NAME = /^[a-zA-Z0-9._-]{1,249}$/;
/** Of a name that is made for one that no stream can have: the readable part, and hexadecimal digits that keep it apart. */
const MAX_READABLE = 200;
const DIGITS = 10;
/** As large as Kafka's setting can be; AMQP bodies are limited where they come in. */
const MAX_MESSAGE_BYTES = 2 ** 31 - 1;
/** Kafka's `segment.bytes` is an int. */
const MAX_SEGMENT_BYTES = 2 ** 31 - 1;
const MIN_SEGMENT_BYTES = 14;

/** Streams under the names of queues; docs/message-mapping.md says which name stands for what. */
export class StreamQueues {
  readonly #streams: Streams;

  constructor(streams: Streams) {
    this.#streams = streams;
  }

  /** The queue of a stream that is there, or of one of its partitions: `orders-3` when no stream has that name. */
  find(virtualHost: string, name: string): QueueOverStream | undefined {
    const stream = this.#streams.get(topicName(virtualHost, name));
    if (stream !== undefined) return new QueueOverStream({ name, virtualHost, stream });
    const [, base, digits] = /^(.+)-(0|[1-9][0-9]{0,5})$/.exec(name) ?? [];
    if (base === undefined) return undefined;
    const partition = Number(digits);
    const whole = this.#streams.get(topicName(virtualHost, base));
    if (whole === undefined || partition >= whole.partitions.length) return undefined;
    return new QueueOverStream({ name, virtualHost, stream: whole, partition });
  }

  /** Makes the stream of a queue that is declared. Rejects with what `Streams.create` throws. */
  async create(virtualHost: string, name: string, settings: StreamQueueSettings): Promise<QueueOverStream> {
    const topic = topicName(virtualHost, name);
    const stream = await this.#streams.create({ name: topic, partitions: 1, config: streamConfigOf(settings) });
    return new QueueOverStream({ name, virtualHost, stream });
  }

  /** Gives the stream other limits; those of its other settings that somebody else set stay. */
  async configure(queue: QueueOverStream, settings: StreamQueueSettings): Promise<void> {
    await this.#streams.configure(queue.stream.name, (own) => ({ ...own, ...streamConfigOf(settings) }));
  }

  /** Deletes the stream for good. `not-found` when that was done before. */
  async delete({ stream }: QueueOverStream): Promise<void> {
    await this.#streams.delete(stream.name, stream.id);
  }
}

/** The name of the stream that a queue of this name is. */
export function topicName(virtualHost: string, name: string): string {
  const plain = virtualHost === ROOT ? name : `${virtualHost}.${name}`;
  if (LEGAL_NAME.test(plain) && plain !== '.' && plain !== '..') return plain;
  const readable = plain.replaceAll(/[^a-zA-Z0-9._-]+/g, '-').slice(0, MAX_READABLE);
  const digits = createHash('sha256')
    .update(JSON.stringify([virtualHost, name]))
    .digest('hex')
    .slice(0, DIGITS);
  return `${readable}-${digits}`;
}

/** Unlike a topic, a stream of RabbitMQ's keeps everything unless it is told otherwise. */
function streamConfigOf({ maxAge, maxLengthBytes, maxSegmentBytes }: StreamQueueSettings): Record<string, string> {
  const age = maxAge === undefined ? undefined : parseAge(maxAge);
  return {
    'max.message.bytes': String(MAX_MESSAGE_BYTES),
    'retention.ms': String(age ?? -1),
    'retention.bytes': String(maxLengthBytes ?? -1),
    ...(maxSegmentBytes !== undefined && {
      'segment.bytes': String(Math.min(MAX_SEGMENT_BYTES, Math.max(MIN_SEGMENT_BYTES, maxSegmentBytes))),
    }),
  };
}
