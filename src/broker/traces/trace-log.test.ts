import { expect, onTestFinished, test } from 'vitest';
import { SeededRandom } from '../../environment/seeded-random.ts';
import { VirtualClock } from '../../environment/virtual-clock.ts';
import { CommitLogMemory, MemoryCommitLog } from '../../storage/commit-log/memory.ts';
import { Shard, type ShardSettings } from '../../storage/index.ts';
import { MemorySegmentStore } from '../../storage/segment-store/memory.ts';
import { Participant } from './place.ts';
import { DEFAULT_TRACING_SETTINGS, type TracingSettings } from './settings.ts';
import { followTrace } from './trace-path.ts';
import { searchTraces } from './trace-search.ts';
import { Tracing } from './tracing.ts';

const ALL = { ...DEFAULT_TRACING_SETTINGS, mode: 'all' } as const;
const LOG_ID = '11111111-1111-4111-8111-111111111111';
const partition = () => ({ index: 0, log: { id: LOG_ID }, tracePlace: undefined });
const anna = () => new Participant({ protocol: 'Kafka', user: 'anna', connection: '', client: 'x'.repeat(200) });

/** Tracing over a shard in memory, which outlives it. */
class Fixture {
  readonly clock = new VirtualClock(1_700_000_000_000);
  readonly #memory = new CommitLogMemory();
  readonly #store = new MemorySegmentStore();
  shard!: Shard; // Both are there when it is open.
  tracing!: Tracing;

  static async open(configured: TracingSettings = ALL, settings: Partial<ShardSettings> = {}): Promise<Fixture> {
    const fixture = new Fixture();
    await fixture.restart(configured, settings);
    onTestFinished(() => fixture.shard.close());
    return fixture;
  }

