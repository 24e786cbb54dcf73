export type { BackupSummary, VerifiedBackup } from '../../storage/backup/index.ts';
export { BackupTask, type BackupTaskResult } from './backup-task.ts';
export { type BackupInSet, Backups, MAIN_SET } from './backups.ts';
export { type BackupSettings, DEFAULT_BACKUP_SETTINGS } from './settings.ts';
