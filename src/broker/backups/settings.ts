export interface BackupSettings {
  /** Below which sets of backups lie; without one there are none. */
  readonly directory: string | undefined;
  /** Whether what is appended is archived all the time, in the set `main`. */
  readonly archive: boolean;
  /** Between two looks at what is to be archived. */
  readonly archiveIntervalMs: number;
  /** Between two backups that are made of themselves; 0 for none. */
  readonly intervalMs: number;
  /** How many backups of the set `main` are kept when one is made of itself; 0 for all. */
  readonly keep: number;
  /** What may be kept from being freed for the sake of a backup, or of the archive. */
  readonly maxKeptBytes: number;
  /** Bytes that a backup or a verification reads or writes each second. */
  readonly bytesPerSecond: number;
  /** Of the broker, for what is told of a backup. */
  readonly version: string;
}

export const DEFAULT_BACKUP_SETTINGS: BackupSettings = {
  directory: undefined,
  archive: false,
  archiveIntervalMs: 1_000,
  intervalMs: 0,
  keep: 0,
  maxKeptBytes: 4 * 1024 ** 3,
  bytesPerSecond: 128 * 1024 ** 2,
  version: '',
};
