import { beforeEach, describe, expect, it } from 'vitest';
import { LOG_A, ShardHome } from '../../../test/storage/fixture.ts';
import {
  type BatchContent,
  type BatchView,
  baseTimestamp,
  batchesIn,
  type Compression,
  encodeBatch,
  encodeMarkerBatch,
  hasDeleteHorizon,
  type NewRecord,
  recordsIn,
  verifyIntegrity,
} from '../../records/index.ts';
import type { CompactionOptions, Log, Shard } from '../index.ts';

const NOW = 1_000_000;
const MiB = 1024 * 1024;

describe('compaction', () => {
  let home: ShardHome;
  let shard: Shard;
  let log: Log;
  beforeEach(async () => {
    home = new ShardHome();
    await open();
  });

  async function open(settings = {}): Promise<void> {
    shard = await home.open(settings);
    log = shard.log(LOG_A);
  }

  async function reopen(): Promise<void> {
    await shard.close();
    await open();
  }

  /** `k=v` for a record, `k` for a tombstone, `=v` for one without a key. */
  async function write(records: string, content: Partial<BatchContent> = {}): Promise<number> {
    const batch = encodeBatch({
      timestamp: 1000,
      ...content,
      records: records.split(' ').filter(Boolean).map(recordOf),
    });
    return append(batch);
  }

  async function append(batch: Buffer): Promise<number> {
    const { baseOffsets, settled } = shard.append([{ log, batch }]);
    await settled;
    return baseOffsets[0] ?? -1;
  }

  const marker = (producerId: number, outcome: 'abort' | 'commit') =>
    append(encodeMarkerBatch({ outcome, coordinatorEpoch: 0, producerId, producerEpoch: 0, timestamp: 1000 }));
  const inTransaction = (producerId: number) => ({
    producerId,
    producerEpoch: 0,
    baseSequence: 0,
    transactional: true,
  });

  async function compact(options: Partial<CompactionOptions> = {}) {
    await shard.flush();
    return shard.compact(log, {
      now: NOW,
      minLagMs: 0,
      deleteRetentionMs: 1000,
      mapBytes: MiB,
      bytesPerSecond: Number.POSITIVE_INFINITY,
      ...options,
    });
  }

  async function batches(): Promise<BatchView[]> {
    const found: BatchView[] = [];
    for (let offset = log.startOffset; offset < log.highWatermark; ) {
      const { chunks } = await log.read(offset, 1);
      for (const batch of batchesIn(Buffer.concat(chunks))) {
        verifyIntegrity(batch.bytes, 0, batch.size);
        expect(batch.lastOffset).toBeGreaterThanOrEqual(offset);
        found.push(batch);
        offset = batch.lastOffset + 1;
      }
    }
    return found;
  }

  /** All records, as `offset:k=v`; of control batches `offset:marker`. */
  async function records(): Promise<string[]> {
    return (await batches()).flatMap((batch) =>
      [...recordsIn(batch.bytes)].map(({ offset, key, value }) =>
        batch.isControl ? `${offset}:marker` : `${offset}:${key ?? ''}${value === null ? '' : `=${value}`}`,
      ),
    );
  }

  it('leaves of each key the last record, at its offset', async () => {
    await write('a=1 b=1 c=1');
    await write('a=2');
    await write('b=2 d=1');
    expect(await compact()).toMatchObject({ cleanedOffset: 6, passes: 1 });
    expect(await records()).toEqual(['2:c=1', '3:a=2', '4:b=2', '5:d=1']);
    await write('a=3');
    expect(await records()).toEqual(['2:c=1', '3:a=2', '4:b=2', '5:d=1', '6:a=3']);
    await reopen();
    expect(await records()).toEqual(['2:c=1', '3:a=2', '4:b=2', '5:d=1', '6:a=3']);
    expect(log.cleanedOffset).toBe(6);
    await compact();
    expect(await records()).toEqual(['2:c=1', '4:b=2', '5:d=1', '6:a=3']);
  });

  it('leaves holes between batches, over which a reader at any offset gets to what follows', async () => {
    for (let i = 0; i < 20; i++) await write(`k${i % 3}=${i}`);
    await compact();
    expect(await records()).toEqual(['17:k2=17', '18:k0=18', '19:k1=19']);
    for (let offset = 0; offset < 20; offset++) {
      const { chunks } = await log.read(offset, 1);
      expect([...batchesIn(Buffer.concat(chunks))][0]?.baseOffset).toBe(Math.max(17, offset));
    }
  });

  it('drops records without a key, which nothing could ever replace', async () => {
    await write('a=1 =x');
    await write('=y b=1');
    await compact();
    expect(await records()).toEqual(['0:a=1', '3:b=1']);
  });

  it.each<Compression>(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    'keeps a batch’s header and codec: %s',
    async (codec) => {
      await write('a=1 b=1 c=1 d=1', {
        compression: codec,
        producerId: 7,
        producerEpoch: 3,
        baseSequence: 40,
        timestamp: 5000,
      });
      await write('a=2 d=2', { compression: codec });
      await compact();
      const [first] = await batches();
      expect(first?.bytes && [...recordsIn(first.bytes)].map(({ offset, timestamp }) => [offset, timestamp])).toEqual([
        [1, 5000],
        [2, 5000],
      ]);
      expect(first).toMatchObject({ baseOffset: 0, lastOffset: 3, producerId: 7, producerEpoch: 3, recordCount: 2 });
      expect((first?.bytes.readInt16BE(21) ?? 0) & 7).toBe(['none', 'gzip', 'snappy', 'lz4', 'zstd'].indexOf(codec));
      expect(first?.bytes.readInt32BE(53)).toBe(40);
    },
  );

  it('keeps tombstones for their time from when it first met them, and what they delete is gone before', async () => {
    await write('a=1 b=1');
    await write('a c=1');
    await compact();
    expect(await records()).toEqual(['1:b=1', '2:a', '3:c=1']);
    const tombstone = (await batches()).find(({ bytes }) => hasDeleteHorizon(bytes, 0));
    expect(tombstone && baseTimestamp(tombstone.bytes, 0)).toBe(NOW + 1000);
    expect(tombstone && [...recordsIn(tombstone.bytes)].map(({ timestamp }) => timestamp)).toEqual([1000, 1000]);
    await write('d=1');
    await compact({ now: NOW + 999 });
    expect(await records()).toContain('2:a');
    await write('e=1');
    await compact({ now: NOW + 1000 });
    expect(await records()).toEqual(['1:b=1', '3:c=1', '4:d=1', '5:e=1']);
  });

  it('leaves what is younger than the smallest lag, and what follows it', async () => {
    await write('a=1', { timestamp: NOW - 500 });
    await write('a=2', { timestamp: NOW - 400 });
    await write('a=3', { timestamp: NOW - 100 });
    await write('a=4', { timestamp: NOW - 300 });
    expect(await compact({ minLagMs: 200 })).toMatchObject({ cleanedOffset: 2 });
    expect(await records()).toEqual(['1:a=2', '2:a=3', '3:a=4']);
    await compact({ minLagMs: 200, now: NOW + 500 });
    expect(await records()).toEqual(['3:a=4']);
  });

  it('leaves the header of the last batch of a producer that writes on', async () => {
    await write('a=1', { producerId: 7, producerEpoch: 0, baseSequence: 0 });
    await write('a=2', { producerId: 7, producerEpoch: 0, baseSequence: 1 });
    await write('a=3');
    log.derived = { save: () => undefined, rollBack() {}, retainedOffsets: () => [1] };
    await compact();
    expect(await records()).toEqual(['2:a=3']);
    expect((await batches()).map(({ baseOffset, recordCount }) => [baseOffset, recordCount])).toEqual([
      [1, 0],
      [2, 1],
    ]);
    log.derived = undefined;
    await write('b=1');
    await compact();
    expect((await batches()).map(({ baseOffset }) => baseOffset)).toEqual([2, 3]);
  });

  describe('with transactions', () => {
    it('drops what was aborted, and counts what was committed', async () => {
      await write('a=0 b=0');
      await write('a=1', inTransaction(1));
      await write('b=2', inTransaction(2));
      await marker(1, 'abort');
      await marker(2, 'commit');
      await compact();
      expect(await records()).toEqual(['0:a=0', '3:b=2', '4:marker', '5:marker']);
    });

    it('goes no further than the first transaction that is open', async () => {
      await write('a=0');
      await write('a=1', inTransaction(1));
      await write('b=1');
      await write('b=2', inTransaction(2));
      await marker(2, 'abort');
      expect(await compact()).toMatchObject({ cleanedOffset: 1 });
      expect(await records()).toEqual(['0:a=0', '1:a=1', '2:b=1', '3:b=2', '4:marker']);
      await marker(1, 'commit');
      await compact();
      expect(await records()).toEqual(['1:a=1', '2:b=1', '4:marker', '5:marker']);
    });

    it('knows of one that was aborted beyond where it stops that it was', async () => {
      await write('a=0 a=1');
      await write('a=2', inTransaction(1));
      await write('c=1', inTransaction(2));
      await marker(1, 'abort');
      expect(await compact()).toMatchObject({ cleanedOffset: 3 });
      expect(await records()).toEqual(['1:a=1', '3:c=1', '4:marker']);
    });

    it('keeps a marker while any of its transaction is left, and for the time of a tombstone after that', async () => {
      const gone: number[] = [];
      log.derived = {
        save: () => undefined,
        rollBack() {},
        forgetMarkers: (offsets) => void gone.push(...offsets),
      };
      await write('a=1', inTransaction(1));
      await marker(1, 'commit');
      await write('b=1');
      await compact();
      // Its data went now, and this pass has seen it.
      await write('a=2');
      await compact({ now: NOW + 10_000 });
      expect(await records()).toEqual(['1:marker', '2:b=1', '3:a=2']);
      await write('c=1');
      await compact({ now: NOW + 20_000 });
      const kept = (await batches()).find(({ isControl }) => isControl);
      expect(kept && hasDeleteHorizon(kept.bytes, 0) && baseTimestamp(kept.bytes, 0)).toBe(NOW + 21_000);
      await write('d=1');
      await compact({ now: NOW + 20_500 });
      expect(await records()).toContain('1:marker');
      expect(gone).toEqual([]);
      await write('e=1');
      await compact({ now: NOW + 21_000 });
      expect(await records()).toEqual(['2:b=1', '3:a=2', '4:c=1', '5:d=1', '6:e=1']);
      expect(gone).toEqual([1]);
    });
  });

  it('takes several passes when not all keys fit its memory', async () => {
    const expected: string[] = [];
    for (let i = 0; i < 40; i++) {
      const keys = Array.from({ length: 10 }, (_, k) => `key${(i * 10 + k) % 200}=${i}`);
      const base = await write(keys.join(' '));
      if (i >= 20) expected.push(...keys.map((key, k) => `${base + k}:${key}`));
    }
    // 64 slots, 48 keys.
    const { passes, cleanedOffset } = await compact({ mapBytes: 64 * 24 });
    expect(passes).toBeGreaterThan(4);
    expect(cleanedOffset).toBe(400);
    expect(await records()).toEqual(expected);
    await reopen();
    expect(await records()).toEqual(expected);
  });

  it('merges small segments, keeps within their limits, and leaves nothing of the former ones', async () => {
    log.segmentLimits = { bytes: 2000, ms: Number.POSITIVE_INFINITY };
    for (let i = 0; i < 100; i++) await write(`key${i % 10}=${'v'.repeat(100)}${i} other${i}=${i}`);
    await shard.flush();
    const before = log.segments.length;
    await compact();
    await write('last=1');
    await compact();
    expect(log.segments.length).toBeLessThan(before);
    expect(log.segments.every(({ size }) => size <= 2000)).toBe(true);
    await expect
      .poll(async () => (await home.store.list(LOG_A)).toSorted())
      .toEqual(log.segments.map(({ name }) => `${name}.log`).toSorted());
    expect((await records()).length).toBe(111);
  });

  it('does not write segments again of which nothing goes', async () => {
    log.segmentLimits = { bytes: 500, ms: Number.POSITIVE_INFINITY };
    for (let i = 0; i < 20; i++) await write(`key${i}=${'v'.repeat(200)}`);
    await compact();
    const names = log.segments.map(({ name }) => name);
    await write(`other=${'v'.repeat(200)}`);
    await compact();
    expect(log.segments.map(({ name }) => name).slice(0, names.length)).toEqual(names);
  });

  it('does not disturb who reads meanwhile', async () => {
    for (let i = 0; i < 50; i++) await write(`key${i % 5}=${'v'.repeat(1000)}${i}`);
    await shard.flush();
    log.evict(log.nextOffset);
    let compacting: Promise<unknown> | undefined;
    home.store.before = async (operation, name) => {
      if (operation !== 'get' || !name.endsWith('.log') || compacting !== undefined) return;
      compacting = compact();
      await compacting;
    };
    const { chunks } = await log.read(0, 1);
    expect([...batchesIn(Buffer.concat(chunks))][0]?.baseOffset).toBe(45);
    await compacting;
  });

  it('goes on after the store refused, and leaves no objects behind', async () => {
    for (let i = 0; i < 5; i++) await write(`a=${i}`);
    await shard.flush();
    home.store.before = (operation, name) => {
      if (operation === 'put' && name === 'manifest') throw new Error('no space');
    };
    await expect(compact()).rejects.toThrow('no space');
    expect(await records()).toEqual(['4:a=4']);
    home.store.before = () => {};
    await reopen();
    await compact();
    expect(await records()).toEqual(['4:a=4']);
    await expect.poll(async () => (await home.store.list(LOG_A)).length).toBe(log.segments.length);
  });

  it('stops at damage, and says where', async () => {
    await write('a=1');
    await write('a=2');
    await shard.flush();
    const [name = ''] = (await home.store.list(LOG_A)).filter((object) => object.endsWith('.log'));
    const bytes = await home.store.get(name, 0, MiB);
    bytes.writeUInt8((bytes.at(-1) ?? 0) ^ 1, bytes.length - 1);
    await home.store.put(name, [bytes]);
    await expect(compact()).rejects.toMatchObject({ code: 'storage-damaged' });
    expect(log.cleanedOffset).toBe(0);
  });

  it('stops when the log is trimmed, deleted or closed meanwhile', async () => {
    log.segmentLimits = { bytes: 500, ms: Number.POSITIVE_INFINITY };
    for (let i = 0; i < 20; i++) await write(`key${i % 7}=${'v'.repeat(200)}`);
    await shard.flush();
    const during = (what: () => Promise<unknown>) => {
      let seen = 0;
      home.store.before = async (operation, name) => {
        if (operation !== 'get' || !name.endsWith('.log') || ++seen !== 30) return;
        home.store.before = () => {};
        await what();
      };
    };
    during(() => shard.append([{ log, before: 18 }]).settled);
    await compact().catch((error) => expect(error.code).toBe('not-found'));
    expect(await records()).toEqual([`18:key4=${'v'.repeat(200)}`, `19:key5=${'v'.repeat(200)}`]);
    for (let i = 0; i < 20; i++) await write(`key${i % 7}=${'v'.repeat(200)}`);
    await shard.flush();
    during(() => shard.delete(log));
    await expect(compact()).rejects.toMatchObject({ code: 'not-found' });
    await expect.poll(() => home.store.list(LOG_A)).toEqual([]);
  });
});

function recordOf(text: string): NewRecord {
  const [key = '', value] = text.split('=');
  return { key: key === '' ? null : Buffer.from(key), value: value === undefined ? null : Buffer.from(value) };
}
