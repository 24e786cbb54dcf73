import type { Timer } from '../../src/environment/environment.ts';
import { SeededRandom } from '../../src/environment/seeded-random.ts';
import { SimulatedDisk } from '../../src/environment/simulated-files.ts';
import { VirtualClock } from '../../src/environment/virtual-clock.ts';
import type { BrokerError } from '../../src/errors.ts';
import { batchesIn, encodeBatch, recordsIn, verifyIntegrity } from '../../src/records/index.ts';
import {
  Archiver,
  type BackupSummary,
  createBackup,
  deleteBackups,
  isReadable,
  listBackups,
  Progress,
  restore,
  verifyBackup,
} from '../../src/storage/backup/index.ts';
import type { Entry, Shard } from '../../src/storage/index.ts';
import { openSimulatedShard } from '../simulated-shard.ts';
import { type ModelEntry, ModelState } from '../storage/shard-model.ts';
import { BACKUPS, twoDisks } from './two-disks.ts';

const SHARDS = 2;
const SET = `${BACKUPS}/main`;
const START = Date.UTC(2026, 0, 1);
/** A state machine's log: its snapshot is an object beside it, and its trims are for that. */
const MACHINE = '00000000-0000-4000-8000-00000000000e';

/** One append, and when it was acknowledged. */
interface Group {
  readonly entries: readonly ModelEntry[];
  readonly appendedAt: number;
  acknowledgedAt: number | undefined;
}

/** What a shard was asked to do, in order. */
class History {
  groups: Group[] = [];

  /** The state after the first `count` groups. */
  after(count: number): ModelState {
    const state = new ModelState();
    for (const group of this.groups.slice(0, count)) state.apply(group);
    return state;
  }
}

/** Time in whole milliseconds, as it is outside. */
class WholeClock extends VirtualClock {
  override setTimer(delayMs: number, callback: () => void): Timer {
    return super.setTimer(Math.ceil(delayMs), callback);
  }
}

