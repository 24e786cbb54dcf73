import { beforeEach, describe, expect, it } from 'vitest';
import { LOG_A, LOG_B, ShardHome } from '../../../test/storage/fixture.ts';
import type { BrokerError } from '../../errors.ts';
import { batchesIn, encodeBatch, encodeMarkerBatch, isControl, recordsIn } from '../../records/index.ts';
import type { Compacted, Shard } from '../../storage/index.ts';
import { Cleaner, dirtiness } from './cleaner.ts';
import { Partition } from './partition.ts';
import { Stream } from './stream.ts';
import { streamConfig } from './stream-config.ts';

describe('the cleaner', () => {
  let home: ShardHome;
  let shard: Shard;
  let streams: Stream[];
  let troubles: BrokerError[];
  let compacted: string[];
  let cleaner: Cleaner;
  beforeEach(async () => {
    home = new ShardHome();
    shard = await home.open();
    streams = [];
    troubles = [];
    compacted = [];
    cleaner = new Cleaner({
      shards: [shard],
      streams: { all: () => streams },
      clock: home.clock,
      settings: { bytesPerSecond: Number.POSITIVE_INFINITY },
      onTrouble: (error) => troubles.push(error),
      onCompacted: ({ name }, _, { cleanedOffset }: Compacted) => compacted.push(`${name} ${cleanedOffset}`),
    });
  });

  async function stream(name: string, logId: string, config: Record<string, string> = {}): Promise<Partition> {
    const own = { 'cleanup.policy': 'compact', ...config };
    const now = () => home.clock.now();
    const partition = await Partition.open({ index: 0, shard, logId, config: streamConfig(own, {}), now });
    streams.push(new Stream({ id: logId, name, partitions: [{ logId, shard: 0 }], config: own }, [partition], {}));
    return partition;
  }

  async function write(partition: Partition, key: string, value: string | null, content = {}): Promise<void> {
    const records = [{ key: Buffer.from(key), value: value === null ? null : Buffer.from(value) }];
    await partition.append(encodeBatch({ records, timestamp: home.clock.now(), ...content }), 'durable').settled;
  }

  async function valuesOf({ log }: Partition): Promise<string[]> {
    const values: string[] = [];
    for (let offset = log.startOffset; offset < log.highWatermark; ) {
      const { chunks } = await log.read(offset, 1);
      for (const { bytes, lastOffset } of batchesIn(Buffer.concat(chunks))) {
        if (!isControl(bytes, 0)) for (const { value } of recordsIn(bytes)) values.push(String(value));
        offset = lastOffset + 1;
      }
    }
    return values;
  }

  it('compacts the dirtiest log first, and none that is clean enough or not to be compacted', async () => {
    const a = await stream('a', LOG_A);
    const b = await stream('b', LOG_B);
    for (const partition of [a, b]) for (let i = 0; i < 4; i++) await write(partition, 'k', `${i}`);
    await shard.flush();
    await cleaner.clean();
    compacted = [];
    for (let i = 0; i < 2; i++) await write(a, 'k', `a${i}`);
    for (let i = 0; i < 9; i++) await write(b, 'k', `b${i}`);
    await shard.flush();
    await cleaner.clean();
    expect(compacted).toEqual(['b 13', 'a 6']);
    expect(await valuesOf(b)).toEqual(['b8']);
    compacted = [];
    // As large as what is clean: half of all, which is not more than the ratio.
    await write(a, 'k', 'a2');
    await shard.flush();
    expect(dirtiness(a, 0, 0).ratio).toBe(0.5);
    await cleaner.clean();
    expect(compacted).toEqual([]);
    expect(troubles).toEqual([]);
  });

  it('leaves topics alone that are not compacted', async () => {
    const a = await stream('a', LOG_A, { 'cleanup.policy': 'delete' });
    for (let i = 0; i < 4; i++) await write(a, 'k', `${i}`);
    await shard.flush();
    await cleaner.clean();
    expect(await valuesOf(a)).toEqual(['0', '1', '2', '3']);
  });

  it('does not wait for the ratio when records are older than the largest lag, in memory or not', async () => {
    const a = await stream('a', LOG_A, { 'min.cleanable.dirty.ratio': '1', 'max.compaction.lag.ms': '1000' });
    for (let i = 0; i < 4; i++) await write(a, 'k', `${i}`);
    await cleaner.clean();
    expect(await valuesOf(a)).toHaveLength(4);
    await home.clock.advance(1001);
    await cleaner.clean();
    expect(await valuesOf(a)).toEqual(['3']);
  });

  it('leaves what is younger than the smallest lag', async () => {
    const a = await stream('a', LOG_A, { 'min.compaction.lag.ms': '1000' });
    for (let i = 0; i < 4; i++) await write(a, 'k', `${i}`);
    await shard.flush();
    await cleaner.clean();
    expect(compacted).toEqual([]);
    await home.clock.advance(1000);
    await cleaner.clean();
    expect(await valuesOf(a)).toEqual(['3']);
  });

  it('looks again and again, until it is stopped', async () => {
    const a = await stream('a', LOG_A);
    cleaner.start();
    for (let round = 1; round <= 3; round++) {
      for (let i = 0; i < 9; i++) await write(a, 'k', `${i}`);
      await shard.flush();
      await home.clock.advance(15_000);
      expect(compacted).toHaveLength(round);
    }
    cleaner.stop();
    await write(a, 'k', 'last');
    await shard.flush();
    await home.clock.advance(60_000);
    expect(compacted).toHaveLength(3);
  });

  it('leaves a damaged log alone, with a word, and goes on with the others', async () => {
    const a = await stream('a', LOG_A);
    const b = await stream('b', LOG_B);
    for (const partition of [a, b]) for (let i = 0; i < 4; i++) await write(partition, 'k', `${i}`);
    await shard.flush();
    const [name = ''] = (await home.store.list(LOG_A)).filter((object) => object.endsWith('.log'));
    const bytes = await home.store.get(name, 0, 1 << 20);
    bytes.writeUInt8(bytes.at(-1) === 0 ? 1 : 0, bytes.length - 1);
    bytes.writeUInt8((bytes.at(-2) ?? 0) ^ 1, bytes.length - 2);
    await home.store.put(name, [bytes]);
    await cleaner.clean();
    await cleaner.clean();
    expect(compacted).toEqual(['b 4']);
    expect(troubles.map(({ code }) => code)).toEqual(['storage-damaged']);
  });

  it('both compacts and retains where the policy says both', async () => {
    const a = await stream('a', LOG_A, {
      'cleanup.policy': 'compact,delete',
      'retention.ms': '1000',
      'segment.bytes': '150',
    });
    for (let i = 0; i < 6; i++) await write(a, `k${i % 3}`, `${i}`);
    await shard.flush();
    await cleaner.clean();
    expect(await valuesOf(a)).toEqual(['3', '4', '5']);
    await home.clock.advance(1001);
    await write(a, 'k0', 'new');
    await a.retain();
    expect(await valuesOf(a)).toEqual(['new']);
  });

  it('finds records by time, and the latest of them, in what is left', async () => {
    const a = await stream('a', LOG_A);
    for (const [key, timestamp] of [
      ['k', 10],
      ['k', 40],
      ['l', 30],
      ['k', 20],
      ['m', 25],
    ] as const)
      await write(a, key, `${timestamp}`, { timestamp });
    await shard.flush();
    await cleaner.clean();
    expect(await valuesOf(a)).toEqual(['30', '20', '25']);
    expect(await a.offsetForTimestamp(5)).toMatchObject({ offset: 2, timestamp: 30 });
    expect(await a.offsetForTimestamp(31)).toBeUndefined();
    expect(await a.offsetOfMaxTimestamp()).toMatchObject({ offset: 2, timestamp: 30 });
  });

  it('leaves what producers are known by, though the state that was saved is lost', async () => {
    const a = await stream('a', LOG_A);
    const own = (sequence: number) => ({ producerId: 9, producerEpoch: 1, baseSequence: sequence });
    await write(a, 'k', '0', own(0));
    await write(a, 'k', '1', own(1));
    await write(a, 'k', '2');
    await shard.flush();
    await cleaner.clean();
    expect(await valuesOf(a)).toEqual(['2']);
    await shard.close();
    await home.store.delete(`${LOG_A}/derived`);
    shard = await home.open();
    streams = [];
    const again = await stream('a', LOG_A);
    expect(again.append(encodeBatch({ records: [{ key: Buffer.from('k') }], ...own(1) }), 'durable').duplicate).toBe(
      true,
    );
    await write(again, 'k', '3', own(2));
    await expect(write(again, 'k', '4', own(5))).rejects.toMatchObject({ code: 'out-of-order-sequence' });
  });

  it('has an aborted transaction forgotten when its marker goes', async () => {
    const a = await stream('a', LOG_A, { 'delete.retention.ms': '1000', 'min.cleanable.dirty.ratio': '0' });
    const transaction = { producerId: 9, producerEpoch: 1, baseSequence: 0, transactional: true };
    const put = async (batch: Buffer) => {
      const { baseOffsets, settled } = shard.append([{ log: a.log, batch }]);
      a.producers.appended(batch, baseOffsets[0] ?? -1, settled);
      await settled;
    };
    await put(
      encodeBatch({ records: [{ key: Buffer.from('k'), value: Buffer.from('no') }], timestamp: 1, ...transaction }),
    );
    await put(
      encodeMarkerBatch({ outcome: 'abort', coordinatorEpoch: 0, producerId: 9, producerEpoch: 1, timestamp: 1 }),
    );
    await put(
      encodeBatch({
        records: [{ key: Buffer.from('k'), value: Buffer.from('yes') }],
        timestamp: 1,
        ...transaction,
        baseSequence: 1,
      }),
    );
    await put(
      encodeMarkerBatch({ outcome: 'commit', coordinatorEpoch: 0, producerId: 9, producerEpoch: 1, timestamp: 1 }),
    );
    const round = async () => {
      await write(a, 'other', 'x');
      await shard.flush();
      await cleaner.clean();
      await home.clock.advance(1001);
    };
    await round();
    expect(await valuesOf(a)).toEqual(['yes', 'x']);
    expect(a.producers.transactions.aborted).toHaveLength(1);
    await round();
    await round();
    await round();
    expect(a.producers.transactions.aborted).toHaveLength(0);
    expect(await valuesOf(a)).toEqual(['yes', 'x']);
    await shard.close();
    shard = await home.open();
    streams = [];
    const again = await stream('a', LOG_A);
    expect(again.producers.transactions.aborted).toHaveLength(0);
    expect(again.lastStableOffset).toBe(again.log.highWatermark);
  });
});
