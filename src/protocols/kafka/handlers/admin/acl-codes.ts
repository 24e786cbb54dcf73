import {
  ACL_OPERATIONS,
  ACL_RESOURCE_TYPES,
  type Acl,
  type AclFilter,
  type AclOperation,
  type AclResourceType,
} from '../../../../broker/index.ts';
import { KafkaError } from '../../codec/error-codes.ts';
import { Refusal } from './refusal.ts';

/** Kafka's numbers (AclOperation, ResourceType, PatternType, AclPermissionType). 0 is unknown, 1 any, in all of them. */
const ANY = 1;
const ALL_OPERATIONS = 2;
const FIRST_OPERATION = 3;
const FIRST_RESOURCE_TYPE = 2;
const PATTERNS = { match: 2, literal: 3, prefixed: 4 } as const;
const PERMISSIONS = { deny: 2, allow: 3 } as const;

/** An entry as requests and answers have it. */
export interface AclFields {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly patternType: number;
  readonly principal: string;
  readonly host: string;
  readonly operation: number;
  readonly permissionType: number;
}

export interface AclFilterFields {
  readonly resourceTypeFilter: number;
  readonly resourceNameFilter: string | null;
  readonly patternTypeFilter: number;
  readonly principalFilter: string | null;
  readonly hostFilter: string | null;
  readonly operation: number;
  readonly permissionType: number;
}

export const SECURITY_DISABLED = {
  errorCode: KafkaError.SECURITY_DISABLED,
  errorMessage: "No Authorizer is configured: set kafka.authorizer to 'acl'.",
} as const;

export function aclToFields(acl: Acl): AclFields {
  return {
    resourceType: ACL_RESOURCE_TYPES.indexOf(acl.resourceType) + FIRST_RESOURCE_TYPE,
    resourceName: acl.resourceName,
    patternType: PATTERNS[acl.pattern],
    principal: acl.principal,
    host: acl.host,
    operation: acl.operation === 'all' ? ALL_OPERATIONS : ACL_OPERATIONS.indexOf(acl.operation) + FIRST_OPERATION,
    permissionType: PERMISSIONS[acl.permission],
  };
}

/** Throws a `Refusal` for what does not say one thing. */
export function aclFromFields(fields: Omit<AclFields, 'patternType'> & { readonly resourcePatternType: number }): Acl {
  const { resourceName, principal, host } = fields;
  const resourceType = resourceTypeOf(fields.resourceType);
  const operation = operationOf(fields.operation);
  const pattern = keyOf(PATTERNS, fields.resourcePatternType);
  const permission = keyOf(PERMISSIONS, fields.permissionType);
  if (resourceType === undefined) throw invalid('resourceType', fields.resourceType);
  if (pattern === undefined || pattern === 'match') throw invalid('patternType', fields.resourcePatternType);
  if (operation === undefined) throw invalid('operation', fields.operation);
  if (permission === undefined) throw invalid('permissionType', fields.permissionType);
  return { resourceType, resourceName, pattern, principal, host, operation, permission };
}

/** Throws a `Refusal` for numbers that mean nothing. */
export function filterFromFields(fields: AclFilterFields): AclFilter {
  const part = <T>(what: string, number: number, known: T | undefined): T | undefined => {
    if (number !== ANY && known === undefined) throw invalid(what, number);
    return known;
  };
  return {
    resourceType: part('resourceType', fields.resourceTypeFilter, resourceTypeOf(fields.resourceTypeFilter)),
    resourceName: fields.resourceNameFilter ?? undefined,
    pattern: part('patternType', fields.patternTypeFilter, keyOf(PATTERNS, fields.patternTypeFilter)),
    principal: fields.principalFilter ?? undefined,
    host: fields.hostFilter ?? undefined,
    operation: part('operation', fields.operation, operationOf(fields.operation)),
    permission: part('permissionType', fields.permissionType, keyOf(PERMISSIONS, fields.permissionType)),
  };
}

function operationOf(number: number): AclOperation | 'all' | undefined {
  return number === ALL_OPERATIONS ? 'all' : ACL_OPERATIONS[number - FIRST_OPERATION];
}

function resourceTypeOf(number: number): AclResourceType | undefined {
  return ACL_RESOURCE_TYPES[number - FIRST_RESOURCE_TYPE];
}

function keyOf<Key extends string>(numbers: Readonly<Record<Key, number>>, number: number): Key | undefined {
  return (Object.keys(numbers) as Key[]).find((key) => numbers[key] === number);
}

function invalid(what: string, number: number): Refusal {
  return new Refusal(KafkaError.INVALID_REQUEST, `Invalid ${what} ${number}`);
}
