import { SeededRandom } from '../../src/environment/seeded-random.ts';
import { SimulatedDisk } from '../../src/environment/simulated-files.ts';
import { VirtualClock } from '../../src/environment/virtual-clock.ts';
import { BrokerError } from '../../src/errors.ts';
import { batchesIn, encodeBatch, recordsIn, verifyIntegrity } from '../../src/records/index.ts';
import { DiskCommitLog, type Flush } from '../../src/storage/commit-log/disk.ts';
import { type Durability, type Entry, type Log, Shard, type ShardSettings } from '../../src/storage/index.ts';
import { DirectorySegmentStore } from '../../src/storage/segment-store/directory.ts';
import { type ModelEntry, type ModelGroup, type ModelLog, ModelState } from './shard-model.ts';

/** Bytes to cut values out of. */
const POOL = new SeededRandom(7).bytes(256 * 1024);
const HOME = '/data/shard-0';

/** Something is gone from the middle, and nothing is given out that stands behind it: the rest is for `sluice repair`. */
class RefusedStart extends Error {}

/** One life of a shard, from its start to a crash, the end of its process, or its orderly end. */
class Life {
  readonly clock: VirtualClock;
  readonly settings: Partial<ShardSettings>;
  readonly fileBytes: number;
  shard: Shard | undefined;
  over = false;
  fault: 'full' | 'operation' | undefined;
  /** The disk's count of lives. */
  readonly number: number;

  constructor(number: number, clock: VirtualClock, settings: Partial<ShardSettings>, fileBytes: number) {
    this.number = number;
    this.clock = clock;
    this.settings = settings;
    this.fileBytes = fileBytes;
  }
}

/** The real shard, commit log and segment store over a simulated disk, and what they should hold. */
export class ShardSimulation {
  readonly #random: SeededRandom;
  readonly #disk: SimulatedDisk;
  readonly #flush: Flush;
  /** What happened, for who has to find out why it failed. */
  readonly history: string[] = [];
  /** What is durable for certain. */
  #base = new ModelState();
  /** What was appended after that, oldest first, and has not failed. */
  #pending: ModelGroup[] = [];
  /** So many of them have to be there. */
  #floor = 0;
  /** `#base` and `#pending`. */
  #live = new ModelState();
  #now = Date.UTC(2000, 0, 1);
  #values = 0;
  /** An injected fault may still be to come, or its consequences be felt. */
  #faulty = false;
  #failure: Error | undefined;
  /** The device failed, and nobody knows what of that which was called durable before it was synced is still there after a power loss. */
  #unproven = false;

  constructor(seed: number, flush: Flush) {
    this.#random = new SeededRandom(seed);
    this.#disk = new SimulatedDisk(seed + 0.5 * 2 ** 32);
    this.#flush = flush;
  }

  async run(generations: number, steps: number): Promise<void> {
    try {
      await this.#lives(generations, steps);
    } catch (error) {
      if (!(error instanceof RefusedStart)) throw error;
      this.#note(`refused: ${error.message}`);
    }
  }