/** Shards over a simulated disk that are backed up, archived, crash, and are restored elsewhere. */
export class BackupSimulation {
  readonly #random: SeededRandom;
  readonly #data: SimulatedDisk;
  readonly #backups: SimulatedDisk;
  readonly #archives: boolean;
  readonly #histories = Array.from({ length: SHARDS }, () => new History());
  readonly #summaries: BackupSummary[] = [];
  /** When the archive had to begin again, or a crash took the knowledge of times. */
  readonly #crashes: number[] = [];
  readonly notes: string[] = [];
  #clock = new WholeClock(START);
  #shards: Shard[] = [];
  #archiver: Archiver | undefined;
  #values = 0;
  #restores = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.#data = new SimulatedDisk(seed + 0.5 * 2 ** 32);
    this.#backups = new SimulatedDisk(seed + 0.25 * 2 ** 32);
    this.#archives = this.#random.chance(0.6);
  }

  async run(rounds: number): Promise<void> {
    await this.#open();
    for (let round = 0; round < rounds; round++) {
      await this.#work(5 + this.#random.below(20));
      await this.#backUp();
      if (this.#random.chance(0.2)) await this.#crash();
      if (this.#random.chance(0.2) && this.#summaries.length > 1) await this.#forget();
    }
    await this.#work(10);
    // A fault that was to come may come now, and is over then.
    for (let tries = 0; tries < 5; tries++) await this.#archiver?.catchUp().catch(() => {});
    await this.#archiver?.catchUp();
    for (let i = 0; i < 3; i++) await this.#restoreSomething();
    await this.#close();
  }

  #note(what: string): void {
    this.notes.push(`${this.#clock.now() - START}: ${what}`);
  }

  async #open(): Promise<void> {
    const random = this.#random;
    this.#shards = [];
    for (let i = 0; i < SHARDS; i++)
      this.#shards.push(
        await this.#done(
          openSimulatedShard({
            disk: this.#data,
            clock: this.#clock,
            home: `/data/shard-${i}`,
            fileBytes: 2000 + random.below(20_000),
            flushBytes: 1000 + random.below(20_000),
            tailCacheBytes: random.below(2) * 4000,
            ...(this.#archives && { keepBytes: Number.POSITIVE_INFINITY }),
          }),
        ),
      );
    this.#survived();
    if (!this.#archives) return;
    this.#archiver = Archiver.start({
      files: twoDisks(this.#data, this.#backups),
      clock: this.#clock,
      directory: SET,
      shards: this.#shards,
      intervalMs: 1 + random.below(500),
      maxKeptBytes: Number.POSITIVE_INFINITY,
      onTrouble: ({ message }, what) => this.#note(`${what}: ${message}`),
    });
  }

  async #close(): Promise<void> {
    const archiver = this.#archiver;
    if (archiver !== undefined) await this.#done(archiver.close());
    for (const shard of this.#shards) await this.#done(shard.close());
  }

  /** Power loss, of the broker's machine and mostly of that with the backups. */
  async #crash(): Promise<void> {
    this.#note('power loss');
    this.#data.crash();
    if (this.#random.chance(0.7)) this.#backups.crash();
    else this.#backups.kill();
    this.#clock = new WholeClock(this.#clock.now() + this.#random.below(2000));
    this.#crashes.push(this.#clock.now());
    await this.#open();
  }

  /** Of what was not acknowledged at a crash a beginning may be there. */
  #survived(): void {
    for (const [i, history] of this.#histories.entries()) {
      const acknowledged = history.groups.findLastIndex((group) => group.acknowledgedAt !== undefined) + 1;
      const shard = this.#shards[i] as Shard;
      let count = acknowledged;
      while (count <= history.groups.length && !isLike(shard, history.after(count))) count++;
      if (count > history.groups.length) throw new Error(`shard ${i} has not what it had`);
      history.groups = history.groups.slice(0, count);
    }
  }

  async #work(steps: number): Promise<void> {
    for (let step = 0; step < steps; step++) await this.#step();
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const i = random.below(SHARDS);
    const shard = this.#shards[i] as Shard;
    const history = this.#histories[i] as History;
    const what = random.below(20);
    if (what === 0) await this.#done(shard.flush());
    else if (what === 1) await this.#snapshot(shard, history);
    else this.#append(shard, history);
    await this.#clock.advance(random.below(4) === 0 ? random.below(400) : random.below(3));
  }

  #append(shard: Shard, history: History): void {
    const random = this.#random;
    const live = history.after(history.groups.length);
    const entries: ModelEntry[] = [];
    const used = new Set<string>();
    for (let n = 1 + random.below(3); n > 0; n--) {
      const ids = this.#someLogs(live, 1 + random.below(2)).filter((id) => !used.has(id));
      const [id] = ids;
      if (id === undefined) continue;
      for (const each of ids) used.add(each);
      const log = live.log(id);
      const kind = random.below(12);
      if (kind === 0 && log.next > 0) entries.push({ kind: 'trim', log: id, before: random.below(log.next + 1) });
      else {
        const values = Array.from({ length: 1 + random.below(3) }, () => this.#value());
        entries.push({ kind: 'append', logs: ids, values, timestamp: this.#clock.now() });
      }
    }
    if (random.chance(0.3))
      entries.push({ kind: 'append', logs: [MACHINE], values: [this.#value()], timestamp: this.#clock.now() });
    if (entries.length === 0) return;
    this.#appended(history, entries, shard.append(entries.map((entry) => entryOf(shard, entry))).settled);
    const [first] = entries;
    if (random.chance(0.03) && first?.kind === 'append' && first.logs[0] !== MACHINE) {
      const id = first.logs[0] as string;
      this.#appended(history, [{ kind: 'delete', log: id }], shard.delete(shard.log(id)));
    }
  }

  #appended({ groups }: History, entries: readonly ModelEntry[], settled: Promise<void>): void {
    const group: Group = { entries, appendedAt: this.#clock.now(), acknowledgedAt: undefined };
    groups.push(group);
    const clock = this.#clock;
    void settled.then(() => {
      group.acknowledgedAt = clock.now();
    });
  }

  /** As a state machine does: saves its state, and then lets go of the events before. */
  async #snapshot(shard: Shard, history: History): Promise<void> {
    const log = shard.log(MACHINE);
    const offset = log.highWatermark;
    if (offset === 0) return;
    await this.#done(shard.saveObject(log, 'snapshot', [Buffer.from(String(offset))]));
    const { settled } = shard.append([{ log, before: offset, snapshot: true }]);
    this.#appended(history, [{ kind: 'trim', log: MACHINE, before: offset }], settled);
  }

  /** Makes a backup while the work goes on; it may be stopped, or its disk be full, or power be lost. */
  async #backUp(): Promise<void> {
    const random = this.#random;
    const progress = new Progress({ clock: this.#clock, bytesPerSecond: 50_000 + random.below(1_000_000) });
    const startedAt = this.#clock.now();
    let outcome: BackupSummary | BrokerError | undefined;
    createBackup({
      files: twoDisks(this.#data, this.#backups),
      clock: this.#clock,
      directory: SET,
      shards: this.#shards,
      full: random.chance(0.2),
      clusterId: 'simulated',
      version: '0',
      maxKeptBytes: Number.POSITIVE_INFINITY,
      progress,
    }).then(
      (summary) => {
        outcome = summary;
      },
      (error: BrokerError) => {
        outcome = error;
      },
    );
    const accident = random.below(12);
    const steps = random.below(20);
    if (accident === 0) this.#backups.capacity = this.#backups.usedBytes + random.below(5000);
    if (accident === 1)
      this.#backups.fail((['write', 'sync', 'rename', 'create'] as const)[random.below(4)] ?? 'sync', random.below(5));
    for (let step = 0; outcome === undefined; step++) {
      if (step === steps && accident === 2) progress.stop();
      if (step === steps && accident === 3) return this.#crash();
      await this.#step();
      if (step > 10_000) throw new Error('the backup does not end');
    }
    this.#backups.capacity = Number.POSITIVE_INFINITY;
    if (outcome instanceof Error) {
      this.#note(`no backup: ${outcome.message}`);
      // A fault that was to come in a former backup may come in this one.
      if (accident > 2 && outcome.code !== 'storage-failed') throw outcome;
      return;
    }
    this.#note(`backup ${outcome.id}, ${outcome.newBytes} of ${outcome.bytes} bytes`);
    this.#summaries.push({ ...outcome, startedAt });
  }

  /** Deletes some backup, and what nobody needs any more. */
  async #forget(): Promise<void> {
    const at = this.#random.below(this.#summaries.length);
    const [gone] = this.#summaries.splice(at, 1);
    const files = this.#backups.files();
    const live = this.#shards.map((shard) => shard.copySource.flusher.shardId);
    await this.#done(deleteBackups(files, SET, [gone?.id ?? ''], live));
    this.#note(`deleted ${gone?.id}`);
  }

  async #restoreSomething(): Promise<void> {
    const files = this.#backups.files();
    const found = (await this.#done(listBackups(files, SET))).filter(isReadable).map(({ id }) => id);
    // One may have been whole when power was lost, with nobody there to hear of it.
    const missing = this.#summaries.filter(({ id }) => !found.includes(id));
    if (missing.length > 0) throw new Error(`backups are missing: ${missing.map(({ id }) => id).join()}`);
    if (this.#summaries.length === 0) return;
    const backup = this.#summaries[this.#random.below(this.#summaries.length)] as BackupSummary;
    const verified = await this.#done(verifyBackup(files, SET, backup.id, new Progress()));
    if (verified.damages.length > 0) throw new Error(`damaged: ${JSON.stringify(verified.damages)}`);
    const last = this.#clock.now();
    const at =
      this.#archives && this.#random.chance(0.7) ? backup.time + this.#random.below(last - backup.time + 1) : undefined;
    const to = `/restored-${this.#restores++}`;
    const restored = await this.#done(
      restore({
        environment: { files: twoDisks(this.#data, this.#backups), clock: this.#clock, random: this.#data.random },
        from: SET,
        to,
        ...(at === undefined ? { backup: backup.id } : { at }),
        skipDamaged: false,
        overwrite: false,
        progress: new Progress(),
      }),
    );
    this.#note(`restored ${backup.id} at ${at === undefined ? 'its time' : at - START} as of ${restored.time - START}`);
    for (let i = 0; i < SHARDS; i++) await this.#compare(to, i, at ?? backup.time, restored.stoppedBy !== undefined);
  }

  /** What is restored is what the first so many groups made, and those are the right ones for the time. */
  async #compare(home: string, i: number, time: number, stopped: boolean): Promise<void> {
    const shard = await this.#done(
      openSimulatedShard({
        ...{ disk: this.#data, clock: this.#clock, home: `${home}/shard-${i}` },
        ...{ fileBytes: 10_000, flushBytes: 10_000, tailCacheBytes: 0 },
      }),
    );
    const { groups } = this.#histories[i] as History;
    const history = this.#histories[i] as History;
    if (shard.epoch < 1000) throw new Error(`epoch ${shard.epoch} is not beyond what the former broker had`);
    const least = groups.findLastIndex((group) => (group.acknowledgedAt ?? time) < time) + 1;
    // Of what came shortly before a crash it is not known when.
    const fuzzy = this.#crashes.find((crash) => crash > time) ?? time;
    const latest = this.#archives ? fuzzy : time;
    const firstLater = groups.findIndex(
      ({ appendedAt, acknowledgedAt }) => appendedAt > latest || (latest === time && (acknowledgedAt ?? latest) > time),
    );
    const most = firstLater < 0 ? groups.length : firstLater;
    let count = stopped ? 0 : least;
    while (count <= most && !isLike(shard, history.after(count))) count++;
    if (count > most)
      throw new Error(
        `shard ${i} is not what it was at ${time - START}: neither ${least} nor up to ${most} of ${groups.length} groups`,
      );
    await this.#done(this.#checkContent(shard, history.after(count)));
    await this.#done(shard.close());
  }

  async #checkContent(shard: Shard, state: ModelState): Promise<void> {
    const saved = await shard.loadObject(shard.log(MACHINE), 'snapshot');
    const { startOffset, nextOffset } = shard.log(MACHINE);
    const snapshot = Number(saved?.toString() ?? '0');
    if (snapshot < startOffset || snapshot > nextOffset)
      throw new Error(`the snapshot is of ${snapshot}, the log goes from ${startOffset} to ${nextOffset}`);
    for (const [id, model] of state.logs) {
      if (model.deleted) continue;
      const log = shard.log(id);
      for (let offset = log.startOffset; offset < log.highWatermark; ) {
        const { chunks } = await log.read(offset, 10_000);
        for (const batch of batchesIn(Buffer.concat(chunks))) {
          verifyIntegrity(batch.bytes, 0, batch.size);
          const values = [...recordsIn(batch.bytes)].map(({ value }) => String(value));
          const wanted = model.batchAt(batch.baseOffset);
          if (wanted?.base !== batch.baseOffset || values.join() !== wanted.values.map(String).join())
            throw new Error(`log ${id} has other records at ${batch.baseOffset}`);
          offset = batch.lastOffset + 1;
        }
      }
    }
  }

  /** Lets time pass until something is done. */
  async #done<T>(promise: Promise<T>): Promise<T> {
    let result: { readonly value: T } | { readonly error: unknown } | undefined;
    promise.then(
      (value) => {
        result = { value };
      },
      (error: unknown) => {
        result = { error };
      },
    );
    for (let i = 0; result === undefined; i++) {
      if (i > 20_000) throw new Error('nothing happens any more');
      await this.#clock.advance(i < 100 ? 0 : 20);
    }
    if ('error' in result) throw result.error;
    return result.value;
  }

  #someLogs(live: ModelState, count: number): string[] {
    const alive = [...live.logs].filter(([id, { deleted }]) => !deleted && id !== MACHINE).map(([id]) => id);
    while (alive.length < 4) alive.push(this.#random.uuid());
    return Array.from({ length: count }, () => alive.splice(this.#random.below(alive.length), 1)[0] as string);
  }

  #value(): Buffer {
    const size = this.#random.chance(0.05) ? this.#random.below(20_000) : this.#random.below(300);
    return Buffer.from(`${this.#values++} `.padEnd(size, 'x'));
  }
}

function entryOf(shard: Shard, entry: ModelEntry): Entry {
  if (entry.kind === 'trim') return { log: shard.log(entry.log), before: entry.before };
  if (entry.kind === 'delete') throw new Error('a deletion is no entry');
  const records = entry.values.map((value) => ({ key: null, value }));
  return { log: entry.logs.map((id) => shard.log(id)), batch: encodeBatch({ timestamp: entry.timestamp, records }) };
}

/** Whether the logs begin and end where the model's do. A state machine's log may begin earlier. */
function isLike(shard: Shard, state: ModelState): boolean {
  for (const [id, { start, next, deleted }] of state.logs) {
    const log = shard.log(id);
    const [wantedStart, wantedNext] = deleted ? [0, 0] : [start, next];
    if (log.nextOffset !== wantedNext) return false;
    if (id === MACHINE ? log.startOffset > wantedStart : log.startOffset !== wantedStart) return false;
  }
  return true;
}

/** Runs a seed; what it throws says which, and what happened before. */
export async function simulateBackups(seed: number, rounds = 4): Promise<void> {
  const simulation = new BackupSimulation(seed);
  try {
    await simulation.run(rounds);
  } catch (error) {
    const notes = process.env['SEED'] === undefined ? '' : `\n${simulation.notes.join('\n')}`;
    throw new Error(`seed ${seed}: ${(error as Error).message}${notes}`, { cause: error });
  }
}
