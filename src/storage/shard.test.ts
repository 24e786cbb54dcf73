import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  append,
  batchOf,
  LOG_A,
  LOG_B,
  LOG_C,
  ManualCommitLog,
  readAll,
  recordsOf,
  ShardHome,
} from '../../test/storage/fixture.ts';
import { BrokerError } from '../errors.ts';
import type { DerivedState } from './log.ts';
import type { Shard } from './shard.ts';

const LOST = new BrokerError('storage-failed', 'the device is gone');

describe('a shard', () => {
  let home: ShardHome;
  let shard: Shard;
  beforeEach(async () => {
    home = new ShardHome();
    shard = await home.open();
  });
  afterEach(() => shard.close());

  async function reopen(settings = {}): Promise<void> {
    await shard.close();
    shard = await home.open(settings);
  }

  it('appends to several logs at once, and finds it all after a restart', async () => {
    const [a, b] = [shard.log(LOG_A), shard.log(LOG_B)];
    await append(shard, a, ['before']);
    const { baseOffsets, settled } = shard.append([
      { log: a, batch: batchOf(['x', 'y']) },
      { log: b, batch: batchOf(['z']) },
      { log: a, batch: batchOf(['w']) },
    ]);
    expect(baseOffsets).toEqual([1, 0, 3]);
    await settled;
    for (let i = 0; i < 2; i++) {
      expect(await readAll(shard.log(LOG_A))).toEqual(['0:before', '1:x', '2:y', '3:w']);
      expect(await readAll(shard.log(LOG_B))).toEqual(['0:z']);
      await reopen();
    }
  });

  it.each([10, 10_000, 100_000])(
    'gives one body of %i bytes to several logs, each with its own offsets',
    async (bytes) => {
      const [a, b, c] = [shard.log(LOG_A), shard.log(LOG_B), shard.log(LOG_C)];
      const value = 'v'.repeat(bytes);
      await append(shard, b, ['b0', 'b1', 'b2']);
      await append(shard, c, ['c0']);
      await shard.append([{ log: [a, b, c], batch: batchOf([value, 'end']) }]).settled;
      await append(shard, a, ['a2']);
      const check = async () => {
        expect(await readAll(shard.log(LOG_A))).toEqual([`0:${value}`, '1:end', '2:a2']);
        expect(await readAll(shard.log(LOG_B))).toEqual(['0:b0', '1:b1', '2:b2', `3:${value}`, '4:end']);
        expect(await readAll(shard.log(LOG_C))).toEqual(['0:c0', `1:${value}`, '2:end']);
      };
      await check();
      await reopen();
      await check();
      await shard.flush();
      await check();
      await reopen({ tailCacheBytes: 0 });
      await check();
    },
  );

  it('refuses a batch that goes to the same log twice', () => {
    const a = shard.log(LOG_A);
    expect(() => shard.append([{ log: [a, a], batch: batchOf(['x']) }])).toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    );
    expect(a.nextOffset).toBe(0);
  });

  it('refuses to trim before an offset that is none', () => {
    for (const before of [-1, 0.5, Number.NaN, 2 ** 60])
      expect(() => shard.append([{ log: shard.log(LOG_A), before }])).toThrow(
        expect.objectContaining({ code: 'invalid-argument' }),
      );
  });

  it('loses nothing of the logs that a group was for when the commit log does not take it', async () => {
    const commitLog = new ManualCommitLog();
    const manual = await home.open({}, commitLog);
    const [a, b] = [manual.log(LOG_A), manual.log(LOG_B)];
    const { settled } = manual.append([{ log: a, batch: batchOf(['kept']) }]);
    commitLog.refusal = new BrokerError('message-too-large', 'too large');
    expect(() =>
      manual.append([
        { log: a, batch: batchOf(['x']) },
        { log: [a, b], batch: batchOf(['y']) },
      ]),
    ).toThrow('too large');
    expect([a.nextOffset, b.nextOffset]).toEqual([1, 0]);
    expect(b.epochs).toEqual([]);
    commitLog.persist();
    await settled;
    expect(await readAll(a)).toEqual(['0:kept']);
  });

  it('trims a log, for good', async () => {
    const a = shard.log(LOG_A);
    await append(shard, a, ['0', '1']);
    await append(shard, a, ['2', '3']);
    await append(shard, a, ['4']);
    await shard.append([{ log: a, before: 3 }]).settled;
    expect(() => a.read(2, 100)).toThrow(expect.objectContaining({ code: 'offset-out-of-range' }));
    expect(await readAll(a)).toEqual(['3:3', '4:4']);
    await reopen();
    expect(shard.log(LOG_A).startOffset).toBe(3);
    expect(await readAll(shard.log(LOG_A))).toEqual(['3:3', '4:4']);
  });

  it('trims no further than the records that were there when the trim was asked for', async () => {
    const commitLog = new ManualCommitLog();
    const manual = await home.open({}, commitLog);
    const a = manual.log(LOG_A);
    const settled = [
      manual.append([{ log: a, batch: batchOf(['0', '1']) }]).settled,
      manual.append([{ log: a, before: 100 }]).settled,
      manual.append([{ log: a, batch: batchOf(['2']) }]).settled,
    ];
    commitLog.persist(2);
    expect([a.startOffset, a.highWatermark, a.nextOffset]).toEqual([2, 2, 3]);
    commitLog.fail(LOST);
    expect((await Promise.allSettled(settled)).map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
    ]);
    expect([a.startOffset, a.highWatermark, a.nextOffset]).toEqual([2, 2, 2]);
  });

  it('finds what follows records that were trimmed before they were written to segments', async () => {
    const a = shard.log(LOG_A);
    await append(shard, a, ['0', '1']);
    await append(shard, a, ['2', '3']);
    await append(shard, shard.log(LOG_B), ['b']);
    await shard.append([{ log: a, before: 4 }]).settled;
    await shard.flush();
    await append(shard, a, ['4']);
    await reopen();
    expect(await readAll(shard.log(LOG_A))).toEqual(['4:4']);
    expect(shard.log(LOG_A).startOffset).toBe(4);
  });

  it('finds a batch of which a trim left only a part', async () => {
    const a = shard.log(LOG_A);
    await append(shard, a, ['0', '1']);
    await append(shard, a, ['2', '3']);
    await shard.append([{ log: a, before: 3 }]).settled;
    for (let i = 0; i < 2; i++) {
      expect(await readAll(shard.log(LOG_A))).toEqual(['3:3']);
      await reopen();
      await shard.flush();
    }
  });

  it('deletes a log, and gives its objects up', async () => {
    const a = shard.log(LOG_A);
    await append(shard, a, ['x']);
    await append(shard, shard.log(LOG_B), ['y']);
    await shard.flush();
    await append(shard, a, ['z']);
    let woken = 0;
    a.onGrowth(() => woken++);
    await shard.delete(a);
    expect(woken).toBe(1);
    expect(a.deleted).toBe(true);
    expect(() => a.read(0, 100)).toThrow(expect.objectContaining({ code: 'not-found' }));
    expect(() => shard.append([{ log: a, batch: batchOf(['x']) }])).toThrow(
      expect.objectContaining({ code: 'not-found' }),
    );
    await expect.poll(() => home.store.list(LOG_A)).toEqual([]);
    await reopen();
    expect(shard.log(LOG_A).nextOffset).toBe(0);
    expect(await readAll(shard.log(LOG_B))).toEqual(['0:y']);
  });

  it('takes nothing for a log from the moment its deletion is asked for', async () => {
    const commitLog = new ManualCommitLog();
    const manual = await home.open({}, commitLog);
    const a = manual.log(LOG_A);
    const first = manual.append([{ log: a, batch: batchOf(['x']) }]).settled;
    const deleted = manual.delete(a);
    expect(() => manual.append([{ log: a, batch: batchOf(['y']) }])).toThrow(
      expect.objectContaining({ code: 'not-found' }),
    );
    commitLog.persist();
    await Promise.all([first, deleted]);
  });

  it('takes appends again for a log whose deletion failed', async () => {
    const commitLog = new ManualCommitLog();
    const manual = await home.open({}, commitLog);
    const a = manual.log(LOG_A);
    const deleted = manual.delete(a);
    commitLog.fail(LOST);
    await expect(deleted).rejects.toBe(LOST);
    const { settled } = manual.append([{ log: a, batch: batchOf(['y']) }]);
    commitLog.persist();
    await settled;
    expect(await readAll(a)).toEqual(['0:y']);
  });

  it('starts again after a log was deleted between its last flush and the next manifest', async () => {
    const [a, b] = [shard.log(LOG_A), shard.log(LOG_B)];
    await append(shard, a, ['0']);
    await append(shard, b, ['b0']);
    await shard.flush();
    await append(shard, b, ['b1']);
    let meanwhile = async () => {
      await append(shard, a, ['1']);
      await shard.delete(a);
    };
    home.store.before = async (operation) => {
      if (operation !== 'put') return;
      const now = meanwhile;
      meanwhile = async () => {};
      await now();
    };
    await shard.flush();
    await reopen();
    expect(await readAll(shard.log(LOG_B))).toEqual(['0:b0', '1:b1']);
    expect(shard.log(LOG_A).nextOffset).toBe(0);
  });

  it('deletes nothing while it replays: what asks for that may yet be lost again', async () => {
    const commitLog = new ManualCommitLog();
    const manual = await home.open({}, commitLog);
    const { settled } = manual.append([{ log: manual.log(LOG_A), batch: batchOf(['x']) }]);
    commitLog.persist();
    await settled;
    await manual.flush();
    const objects = await home.store.list('');
    expect(objects).toHaveLength(2);
    const { before } = home.store;
    home.store.before = (operation) => {
      if (operation === 'delete') throw LOST;
    };
    const deleted = manual.delete(manual.log(LOG_A));
    commitLog.persist();
    await deleted;
    await manual.close();
    home.store.before = before;

    const late = new ManualCommitLog(commitLog.durable);
    const replay = late.replay.bind(late);
    late.replay = async (from, visit) => {
      const end = await replay(from, visit);
      await new Promise((resolve) => setImmediate(resolve));
      expect(await home.store.list('')).toEqual(objects);
      return end;
    };
    await home.open({}, late);
    await expect.poll(() => home.store.list(LOG_A)).toEqual([]);
  });

  it('refuses to start when records of a log are missing', async () => {
    const commitLog = new ManualCommitLog();
    const manual = await home.open({}, commitLog);
    const settled = ['0', '1', '2'].map(
      (value) => manual.append([{ log: manual.log(LOG_A), batch: batchOf([value]) }]).settled,
    );
    commitLog.persist();
    await Promise.all(settled);
    const holed = new ManualCommitLog(commitLog.durable.filter((_, i) => i !== 1));
    await expect(home.open({}, holed)).rejects.toMatchObject({
      code: 'storage-damaged',
      message: expect.stringContaining(LOG_A),
    });
    expect(holed.closed).toBe(true);
  });

  it.each(['fenced', 'storage-damaged'] as const)(
    'writes no manifest any more when it is %s, nor when it is closed then',
    async (code) => {
      const commitLog = new ManualCommitLog();
      const manual = await home.open({}, commitLog);
      const first = await home.store.get('manifest', 0, 1000);
      const { settled } = manual.append([{ log: manual.log(LOG_A), batch: batchOf(['v'.repeat(5_000_000)]) }]);
      commitLog.persist();
      await settled;
      commitLog.fail(new BrokerError(code, 'it is not ours any more'));
      await manual.flush();
      await manual.close();
      expect(await home.store.list('')).toEqual(['manifest']);
      expect(await home.store.get('manifest', 0, 1000)).toEqual(first);
    },
  );

  it('leaves the manifest alone when it does not start', async () => {
    const commitLog = new ManualCommitLog();
    const manual = await home.open({}, commitLog);
    const first = await home.store.get('manifest', 0, 1000);
    for (let i = 0; i < 3; i++)
      manual.append([{ log: manual.log(LOG_A), batch: batchOf(['v'.repeat(5_000_000)]) }], 'memory');
    commitLog.persist();
    const groups = [...commitLog.durable];
    const holed = new ManualCommitLog(groups.filter((_, i) => i !== 1));
    await expect(home.open({}, holed)).rejects.toMatchObject({ code: 'storage-damaged' });
    expect(await home.store.list('')).toEqual(['manifest']);
    expect(await home.store.get('manifest', 0, 1000)).toEqual(first);
    await manual.close();
  });

  describe('whose commit log is slow', () => {
    let commitLog: ManualCommitLog;
    beforeEach(async () => {
      await shard.close();
      commitLog = new ManualCommitLog();
      shard = await home.open({ pendingBytes: 500 }, commitLog);
    });

    it('shows nothing before it is durable, unless asked for', async () => {
      const a = shard.log(LOG_A);
      const first = shard.append([{ log: a, batch: batchOf(['x']) }]).settled;
      const second = shard.append([{ log: a, batch: batchOf(['y']) }]).settled;
      let woken = 0;
      const stop = a.onGrowth(() => woken++);
      expect([a.highWatermark, a.nextOffset]).toEqual([0, 2]);
      expect(a.read(0, 100)).toEqual({ chunks: [], bytes: 0 });
      expect(recordsOf(await a.read(0, 1000, 'appended'))).toEqual(['0:x', '1:y']);
      expect(() => a.read(3, 100)).toThrow(expect.objectContaining({ code: 'offset-out-of-range' }));
      commitLog.persist(1);
      await first;
      expect(recordsOf(await a.read(0, 1000))).toEqual(['0:x']);
      commitLog.persist(1);
      await second;
      expect(woken).toBe(2);
      stop();
    });

    it('answers when the append is as safe as was asked', async () => {
      const a = shard.log(LOG_A);
      const settled: string[] = [];
      const all = (['memory', 'written', 'durable'] as const).map((durability) =>
        shard
          .append([{ log: a, batch: batchOf([durability]) }], durability)
          .settled.then(() => settled.push(durability)),
      );
      await all[0];
      expect(settled).toEqual(['memory']);
      commitLog.written();
      await all[1];
      expect(settled).toEqual(['memory', 'written']);
      expect(a.highWatermark).toBe(0);
      expect(shard.idle).toBe(false);
      commitLog.persist();
      await all[2];
      expect(a.highWatermark).toBe(3);
      expect(shard.idle).toBe(true);
    });

    it('rolls back what failed, and gives its offsets out again', async () => {
      const [a, b] = [shard.log(LOG_A), shard.log(LOG_B)];
      const rolledBack: number[] = [];
      const derived: DerivedState = { save: () => undefined, rollBack: (next) => rolledBack.push(next) };
      a.derived = derived;
      const kept = shard.append([{ log: a, batch: batchOf(['kept']) }]).settled;
      commitLog.persist();
      await kept;
      const lost = [
        shard.append([{ log: [a, b], batch: batchOf(['lost', 'too']) }]),
        shard.append([{ log: a, before: 1 }]),
        shard.append([{ log: b, batch: batchOf(['lost']) }], 'memory'),
      ];
      commitLog.fail(LOST);
      expect((await Promise.allSettled(lost.map(({ settled }) => settled))).map(({ status }) => status)).toEqual([
        'rejected',
        'rejected',
        'fulfilled',
      ]);
      expect(rolledBack).toEqual([1]);
      expect(home.troubles.at(-1)?.error).toBe(LOST);
      expect([a.startOffset, a.nextOffset, b.nextOffset]).toEqual([0, 1, 0]);
      const again = shard.append([{ log: [a, b], batch: batchOf(['again']) }]);
      expect(again.baseOffsets).toEqual([1]);
      commitLog.persist();
      await again.settled;
      expect(await readAll(a)).toEqual(['0:kept', '1:again']);
      expect(await readAll(b)).toEqual(['0:again']);
    });

    it('is overloaded while too much waits, and calls back when it does not', async () => {
      const a = shard.log(LOG_A);
      const { settled } = shard.append([{ log: a, batch: batchOf(['v'.repeat(600)]) }]);
      expect(shard.overloaded).toBe(true);
      let drained = 0;
      shard.onDrained(() => drained++);
      expect(drained).toBe(0);
      commitLog.persist();
      await settled;
      expect(shard.overloaded).toBe(false);
      expect(drained).toBe(1);
    });

    it('goes on flushing until nobody needs wait, without another append', async () => {
      await shard.close();
      shard = await home.open({ flushBytes: 100, memoryTableBytes: 1000, tailCacheBytes: 0 }, commitLog);
      const a = shard.log(LOG_A);
      const all = [shard.append([{ log: a, batch: batchOf(['small']) }]).settled];
      for (let i = 0; i < 5; i++) all.push(shard.append([{ log: a, batch: batchOf(['v'.repeat(300)]) }]).settled);
      let drained = false;
      shard.onDrained(() => {
        drained = true;
      });
      commitLog.persist(1); // Begins a flush, of this much.
      commitLog.persist();
      await Promise.all(all);
      await expect.poll(() => drained).toBe(true);
    });

    it('takes nothing after it was closed or fenced', async () => {
      const a = shard.log(LOG_A);
      const lost = shard.append([{ log: a, batch: batchOf(['x']) }]).settled;
      const fenced = new BrokerError('fenced', 'another writer took over');
      commitLog.fail(fenced);
      await expect(lost).rejects.toBe(fenced);
      expect(shard.closed).toBe(fenced);
      await expect(shard.append([{ log: a, batch: batchOf(['x']) }]).settled).rejects.toBe(fenced);
      await expect(shard.delete(a)).rejects.toBe(fenced);
      // Nobody waits for what was only to be in memory: that must not end the process either.
      shard.append([{ log: a, batch: batchOf(['x']) }], 'memory');
      await new Promise((resolve) => setImmediate(resolve));
    });
  });

  it('keeps the ends of epochs over restarts', async () => {
    await append(shard, shard.log(LOG_A), ['0', '1']);
    await reopen();
    await append(shard, shard.log(LOG_A), ['2']);
    await shard.flush();
    await reopen();
    await reopen();
    await append(shard, shard.log(LOG_A), ['3']);
    for (let i = 0; i < 2; i++) {
      const a = shard.log(LOG_A);
      expect(a.epochs).toEqual([
        { epoch: 1, startOffset: 0 },
        { epoch: 2, startOffset: 2 },
        { epoch: 4, startOffset: 3 },
      ]);
      expect(a.endOfEpoch(0)).toBeUndefined();
      expect(a.endOfEpoch(1)).toEqual({ epoch: 1, endOffset: 2 });
      expect(a.endOfEpoch(3)).toEqual({ epoch: 2, endOffset: 3 });
      expect(a.endOfEpoch(9)).toEqual({ epoch: 4, endOffset: 4 });
      expect([0, 1, 2, 3].map((offset) => a.epochOf(offset))).toEqual([1, 1, 2, 4]);
      await reopen();
    }
  });

  it('is full while little space is free', async () => {
    await shard.close();
    let free = 50;
    home.store.freeBytes = async () => free;
    shard = await home.open({ minFreeBytes: 100 });
    await home.clock.advance(0);
    expect(shard.full).toBe(true);
    free = 100;
    await home.clock.advance(5_000);
    expect(shard.full).toBe(false);
  });

  it.each(['commit log', 'segment store'])(
    'acknowledges nothing any more when the files of its %s are gone',
    async (which) => {
      await shard.close();
      const commitLog = new ManualCommitLog();
      shard = await home.open({}, commitLog);
      const gone = async (): Promise<never> => {
        throw new BrokerError(which === 'commit log' ? 'storage-damaged' : 'not-found', 'there is no such file');
      };
      const a = shard.log(LOG_A);
      const { settled } = shard.append([{ log: a, batch: batchOf(['x']) }]);
      const lost = expect(settled).rejects.toMatchObject({ code: 'storage-damaged' });
      if (which === 'commit log') commitLog.check = gone;
      else home.store.freeBytes = gone;
      await home.clock.advance(5_000);
      commitLog.persist();
      await lost;
      expect(a.highWatermark).toBe(0);
      await expect(shard.append([{ log: a, batch: batchOf(['x']) }]).settled).rejects.toMatchObject({
        code: 'storage-damaged',
      });
      expect(home.troubles).toHaveLength(1);
    },
  );

  it('goes on when nobody can say how much space is free', async () => {
    home.store.freeBytes = () => Promise.reject(LOST);
    await home.clock.advance(5_000);
    expect(home.troubles.at(-1)).toMatchObject({ error: LOST });
    await append(shard, shard.log(LOG_A), ['x']);
  });

  it('keeps small objects beside a log, until the log is deleted', async () => {
    const a = shard.log(LOG_A);
    expect(await shard.loadObject(a, 'snapshot')).toBeUndefined();
    await shard.saveObject(a, 'snapshot', [Buffer.from('sna'), Buffer.from('p')]);
    expect(String(await shard.loadObject(a, 'snapshot'))).toBe('snap');
    await shard.delete(a);
    await expect.poll(() => shard.loadObject(a, 'snapshot')).toBeUndefined();
  });
});
