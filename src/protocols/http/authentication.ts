import { type Broker, isCsrfToken, isLoopback, type Session, type User } from '../../broker/index.ts';
import { BrokerError } from '../../errors.ts';
import { recordLogin } from './audit.ts';
import { HttpError, TooManyRequests } from './errors.ts';
import { PROTOCOL } from './protocol.ts';
import { type Headers, sessionToken, textOf, type Visitor } from './session-cookie.ts';

/** What browsers show when they ask for a password. */
export const CHALLENGE = 'Basic realm="Sluice"';

/** More is no name and password: both have 255 bytes at most where they are set. */
const MAX_CREDENTIALS = 4096;

/** Who asks, and whether it is a browser that has logged in. */
export interface Login {
  readonly user: User;
  readonly session: Session | undefined;
}

interface Asked {
  readonly method: string;
  readonly headers: Headers;
  readonly visitor: Visitor;
}

/**
 * Who asks: by the cookie of a session, else by an `Authorization` header (RFC 7617). Throws 401 without saying more than that, 403 for a
 * request that changes something by a cookie alone, 429 for who fails too often.
 */
export function authenticate(broker: Broker, { method, headers, visitor }: Asked): Login {
  const session = sessionOf(broker, headers, visitor);
  if (session !== undefined) {
    if (!SAFE_METHODS.has(method) && !isCsrfToken(session, textOf(headers[CSRF_HEADER])))
      throw new HttpError(403, 'forbidden', `a request by a session's cookie needs the header ${CSRF_HEADER}`);
    return { user: session.user, session };
  }
  const credentials = basicCredentials(textOf(headers['authorization']));
  if (credentials === undefined) throw loginFailed();
  return { user: checkPassword(broker, credentials, visitor), session: undefined };
}

/** Throws 401 without saying more than that, 429 for who fails too often. */
export function checkPassword(broker: Broker, { name, password }: Credentials, { address }: Visitor): User {
  const { users, logins } = broker;
  const waitMs = logins.waitMs(address, name);
  if (waitMs > 0) throw new TooManyAttempts(Math.ceil(waitMs / 1000));
  try {
    const user = users.authenticate(name, password, { loopback: isLoopback(address) });
    logins.succeeded(address, name);
    recordLogin(broker, name, address, 'done');
    return user;
  } catch (error) {
    if (!(error instanceof BrokerError && error.code === 'not-authorized')) throw error;
    logins.failed(address, name);
    recordLogin(broker, name, address, 'refused');
    broker.meters.protocol(PROTOCOL).failedLogins++;
    throw loginFailed();
  }
}

/** Whoever tries passwords has to wait. */
export class TooManyAttempts extends TooManyRequests {
  constructor(retryAfterSeconds: number) {
    super(retryAfterSeconds, `Too many failed logins: try again in ${retryAfterSeconds} s`);
  }
}

/** Pages of other sites cannot send it, whatever cookies the browser adds. */
const CSRF_HEADER = 'x-csrf-token';

function loginFailed(): HttpError {
  return new HttpError(401, 'not_authorized', 'Login failed');
}

/**
 * Whether a browser is to ask its user for a name and a password. Not where a page asked, which does that itself: browsers say so, or the
 * page does.
 */
export function wantsChallenge(headers: Headers): boolean {
  return headers['x-requested-with'] === undefined && headers['sec-fetch-dest'] !== 'empty';
}

function sessionOf({ sessions }: Broker, headers: Headers, visitor: Visitor): Session | undefined {
  const token = sessionToken(headers, visitor);
  return token === undefined ? undefined : sessions.use(token, { loopback: isLoopback(visitor.address) });
}

export interface Credentials {
  readonly name: string;
  readonly password: string;
}

function basicCredentials(header: string | undefined): Credentials | undefined {
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
export function isForged(method: string, headers: Headers): boolean {
  if (SAFE_METHODS.has(method)) return false;
  const site = headers['sec-fetch-site'];
  // Browsers know what the page's own site is, also where a proxy asks by another name for it.
  if (site === 'same-origin') return false;
  if (site !== undefined && site !== 'none') return true;
  const { origin, host } = headers;
  if (origin === undefined) return false;
  return typeof origin !== 'string' || !URL.canParse(origin) || new URL(origin).host !== host;
}
