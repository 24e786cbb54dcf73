import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../environment/seeded-random.ts';
import { checkPasswordHash, hashPassword, verifyPassword } from './password-hash.ts';

const random = new SeededRandom(1);

describe('a password hash', () => {
  it("is RabbitMQ's: salt and SHA-256 of salt and password", () => {
    // The example in RabbitMQ's documentation of passwords: salt 908DC60A, password test12.
    const hash = 'kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR';
    expect(verifyPassword({ algorithm: 'rabbit_password_hashing_sha256', hash }, 'test12')).toBe(true);
    expect(verifyPassword({ algorithm: 'rabbit_password_hashing_sha256', hash }, 'test13')).toBe(false);
  });

  it.each(['rabbit_password_hashing_sha256', 'rabbit_password_hashing_sha512'] as const)(
    'of %s fits its password alone',
    (algorithm) => {
      const hash = hashPassword('geheim ü', random, algorithm);
      expect(checkPasswordHash(hash)).toEqual(hash);
      expect(verifyPassword(hash, 'geheim ü')).toBe(true);
      expect(verifyPassword(hash, 'geheim')).toBe(false);
      expect(hashPassword('geheim ü', random, algorithm).hash).not.toBe(hash.hash);
    },
  );

  it.each([
    [{ algorithm: 'rabbit_password_hashing_md5', hash: 'AAAA' }, 'MD5 is broken'],
    [{ algorithm: 'bcrypt', hash: 'AAAA' }, 'use one of'],
    [{ algorithm: 'rabbit_password_hashing_sha256', hash: 'AAAA' }, '36 bytes in base64'],
    [{ algorithm: 'rabbit_password_hashing_sha256', hash: `${'A'.repeat(47)}!` }, '36 bytes in base64'],
  ])('that nobody could be checked with is refused: %j', (hash, why) => {
    expect(() => checkPasswordHash(hash)).toThrow(why);
  });
});
