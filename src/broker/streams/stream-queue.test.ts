import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ShardHome } from '../../../test/storage/fixture.ts';
import type { BrokerError } from '../../errors.ts';
import {
  type BatchContent,
  decodeRecords,
  encodeBatch,
  encodeMarkerBatch,
  type NewRecord,
  partitionOf,
  stampCrc,
} from '../../records/index.ts';
import type { Shard } from '../../storage/index.ts';
import { Catalog } from '../catalog/catalog.ts';
import { longString, table } from '../messages/field.ts';
import { MessageBytes } from '../messages/message-bytes.ts';
import { encodeProperties, type Properties } from '../messages/properties.ts';
import { streamConfigOf, streamOfQueue, topicName } from './stream-of-queue.ts';
import { QueueOverStream } from './stream-queue.ts';
import type { StreamReaderOptions } from './stream-reader.ts';
import { parseAge, type StreamStart } from './stream-start.ts';
import { Streams } from './streams.ts';

interface Got {
  readonly body: string;
  readonly offset: number;
  readonly partition: number;
}

/** Somebody who reads a stream, and takes as many messages as the test lets it. */
class Reader {
  readonly got: Got[] = [];
  credit: number;
  error: BrokerError | undefined;
  readonly subscription: { wake(): void; cancel(): void };

  constructor(
    queue: QueueOverStream,
    start: StreamStart,
    options: Partial<StreamReaderOptions> & { credit?: number } = {},
  ) {
    const { credit = Number.POSITIVE_INFINITY, ...others } = options;
    this.credit = credit;
    this.subscription = queue.subscribe({
      start,
      canTake: () => this.credit > 0,
      deliver: ({ body, bodyStart, bodyEnd }, offset, partition) => {
        this.credit--;
        this.got.push({ body: body.toString('utf8', bodyStart, bodyEnd), offset, partition });
      },
      cancelled: (error) => {
        this.error = error;
      },
      ...others,
    });
  }

  get bodies(): string[] {
    return this.got.map(({ body }) => body);
  }

  more(credit: number): void {
    this.credit += credit;
    this.subscription.wake();
  }
}

