export type { Variables } from './access.ts';
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
export { type PermissionSet, type TopicPermissionSet, topicPermissionsOf } from './state.ts';
export { type Permission, User } from './user.ts';
export { type ClientOrigin, type PutUser, Users, type UsersOptions } from './users.ts';
