import { join } from 'node:path';
import type { DirectoryLock, Environment, Timer } from '../../environment/environment.ts';
import { BrokerError, toBrokerError } from '../../errors.ts';
import type { Archiver, ArchiveStatus, BackupEntry, BackupSummary, Prune } from '../../storage/backup/index.ts';
import { Progress } from '../../storage/backup/progress.ts';
import type { Shard } from '../../storage/index.ts';
import { BackupTask, type BackupTaskKind, type BackupTaskResult } from './backup-task.ts';
import type { BackupSettings } from './settings.ts';

export interface BackupsOptions {
  readonly environment: Environment;
  readonly shards: readonly Shard[];
  readonly clusterId: () => string;
  readonly settings: BackupSettings;
  readonly onTrouble: (error: BrokerError, what: string) => void;
  readonly onCreated: (backup: BackupSummary) => void;
}

/** A backup, and the set that it belongs to. */
export interface BackupInSet {
  readonly set: string;
  readonly backup: BackupEntry;
}

/** Where backups go that nobody names a set for, and the archive. */
export const MAIN_SET = 'main';
const SET = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const RETRY_MS = 5_000;

/** Loaded when it is wanted first: most starts of a broker make no backup. */
const storage = () => import('../../storage/backup/index.ts');

/** Backups of this broker: made, looked at and deleted, one at a time. */
export class Backups {
  readonly #options: BackupsOptions;
  #archiver: Archiver | undefined;
  /** Of the set `main`, for as long as it has an archive that is written. */
  #lock: DirectoryLock | undefined;
  #task: BackupTask | undefined;
  /** What changes a set, one after the other. */
  #changing: Promise<unknown> = Promise.resolve();
  #starting: Promise<void> = Promise.resolve();
  #retry: Timer | undefined;
  #schedule: Timer | undefined;
  #closed = false;

  constructor(options: BackupsOptions) {
    this.#options = options;
    const { directory, archive } = options.settings;
    if (directory === undefined) return;
    if (archive) this.#startArchive();
    this.#scheduleNext();
  }

  /** What is under way, or was last. */
  get task(): BackupTask | undefined {
    return this.#task;
  }

  get directory(): string | undefined {
    return this.#options.settings.directory;
  }

  /** Of each shard; undefined when nothing is archived. */
  get archive(): readonly ArchiveStatus[] | undefined {
    return this.#options.settings.archive ? (this.#archiver?.status ?? []) : undefined;
  }

