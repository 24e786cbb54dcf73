import { describe, expect, it } from 'vitest';
import { batchOf, LOG_A, ManualCommitLog, ShardHome } from '../../../test/storage/fixture.ts';
import { BrokerError } from '../../errors.ts';
import type { Shard } from '../../storage/index.ts';
import { Partition } from './partition.ts';
import { DEFAULT_PRODUCER_LIMITS, Producers } from './producers.ts';
import { streamConfig } from './stream-config.ts';

const LOST = new BrokerError('storage-failed', 'the device is gone');

function batch(baseSequence: number, count = 1, producerId = 7, producerEpoch = 0): Buffer {
  return batchOf(
    Array.from({ length: count }, (_, i) => `${baseSequence + i}`),
    { producerId, producerEpoch, baseSequence },
  );
}

function open(shard: Shard): Promise<Partition> {
  return Partition.open({ index: 0, shard, logId: LOG_A, config: streamConfig({}, {}), now: () => 1000 });
}

async function append(partition: Partition, bytes: Buffer) {
  const { baseOffset, duplicate, settled } = partition.append(bytes, 'durable');
  await settled;
  return { baseOffset, duplicate };
}

describe('idempotent producers', () => {
  it('have a batch that comes again answered as it was, and appended once', async () => {
    const home = new ShardHome();
    const partition = await open(await home.open());
    expect(await append(partition, batch(0, 3))).toEqual({ baseOffset: 0, duplicate: false });
    expect(await append(partition, batch(3, 2))).toEqual({ baseOffset: 3, duplicate: false });
    expect(await append(partition, batch(0, 3))).toEqual({ baseOffset: 0, duplicate: true });
    expect(await append(partition, batch(3, 2))).toEqual({ baseOffset: 3, duplicate: true });
    expect(partition.log.nextOffset).toBe(5);
    for (const wrong of [batch(6), batch(4), batch(1, 2), batch(1, 1, 7, 1)])
      expect(() => partition.append(wrong, 'durable')).toThrow(
        expect.objectContaining({ code: 'out-of-order-sequence' }),
      );
    expect((await append(partition, batch(0, 1, 7, 1))).baseOffset).toBe(5);
    expect(() => partition.append(batch(5), 'durable')).toThrow(expect.objectContaining({ code: 'producer-fenced' }));
  });

  it('have their transaction open after a restart though the first of its records was deleted', async () => {
    const home = new ShardHome();
    let shard = await home.open();
    let partition = await open(shard);
    const first = batchOf(['a', 'b', 'c'], { producerId: 7, producerEpoch: 0, baseSequence: 0, transactional: true });
    await partition.append(first, 'durable', { transactional: true }).settled;
    await partition.deleteRecords(1);
    await shard.close();
    shard = await home.open();
    partition = await open(shard);
    expect([...partition.producers.transactions.open]).toEqual([[7, 0]]);
    expect(partition.lastStableOffset).toBe(1);
  });

  it('are known again after a restart, whether their batches are in memory or in segments', async () => {
    const home = new ShardHome();
    let shard = await home.open({ tailCacheBytes: 0 });
    let partition = await open(shard);
    await append(partition, batch(0));
    await shard.flush();
    await append(partition, batch(1));
    for (let i = 0; i < 2; i++) {
      await shard.close();
      shard = await home.open({ tailCacheBytes: 0 });
      partition = await open(shard);
      expect(await append(partition, batch(0))).toEqual({ baseOffset: 0, duplicate: true });
      expect(await append(partition, batch(1))).toEqual({ baseOffset: 1, duplicate: true });
      expect(() => partition.append(batch(3), 'durable')).toThrow(BrokerError);
    }
  });

  it('are known again though their batches were flushed before anybody had opened the partition', async () => {
    const home = new ShardHome();
    let shard = await home.open();
    await append(await open(shard), batch(0));
    await append(await open(shard), batch(1));
    for (let i = 0; i < 3; i++) {
      await shard.close();
      shard = await home.open({ tailCacheBytes: 0, flushBytes: 1 });
      await shard.flush();
    }
    const partition = await open(shard);
    expect(await append(partition, batch(1))).toEqual({ baseOffset: 1, duplicate: true });
    expect(await append(partition, batch(2))).toEqual({ baseOffset: 2, duplicate: false });
  });

  it('are known again when what was saved of them cannot be read', async () => {
    const home = new ShardHome();
    let shard = await home.open();
    await append(await open(shard), batch(0));
    await shard.flush();
    await shard.saveObject(shard.log(LOG_A), 'derived', [Buffer.from('{')]);
    await shard.close();
    shard = await home.open();
    expect(await append(await open(shard), batch(0))).toEqual({ baseOffset: 0, duplicate: true });
  });

  it('are known again though a trim took their batches before they were flushed', async () => {
    const home = new ShardHome();
    let shard = await home.open();
    const partition = await open(shard);
    await append(partition, batch(0));
    await partition.deleteRecords(-1);
    await shard.flush();
    await shard.close();
    shard = await home.open();
    expect(await append(await open(shard), batch(0))).toEqual({ baseOffset: 0, duplicate: true });
  });

  it('are not taken to have written what the log lost', async () => {
    const home = new ShardHome();
    let shard = await home.open();
    const partition = await open(shard);
    await append(partition, batch(0));
    await append(partition, batch(1));
    // Saved ahead of a log that is not synced, and then lost its end.
    const saved = partition.producers.save();
    await shard.close();
    home.memory.groups = home.memory.groups.slice(0, 1);
    shard = await home.open();
    await shard.saveObject(shard.log(LOG_A), 'derived', [saved ?? Buffer.alloc(0)]);
    expect(await append(await open(shard), batch(1))).toEqual({ baseOffset: 1, duplicate: false });
  });

  it('append again what failed, in the order in which it was', async () => {
    const home = new ShardHome();
    const commitLog = new ManualCommitLog();
    const partition = await open(await home.open({}, commitLog));
    const lost = [partition.append(batch(0), 'durable').settled, partition.append(batch(1), 'durable').settled];
    // One that comes again meanwhile shares the outcome.
    lost.push(partition.append(batch(0), 'durable').settled);
    commitLog.fail(LOST);
    expect((await Promise.allSettled(lost)).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    // On its way when the others failed.
    expect(() => partition.append(batch(2), 'durable')).toThrow(
      expect.objectContaining({ code: 'out-of-order-sequence' }),
    );
    expect(() => partition.append(batch(1), 'durable')).toThrow(
      expect.objectContaining({ code: 'out-of-order-sequence' }),
    );
    const again = [0, 1, 2].map((sequence) => partition.append(batch(sequence), 'durable'));
    commitLog.persist();
    await Promise.all(again.map(({ settled }) => settled));
    expect(again.map(({ baseOffset, duplicate }) => [baseOffset, duplicate])).toEqual([[0, false], [1, false], [2, false]]); // biome-ignore format: pairs
  });

  it('begin their sequences again at 0 after the largest', async () => {
    const home = new ShardHome();
    const partition = await open(await home.open());
    await append(partition, batch(0x7fff_ffff - 1));
    await append(partition, batch(0x7fff_ffff));
    expect((await append(partition, batch(0))).duplicate).toBe(false);
    expect((await append(partition, batch(0x7fff_ffff))).duplicate).toBe(true);
  });

  it('are forgotten when they are silent for long, or too many', async () => {
    const log = { startOffset: 0, flushedOffset: 0, highWatermark: 100, read: () => ({ chunks: [], bytes: 0 }) };
    let now = 0;
    const producers = new Producers(log, () => now, { ...DEFAULT_PRODUCER_LIMITS, maxProducers: 3, expirationMs: 100 });
    for (const id of [1, 2, 3]) producers.appended(batch(0, 1, id), id);
    producers.appended(batch(1, 1, 1), 4);
    producers.appended(batch(0, 1, 4), 5);
    expect(producers.size).toBe(3);
    expect(producers.check(batch(9, 1, 2))).toBeUndefined();
    expect(() => producers.check(batch(9, 1, 1))).toThrow(BrokerError);
    now = 101;
    producers.expire();
    expect(producers.size).toBe(0);
  });
});
