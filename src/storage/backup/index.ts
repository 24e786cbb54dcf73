export { Archiver, type ArchiveStatus } from './archiver.ts';
export {
  type BackupEntry,
  type BackupSummary,
  deleteBackups,
  isReadable,
  listBackups,
  type Prune,
  prunedOf,
  readSummary,
  removeUnreferenced,
} from './backup-set.ts';
export { createBackup } from './create-backup.ts';
export { Progress } from './progress.ts';
export { isoTime, type Restored, restore } from './restore.ts';
export { type RestoreMark, readRestoreMark, removeRestoreMark } from './restore-mark.ts';
export type { BackupDamage } from './stored.ts';
export { type VerifiedBackup, verifyBackup } from './verify-backup.ts';
