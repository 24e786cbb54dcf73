import { createHash } from 'node:crypto';
import type { Stream } from './stream.ts';
import { parseAge } from './stream-start.ts';
import type { Streams } from './streams.ts';

/*
 * Streams under the names of queues; docs/message-mapping.md says which name stands for what.
 */

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

/** A stream that has a queue's name, or one of its partitions. */
export interface StreamOfQueue {
  readonly stream: Stream;
  readonly partition: number | undefined;
}

/** The stream that a queue's name stands for, or the partition of one: `orders-3` when no stream has that name. */
export function streamOfQueue(
  streams: Pick<Streams, 'get'>,
  virtualHost: string,
  name: string,
): StreamOfQueue | undefined {
  const stream = streams.get(topicName(virtualHost, name));
  if (stream !== undefined) return { stream, partition: undefined };
  const [, base, digits] = /^(.+)-(0|[1-9][0-9]{0,5})$/.exec(name) ?? [];
  if (base === undefined) return undefined;
  const partition = Number(digits);
  const whole = streams.get(topicName(virtualHost, base));
  return whole === undefined || partition >= whole.partitions.length ? undefined : { stream: whole, partition };
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

/** Settings of the stream of such a queue. Unlike a topic, it keeps everything unless it is told otherwise. */
export function streamConfigOf({
  maxAge,
  maxLengthBytes,
  maxSegmentBytes,
}: StreamQueueSettings): Record<string, string> {
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
