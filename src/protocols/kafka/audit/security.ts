import { type Acl, type AclFilter, SCRAM_MECHANISMS } from '../../../broker/index.ts';
import { alterClientQuotas } from '../codec/apis/alter-client-quotas.ts';
import { alterUserScramCredentials } from '../codec/apis/alter-user-scram-credentials.ts';
import { createAcls } from '../codec/apis/create-acls.ts';
import { deleteAcls } from '../codec/apis/delete-acls.ts';
import { aclFromFields, filterFromFields } from '../handlers/admin/acl-codes.ts';
import { type AuditRule, auditRule } from './rule.ts';

export const SECURITY_RULES: readonly AuditRule[] = [
  auditRule(createAcls, function* ({ creations }, { results }) {
    for (const [i, { errorCode, errorMessage }] of [...results].entries()) {
      const fields = creations[i];
      if (fields === undefined) continue;
      const { principal: object } = fields;
      yield { act: 'acl.create', object, details: told(() => aclFromFields(fields)), errorCode, errorMessage };
    }
  }),
  auditRule(deleteAcls, function* ({ filters }, { filterResults }) {
    for (const [i, { errorCode, errorMessage, matchingAcls }] of [...filterResults].entries()) {
      const fields = filters[i];
      // A filter that finds nothing deletes nothing.
      if (fields === undefined || (errorCode === 0 && matchingAcls.length === 0)) continue;
      const details = { filter: told(() => filterFromFields(fields)), deleted: matchingAcls.length };
      yield { act: 'acl.delete', object: fields.principalFilter ?? '*', details, errorCode, errorMessage };
    }
  }),
  auditRule(alterClientQuotas, function* ({ entries, validateOnly }, response) {
    if (validateOnly) return;
    for (const [i, { entity, errorCode, errorMessage }] of [...response.entries].entries()) {
      const object = entity.map(({ entityType, entityName }) => `${entityType}=${entityName ?? '*'}`).join(' ');
      const ops = entries[i]?.ops.map(({ key, value, remove }) => [key, remove ? null : value]) ?? [];
      yield { act: 'quota.change', object, details: Object.fromEntries(ops), errorCode, errorMessage };
    }
  }),
  // Neither salts nor what was made of passwords is told.
  auditRule(alterUserScramCredentials, function* ({ upsertions, deletions }, { results }) {
    for (const { user, errorCode, errorMessage } of results) {
      const set = upsertions.filter(({ name }) => name === user).map(({ mechanism }) => mechanismName(mechanism));
      const deleted = deletions.filter(({ name }) => name === user).map(({ mechanism }) => mechanismName(mechanism));
      const details = { ...(set.length > 0 && { set }), ...(deleted.length > 0 && { deleted }) };
      yield { act: 'scram.change', object: user, details, errorCode, errorMessage };
    }
  }),
];

/** Kafka counts them from 1. */
function mechanismName(number: number): string {
  return SCRAM_MECHANISMS[number - 1] ?? String(number);
}

/** Without what a request has wrong, for which there are no words. */
function told(words: () => Acl | AclFilter): Readonly<Record<string, unknown>> {
  try {
    return { ...words() };
  } catch {
    return {};
  }
}