  async restart(configured: TracingSettings = ALL, settings: Partial<ShardSettings> = {}): Promise<void> {
    this.tracing?.close();
    await this.shard?.close();
    const { clock } = this;
    const [commitLog, random] = [new MemoryCommitLog(this.#memory), new SeededRandom(1)];
    this.shard = await Shard.open({ commitLog, store: this.#store, clock, random, settings });
    this.tracing = new Tracing(clock);
    await this.tracing.open({ shard: this.shard, configured, onTrouble: () => {} });
  }

  get log() {
    const { log } = this.tracing;
    if (log === undefined) throw new Error('it is not open');
    return log;
  }

  async path(offset: number) {
    return await followTrace(this.log, { placeId: LOG_ID, lane: 0, offset });
  }
}

test('off, nothing is written, and the log is not even there', async () => {
  const { tracing, log } = await Fixture.open(DEFAULT_TRACING_SETTINGS);
  expect(tracing.on).toBe(false);
  tracing.appended('topic', partition(), 0, 1, anna());
  log.flush();
  expect([log.nextOffset, log.events, log.index]).toEqual([0, 0, undefined]);
});

test('events wait a little for others, and are one append', async () => {
  const { tracing, log, clock } = await Fixture.open();
  for (let i = 0; i < 100; i++) tracing.appended('topic', partition(), i, i + 1, anna());
  expect(log.nextOffset).toBe(0);
  await clock.advance(100);
  expect(log.nextOffset).toBe(1);
  await clock.advance(10_000);
  expect(log.nextOffset).toBe(1);
});

test('many events do not wait', async () => {
  const { tracing, log } = await Fixture.open();
  for (let i = 0; i < 20_000; i++) tracing.appended('topic', partition(), i, i + 1, anna());
  expect(log.nextOffset).toBeGreaterThan(5);
});

test('what is older than its time goes, and what is more than its bytes', async () => {
  const fixture = await Fixture.open(
    { ...ALL, retentionMs: 60_000, retentionBytes: 8 * 1024 * 1024 },
    { flushBytes: 1024 * 1024 },
  );
  const { clock } = fixture;
  const write = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      for (let i = 0; i < 500; i++) fixture.tracing.appended('topic', partition(), i, i + 1, anna());
      await clock.advance(1000);
    }
  };
  await write(300);
  await fixture.shard.flush();
  await write(20);
  const { log } = fixture;
  expect(log.startOffset).toBeGreaterThan(100);
  const [oldest] = await log.read(log.startOffset, 1);
  expect(oldest?.offset).toBe(log.startOffset);
  for (let i = 0; i < 400; i++) {
    for (let j = 0; j < 1000; j++) fixture.tracing.appended('topic', partition(), j, j + 1, anna());
    log.flush();
    if (i % 20 === 0) await fixture.shard.flush();
    log.retain();
  }
  // What is on its way to segments does not go before it is there.
  await fixture.shard.flush();
  log.retain();
  await fixture.shard.flush();
  expect(log.sizeBytes).toBeLessThan(10 * 1024 * 1024);
});

test('what cannot be appended is dropped when it is too much, counted, and told of in answers', async () => {
  const fixture = await Fixture.open(ALL, { memoryTableBytes: 0 });
  const { tracing, log } = fixture;
  // With no bytes to have in memory, the shard is always overloaded.
  expect(fixture.shard.overloaded).toBe(true);
  for (let i = 0; i < 100_000; i++) tracing.appended('topic', partition(), i, i + 1, anna());
  expect(log.nextOffset).toBe(0);
  expect(log.dropped).toBeGreaterThan(0);
  expect(log.events + log.dropped).toBe(100_000);
  expect(log.writer.bytes).toBeLessThan(2 * 1024 * 1024);
  const { dropped, events } = log;
  await fixture.restart();
  expect(fixture.log.nextOffset).toBe(0);
  expect([dropped, events].every((count) => count > 0)).toBe(true);
});

test('when it keeps up again, the gap is in the log', async () => {
  const fixture = await Fixture.open();
  const { tracing, log } = fixture;
  let isFull = true;
  Object.defineProperty(fixture.shard, 'overloaded', { get: () => isFull });
  for (let i = 0; i < 100_000; i++) tracing.appended('topic', partition(), i, i + 1, anna());
  const { dropped } = log;
  isFull = false;
  await fixture.clock.advance(1000);
  const found = await searchTraces(log, { count: 1, sees: () => true });
  expect(found.dropped).toBe(dropped);
  expect(await fixture.path(3)).toMatchObject({ dropped, complete: false, events: [{ type: 'appended' }] });
});

test('a way is found from the index and without it, before and after a restart, and over both', async () => {
  const fixture = await Fixture.open();
  fixture.tracing.appended('topic', partition(), 0, 10, anna());
  fixture.tracing.fetched('topic', partition(), 0, 5, anna());
  const told = async (offset: number) => (await fixture.path(offset)).events.map(({ type }) => type);
  expect(await told(3)).toEqual(['appended', 'fetched']);
  await fixture.restart();
  expect(await told(3)).toEqual(['appended', 'fetched']);
  fixture.tracing.committed('topic', partition(), 4, anna(), 'group');
  fixture.tracing.committed('topic', partition(), 5, anna(), 'group');
  expect(await told(3)).toEqual(['appended', 'fetched', 'committed']);
  expect(await told(7)).toEqual(['appended']);
  expect(await told(12)).toEqual([]);
});

test('settings that were made while it ran are there after a restart, until they are taken back', async () => {
  const fixture = await Fixture.open(DEFAULT_TRACING_SETTINGS);
  await fixture.tracing.configure({ ...ALL, destinations: ['a*'] });
  await fixture.restart(DEFAULT_TRACING_SETTINGS);
  expect(fixture.tracing).toMatchObject({ on: true, overridden: true, settings: { destinations: ['a*'] } });
  await fixture.tracing.configure(undefined);
  expect(fixture.tracing).toMatchObject({ on: false, overridden: false });
  await fixture.restart(ALL);
  expect(fixture.tracing).toMatchObject({ on: true, overridden: false });
});
