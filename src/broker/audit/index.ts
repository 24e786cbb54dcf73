export type { Act, AuditEntry, AuditOutcome, AuditProtocol, AuditRecord, Principal } from './act.ts';
export {
  AuditLog,
  type AuditPage,
  type AuditQuestion,
  type AuditSettings,
  DEFAULT_AUDIT_SETTINGS,
} from './audit-log.ts';