  /** All backups, or those of one set, oldest first. Rejects with `precondition-failed` where there can be none. */
  async list(set?: string): Promise<BackupInSet[]> {
    const { files } = this.#options.environment;
    const sets =
      set === undefined
        ? (await files.list(this.#home())).filter((name) => name.endsWith('/')).map((name) => name.slice(0, -1))
        : [set];
    const { listBackups } = await storage();
    const found: BackupInSet[] = [];
    for (const each of sets.sort())
      if (SET.test(each))
        for (const backup of await listBackups(files, this.#pathOf(each))) found.push({ set: each, backup });
    return found;
  }

  /** Begins to make a backup. Throws `resource-locked` while something else is under way. */
  create(set: string, full: boolean): BackupTask {
    const { environment, shards, clusterId, settings, onCreated } = this.#options;
    const { files, clock } = environment;
    const directory = this.#pathOf(set);
    return this.#begin('create', set, async (progress) => {
      const created = await this.#locked(set, async () => {
        const { createBackup, removeUnreferenced } = await storage();
        await removeUnreferenced(files, directory, this.#liveIds);
        const { version, maxKeptBytes } = settings;
        const facts = { clusterId: clusterId(), version, maxKeptBytes };
        return createBackup({ files, clock, directory, shards, full, ...facts, progress });
      });
      onCreated(created);
      return created;
    });
  }

  /** Begins to read all of a backup. Throws as `create`. */
  verify(set: string, id: string): BackupTask {
    const { files } = this.#options.environment;
    const directory = this.#pathOf(set);
    return this.#begin('verify', set, async (progress) => {
      const { verifyBackup } = await storage();
      return verifyBackup(files, directory, id, progress);
    });
  }

  /** Has the task stop that is under way, and waits for that. */
  async stop(): Promise<void> {
    if (this.#task?.state !== 'running') return;
    this.#task.progress.stop();
    await this.#task.ended;
  }

  /** Rejects with `not-found`, and with `resource-locked` while a backup is being made or looked at. */
  async delete(set: string, id: string): Promise<void> {
    this.#checkFree();
    const { files } = this.#options.environment;
    const directory = this.#pathOf(set);
    await this.#locked(set, async () => {
      const { deleteBackups, listBackups } = await storage();
      if (!(await listBackups(files, directory)).some((backup) => backup.id === id))
        throw new BrokerError('not-found', `there is no backup '${id}' in set '${set}'`);
      await deleteBackups(files, directory, [id], this.#liveIds);
    });
  }

  /** Deletes old backups. Answers their ids. */
  async prune(set: string, which: Prune): Promise<string[]> {
    this.#checkFree();
    const { files, clock } = this.#options.environment;
    const directory = this.#pathOf(set);
    return this.#locked(set, async () => {
      const { deleteBackups, listBackups, prunedOf } = await storage();
      const ids = prunedOf(await listBackups(files, directory), which, clock.now());
      await deleteBackups(files, directory, ids, this.#liveIds);
      return ids;
    });
  }

  /** Stops what is under way, and archives what there is. Nothing is appended any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    this.#schedule?.cancel();
    await this.stop();
    await this.#starting;
    await this.#changing;
    await this.#archiver?.close();
    await this.#lock?.release();
  }

  get #liveIds(): string[] {
    return this.#options.shards.map((shard) => shard.copySource.flusher.shardId);
  }

  #home(): string {
    const { directory } = this.#options.settings;
    if (directory !== undefined) return directory;
    throw new BrokerError(
      'precondition-failed',
      'this broker has nowhere to put backups: set backup.directory, or stop it and back up its data directory (sluice backup create --data)',
    );
  }

  #pathOf(set: string): string {
    if (!SET.test(set))
      throw new BrokerError(
        'invalid-argument',
        `'${set}' cannot be the name of a set of backups: 1 to 64 letters, digits, '.', '_' and '-'`,
      );
    return join(this.#home(), set);
  }

  #checkFree(): void {
    if (this.#task?.state !== 'running') return;
    const doing = this.#task.kind === 'create' ? 'made' : 'verified';
    throw new BrokerError('resource-locked', `a backup is being ${doing} in set '${this.#task.set}': wait, or stop it`);
  }

  #begin(kind: BackupTaskKind, set: string, work: (progress: Progress) => Promise<BackupTaskResult>): BackupTask {
    this.#checkFree();
    if (this.#closed) throw new BrokerError('closed', 'the broker is shutting down');
    const { environment, settings } = this.#options;
    const { clock } = environment;
    const progress = new Progress({ clock, bytesPerSecond: settings.bytesPerSecond });
    const task = new BackupTask(kind, set, clock.now(), progress);
    this.#task = task;
    task.begin(work(progress), () => clock.now());
    return task;
  }

  /** Does something with a set that nobody else changes meanwhile. */
  #locked<Result>(set: string, work: () => Promise<Result>): Promise<Result> {
    const done = this.#changing.then(async () => {
      await this.#starting;
      if (set === MAIN_SET && this.#lock !== undefined) return work();
      const { files } = this.#options.environment;
      await files.makeDirectory(this.#pathOf(set));
      const lock = await files.lock(this.#pathOf(set));
      try {
        return await work();
      } finally {
        await lock.release();
      }
    });
    this.#changing = done.catch(() => {});
    return done;
  }

  #startArchive(): void {
    const { environment, settings, onTrouble } = this.#options;
    const { clock } = environment;
    this.#starting = this.#openArchive().catch((error: unknown) => {
      onTrouble(toBrokerError(error), 'nothing is archived; tried again later');
      if (this.#closed || !settings.archive) return;
      this.#retry = clock.setTimer(RETRY_MS, () => this.#startArchive());
    });
  }

  async #openArchive(): Promise<void> {
    const { environment, shards, settings, onTrouble } = this.#options;
    const { files, clock } = environment;
    const directory = this.#pathOf(MAIN_SET);
    await files.makeDirectory(directory);
    this.#lock = await files.lock(directory);
    const { Archiver } = await storage();
    const { archiveIntervalMs: intervalMs, maxKeptBytes } = settings;
    this.#archiver = Archiver.start({ files, clock, directory, shards, intervalMs, maxKeptBytes, onTrouble });
  }

  #scheduleNext(): void {
    const { environment, settings } = this.#options;
    if (settings.intervalMs === 0) return;
    this.#schedule = environment.clock.setTimer(settings.intervalMs, () => {
      void this.#scheduled().then(() => {
        if (!this.#closed) this.#scheduleNext();
      });
    });
  }

  async #scheduled(): Promise<void> {
    const { settings, onTrouble } = this.#options;
    try {
      const task = this.create(MAIN_SET, false);
      await task.ended;
      if (task.error !== undefined) throw task.error;
      if (settings.keep > 0) await this.prune(MAIN_SET, { keep: settings.keep, olderThanMs: 0 });
    } catch (error) {
      onTrouble(toBrokerError(error), 'no backup was made; the next one comes at its time');
    }
  }
}
