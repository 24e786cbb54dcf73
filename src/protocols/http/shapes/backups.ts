/** Types of what is answered about backups (`/api/backups…`). */

/** Something in a backup that is not as it was written. */
export interface BackupDamageShown {
  /** From the set's directory on. */
  readonly file: string;
  readonly byte: number;
  readonly what: string;
  /** It is somewhere in so many bytes from there on; absent when it is that very byte. */
  readonly within?: number;
  /** What is lost with it. */
  readonly object: string;
}

export interface BackupShown {
  /** When it was begun: `20261121T180000Z`. */
  readonly name: string;
  readonly set: string;
  /** `unreadable`: its summary is damaged; then only name, set and `error` are there. */
  readonly state: 'complete' | 'unreadable';
  readonly error?: string;
  /** What it has the state of; milliseconds since the epoch, as all times. */
  readonly time?: number;
  readonly started_at?: number;
  readonly completed_at?: number;
  /** Whether it refers to nothing that came with others. */
  readonly full?: boolean;
  readonly cluster_id?: string;
  readonly version?: string;
  readonly shards?: number;
  readonly logs?: number;
  readonly segments?: number;
  /** Of all that it consists of, and of what came with it. */
  readonly bytes?: number;
  readonly new_bytes?: number;
  /** What was damaged in the broker's data already. */
  readonly damages?: readonly BackupDamageShown[];
}

/** What is under way, or was last. */
export interface BackupTaskShown {
  readonly kind: 'create' | 'verify';
  readonly set: string;
  readonly state: 'running' | 'done' | 'failed' | 'stopped';
  readonly started_at: number;
  readonly ended_at: number | null;
  readonly bytes_done: number;
  /** As far as it is known yet. */
  readonly bytes_total: number;
  readonly error: string | null;
  /** What was made, or looked at. */
  readonly backup: BackupShown | null;
  /** What was found, of `verify`. */
  readonly damages: readonly BackupDamageShown[];
  /** Any time from the backup on up to this one can be restored, of `verify`; null where nothing was archived. */
  readonly archived_until: number | null;
  readonly archive_broken: string | null;
}

export interface BackupStatusShown {
  /** `backup.directory`; null where there is none. */
  readonly directory: string | null;
  readonly task: BackupTaskShown | null;
  /** Of each shard; null when nothing is archived. */
  readonly archive:
    | readonly {
        readonly shard: number;
        readonly archived_at: number | null;
        readonly lag_bytes: number;
        readonly error: string | null;
      }[]
    | null;
}
