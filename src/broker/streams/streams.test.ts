import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualCommitLog, ShardHome } from '../../../test/storage/fixture.ts';
import { BrokerError } from '../../errors.ts';
import type { CommitLog, Shard } from '../../storage/index.ts';
import { Catalog } from '../catalog/catalog.ts';
import { type StreamLimits, Streams } from './streams.ts';

describe('streams', () => {
  let home: ShardHome;
  let shard: Shard;
  let streams: Streams;
  beforeEach(async () => {
    home = new ShardHome();
    await open();
  });
  afterEach(() => shard.close());

  async function open(limits: Partial<StreamLimits> = {}, commitLog?: CommitLog): Promise<void> {
    shard = await home.open({}, commitLog);
    const now = () => home.clock.now();
    const onTrouble = (error: BrokerError, what: string) => home.troubles.push({ error, what });
    const catalog = await Catalog.open({ shard, now, onTrouble });
    let made = 0;
    const uuid = () => `00000000-0000-4000-8000-${String(++made).padStart(12, '0')}`;
    streams = await Streams.open({ catalog, shards: [shard], now, uuid, defaults: {}, limits, onTrouble });
  }

  async function reopen(limits: Partial<StreamLimits> = {}): Promise<void> {
    await shard.close();
    await open(limits);
  }

  const names = () => [...streams.all()].map(({ name }) => name).sort();

  it('do one after the other what is asked of one of them while it is being made', async () => {
    const outcomes = await Promise.allSettled([
      streams.create({ name: 'orders', partitions: 1 }),
      streams.configure('orders', () => ({ 'segment.bytes': '2000' })),
      streams.addPartitions('orders', 3),
      streams.configure('orders', (own) => ({ ...own, 'segment.ms': '5000' })),
      streams.addPartitions('orders', 2),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
    ]);
    const check = () => {
      const { partitions = [], ownConfig } = streams.get('orders') ?? {};
      expect(ownConfig).toEqual({ 'segment.bytes': '2000', 'segment.ms': '5000' });
      expect(partitions.map(({ index, log }) => ({ index, ...log.segmentLimits }))).toEqual(
        [0, 1, 2].map((index) => ({ index, bytes: 2000, ms: 5000 })),
      );
    };
    check();
    await reopen();
    check();
  });

  it('delete one that is being made, and make it again at the same moment, with nothing of the first', async () => {
    const [first, , second] = await Promise.all([
      streams.create({ name: 'orders', partitions: 2 }),
      streams.delete('orders'),
      streams.create({ name: 'orders', partitions: 1 }),
    ]);
    expect(second.id).not.toBe(first.id);
    expect(streams.get('orders')).toBe(second);
    expect(streams.getById(first.id)).toBeUndefined();
    expect(first.partitions.every(({ log }) => log.deleted)).toBe(true);
    await reopen();
    expect(streams.get('orders')?.id).toBe(second.id);
    expect(streams.get('orders')?.partitions).toHaveLength(1);
  });

  it('refuse one of two names that are asked for at the same moment and cannot live side by side', async () => {
    const outcomes = await Promise.allSettled(
      ['a.b', 'a_b', 'a.b'].map((name) => streams.create({ name, partitions: 1 })),
    );
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.code)).toEqual([
      false,
      'invalid-argument',
      'already-exists',
    ]);
    await streams.delete('a.b');
    await streams.create({ name: 'a_b', partitions: 1 });
    expect(names()).toEqual(['a_b']);
  });

  it('keep their limits when several are made at the same moment', async () => {
    await reopen({ maxStreams: 3, maxPartitions: 5 });
    const outcomes = await Promise.allSettled([
      streams.create({ name: 'a', partitions: 2 }),
      streams.create({ name: 'b', partitions: 4 }),
      streams.addPartitions('a', 4),
      streams.create({ name: 'c', partitions: 1 }),
      streams.addPartitions('a', 5),
    ]);
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.code)).toEqual([
      false,
      'limit-exceeded',
      false,
      false,
      'limit-exceeded',
    ]);
    await streams.delete('a');
    await streams.create({ name: 'd', partitions: 4 });
    expect(names()).toEqual(['c', 'd']);
  });

  it('have nothing of one whose making failed, and make it when it is asked for again', async () => {
    const commitLog = new ManualCommitLog();
    await shard.close();
    await open({}, commitLog);
    const lost = new BrokerError('storage-failed', 'the device is gone');
    const made = streams.create({ name: 'orders', partitions: 1 });
    await expect.poll(() => commitLog.pending).toHaveLength(1);
    expect(names()).toEqual([]);
    commitLog.fail(lost);
    await expect(made).rejects.toBe(lost);
    expect(names()).toEqual([]);
    const again = streams.create({ name: 'orders', partitions: 1 });
    await expect.poll(() => commitLog.pending).toHaveLength(1);
    commitLog.persist();
    const stream = await again;
    expect(streams.get('orders')).toBe(stream);
  });

  it('need nothing of the segment store to make one', async () => {
    home.store.before = () => {
      throw new BrokerError('storage-failed', 'the device is gone');
    };
    await streams.create({ name: 'orders', partitions: 2 });
    await streams.addPartitions('orders', 3);
    expect(streams.get('orders')?.partitions).toHaveLength(3);
  });

  it('are made together in one append, those that can be', async () => {
    const commitLog = new ManualCommitLog();
    await shard.close();
    await open({ maxStreams: 3 }, commitLog);
    const outcomes = streams.createAll([
      { name: 'a.b', partitions: 1 },
      { name: 'a_b', partitions: 1 },
      { name: 'c', partitions: 0 },
      { name: 'd', partitions: 2, config: { 'retention.ms': '5' } },
      { name: 'e', partitions: 1, config: { 'no.such': 'setting' } },
      { name: 'd', partitions: 1 },
      { name: 'f', partitions: 1 },
      { name: 'g', partitions: 1 },
    ]);
    await expect.poll(() => commitLog.pending).toHaveLength(1);
    commitLog.persist();
    expect((await outcomes).map((outcome) => (outcome instanceof BrokerError ? outcome.code : outcome.name))).toEqual([
      'a.b',
      'invalid-argument',
      'invalid-argument',
      'd',
      'invalid-configuration',
      'already-exists',
      'f',
      'limit-exceeded',
    ]);
    expect(names()).toEqual(['a.b', 'd', 'f']);
    await shard.close();
    await open({}, new ManualCommitLog(commitLog.durable));
    expect(names()).toEqual(['a.b', 'd', 'f']);
    expect(streams.get('d')?.partitions).toHaveLength(2);
  });
});
