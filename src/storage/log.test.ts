import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { append, LOG_A, LOG_B, readAll, recordsOf, ShardHome } from '../../test/storage/fixture.ts';
import { BrokerError } from '../errors.ts';
import { baseOffset } from '../records/index.ts';
import type { Log } from './log.ts';
import type { Shard } from './shard.ts';

describe('a log', () => {
  let home: ShardHome;
  let shard: Shard;
  let log: Log;
  beforeEach(async () => {
    home = new ShardHome();
    await open({ tailCacheBytes: 0 });
  });
  afterEach(() => shard.close());

  async function open(settings = {}): Promise<void> {
    shard = await home.open(settings);
    log = shard.log(LOG_A);
  }

  async function reopen(settings = { tailCacheBytes: 0 }): Promise<void> {
    await shard.close();
    await open(settings);
  }

  /** One batch of one record for each number; the timestamps ten times the numbers. */
  async function appendAll(from: number, to: number, size = 10): Promise<void> {
    for (let i = from; i < to; i++) await append(shard, log, [`${i}-${'v'.repeat(size)}`], { timestamp: i * 10 });
  }

  const numbers = async (offset = log.startOffset, maxBytes = 1000) =>
    (await readAll(log, offset, maxBytes)).map((record) => Number(/:(\d+)-/.exec(record)?.[1]));
  const upTo = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

  it('is read over the border of segments and memory, from any offset and in pieces of any size', async () => {
    await appendAll(0, 5);
    await shard.flush();
    await append(shard, shard.log(LOG_B), ['other']);
    await appendAll(5, 9);
    for (const maxBytes of [1, 100, 300, 100_000])
      for (let offset = 0; offset < 9; offset++) expect(await numbers(offset, maxBytes)).toEqual(upTo(offset, 9));
    await reopen();
    expect(await numbers(3)).toEqual(upTo(3, 9));
  });

  it('gives a batch whole that is larger than what is asked for', async () => {
    await appendAll(0, 3, 300_000);
    await shard.flush();
    for (let offset = 0; offset < 3; offset++) {
      const read = await log.read(offset, 10);
      expect(recordsOf(read)).toHaveLength(1);
      expect(read.bytes).toBeGreaterThan(300_000);
    }
    expect(await numbers()).toEqual([0, 1, 2]);
  });

  it('merges small segments into one, and keeps within the limits of its segments', async () => {
    for (let i = 0; i < 6; i++) {
      await appendAll(i * 3, i * 3 + 3);
      await shard.flush();
    }
    // Each is at least half as large as what comes after it.
    expect(log.segments.length).toBeLessThan(4);
    expect(await numbers()).toEqual(upTo(0, 18));
    await expect.poll(async () => (await home.store.list(LOG_A)).length).toBe(log.segments.length);
    log.segmentLimits = { bytes: 500, ms: Number.POSITIVE_INFINITY };
    await appendAll(18, 40);
    await shard.flush();
    expect(log.segments.slice(3).every(({ size }) => size <= 500)).toBe(true);
    expect(log.segments.length).toBeGreaterThan(3);
    expect(await numbers()).toEqual(upTo(0, 40));
    await reopen();
    expect(await numbers()).toEqual(upTo(0, 40));
  });

  it('begins a new segment when its first record is too old for another', async () => {
    log.segmentLimits = { bytes: 1_000_000, ms: 25 };
    await appendAll(0, 4);
    await shard.flush();
    await appendAll(4, 6);
    await shard.flush();
    expect(log.segments.map(({ baseOffset, nextOffset }) => [baseOffset, nextOffset])).toEqual([
      [0, 3],
      [3, 6],
    ]);
  });

  it('reads on while its segments are merged and trimmed', async () => {
    for (let i = 0; i < 3; i++) {
      await appendAll(i * 2, i * 2 + 2, i === 0 ? 50_000 : 10);
      await shard.flush();
    }
    expect(log.segments).toHaveLength(2);
    await appendAll(6, 8, 60_000);
    const flushed = new Promise<void>((resolve) => {
      home.store.before = async (operation, name) => {
        if (operation !== 'get' || !name.endsWith('2.log')) return;
        home.store.before = () => {};
        await shard.flush();
        await expect.poll(() => home.store.list(LOG_A)).toHaveLength(3);
        resolve();
      };
    });
    expect(recordsOf(await log.read(3, 1)).length).toBe(1);
    await flushed;
    expect(log.segments).toHaveLength(1);
    home.store.before = async (operation) => {
      if (operation !== 'get') return;
      home.store.before = () => {};
      await shard.append([{ log, before: 8 }]).settled;
      await expect.poll(() => home.store.list(LOG_A)).toHaveLength(0);
    };
    await expect(log.read(0, 1)).rejects.toMatchObject({ code: 'offset-out-of-range' });
  });

  it('is trimmed or deleted in the middle of a flush', async () => {
    await appendAll(0, 4);
    await shard.flush();
    await appendAll(4, 8);
    home.store.before = async (operation, name) => {
      if (operation !== 'put' || !name.endsWith('.log')) return;
      home.store.before = () => {};
      await shard.append([{ log, before: 6 }]).settled;
    };
    await shard.flush();
    expect(await numbers()).toEqual([6, 7]);
    await appendAll(8, 9);
    home.store.before = async (operation, name) => {
      if (operation !== 'put' || !name.endsWith('.log')) return;
      home.store.before = () => {};
      await shard.append([{ log, before: 9 }]).settled;
    };
    await shard.flush();
    await shard.flush();
    await expect.poll(() => home.store.list(LOG_A)).toEqual([]);
    await appendAll(9, 12);
    await reopen();
    expect(await numbers()).toEqual([9, 10, 11]);
    home.store.before = async (operation, name) => {
      if (operation !== 'put' || !name.endsWith('.log')) return;
      home.store.before = () => {};
      await shard.delete(log);
    };
    await shard.flush();
    await expect.poll(() => home.store.list(LOG_A)).toEqual([]);
  });

  it('finds records by their time, in segments and in memory', async () => {
    await appendAll(0, 300, 1000);
    await shard.flush();
    await appendAll(300, 305);
    expect(log.segments.some(({ indexed }) => indexed)).toBe(true);
    for (const timestamp of [0, 1, 10, 1505, 2990, 2991, 3000, 3040])
      expect(baseOffset((await log.batchForTimestamp(timestamp)) ?? Buffer.alloc(8), 0)).toBe(
        Math.ceil(timestamp / 10),
      );
    expect(await log.batchForTimestamp(3041)).toBeUndefined();
    expect(baseOffset((await log.batchForTimestamp(0, 200)) ?? Buffer.alloc(8), 0)).toBe(200);
    expect(baseOffset((await log.batchWithMaxTimestamp()) ?? Buffer.alloc(8), 0)).toBe(304);
  });

  it('finds records by their time that go from memory to a segment meanwhile', async () => {
    await appendAll(0, 3, 1000);
    await shard.flush();
    await append(shard, log, ['5-'], { timestamp: 5 });
    await appendAll(4, 8, 3000);
    home.store.before = async (operation) => {
      if (operation !== 'get') return;
      home.store.before = () => {};
      await shard.flush();
    };
    // The search looks into the segment for it in vain: nothing there is as late as its latest record says, but for that one.
    expect(baseOffset((await log.batchForTimestamp(15)) ?? Buffer.alloc(8), 0)).toBe(2);
    expect(baseOffset((await log.batchForTimestamp(45)) ?? Buffer.alloc(8), 0)).toBe(5);
  });

  it('says where retention by size and by time would have it begin', async () => {
    await appendAll(0, 10, 100);
    log.segmentLimits = { bytes: 400, ms: Number.POSITIVE_INFINITY };
    await shard.flush();
    await appendAll(10, 12, 100);
    const { POSITIVE_INFINITY } = Number;
    const [first] = log.segments;
    expect(log.retentionOffset(0, POSITIVE_INFINITY, POSITIVE_INFINITY)).toBe(0);
    expect(log.retentionOffset(0, log.sizeBytes, POSITIVE_INFINITY)).toBe(0);
    expect(log.retentionOffset(0, log.sizeBytes - (first?.size ?? 0), POSITIVE_INFINITY)).toBe(first?.nextOffset);
    expect(log.retentionOffset(0, 0, POSITIVE_INFINITY)).toBe(12);
    expect(log.retentionOffset(1000 + (first?.maxTimestamp ?? 0) + 1, POSITIVE_INFINITY, 1000)).toBe(first?.nextOffset);
    expect(log.retentionOffset(10_000, POSITIVE_INFINITY, 1000)).toBe(12);
  });

  it('keeps what was flushed in memory for readers near its end, within bounds', async () => {
    await reopen({ tailCacheBytes: 500 });
    let reads = 0;
    home.store.before = (operation) => {
      if (operation === 'get') reads++;
    };
    log.segmentLimits = { bytes: 1, ms: 0 };
    await appendAll(0, 2);
    await shard.flush();
    expect(await numbers(0)).toEqual([0, 1]);
    expect(reads).toBe(0);
    await appendAll(2, 30);
    await shard.flush();
    await numbers(29);
    expect(await numbers(0)).toEqual(upTo(0, 30));
    expect(reads).toBeGreaterThan(0);
  });

  describe('with a damaged segment', () => {
    /** Two segments, the first of two batches: one good, one not. */
    beforeEach(async () => {
      await appendAll(0, 2, 1000);
      await append(shard, shard.log(LOG_B), ['b0']);
      await shard.flush();
    });

    async function damage(change: (bytes: Buffer) => void): Promise<string> {
      const name = (await home.store.list(LOG_A)).find((object) => object.endsWith('.log')) ?? '';
      const bytes = await home.store.get(name, 0, 1_000_000);
      change(bytes);
      await home.store.put(name, [bytes]);
      return name;
    }

    it('says which object and where, and lets others be read', async () => {
      const name = await damage((bytes) => bytes.writeInt32BE(1_000_000, bytes.length / 2 + 8));
      await expect(log.read(1, 1)).rejects.toMatchObject({
        code: 'storage-damaged',
        message: expect.stringContaining(name),
      });
      await expect(log.read(1, 1)).rejects.toThrow(/at byte 10\d\d/);
      expect(recordsOf(await log.read(0, 1))).toHaveLength(1);
      expect(await readAll(shard.log(LOG_B))).toEqual(['0:b0']);
    });

    it.each([
      ['length', (bytes: Buffer) => bytes.writeInt32BE(1_000_000, bytes.length / 2 + 8)],
      ['small length', (bytes: Buffer) => bytes.writeInt32BE(3, bytes.length / 2 + 8)],
      ['content', (bytes: Buffer) => bytes.fill(0, bytes.length - 10)],
      ['offset', (bytes: Buffer) => bytes.writeInt32BE(77, bytes.length / 2 + 4)],
    ])('of a wrong %s does not put it into another one, nor keep others from being flushed', async (_, change) => {
      await damage(change);
      await appendAll(2, 4, 1000);
      await append(shard, shard.log(LOG_B), ['b1']);
      await shard.flush();
      expect(log.segments.map(({ baseOffset }) => baseOffset)).toEqual([0, 2]);
      expect(home.troubles.map(({ error }) => error.code)).toEqual(['storage-damaged']);
      await reopen();
      expect(await numbers(2)).toEqual([2, 3]);
      expect(await readAll(shard.log(LOG_B))).toEqual(['0:b0', '1:b1']);
    });

    it('that is not there any more does not keep others from being flushed', async () => {
      await home.store.delete(`${LOG_A}/${'0'.repeat(20)}.log`);
      await expect(log.read(0, 1)).rejects.toMatchObject({ code: 'not-found' });
      await appendAll(2, 4, 1000);
      await shard.flush();
      expect(await numbers(2)).toEqual([2, 3]);
    });
  });

  it.each([
    ['are missing', (name: string) => home.store.delete(name)],
    ['are empty', (name: string) => home.store.put(name, [])],
    [
      'are those of another segment',
      async (name: string) => {
        const bytes = await home.store.get(name, 0, 1_000_000);
        for (let at = 0; name.endsWith('.index') && at < bytes.length; at += 8)
          bytes.writeUInt32BE(bytes.readUInt32BE(at + 4) + 9, at + 4);
        await home.store.put(name, [bytes]);
      },
    ],
    [
      'cannot be read',
      async (broken: string) => {
        const { before } = home.store;
        home.store.before = (operation, name) => {
          before(operation, name);
          if (operation === 'get' && name === broken) throw new BrokerError('storage-failed', 'bad sector');
        };
      },
    ],
  ])('is read though its indexes %s', async (_, spoil) => {
    await appendAll(0, 200, 1000);
    await shard.flush();
    await reopen();
    for (const name of await home.store.list(LOG_A)) if (name.endsWith('index')) await spoil(name);
    for (const offset of [0, 1, 99, 150, 199]) expect((await numbers(offset))[0]).toBe(offset);
    expect(baseOffset((await log.batchForTimestamp(1505)) ?? Buffer.alloc(8), 0)).toBe(151);
  });

  it('goes on flushing after the store refused, and leaves no objects behind', async () => {
    await appendAll(0, 3);
    await shard.flush();
    await appendAll(3, 6);
    await append(shard, shard.log(LOG_B), ['b']);
    home.store.before = (operation, name) => {
      if (operation === 'put' && name.startsWith(LOG_B)) throw new BrokerError('storage-full', 'no space');
    };
    await shard.flush();
    expect(home.troubles.map(({ error }) => error.code)).toEqual(['storage-full']);
    home.store.before = () => {};
    await home.clock.advance(2_000);
    await shard.flush();
    expect(await numbers()).toEqual(upTo(0, 6));
    await expect.poll(async () => (await home.store.list('')).length).toBe(3);
    await reopen();
    expect(await numbers()).toEqual(upTo(0, 6));
    expect(await readAll(shard.log(LOG_B))).toEqual(['0:b']);
  });
});
