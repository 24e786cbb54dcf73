import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BrokerError } from '../errors.ts';
import type { CommitLog, Position } from './commit-log.ts';

/** The storage of one log, over which writers come and go. */
export interface CommitLogUnderTest {
  /** A fresh writer over the same storage, as after a restart; not opened yet. */
  open(): CommitLog;
  /** Loses everything that is not durable, as a power loss does; the writers so far are dead. Left out where that cannot be had. */
  crash?(): Promise<void>;
  destroy(): Promise<void>;
}

export interface CommitLogContract {
  /** An empty log. */
  create(): Promise<CommitLogUnderTest>;
  /** Whether `open` by itself refuses the former writer's appends; otherwise a lock above the log sees to that. */
  readonly fences?: boolean;
  /** The largest group to try; 1 MiB unless told. */
  readonly maxGroupBytes?: number;
}

/** A writer with what its listener was told. */
class Writer {
  readonly log: CommitLog;
  readonly failures: BrokerError[] = [];
  epoch = 0;
  written: Position = 0;
  durable: Position = 0;
  /** Why an announcement broke the rules, if one did. */
  broken: string | undefined;
  #waiting: { readonly upTo: Position; readonly resolve: () => void; readonly reject: (error: BrokerError) => void }[] =
    [];
  #failure: ((error: BrokerError) => void) | undefined;

  private constructor(log: CommitLog) {
    this.log = log;
  }

  static async open(log: CommitLog): Promise<Writer> {
    const writer = new Writer(log);
    writer.epoch = await log.open({
      written: (upTo) => {
        if (upTo < writer.written) writer.broken = `written went back from ${writer.written} to ${upTo}`;
        writer.written = upTo;
      },
      durable: (upTo) => {
        if (upTo < writer.durable) writer.broken = `durable went back from ${writer.durable} to ${upTo}`;
        if (upTo > writer.written) writer.broken = `durable (${upTo}) is ahead of written (${writer.written})`;
        writer.durable = upTo;
        const ready = writer.#waiting.filter((one) => one.upTo <= upTo);
        writer.#waiting = writer.#waiting.filter((one) => one.upTo > upTo);
        for (const { resolve } of ready) resolve();
      },
      failed: (error) => {
        writer.failures.push(error);
        writer.written = writer.durable;
        writer.#failure?.(error);
        const lost = writer.#waiting;
        writer.#waiting = [];
        for (const { reject } of lost) reject(error);
      },
    });
    return writer;
  }

  append(...chunks: readonly Uint8Array[]): Position {
    return this.log.append(
      chunks,
      chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    );
  }

  untilDurable(upTo: Position): Promise<void> {
    if (this.durable >= upTo) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ upTo, resolve, reject }));
  }

  untilFailed(): Promise<BrokerError> {
    if (this.failures[0]) return Promise.resolve(this.failures[0]);
    return new Promise((resolve) => {
      this.#failure = resolve;
    });
  }
}

interface Replayed {
  readonly writer: Writer;
  readonly groups: Buffer[];
  readonly ends: Position[];
  readonly end: Position;
}

