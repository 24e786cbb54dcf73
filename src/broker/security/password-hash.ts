import { createHash, timingSafeEqual } from 'node:crypto';
import type { Random } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';

/*
 * Passwords as RabbitMQ keeps them, so that definitions can be carried over either way:
 *
 *   password_hash => base64(salt:4 octets  hash(salt password))
 *
 * One round of the hash: whoever reads it can try many passwords a second. It is cheap to check for every connection.
 */

export const HASHING_ALGORITHMS = ['rabbit_password_hashing_sha256', 'rabbit_password_hashing_sha512'] as const;

export type HashingAlgorithm = (typeof HASHING_ALGORITHMS)[number];

export interface PasswordHash {
  readonly algorithm: HashingAlgorithm;
  /** In base64. */
  readonly hash: string;
}

const SALT_BYTES = 4;
const HASHES: Readonly<Record<HashingAlgorithm, { readonly name: string; readonly bytes: number }>> = {
  rabbit_password_hashing_sha256: { name: 'sha256', bytes: 32 },
  rabbit_password_hashing_sha512: { name: 'sha512', bytes: 64 },
};

export function hashPassword(
  password: string,
  random: Random,
  algorithm: HashingAlgorithm = 'rabbit_password_hashing_sha256',
): PasswordHash {
  const salt = random.bytes(SALT_BYTES);
  return { algorithm, hash: Buffer.concat([salt, digest(algorithm, salt, password)]).toString('base64') };
}

/** Takes the same time for any two passwords of one length. */
export function verifyPassword({ algorithm, hash }: PasswordHash, password: string): boolean {
  const bytes = Buffer.from(hash, 'base64');
  const expected = bytes.subarray(SALT_BYTES);
  const actual = digest(algorithm, bytes.subarray(0, SALT_BYTES), password);
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/** Throws `invalid-configuration`, which says why, unless it is a hash that passwords can be checked with. */
export function checkPasswordHash({ algorithm, hash }: { algorithm: string; hash: string }): PasswordHash {
  const known = HASHING_ALGORITHMS.find((each) => each === algorithm);
  if (known === undefined) {
    const why =
      algorithm === 'rabbit_password_hashing_md5'
        ? 'MD5 is broken; set the password anew, with SHA-256'
        : `use one of ${HASHING_ALGORITHMS.join(', ')}`;
    throw new BrokerError('invalid-configuration', `the hashing algorithm ${algorithm} is not supported: ${why}`);
  }
  const bytes = Buffer.from(hash, 'base64');
  const expected = SALT_BYTES + HASHES[known].bytes;
  if (bytes.length !== expected || bytes.toString('base64').replace(/=+$/, '') !== hash.replace(/=+$/, ''))
    throw new BrokerError(
      'invalid-configuration',
      `the password hash is not that of ${known}: ${expected} bytes in base64 are expected`,
    );
  return { algorithm: known, hash };
}

function digest(algorithm: HashingAlgorithm, salt: Buffer, password: string): Buffer {
  return createHash(HASHES[algorithm].name).update(salt).update(password, 'utf8').digest();
}
