export type { Variables } from './access.ts';
export {
  ACL_OPERATIONS,
  ACL_RESOURCE_TYPES,
  type Acl,
  type AclFilter,
  type AclOperation,
  type AclResourceType,
} from './acl.ts';
export { Authorizer, CLUSTER_NAME } from './authorizer.ts';
export type { ClientAccess } from './client-access.ts';
export { LoginError } from './login-error.ts';
export { LoginThrottle } from './login-throttle.ts';
export { isLoopback } from './loopback.ts';
export {
  checkPasswordHash,
  HASHING_ALGORITHMS,
  type HashingAlgorithm,
  hashPassword,
  type PasswordHash,
  verifyPassword,
} from './password-hash.ts';
export { Pattern } from './pattern.ts';
export { Permissions, type Permitted } from './permissions.ts';
export {
  isScramMechanism,
  SCRAM_MECHANISMS,
  type ScramCredential,
  type ScramMechanism,
  saltPassword,
  scramCredential,
} from './scram.ts';
export type { ScramExchange } from './scram-exchange.ts';
export { DEFAULT_SESSION_SETTINGS, isCsrfToken, type Session, type SessionSettings, Sessions } from './sessions.ts';
export { type PermissionSet, type TopicPermissionSet, topicPermissionsOf } from './state.ts';
export { type Permission, User } from './user.ts';
export { type ClientOrigin, type PutUser, Users, type UsersOptions } from './users.ts';
