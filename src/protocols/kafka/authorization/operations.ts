import { ACL_OPERATIONS, type AclOperation, type AclResourceType } from '../../../broker/index.ts';
import type { RequestContext } from '../handler.ts';

/** Kafka's numbers begin after unknown (0), any (1) and all (2). */
const FIRST = 3;

const OPERATIONS = {
  topic: ['read', 'write', 'create', 'delete', 'alter', 'describe', 'describe-configs', 'alter-configs'],
  group: ['read', 'delete', 'describe', 'describe-configs', 'alter-configs'],
  cluster: ['create', 'alter', 'describe', 'cluster-action', 'describe-configs', 'alter-configs', 'idempotent-write'],
} satisfies Partial<Record<AclResourceType, readonly AclOperation[]>>;

/** What the client may do with a resource, a bit for each operation (KIP-430). */
export function authorizedOperations({ access }: RequestContext, type: keyof typeof OPERATIONS, name: string): number {
  const allowed = OPERATIONS[type].filter((operation) => access.may(operation, type, name));
  return allowed.reduce((bits, operation) => bits | (1 << (ACL_OPERATIONS.indexOf(operation) + FIRST)), 0);
}
