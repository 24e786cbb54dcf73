import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { BrokerError } from '../../errors.ts';

/*
 * SCRAM (RFC 5802, RFC 7677): what is kept of a password, and the formulas over it.
 *
 *   SaltedPassword  := PBKDF2(password, salt, iterations)
 *   ClientKey       := HMAC(SaltedPassword, "Client Key")
 *   StoredKey       := H(ClientKey)
 *   ServerKey       := HMAC(SaltedPassword, "Server Key")
 *   ClientSignature := HMAC(StoredKey, AuthMessage)
 *   ClientProof     := ClientKey XOR ClientSignature
 *   ServerSignature := HMAC(ServerKey, AuthMessage)
 */

export const SCRAM_MECHANISMS = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

export type ScramMechanism = (typeof SCRAM_MECHANISMS)[number];

/** What is kept of a password: enough to recognise whoever knows it, and not to log in anywhere. Bytes are in base64. */
export interface ScramCredential {
  readonly salt: string;
  readonly storedKey: string;
  readonly serverKey: string;
  readonly iterations: number;
}

/** What a user has, by mechanism. */
export type ScramCredentials = { readonly [M in ScramMechanism]?: ScramCredential };

/** As Kafka bounds them. */
export const MIN_SCRAM_ITERATIONS = 4096;
const MAX_SCRAM_ITERATIONS = 16_384;
const MAX_SALT_BYTES = 256;
/** Of the salts that are made here. */
export const SALT_BYTES = 16;

const HASHES: Readonly<Record<ScramMechanism, { readonly name: string; readonly bytes: number }>> = {
  'SCRAM-SHA-256': { name: 'sha256', bytes: 32 },
  'SCRAM-SHA-512': { name: 'sha512', bytes: 64 },
};

export function isScramMechanism(name: string): name is ScramMechanism {
  return (SCRAM_MECHANISMS as readonly string[]).includes(name);
}

/**
 * What a password is worth to a client and a server that have agreed on salt and iterations. Takes milliseconds, not the event loop's.
 * The password counts as it is in UTF-8, as with Kafka's clients: they do not prepare it as SASLprep says.
 */
export function saltPassword(
  mechanism: ScramMechanism,
  password: string,
  salt: Uint8Array,
  iterations: number,
): Promise<Buffer> {
  const { name, bytes } = HASHES[mechanism];
  return new Promise((resolve, reject) => {
    pbkdf2(password, salt, iterations, bytes, name, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

/** Throws `invalid-configuration`, which says why, for what no password can have been salted with. */
export function scramCredential(
  mechanism: ScramMechanism,
  salted: { readonly salt: Uint8Array; readonly saltedPassword: Uint8Array; readonly iterations: number },
): ScramCredential {
  const { salt, saltedPassword, iterations } = salted;
  if (iterations < MIN_SCRAM_ITERATIONS) throw new BrokerError('invalid-configuration', 'Too few iterations');
  if (iterations > MAX_SCRAM_ITERATIONS) throw new BrokerError('invalid-configuration', 'Too many iterations');
  if (salt.length === 0 || salt.length > MAX_SALT_BYTES)
    throw new BrokerError('invalid-configuration', `the salt has from 1 to ${MAX_SALT_BYTES} bytes`);
  if (saltedPassword.length !== HASHES[mechanism].bytes)
    throw new BrokerError(
      'invalid-configuration',
      `the salted password of ${mechanism} has ${HASHES[mechanism].bytes} bytes`,
    );
  return {
    salt: Buffer.from(salt).toString('base64'),
    storedKey: hash(mechanism, hmac(mechanism, saltedPassword, 'Client Key')).toString('base64'),
    serverKey: hmac(mechanism, saltedPassword, 'Server Key').toString('base64'),
    iterations,
  };
}

/** Whether the proof is of one who knows the password. Takes as long for a wrong one. */
export function isProof(
  mechanism: ScramMechanism,
  { storedKey }: ScramCredential,
  authMessage: string,
  proof: Buffer,
): boolean {
  const stored = Buffer.from(storedKey, 'base64');
  const signature = hmac(mechanism, stored, authMessage);
  if (proof.length !== signature.length) return false;
  const clientKey = Buffer.from(signature.map((byte, i) => byte ^ (proof[i] ?? 0)));
  return timingSafeEqual(hash(mechanism, clientKey), stored);
}

/** By which the client knows that it is talking to somebody who has its credential. */
export function serverSignature(
  mechanism: ScramMechanism,
  { serverKey }: ScramCredential,
  authMessage: string,
): Buffer {
  return hmac(mechanism, Buffer.from(serverKey, 'base64'), authMessage);
}

/** What a client is told of a user who is not there: always the same for one name, and nobody's. */
export function nobodysCredential(mechanism: ScramMechanism, name: string, secret: Buffer): ScramCredential {
  const salt = hmac(mechanism, secret, name).subarray(0, SALT_BYTES);
  const key = Buffer.alloc(HASHES[mechanism].bytes).toString('base64');
  return { salt: salt.toString('base64'), storedKey: key, serverKey: key, iterations: MIN_SCRAM_ITERATIONS };
}

function hmac(mechanism: ScramMechanism, key: Uint8Array, text: string): Buffer {
  return createHmac(HASHES[mechanism].name, key).update(text, 'utf8').digest();
}

function hash(mechanism: ScramMechanism, bytes: Uint8Array): Buffer {
  return createHash(HASHES[mechanism].name).update(bytes).digest();
}