  async #lives(generations: number, steps: number): Promise<void> {
    for (let i = 0; i < generations; i++) await this.#generation(steps);
    // The last one finds a disk without faults.
    const life = await this.#recover(false);
    await this.#checkAlive(life);
    await life.shard?.close();
  }

  async #generation(steps: number): Promise<void> {
    const random = this.#random;
    const life = await this.#recover(random.chance(0.3));
    const ending = random.below(10);
    // Most lives end by a power loss in the middle of what they do.
    if (ending < 7) this.#crashAt(life, 1 + random.below(steps * 4));
    for (let step = 0; step < steps && !life.over; step++) {
      await this.#step(life);
      if (this.#failure !== undefined) throw this.#failure;
    }
    if (life.over) return;
    if (ending < 9) {
      this.#note(ending < 8 ? 'power loss' : 'kill');
      if (ending < 8) this.#disk.crash();
      else this.#disk.kill();
      this.#ended(life, ending >= 8);
      return;
    }
    await this.#checkAlive(life);
    this.#note('close');
    await this.#orOver(life, life.shard?.close());
    this.#disk.kill();
    this.#ended(life, true);
  }

  #note(what: string): void {
    this.history.push(what);
  }

  #crashAt(life: Life, operations: number): void {
    void this.#disk.crashAt(operations).then(() => {
      if (life.over) return;
      this.#note('power loss');
      this.#ended(life, false);
    });
  }

  /** Takes note of what has to be there after the end of a life. */
  #ended(life: Life, softly: boolean): void {
    if (life.over) return;
    life.over = true;
    this.#now = life.clock.now() + this.#random.below(100_000);
    this.#faulty = false;
    this.#disk.capacity = Number.POSITIVE_INFINITY;
    if (this.#flush === 'always') this.#settle(this.#durableCount(life));
    // What was handed to the system is still there when only the process ended, unless the device had refused it just then.
    const written = this.#pending.findLastIndex(
      ({ outcome, durability }) => outcome === 'acknowledged' && durability !== 'memory',
    );
    this.#floor = softly && life.fault === undefined ? Math.max(this.#floor, written + 1) : 0;
  }

  /** Starts a shard over what is there, and finds out what that is. */
  async #recover(crashing: boolean): Promise<Life> {
    const random = this.#random;
    for (let attempt = 0; ; attempt++) {
      const life = new Life(
        this.#disk.life,
        new VirtualClock(this.#now),
        {
          flushBytes: 500 + random.below(20_000),
          memoryTableBytes: 50_000 + random.below(50_000),
          tailCacheBytes: random.below(3) * 4000,
          minFreeBytes: 0,
        },
        500 + random.below(10_000),
      );
      if (crashing && attempt < 3) {
        if (random.chance(0.8)) this.#crashAt(life, 1 + random.below(20));
        else {
          this.#disk.fail(
            (['sync', 'write', 'rename', 'read', 'create'] as const)[random.below(5)] ?? 'sync',
            random.below(5),
          );
          this.#faulty = true;
          life.fault = 'operation';
        }
      }
      this.#note(`start ${JSON.stringify(life.settings)} ${life.fileBytes}`);
      try {
        const shard = await this.#orOver(life, this.#open(life));
        if (shard === undefined) continue;
        life.shard = shard;
        this.#compare(shard);
        await this.#orOver(life, this.#verify(life, shard));
        if (life.over) continue;
        return life;
      } catch (error) {
        if (!this.#faulty || !(error instanceof BrokerError) || error.code !== 'storage-failed') throw error;
        this.#note(`did not start: ${error.message}`);
        this.#disk.kill();
        this.#faulty = false;
        life.over = true;
      }
    }
  }

  async #open(life: Life): Promise<Shard> {
    const environment = { files: this.#disk.files(), clock: life.clock, random: this.#disk.random };
    const store = await DirectorySegmentStore.open({ environment, directory: `${HOME}/segments`, maxOpenFiles: 3 });
    const commitLog = new DiskCommitLog({
      environment,
      directory: `${HOME}/commit-log`,
      fileBytes: life.fileBytes,
      flush: this.#flush,
    });
    const opening = Shard.open({
      commitLog,
      store,
      clock: life.clock,
      random: this.#disk.random,
      settings: life.settings,
      onTrouble: (error, what) => this.#trouble(life, error, what),
    });
    return opening.catch((error: unknown) => {
      const damaged = error instanceof BrokerError && error.code === 'storage-damaged';
      throw this.#unproven && damaged ? new RefusedStart(error.message) : error;
    });
  }

  /** Finds the groups that are there: a beginning of what was appended that has in it all that is durable. */
  #compare(shard: Shard): void {
    const state = this.#base.clone();
    const matches = () =>
      [...state.logs].every(([id, { start, next, deleted }]) => {
        if (deleted) return true;
        const log = shard.log(id);
        return log.startOffset === start && log.nextOffset === next && log.highWatermark === next;
      });
    let count = 0;
    while (count < this.#floor || !matches()) {
      const group = this.#pending[count++];
      if (group === undefined) {
        const found = [...this.#live.logs].map(([id, { start, next, deleted }]) => {
          const log = shard.log(id);
          return `${id}: ${log.startOffset} to ${log.nextOffset}, ${deleted ? 'deleted' : `not ${start} to ${next}`}`;
        });
        throw new Error(`no beginning of what was appended is there, but\n${found.join('\n')}`);
      }
      state.apply(group);
    }
    this.#note(`recovered ${count} of ${this.#pending.length} groups`);
    this.#pending = [];
    this.#floor = 0;
    this.#base = state;
    this.#live = state.clone();
  }

  /** Compares all that is there with the model, while nothing else happens. */
  async #verify(life: Life, shard: Shard): Promise<void> {
    for (const [id, model] of this.#live.logs) {
      if (model.deleted) continue;
      const log = shard.log(id);
      for (let offset = model.start; offset < model.next && !life.over; )
        offset = await this.#readAt(life, log, model, offset);
      const timestamp = this.#random.below(1000);
      const expected = model.batches.find((batch) => batch.last >= model.start && batch.timestamp >= timestamp);
      const found = await this.#tolerant(log, -1, () => log.batchForTimestamp(timestamp));
      if (found !== 'failed' && [...batchesIn(found ?? Buffer.alloc(0))][0]?.baseOffset !== expected?.base)
        throw new Error(`log ${id}: timestamp ${timestamp} is not found at ${expected?.base}`);
    }
  }

  async #readAt(life: Life, log: Log, model: ModelLog, offset: number): Promise<number> {
    const maxBytes = this.#random.chance(0.3) ? 1 : this.#random.below(200_000);
    const read = await this.#tolerant(log, offset, () => log.read(offset, maxBytes));
    if (read === 'failed' || life.over) return model.next;
    let next = offset;
    for (const batch of batchesIn(Buffer.concat(read.chunks))) {
      verifyIntegrity(batch.bytes, 0, batch.size);
      const expected = model.batchAt(next);
      if (expected?.base !== batch.baseOffset || expected.last !== batch.lastOffset)
        throw new Error(
          `log ${log.id}: read at ${offset} gave ${batch.baseOffset} to ${batch.lastOffset}, not ${expected?.base} to ${expected?.last}`,
        );
      const values = [...recordsIn(batch.bytes)].map(({ value }) => value ?? Buffer.alloc(0));
      if (!values.every((value, i) => expected.values[i]?.equals(value)))
        throw new Error(
          `log ${log.id}: offset ${expected.base} has values ${numbers(values)}, not ${numbers(expected.values)}`,
        );
      next = batch.lastOffset + 1;
    }
    if (next === offset && offset < log.highWatermark)
      throw new Error(`log ${log.id}: nothing was read at ${offset} of ${log.highWatermark}`);
    if (next > log.highWatermark)
      throw new Error(`log ${log.id}: read up to ${next}, beyond the high watermark ${log.highWatermark}`);
    return next;
  }

  /** Reads, unless a fault or somebody who trims or deletes the log gets in between. */
  async #tolerant<T>(log: Log, offset: number, read: () => T | Promise<T>): Promise<T | 'failed'> {
    try {
      return await read();
    } catch (error) {
      const code = error instanceof BrokerError ? error.code : undefined;
      if (code === 'storage-failed' && this.#faulty) return 'failed';
      if (code === 'not-found' && log.deleted) return 'failed';
      if (code === 'offset-out-of-range' && offset < log.startOffset) return 'failed';
      throw error;
    }
  }

  async #step(life: Life): Promise<void> {
    const { shard, clock } = life;
    const random = this.#random;
    if (shard === undefined) return;
    const dice = random.below(100);
    if (dice < 45) this.#append(life, shard);
    else if (dice < 52) this.#trim(life, shard);
    else if (dice < 54) this.#delete(life, shard);
    else if (dice < 58) void this.#watched(life, shard.flush());
    else if (dice < 72) void this.#watched(life, this.#readSomewhere(life, shard));
    else if (dice < 75) void this.#watched(life, this.#searchSomewhere(shard));
    else if (dice < 78) await clock.advance(random.below(3000));
    else if (dice < 81) this.#inject(life);
    else for (let jobs = random.below(60); jobs > 0; jobs--) await undefined;
    if (shard.overloaded && !life.over) await this.#drain(life, shard);
  }

  #append(life: Life, shard: Shard, durability: Durability = this.#durability()): void {
    const random = this.#random;
    const entries: Entry[] = [];
    const model: ModelEntry[] = [];
    for (let count = random.chance(0.3) ? 1 + random.below(3) : 1; count > 0; count--) {
      const logs = this.#someLogs(random.chance(0.2) ? 1 + random.below(4) : 1);
      const values = Array.from({ length: random.chance(0.3) ? 1 + random.below(5) : 1 }, () => this.#value());
      const timestamp = random.below(1000);
      const batch = encodeBatch({ timestamp, records: values.map((value) => ({ key: null, value })) });
      const targets = logs.map((id) => shard.log(id));
      entries.push({ log: targets.length === 1 ? (targets[0] as Log) : targets, batch });
      model.push({ kind: 'append', logs, values, timestamp });
    }
    if (random.chance(0.05)) {
      const [id = ''] = this.#someLogs(1);
      const before = this.#somewhere(this.#live.log(id), 3);
      entries.push({ log: shard.log(id), before });
      model.push({ kind: 'trim', log: id, before });
    }
    const expected = model.map((entry) => (entry.kind === 'append' ? this.#live.log(entry.logs[0] ?? '').next : -1));
    const { baseOffsets, settled } = shard.append(entries, durability);
    // Within a group, later entries go behind the earlier ones.
    if (model.length === 1 && baseOffsets[0] !== expected[0])
      throw new Error(`offset ${baseOffsets[0]} was given out instead of ${expected[0]}`);
    this.#appended(life, { entries: model, durability, outcome: undefined, lost: false }, settled);
  }

  #trim(life: Life, shard: Shard): void {
    const [id = ''] = this.#someLogs(1);
    const before = this.#somewhere(this.#live.log(id), 10);
    const { settled } = shard.append([{ log: shard.log(id), before }]);
    const entries = [{ kind: 'trim', log: id, before } as const];
    this.#appended(life, { entries, durability: 'durable', outcome: undefined, lost: false }, settled);
  }

  #delete(life: Life, shard: Shard): void {
    const [id = ''] = this.#someLogs(1);
    const entries = [{ kind: 'delete', log: id } as const];
    this.#appended(
      life,
      { entries, durability: 'durable', outcome: undefined, lost: false },
      shard.delete(shard.log(id)),
    );
  }

  #appended(life: Life, group: ModelGroup, settled: Promise<void>): void {
    this.#note(`append ${group.durability} ${group.entries.map(described)}`);
    this.#pending.push(group);
    this.#live.apply(group);
    settled.then(
      () => {
        if (life.over) return;
        group.outcome = 'acknowledged';
        if (group.lost && group.durability === 'durable')
          this.#failure ??= new Error('what was rolled back was acknowledged');
      },
      () => {
        if (life.over) return;
        group.outcome = 'rejected';
        if (!group.lost) this.#failure ??= new Error('an append was rejected that is there');
      },
    );
  }

  #trouble(life: Life, error: BrokerError, what: string): void {
    if (life.over) return;
    this.#note(`trouble: ${error.message}; ${what}`);
    if (error.code === 'storage-damaged' || error.code === 'internal' || error.code === 'not-found')
      this.#failure ??= error;
    if (!what.endsWith('appends were refused')) return;
    const durable = this.#durableCount(life);
    if (this.#flush === 'always') this.#settle(durable);
    // Otherwise what was called durable is there, and a power loss may yet take it.
    const kept = this.#flush === 'always' ? 0 : durable;
    this.#unproven ||= this.#flush !== 'always';
    for (const group of this.#pending.splice(kept)) group.lost = true;
    this.#live = this.#base.clone();
    for (const group of this.#pending) this.#live.apply(group);
  }

  /** How many of the pending groups the shard has called durable, by its answers or by showing them. */
  #durableCount({ shard }: Life): number {
    const state = this.#base.clone();
    let durable = 0;
    for (const [i, group] of this.#pending.entries()) {
      state.apply(group);
      const acknowledged = group.outcome === 'acknowledged' && group.durability === 'durable';
      const shown = group.entries.some(
        (entry) =>
          entry.kind === 'append' && entry.logs.some((id) => (shard?.log(id).highWatermark ?? 0) >= state.log(id).next),
      );
      if (acknowledged || shown) durable = i + 1;
    }
    return durable;
  }

  /** The oldest pending groups are durable. */
  #settle(count: number): void {
    for (const group of this.#pending.splice(0, count)) this.#base.apply(group);
  }

  async #readSomewhere(life: Life, shard: Shard): Promise<void> {
    const [id = ''] = this.#someLogs(1);
    const log = shard.log(id);
    if (log.startOffset === log.highWatermark) return;
    const offset = log.startOffset + this.#random.below(log.highWatermark - log.startOffset);
    // As it is now: what is durable stays as it is.
    await this.#readAt(life, log, this.#live.log(id).clone(), offset);
  }

  async #searchSomewhere(shard: Shard): Promise<void> {
    const [id = ''] = this.#someLogs(1);
    const log = shard.log(id);
    const timestamp = this.#random.below(1000);
    const { startOffset, highWatermark } = log;
    const expected = this.#live
      .log(id)
      .batches.find((batch) => batch.last >= startOffset && batch.last < highWatermark && batch.timestamp >= timestamp);
    const found = await this.#tolerant(log, -1, () => log.batchForTimestamp(timestamp));
    if (found === 'failed' || expected === undefined || expected.last < log.startOffset || log.deleted) return;
    const base = found && [...batchesIn(found)][0]?.baseOffset;
    if (base !== expected.base)
      throw new Error(`log ${id}: timestamp ${timestamp} is found at ${base}, not at ${expected.base}`);
  }

  #inject(life: Life): void {
    const random = this.#random;
    // One thing goes wrong in a life, or it runs full as often as it likes: a commit log that can neither write nor take back
    // what it wrote in part promises nothing.
    if (life.fault === 'operation' || this.#disk.life !== life.number) return;
    this.#faulty = true;
    life.fault ??= random.chance(0.4) ? 'full' : 'operation';
    if (life.fault === 'full') {
      this.#disk.capacity = this.#disk.usedBytes + random.below(5000);
      this.#note(`disk full at ${this.#disk.capacity}`);
      const timer = life.clock.setTimer(random.below(5000), () => {
        if (!life.over) this.#disk.capacity = Number.POSITIVE_INFINITY;
      });
      if (life.over) timer.cancel();
    } else {
      const operation =
        (['write', 'sync', 'rename', 'truncate', 'syncDirectory', 'create', 'remove', 'read'] as const)[
          random.below(8)
        ] ?? 'sync';
      this.#disk.fail(operation, random.below(5));
      this.#note(`${operation} fails`);
    }
  }

  async #drain(life: Life, shard: Shard): Promise<void> {
    let drained = false;
    shard.onDrained(() => {
      drained = true;
    });
    for (let i = 0; i < 50 && !drained && !life.over && shard.overloaded; i++) await life.clock.advance(500);
    if (!drained && !life.over && shard.overloaded) throw new Error('writers wait forever');
  }

  /** When the faults are over, it works again. */
  async #checkAlive(life: Life): Promise<void> {
    const { shard } = life;
    if (shard === undefined) return;
    this.#disk.capacity = Number.POSITIVE_INFINITY;
    // Faults that were injected may be still to come, one for each try.
    for (let tries = 0; ; tries++) {
      await life.clock.advance(2500);
      if (life.over) return;
      this.#append(life, shard, 'durable');
      const group = this.#pending.at(-1);
      await life.clock.advance(1000);
      if (life.over || group?.outcome === 'acknowledged') break;
      if (tries > 50) throw new Error('an append fails with nothing wrong any more');
    }
    await this.#orOver(life, shard.flush());
    await this.#orOver(life, this.#verify(life, shard));
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Goes on when it is done, or when the life is over. */
  async #orOver<T>(life: Life, promise: Promise<T> | undefined): Promise<T | undefined> {
    let result: { value: T } | { error: unknown } | undefined;
    promise?.then(
      (value) => {
        result = { value };
      },
      (error: unknown) => {
        result = { error };
      },
    );
    for (let i = 0; result === undefined && !life.over; i++) {
      if (i > 2000) throw new Error('nothing happens any more');
      await life.clock.advance(20);
    }
    if (this.#failure !== undefined) throw this.#failure;
    if (result === undefined || life.over) return undefined;
    if ('error' in result) throw result.error;
    return result.value;
  }

  /** What goes wrong in the background counts, unless the life was over. */
  async #watched(life: Life, promise: Promise<void>): Promise<void> {
    try {
      await promise;
    } catch (error) {
      if (!life.over) this.#failure ??= error as Error;
    }
  }

  #someLogs(count: number): string[] {
    const alive = [...this.#live.logs].filter(([, { deleted }]) => !deleted).map(([id]) => id);
    while (alive.length < 4) alive.push(this.#random.uuid());
    const some: string[] = [];
    while (some.length < count) some.push(...alive.splice(this.#random.below(alive.length), 1));
    return some;
  }

  /** An offset in the log, or a little beyond; mostly near its start. */
  #somewhere({ start, next }: ModelLog, share: number): number {
    return start + this.#random.below(Math.ceil((next - start) / (this.#random.chance(0.8) ? share : 1)) + 2);
  }

  #durability(): Durability {
    return (['durable', 'durable', 'written', 'memory'] as const)[this.#random.below(4)] ?? 'durable';
  }

  #value(): Buffer {
    const random = this.#random;
    const size = random.chance(0.02)
      ? random.below(100 * 1024)
      : random.chance(0.1)
        ? random.below(12_000)
        : random.below(500);
    const start = random.below(POOL.length - size);
    const value = Buffer.concat([Buffer.alloc(8), POOL.subarray(start, start + size)]);
    value.writeDoubleBE(this.#values++);
    return value;
  }
}

/** The numbers that values begin with. */
function numbers(values: readonly Buffer[]): number[] {
  return values.map((value) => (value.length < 8 ? Number.NaN : value.readDoubleBE()));
}

function described(entry: ModelEntry): string {
  switch (entry.kind) {
    case 'append':
      return `${numbers(entry.values)} to ${entry.logs.map((id) => id.slice(0, 4)).join('+')}`;
    case 'trim':
      return `trim ${entry.log.slice(0, 4)} to ${entry.before}`;
    case 'delete':
      return `delete ${entry.log.slice(0, 4)}`;
  }
}

/** Runs a seed; what it throws says which, and what happened before. */
export async function simulateShard(seed: number, generations = 4, steps = 60, flush: Flush = 'always'): Promise<void> {
  const simulation = new ShardSimulation(seed, flush);
  try {
    await simulation.run(generations, steps);
  } catch (error) {
    const history = process.env['SEED'] === undefined ? '' : `\n${simulation.history.join('\n')}`;
    throw new Error(`seed ${seed}: ${(error as Error).message}${history}`, { cause: error });
  }
}