/** Until nothing has happened for some turns of the event loop. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function message(body: string, properties: Properties = {}): MessageBytes {
  return MessageBytes.of('', 'orders', encodeProperties(properties), Buffer.from(body));
}

const keyed = (key: string) => ({ headers: table({ 'x-kafka-key': longString(key) }).value as Properties['headers'] });

describe('a queue over a stream', () => {
  let home: ShardHome;
  let shard: Shard;
  let streams: Streams;
  beforeEach(async () => {
    home = new ShardHome();
    await open();
  });
  afterEach(() => shard.close());

  async function open(): Promise<void> {
    shard = await home.open();
    const now = () => home.clock.now();
    const onTrouble = (error: BrokerError, what: string) => home.troubles.push({ error, what });
    const catalog = await Catalog.open({ shard, now, onTrouble });
    let made = 0;
    const uuid = () => `00000000-0000-4000-8000-${String(++made).padStart(12, '0')}`;
    streams = await Streams.open({ catalog, shards: [shard], now, uuid, defaults: {}, onTrouble });
  }

  async function topic(partitions = 1, config: Record<string, string> = {}): Promise<QueueOverStream> {
    await streams.create({ name: 'orders', partitions, config });
    return found('orders');
  }

  function found(name: string, virtualHost = '/'): QueueOverStream {
    const of = streamOfQueue(streams, virtualHost, name);
    if (of === undefined) throw new Error(`no stream ${name}`);
    return new QueueOverStream({ name, virtualHost, ...of });
  }

  async function publish(queue: QueueOverStream, ...bodies: string[]): Promise<void> {
    for (const body of bodies) queue.collect(message(body), home.clock.now());
    await queue.commit();
  }

  async function produce(
    queue: QueueOverStream,
    values: readonly string[],
    content: Partial<BatchContent> = {},
    partition = 0,
  ) {
    const records: NewRecord[] = values.map((value) => ({ value: Buffer.from(value) }));
    const batch = encodeBatch({ timestamp: home.clock.now(), ...content, records });
    await queue.stream.partitions[partition]?.append(batch, 'durable').settled;
  }

  it('keeps what is published in one turn as one batch, and counts it', async () => {
    const queue = await topic();
    await publish(queue, 'a', 'b');
    await publish(queue, 'c');
    expect(queue.messageCount).toBe(3);
    const [partition] = queue.partitions;
    const { chunks } = (await partition?.read(0, 1)) ?? { chunks: [] };
    const records = decodeRecords(Buffer.concat(chunks));
    expect(records.map(({ value, timestamp }) => [value?.toString(), timestamp])).toEqual([
      ['a', home.clock.now()],
      ['b', home.clock.now()],
    ]);
  });

  it('puts messages with a key where Kafka would, and those without into one partition for each turn', async () => {
    const queue = await topic(3);
    const keys = [...'abcdefgh'];
    for (const key of keys) queue.collect(message(key, keyed(key)), 0);
    await queue.commit();
    const reader = new Reader(queue, { from: 'first' });
    await quiet();
    expect(Object.fromEntries(reader.got.map(({ body, partition }) => [body, partition]))).toEqual(
      Object.fromEntries(keys.map((key) => [key, partitionOf(Buffer.from(key), 3)])),
    );
    expect(new Set(reader.got.map(({ partition }) => partition)).size).toBe(3);
    reader.got.length = 0;
    for (const turn of ['1', '2', '3']) await publish(queue, turn, turn);
    await quiet();
    const byPartition = Object.groupBy(reader.got, ({ partition }) => partition);
    expect(Object.values(byPartition).map((got) => got?.length)).toEqual([2, 2, 2]);
  });

  it('refuses what is too large and what has no key where one is wanted, and takes the rest of the turn', async () => {
    const queue = await topic(1, { 'max.message.bytes': '1000', 'cleanup.policy': 'compact' });
    queue.collect(message('small', keyed('k')), 0);
    expect(() => queue.collect(message('x'.repeat(1000), keyed('k')), 0)).toThrow(
      expect.objectContaining({ code: 'message-too-large' }),
    );
    expect(() => queue.collect(message('no key'), 0)).toThrow(expect.objectContaining({ code: 'precondition-failed' }));
    for (let i = 0; i < 5; i++) queue.collect(message('y'.repeat(400), keyed('k')), 0);
    await queue.commit();
    expect(queue.messageCount).toBe(6);
  });

  it('says so when its stream is gone, to those who publish and to those who read', async () => {
    const queue = await topic();
    const reader = new Reader(queue, { from: 'first' });
    queue.collect(message('a'), 0);
    await streams.delete('orders');
    await expect(queue.commit()).rejects.toMatchObject({ code: 'not-found' });
    expect(() => queue.collect(message('b'), 0)).toThrow(expect.objectContaining({ code: 'not-found' }));
    await quiet();
    expect([reader.error?.code, queue.consumerCount]).toEqual(['not-found', 0]);
  });

  it('is read from where a reader asks to begin', async () => {
    const queue = await topic();
    const start = home.clock.now();
    for (const turn of [['a', 'b'], ['c'], ['d', 'e']]) {
      await publish(queue, ...turn);
      await home.clock.advance(1000);
    }
    const readers = {
      first: new Reader(queue, { from: 'first' }),
      last: new Reader(queue, { from: 'last' }),
      next: new Reader(queue, { from: 'next' }),
      offset: new Reader(queue, { from: 'offset', offset: 1 }),
      beyond: new Reader(queue, { from: 'offset', offset: 6 }),
      time: new Reader(queue, { from: 'timestamp', timestamp: start + 1 }),
      never: new Reader(queue, { from: 'timestamp', timestamp: start + 5000 }),
    };
    await quiet();
    await publish(queue, 'f', 'g');
    await quiet();
    const bodies = Object.fromEntries(Object.entries(readers).map(([name, reader]) => [name, reader.bodies.join('')]));
    expect(bodies).toEqual({
      first: 'abcdefg',
      last: 'defg',
      next: 'fg',
      offset: 'bcdefg',
      beyond: 'g',
      time: 'cdefg',
      never: 'fg',
    });
    expect(readers.beyond.got[0]?.offset).toBe(6);
  });

  it('gives no more than can be taken, and goes on when more can', async () => {
    const queue = await topic();
    await publish(queue, ...'abcdefgh');
    const reader = new Reader(queue, { from: 'first' }, { credit: 3 });
    await quiet();
    expect(reader.bodies.join('')).toBe('abc');
    reader.more(2);
    expect(reader.bodies.join('')).toBe('abcde');
    reader.subscription.cancel();
    reader.more(2);
    await quiet();
    expect([reader.bodies.join(''), queue.consumerCount]).toEqual(['abcde', 0]);
  });

  it('goes on from what is left when retention was faster than a reader', async () => {
    const queue = await topic();
    await publish(queue, 'a', 'b');
    const reader = new Reader(queue, { from: 'first' }, { credit: 1 });
    await quiet();
    for (const turn of 'cdef') await publish(queue, turn);
    await queue.partitions[0]?.deleteRecords(4);
    reader.more(10);
    await quiet();
    // What it had read by then, it has.
    expect(reader.bodies).toEqual(['a', 'b', 'e', 'f']);
  });

  it('reads what is compressed, and passes over transaction markers', async () => {
    const queue = await topic();
    for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const)
      await produce(queue, [compression], { compression });
    const marker = { producerId: 1, producerEpoch: 0, outcome: 'commit', coordinatorEpoch: 0, timestamp: 0 } as const;
    const log = queue.partitions[0]?.log;
    if (log !== undefined) await shard.append([{ log, batch: encodeMarkerBatch(marker) }]).settled;
    await produce(queue, ['end']);
    const reader = new Reader(queue, { from: 'first' });
    await quiet();
    expect(reader.bodies).toEqual(['gzip', 'snappy', 'lz4', 'zstd', 'end']);
    expect(reader.got.at(-1)?.offset).toBe(5);
  });

  it('reads what went to segments, with what is in memory after it', async () => {
    const queue = await topic();
    for (let i = 0; i < 100; i++) await publish(queue, `${i}`.padStart(3000, ' '));
    await shard.flush();
    await shard.close();
    await open();
    const again = found('orders');
    for (let i = 100; i < 110; i++) await publish(again, `${i}`);
    const reader = new Reader(again, { from: 'first' }, { credit: 50 });
    await quiet();
    reader.more(1000);
    await quiet();
    await quiet();
    expect(reader.bodies.map(Number)).toEqual(Array.from({ length: 110 }, (_, i) => i));
    const last = new Reader(again, { from: 'last' });
    await quiet();
    expect(last.bodies).toEqual(['109']);
  });

  it('lets others have their turn while it looks for what a reader asked for', async () => {
    const queue = await topic();
    await publish(queue, ...Array.from({ length: 5000 }, (_, i) => `${i}`));
    let looked = 0;
    const accepts = () => ++looked % 2500 === 0;
    const reader = new Reader(queue, { from: 'first' }, { accepts });
    await new Promise((resolve) => setImmediate(resolve));
    expect(looked).toBeLessThan(1000);
    await quiet();
    expect(reader.bodies).toEqual(['2499', '4999']);
  });

  it('stops with a batch that nobody can read, and says why', async () => {
    const queue = await topic();
    await publish(queue, 'good');
    const batch = encodeBatch({ records: [{ value: Buffer.alloc(100) }], compression: 'gzip' });
    const damaged = Buffer.from(batch);
    damaged.fill(0xee, 70);
    stampCrc(damaged, 0);
    await queue.partitions[0]?.append(damaged, 'durable').settled;
    const reader = new Reader(queue, { from: 'first' });
    await quiet();
    expect([reader.bodies, reader.error?.code]).toEqual([['good'], 'corrupt-message']);
  });

  it('reads partitions that are added later, from their beginning', async () => {
    const queue = await topic();
    const reader = new Reader(queue, { from: 'next' });
    await streams.addPartitions('orders', 2);
    await produce(queue, ['new'], {}, 1);
    await quiet();
    expect(reader.got).toEqual([{ body: 'new', offset: 0, partition: 1 }]);
  });

  it('keeps the order of each partition, whatever credit comes when', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 4 })), { minLength: 1, maxLength: 12 }),
        fc.array(fc.nat(5), { minLength: 1, maxLength: 8 }),
        async (batches, credits) => {
          if (streams.get('orders') !== undefined) await streams.delete('orders');
          const queue = await topic(3);
          const reader = new Reader(queue, { from: 'first' }, { credit: 0 });
          const wanted: Got[] = [];
          const ends = [0, 0, 0];
          for (const [i, [partition, count]] of batches.entries()) {
            const values = Array.from({ length: count }, (_, n) => `${i}-${n}`);
            for (const body of values) {
              const offset = ends[partition] ?? 0;
              ends[partition] = offset + 1;
              wanted.push({ body, offset, partition });
            }
            await produce(queue, values, {}, partition);
            reader.more(credits[i % credits.length] ?? 0);
          }
          reader.more(1000);
          await quiet();
          const of = (all: readonly Got[], index: number) => all.filter(({ partition }) => partition === index);
          for (const index of [0, 1, 2]) expect(of(reader.got, index)).toEqual(of(wanted, index));
          reader.subscription.cancel();
        },
      ),
      { numRuns: 30 },
    );
  });

  it('stands for one partition under the name of a partition', async () => {
    await topic(3);
    const queue = found('orders-1');
    await publish(queue, 'a');
    expect(queue.stream.partitions[1]?.log.highWatermark).toBe(1);
    expect([queue.partitions.length, queue.messageCount]).toEqual([1, 1]);
    const names = ['orders-3', 'orders-01', 'orders-', 'other'];
    expect(names.map((name) => streamOfQueue(streams, '/', name))).toEqual(names.map(() => undefined));
  });
});

it('keeps what it is declared to keep, and everything unless it says so', () => {
  const none = { maxAge: undefined, maxLengthBytes: undefined, maxSegmentBytes: undefined };
  expect(streamConfigOf(none)).toMatchObject({ 'retention.ms': '-1', 'retention.bytes': '-1' });
  expect(streamConfigOf({ maxAge: '7D', maxLengthBytes: 5000, maxSegmentBytes: 3_000_000_000 })).toMatchObject({
    'retention.ms': String(7 * 86_400_000),
    'retention.bytes': '5000',
    'segment.bytes': String(2 ** 31 - 1),
  });
});

it('gives each queue of each virtual host a topic of its own, under its own name where that can be', () => {
  expect(topicName('/', 'orders')).toBe('orders');
  expect(topicName('shop', 'orders')).toBe('shop.orders');
  expect(topicName('/', 'my orders')).toMatch(/^my-orders-[0-9a-f]{10}$/);
  const odd = [
    ['/', 'my orders'],
    ['/', 'my/orders'],
    ['my', 'a b'],
    ['/', '.'],
    ['/', 'ö'.repeat(120)],
    ['/', 'x'.repeat(250)],
  ];
  const names = odd.map(([host = '', name = '']) => topicName(host, name));
  expect(new Set(names).size).toBe(odd.length);
  for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9._-]{1,249}$/);
});

it('knows ages in the units that RabbitMQ has', () => {
  expect(['30s', '5m', '1h', '7D', '1M', '1Y'].map(parseAge)).toEqual([
    30_000,
    300_000,
    3_600_000,
    7 * 86_400_000,
    30 * 86_400_000,
    365 * 86_400_000,
  ]);
  expect(['', '0s', 's', '5', '5d', '-1h', '1.5h', '1h30m'].map(parseAge)).toEqual(Array(8).fill(undefined));
});
