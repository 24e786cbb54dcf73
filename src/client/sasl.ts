import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { BrokerError } from '../errors.ts';

export const SASL_MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

export type SaslMechanism = (typeof SASL_MECHANISMS)[number];

export interface Login {
  readonly user: string;
  readonly password: string;
  readonly mechanism: SaslMechanism;
}

/** Sends the broker a message, and resolves with what it answers. */
type Exchange = (message: Buffer) => Promise<Buffer>;

const HASHES = {
  'SCRAM-SHA-256': { name: 'sha256', bytes: 32 },
  'SCRAM-SHA-512': { name: 'sha512', bytes: 64 },
} as const;

/** No channel binding, and nobody else to act as. */
const HEADER = 'n,,';
/** RFC 7677 asks for 4096 at least; the upper end is Kafka's, and bounds the work that a broker can ask for. */
const MIN_ITERATIONS = 4096;
const MAX_ITERATIONS = 16_384;
const SERVER_FIRST = /^r=(?<nonce>[!-+\--~]+),s=(?<salt>[A-Za-z0-9+/=]+),i=(?<iterations>\d{1,9})(?:,|$)/;
const SERVER_FINAL = /^v=(?<signature>[A-Za-z0-9+/=]+)(?:,|$)/;

/**
 * The client's side of SASL PLAIN (RFC 4616) and SCRAM (RFC 5802, RFC 7677). Rejects with what `exchange` rejects with, and with `corrupt-message` when
 * the broker does not know the password itself, or talks otherwise than it should.
 */
export async function prove(login: Login, nonce: string, exchange: Exchange): Promise<void> {
  const { user, password, mechanism } = login;
  if (mechanism === 'PLAIN') {
    await exchange(Buffer.from(`\0${user}\0${password}`));
    return;
  }
  const { name, bytes } = HASHES[mechanism];
  const hmac = (key: Uint8Array, text: string) => createHmac(name, key).update(text).digest();
  const bare = `n=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`;
  const serverFirst = `${await exchange(Buffer.from(`${HEADER}${bare}`))}`;
  const offered = SERVER_FIRST.exec(serverFirst)?.groups;
  const iterations = Number(offered?.['iterations']);
  if (!offered?.['nonce']?.startsWith(nonce) || !(iterations >= MIN_ITERATIONS && iterations <= MAX_ITERATIONS))
    throw notAsItShould('begins SCRAM with what RFC 5802 does not have');
  const salt = Buffer.from(offered['salt'] ?? '', 'base64');
  const salted = await new Promise<Buffer>((resolve, reject) => {
    pbkdf2(password, salt, iterations, bytes, name, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
  const withoutProof = `c=${Buffer.from(HEADER).toString('base64')},r=${offered['nonce']}`;
  const signed = `${bare},${serverFirst},${withoutProof}`;
  const clientKey = hmac(salted, 'Client Key');
  const signature = hmac(createHash(name).update(clientKey).digest(), signed);
  const proof = Buffer.from(clientKey.map((byte, i) => byte ^ (signature[i] ?? 0)));
  const serverFinal = `${await exchange(Buffer.from(`${withoutProof},p=${proof.toString('base64')}`))}`;
  const shown = Buffer.from(SERVER_FINAL.exec(serverFinal)?.groups?.['signature'] ?? '', 'base64');
  const expected = hmac(hmac(salted, 'Server Key'), signed);
  if (shown.length !== expected.length || !timingSafeEqual(shown, expected))
    throw notAsItShould('does not know the password: it is not the broker that it should be');
}

function notAsItShould(what: string): BrokerError {
  return new BrokerError('corrupt-message', `what answers ${what}`);
}
