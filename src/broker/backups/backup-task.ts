import type { BrokerError } from '../../errors.ts';
import { toBrokerError } from '../../errors.ts';
import type { BackupSummary, Progress, VerifiedBackup } from '../../storage/backup/index.ts';

export type BackupTaskKind = 'create' | 'verify';
export type BackupTaskState = 'running' | 'done' | 'failed' | 'stopped';

/** What came of it: the backup that was made, or what was found in the one that was looked at. */
export type BackupTaskResult = BackupSummary | VerifiedBackup;

/** A backup that is being made, or looked at; or was, last. */
export class BackupTask {
  readonly kind: BackupTaskKind;
  readonly set: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly progress: Progress;
  state: BackupTaskState = 'running';
  endedAt: number | undefined;
  result: BackupTaskResult | undefined;
  error: BrokerError | undefined;
  /** Resolves when it has ended, however that was. */
  ended: Promise<void> = Promise.resolve();

  constructor(kind: BackupTaskKind, set: string, startedAt: number, progress: Progress) {
    this.kind = kind;
    this.set = set;
    this.startedAt = startedAt;
    this.progress = progress;
  }

  begin(work: Promise<BackupTaskResult>, now: () => number): void {
    this.ended = work.then(
      (result) => {
        this.result = result;
        this.state = 'done';
        this.endedAt = now();
      },
      (thrown: unknown) => {
        this.error = toBrokerError(thrown);
        this.state = this.progress.stopped ? 'stopped' : 'failed';
        this.endedAt = now();
      },
    );
  }
}