/** What every `CommitLog` keeps to, whatever it is made of. */
export function commitLogContract(name: string, contract: CommitLogContract): void {
  const maxGroupBytes = contract.maxGroupBytes ?? 1024 * 1024;

  describe(`commit log: ${name}`, () => {
    let storage: CommitLogUnderTest;
    let writers: Writer[];

    beforeEach(async () => {
      storage = await contract.create();
      writers = [];
    });

    afterEach(async () => {
      await Promise.all(writers.map((writer) => writer.log.close()));
      await storage.destroy();
      for (const { broken } of writers) expect(broken).toBeUndefined();
    });

    /** Opens a writer and replays. */
    async function start(from: Position = 0): Promise<Replayed> {
      const writer = await Writer.open(storage.open());
      writers.push(writer);
      const groups: Buffer[] = [];
      const ends: Position[] = [];
      const end = await writer.log.replay(from, (group, groupEnd) => {
        groups.push(group);
        ends.push(groupEnd);
      });
      return { writer, groups, ends, end };
    }

    /** Closes the writer and opens the next one. */
    async function restart(before: Writer, from: Position = 0): Promise<Replayed> {
      await before.log.close();
      return start(from);
    }

    it('is empty at first', async () => {
      const { writer, groups, end } = await start();
      expect(groups).toEqual([]);
      expect(end).toBe(0);
      expect(writer.epoch).toBeGreaterThan(0);
      expect(writer.log.pendingBytes).toBe(0);
    });

    it('is still empty when a writer came and went without an append', async () => {
      const { writer } = await start();
      const { groups, end } = await restart(writer);
      expect(groups).toEqual([]);
      expect(end).toBe(0);
    });

    it('gives groups back whole, in order, under the ends that append answered', async () => {
      const { writer } = await start();
      const ends = [
        writer.append(text('one')),
        writer.append(text('tw'), text(''), text('o')),
        writer.append(),
        writer.append(text('four')),
      ];
      await writer.untilDurable(ends[3] as Position);
      const replayed = await restart(writer);
      expect(replayed.groups.map(String)).toEqual(['one', 'two', '', 'four']);
      expect(replayed.ends).toEqual(ends);
      expect(replayed.end).toBe(ends[3]);
    });

    it('answers ends that increase strictly, also from writer to writer', async () => {
      const ends: Position[] = [0];
      let { writer } = await start();
      for (let generation = 0; generation < 3; generation++) {
        for (let i = 0; i < 5; i++) ends.push(writer.append(text('x'.repeat(i))));
        await writer.untilDurable(ends.at(-1) as Position);
        ({ writer } = await restart(writer));
      }
      for (const [i, end] of ends.entries()) if (i > 0) expect(end).toBeGreaterThan(ends[i - 1] as Position);
    });

    it('tells the outcome after append has returned, never within it', async () => {
      const { writer } = await start();
      const first = writer.append(text('a'));
      expect(writer.written).toBe(0);
      await writer.untilDurable(first);
      const second = writer.append(text('b'));
      expect(writer.written).toBe(first);
      expect(writer.durable).toBe(first);
      await writer.untilDurable(second);
      expect(writer.failures).toEqual([]);
    });

    it('counts the bytes that are not durable yet', async () => {
      const { writer } = await start();
      const end = writer.append(Buffer.alloc(5000, 1), Buffer.alloc(5000, 2));
      expect(writer.log.pendingBytes).toBeGreaterThanOrEqual(10_000);
      await writer.untilDurable(end);
      expect(writer.log.pendingBytes).toBe(0);
    });

    it('replays from a position: what ends after it, and nothing else', async () => {
      const { writer } = await start();
      const ends = ['a', 'b', 'c', 'd'].map((letter) => writer.append(text(letter)));
      await writer.untilDurable(ends[3] as Position);
      const some = await restart(writer, ends[1]);
      expect(some.groups.map(String)).toEqual(['c', 'd']);
      expect(some.ends).toEqual(ends.slice(2));
      const none = await restart(some.writer, ends[3]);
      expect(none.groups).toEqual([]);
      expect(none.end).toBe(ends[3]);
      const end = none.writer.append(text('e'));
      expect(end).toBeGreaterThan(ends[3] as Position);
      await none.writer.untilDurable(end);
      const last = await restart(none.writer, ends[3]);
      expect(last.groups.map(String)).toEqual(['e']);
    });

    it('keeps what former writers appended, generation after generation', async () => {
      const all: string[] = [];
      let { writer } = await start();
      for (let generation = 0; generation < 5; generation++) {
        let end = 0;
        for (let i = 0; i < 20; i++) {
          all.push(`${generation}.${i}`);
          end = writer.append(text(`${generation}.${i}`));
        }
        await writer.untilDurable(end);
        const next = await restart(writer);
        expect(next.groups.map(String)).toEqual(all);
        expect(next.end).toBe(end);
        writer = next.writer;
      }
    });

    it('gives every writer a greater epoch, whether or not the one before appended', async () => {
      const epochs: number[] = [0];
      let { writer } = await start();
      for (let generation = 0; generation < 4; generation++) {
        epochs.push(writer.epoch);
        if (generation % 2 === 1) await writer.untilDurable(writer.append(text('x')));
        ({ writer } = await restart(writer));
      }
      for (const [i, epoch] of epochs.entries()) if (i > 0) expect(epoch).toBeGreaterThan(epochs[i - 1] as number);
    });

    it('gives a greater epoch after everything was truncated, and positions go on', async () => {
      const { writer } = await start();
      const end = writer.append(text('x'));
      await writer.untilDurable(end);
      await writer.log.truncate(end);
      const { writer: next, groups } = await restart(writer, end);
      expect(groups).toEqual([]);
      expect(next.epoch).toBeGreaterThan(writer.epoch);
      const nextEnd = next.append(text('y'));
      expect(nextEnd).toBeGreaterThan(end);
      await next.untilDurable(nextEnd);
      expect((await restart(next, end)).groups.map(String)).toEqual(['y']);
    });

    it('keeps what lies above a truncation, and may keep some of what lies below', async () => {
      const { writer } = await start();
      const ends = Array.from({ length: 50 }, (_, i) => writer.append(text(`group ${i}`)));
      await writer.untilDurable(ends[49] as Position);
      await writer.log.truncate(ends[29] as Position);
      const above = await restart(writer, ends[29]);
      expect(above.ends).toEqual(ends.slice(30));
      expect(above.groups.map(String)).toEqual(Array.from({ length: 20 }, (_, i) => `group ${i + 30}`));
      const all = await restart(above.writer);
      expect(all.ends.length).toBeGreaterThanOrEqual(20);
      expect(all.ends).toEqual(ends.slice(-all.ends.length));
    });

    it('carries thousands of groups that are appended without waiting', async () => {
      const { writer } = await start();
      const groups = Array.from({ length: 5000 }, (_, i) => Buffer.alloc((i * 7919) % 600, i));
      const ends = groups.map((group) => writer.append(group.subarray(0, 100), group.subarray(100)));
      await writer.untilDurable(ends[4999] as Position);
      const replayed = await restart(writer);
      expect(replayed.ends).toEqual(ends);
      expect(digest(replayed.groups)).toBe(digest(groups));
    });

    it('carries groups that are appended while others are under way', async () => {
      const { writer } = await start();
      const ends: Position[] = [];
      for (let round = 0; round < 50; round++) {
        for (let i = 0; i <= round % 5; i++) ends.push(writer.append(text(`${round}.${i}`)));
        await writer.untilDurable(ends[Math.max(0, ends.length - 4)] as Position);
      }
      await writer.untilDurable(ends.at(-1) as Position);
      expect((await restart(writer)).ends).toEqual(ends);
    });

    it('carries large groups', async () => {
      const { writer } = await start();
      const groups = Array.from({ length: 8 }, (_, i) => Buffer.alloc(maxGroupBytes - i, i + 1));
      const ends = groups.map((group) => writer.append(group.subarray(0, 61), group.subarray(61)));
      await writer.untilDurable(ends[7] as Position);
      const replayed = await restart(writer);
      expect(replayed.ends).toEqual(ends);
      expect(digest(replayed.groups)).toBe(digest(groups));
    });

    it('finishes what is under way when it is closed', async () => {
      const { writer } = await start();
      const ends = Array.from({ length: 100 }, (_, i) => writer.append(text(`group ${i}`)));
      await writer.log.close();
      expect(writer.durable).toBe(ends[99]);
      expect((await start()).ends).toEqual(ends);
    });

    it('refuses appends when it is closed', async () => {
      const { writer } = await start();
      await writer.log.close();
      await writer.log.close();
      expect(() => writer.append(text('late'))).toThrow(expect.objectContaining({ code: 'closed' }));
    });

    it.runIf(contract.fences)('refuses the appends of a former writer', async () => {
      const { writer: former } = await start();
      const kept = former.append(text('kept'));
      await former.untilDurable(kept);
      const { writer: next, groups } = await start();
      expect(groups.map(String)).toEqual(['kept']);
      former.append(text('refused'));
      expect(await former.untilFailed()).toMatchObject({ code: 'fenced' });
      expect(former.durable).toBe(kept);
      const end = next.append(text('accepted'));
      await next.untilDurable(end);
      former.append(text('refused again'));
      expect((await restart(next)).groups.map(String)).toEqual(['kept', 'accepted']);
    });

    it('has everything that was durable after a crash, and of the rest a beginning', async () => {
      if (!storage.crash) return;
      const all: string[] = [];
      for (let generation = 0; generation < 3; generation++) {
        const { writer, groups } = await start();
        expect(groups.map(String)).toEqual(all);
        const batch = Array.from({ length: 30 }, (_, i) => `${generation}.${i}`);
        const ends = batch.map((group) => writer.append(text(group)));
        await writer.untilDurable(ends[29] as Position);
        const rest = Array.from({ length: 30 }, (_, i) => `${generation}.rest.${i}`);
        for (const group of rest) writer.append(text(group));
        await storage.crash();
        writers = [];
        const survived = await start();
        const tail = survived.groups.map(String).slice(all.length + batch.length);
        expect(tail).toEqual(rest.slice(0, tail.length));
        all.push(...batch, ...tail);
        expect(survived.groups.map(String)).toEqual(all);
        await survived.writer.log.close();
      }
    });
  });
}

function text(content: string): Buffer {
  return Buffer.from(content);
}

/** Compares many megabytes without a failure message of many megabytes. */
function digest(groups: readonly Buffer[]): string {
  const hash = createHash('sha256');
  for (const group of groups) hash.update(`${group.length}:`).update(group);
  return hash.digest('hex');
}
