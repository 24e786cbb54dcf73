import type { Random } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';
import { checkPasswordHash, hashPassword, type PasswordHash, verifyPassword } from './password-hash.ts';
import {
  MIN_SCRAM_ITERATIONS,
  SALT_BYTES,
  SCRAM_MECHANISMS,
  type ScramCredentials,
  saltPassword,
  scramCredential,
} from './scram.ts';
import type { UserDetails } from './state.ts';

type Credentials = UserDetails['credentials'];

/** What a user is to be known by: at most one of the two; without any, the user can only come in by certificate. */
export interface GivenPassword {
  readonly name: string;
  readonly password?: string | undefined;
  readonly passwordHash?: { readonly algorithm: string; readonly hash: string } | undefined;
  /** What there is stays; instead of the two. */
  readonly keepsPassword?: boolean | undefined;
}

/** What is kept of a password; what there was, as far as it is the same one. Rejects with `invalid-configuration`. */
export async function newCredentials(
  given: GivenPassword,
  former: Credentials | undefined,
  random: Random,
): Promise<Credentials> {
  if (given.keepsPassword) {
    if (former?.password !== undefined) return former;
    throw new BrokerError('invalid-configuration', `user '${given.name}' has no password to keep`);
  }
  const password = passwordHashOf(given, former?.password, random);
  const isNew = password?.hash !== former?.password?.hash;
  // The credentials that were made of a password go with it; those that somebody set on their own stay.
  const kept = isNew && former?.password !== undefined ? undefined : former?.scram;
  const scram = isNew && given.password !== undefined ? await scramOf(given.password, random) : kept;
  return { ...(password && { password }), ...(scram && { scram }) };
}

/** The hash that there is, when it is one of the same password. */
function passwordHashOf(
  { name, password, passwordHash }: GivenPassword,
  before: PasswordHash | undefined,
  random: Random,
): PasswordHash | undefined {
  if (password !== undefined && passwordHash !== undefined)
    throw new BrokerError('invalid-configuration', `user '${name}' has a password and a password hash: give one`);
  if (passwordHash !== undefined) return checkPasswordHash(passwordHash);
  if (password === undefined) return undefined;
  if (password === '')
    throw new BrokerError('invalid-configuration', `user '${name}' has a blank password: leave it out, or set one`);
  return before !== undefined && verifyPassword(before, password) ? before : hashPassword(password, random);
}

async function scramOf(password: string, random: Random): Promise<ScramCredentials> {
  const iterations = MIN_SCRAM_ITERATIONS;
  const credentials = SCRAM_MECHANISMS.map(async (mechanism) => {
    const salt = random.bytes(SALT_BYTES);
    const saltedPassword = await saltPassword(mechanism, password, salt, iterations);
    return [mechanism, scramCredential(mechanism, { salt, saltedPassword, iterations })] as const;
  });
  return Object.fromEntries(await Promise.all(credentials));
}
