import { isLoopback, type User, type Users } from '../../broker/index.ts';
import { BrokerError } from '../../errors.ts';
import { HttpError } from './errors.ts';

/** What browsers show when they ask for a password. */
export const CHALLENGE = 'Basic realm="Sluice"';

/** More is no name and password: both have 255 bytes at most where they are set. */
const MAX_CREDENTIALS = 4096;

/** The user of an `Authorization` header (RFC 7617). Throws 401, without saying more than that. */
export function authenticate(users: Users, header: string | undefined, address: string | undefined): User {
  const credentials = basicCredentials(header);
  if (credentials === undefined) throw new HttpError(401, 'not_authorized', 'Login failed');
  try {
    return users.authenticate(credentials.name, credentials.password, { loopback: isLoopback(address) });
  } catch (error) {
    if (!(error instanceof BrokerError && error.code === 'not-authorized')) throw error;
    throw new HttpError(401, 'not_authorized', 'Login failed');
  }
}

function basicCredentials(header: string | undefined): { name: string; password: string } | undefined {
  const [, encoded] = /^basic +([a-z0-9+/=]+) *$/i.exec((header ?? '').slice(0, MAX_CREDENTIALS)) ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Whether another site has a browser send this request: browsers add the password that they know to it. Programs say nothing of
 * where a request comes from, and send passwords themselves.
 */
export function isForged(method: string, headers: { readonly [name: string]: string | string[] | undefined }): boolean {
  if (SAFE_METHODS.has(method)) return false;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  const { origin, host } = headers;
  if (origin === undefined) return false;
  return typeof origin !== 'string' || !URL.canParse(origin) || new URL(origin).host !== host;
}
