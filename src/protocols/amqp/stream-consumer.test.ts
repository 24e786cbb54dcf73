import { describe, expect, it } from 'vitest';
import {
  array,
  bool,
  EMPTY_TABLE,
  type Field,
  type FieldTable,
  integer,
  longString,
  type StreamQueue,
  type StreamReaderOptions,
  timestamp,
} from '../../broker/index.ts';
import type { RecordHeader } from '../../records/index.ts';
import { consumeStream, refuseForStream, streamFilter } from './stream-consumer.ts';
import { streamStart } from './stream-offset.ts';

const NOW = 1_700_000_000_000;
const QUEUE = "queue 's' in vhost '/'";

describe('where a consumer of a stream begins', () => {
  const start = (field: Field | undefined) => streamStart(field, QUEUE, NOW);

  it('is after the last message unless it says otherwise', () => {
    expect(start(undefined)).toEqual({ from: 'next' });
  });

  it('is said in all the ways that RabbitMQ has', () => {
    for (const from of ['first', 'last', 'next'] as const) expect(start(longString(from))).toEqual({ from });
    expect(start(integer(5))).toEqual({ from: 'offset', offset: 5 });
    expect(start({ type: 'l', value: 2 ** 40 })).toEqual({ from: 'offset', offset: 2 ** 40 });
    expect(start(timestamp(1_600_000_000))).toEqual({ from: 'timestamp', timestamp: 1_600_000_000_000 });
    expect(start(longString('1h'))).toEqual({ from: 'timestamp', timestamp: NOW - 3_600_000 });
    expect(start(longString('7D'))).toEqual({ from: 'timestamp', timestamp: NOW - 7 * 86_400_000 });
  });

  it('is refused in its words when it is nothing of that', () => {
    const refusal = (printed: string) =>
      expect.objectContaining({
        reply: 'PRECONDITION_FAILED',
        message: `invalid arg 'x-stream-offset' for ${QUEUE}: {invalid_stream_offset_arg,${printed}}`,
      });
    expect(() => start(longString('soon'))).toThrow(refusal('{longstr,<<"soon">>}'));
    expect(() => start(integer(-1))).toThrow(refusal('{signedint,-1}'));
    expect(() => start(bool(true))).toThrow(refusal('{bool,true}'));
  });
});

describe('a filter', () => {
  const matches = (args: [string, Field][], ...headers: RecordHeader[]) =>
    streamFilter(new Map(args))?.({ offset: 0, timestamp: 0, key: null, value: null, headers });
  const value = (text: string): RecordHeader => ['x-stream-filter-value', Buffer.from(text)];
  const eu: [string, Field] = ['x-stream-filter', longString('eu')];

  it('is none unless it is asked for', () => {
    expect(streamFilter(EMPTY_TABLE)).toBeUndefined();
  });

  it('lets through what has one of its values', () => {
    expect(matches([eu], value('eu'))).toBe(true);
    expect(matches([eu], value('us'))).toBe(false);
    expect(matches([['x-stream-filter', array([longString('eu'), longString('us')])]], value('us'))).toBe(true);
  });

  it('lets through what has none when it is told to', () => {
    expect(matches([eu], ['other', Buffer.from('eu')])).toBe(false);
    expect(matches([eu, ['x-stream-match-unfiltered', bool(true)]])).toBe(true);
    expect(matches([eu, ['x-stream-match-unfiltered', bool(true)]], value('us'))).toBe(false);
  });
});

describe('consuming a stream', () => {
  let asked: StreamReaderOptions | undefined;
  const queue: StreamQueue = {
    name: 's',
    virtualHost: '/',
    messageCount: 0,
    consumerCount: 0,
    subscribe(options) {
      asked = options;
      return { wake() {}, cancel() {} };
    },
    collect() {},
    commit: () => Promise.resolve(),
  };
  const consume = (options: {
    prefetch?: number;
    noAck?: boolean;
    channelPrefetch?: boolean;
    arguments?: FieldTable;
  }) =>
    consumeStream({
      queue,
      arguments: EMPTY_TABLE,
      noAck: false,
      prefetch: 10,
      channelPrefetch: false,
      frameMax: 131_072,
      now: NOW,
      canTake: () => true,
      deliver() {},
      cancelled() {},
      ...options,
    });

  it('begins where the argument says, with properties that fit a frame', () => {
    consume({ arguments: new Map([['x-stream-offset', longString('first')]]) });
    expect(asked).toMatchObject({ start: { from: 'first' }, maxPropertiesBytes: 131_052 });
  });

  it('is refused as RabbitMQ does', () => {
    const refused = (reply: string, message: string) => expect.objectContaining({ reply, message });
    expect(() => consume({ prefetch: 0 })).toThrow(
      refused('PRECONDITION_FAILED', `consumer prefetch count is not set for stream ${QUEUE}`),
    );
    expect(() => consume({ noAck: true })).toThrow(
      refused('NOT_IMPLEMENTED', `automatic acknowledgement not supported by stream ${QUEUE}`),
    );
    expect(() => consume({ channelPrefetch: true })).toThrow(
      refused('NOT_IMPLEMENTED', `${QUEUE} does not support global qos`),
    );
    expect(() => refuseForStream('basic.get', queue)).toThrow(
      refused('NOT_IMPLEMENTED', `basic.get not supported by stream queues ${QUEUE}`),
    );
  });
});
