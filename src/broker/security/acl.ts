/*
 * Access-control lists, as Kafka has them: each entry allows or denies a principal one operation on the resources of a pattern.
 * Who is denied by one entry is not allowed by another, and who is allowed by none is denied.
 *
 * RabbitMQ's permissions are not made of these entries: they are regular expressions over names of a virtual host, without denial and without
 * hosts, and neither form can say what the other says. Both speak of the same users.
 */

export const ACL_OPERATIONS = [
  'read',
  'write',
  'create',
  'delete',
  'alter',
  'describe',
  'cluster-action',
  'describe-configs',
  'alter-configs',
  'idempotent-write',
  'create-tokens',
  'describe-tokens',
] as const;

export type AclOperation = (typeof ACL_OPERATIONS)[number];

export const ACL_RESOURCE_TYPES = [
  'topic',
  'group',
  'cluster',
  'transactional-id',
  'delegation-token',
  'user',
] as const;

export type AclResourceType = (typeof ACL_RESOURCE_TYPES)[number];

/** Of literal names, and of principals and hosts: all. */
export const WILDCARD = '*';

export interface Acl {
  readonly resourceType: AclResourceType;
  /** The name itself, or what names begin with. */
  readonly resourceName: string;
  readonly pattern: 'literal' | 'prefixed';
  /** `User:anna`; `User:*` for all. */
  readonly principal: string;
  /** An address, or `*`. */
  readonly host: string;
  readonly operation: AclOperation | 'all';
  readonly permission: 'allow' | 'deny';
}

/** Who asks. */
export interface AclClient {
  readonly principal: string;
  readonly host: string;
}

/** Those that have all that is given. */
export interface AclFilter {
  readonly resourceType?: AclResourceType | undefined;
  readonly resourceName?: string | undefined;
  /** `match` are those that a resource of the name is subject to: the literal ones, the prefixes and the wildcard. */
  readonly pattern?: 'literal' | 'prefixed' | 'match' | undefined;
  readonly principal?: string | undefined;
  readonly host?: string | undefined;
  readonly operation?: AclOperation | 'all' | undefined;
  readonly permission?: 'allow' | 'deny' | undefined;
}

/** Identifies an entry: there is one of each. */
export function aclKey({ resourceType, resourceName, pattern, principal, host, operation, permission }: Acl): string {
  return JSON.stringify([resourceType, resourceName, pattern, principal, host, operation, permission]);
}

export function matchesFilter(acl: Acl, filter: AclFilter): boolean {
  for (const part of ['resourceType', 'principal', 'host', 'operation', 'permission'] as const)
    if (filter[part] !== undefined && filter[part] !== acl[part]) return false;
  const { resourceName, pattern } = filter;
  if (pattern === 'match') return resourceName === undefined || coversName(acl, resourceName);
  if (pattern !== undefined && pattern !== acl.pattern) return false;
  return resourceName === undefined || resourceName === acl.resourceName;
}

/** Whether a resource of the name is subject to the entry. */
function coversName({ pattern, resourceName }: Acl, name: string): boolean {
  if (pattern === 'prefixed') return name.startsWith(resourceName);
  return resourceName === name || resourceName === WILDCARD;
}

const IMPLIED: Partial<Record<AclOperation, readonly AclOperation[]>> = {
  describe: ['read', 'write', 'delete', 'alter'],
  'describe-configs': ['alter-configs'],
};

/** Whether the entry, on whatever resource, is about this client doing that. Who may read may describe; who may not read may describe all the same. */
export function concerns(acl: Acl, { principal, host }: AclClient, operation: AclOperation): boolean {
  if (acl.principal !== principal && acl.principal !== ANYBODY) return false;
  if (acl.host !== host && acl.host !== WILDCARD) return false;
  if (acl.operation === operation || acl.operation === 'all') return true;
  return acl.permission === 'allow' && (IMPLIED[operation]?.includes(acl.operation) ?? false);
}

const ANYBODY = `User:${WILDCARD}`;
