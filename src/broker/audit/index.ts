export type { Act, Actor, AuditEntry, AuditOutcome, AuditProtocol, AuditRecord } from './act.ts';
export {
  AuditLog,
  type AuditPage,
  type AuditQuestion,
  type AuditSettings,
  DEFAULT_AUDIT_SETTINGS,
} from './audit-log.ts';
