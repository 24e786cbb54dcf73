export type Headers = { readonly [name: string]: string | string[] | undefined };

/** A client, as far as it counts for who it is. */
export interface Visitor {
  readonly address: string | undefined;
  /** What it connected to: a browser sends its cookies to all ports of a host. */
  readonly port: number;
  readonly tls: boolean;
}

/** More is read of no request. */
const MAX_COOKIES = 16_384;

/** What the cookie of a session has. */
export function sessionToken(headers: Headers, visitor: Visitor): string | undefined {
  const wanted = `${cookieName(visitor)}=`;
  const cookies = (textOf(headers['cookie']) ?? '').slice(0, MAX_COOKIES).split(';');
  return cookies
    .map((cookie) => cookie.trim())
    .find((cookie) => cookie.startsWith(wanted))
    ?.slice(wanted.length);
}

/** Sets the cookie of a session until the browser is closed; without a token, takes it away. */
export function sessionCookie(visitor: Visitor, token?: string): string {
  const parts = [`${cookieName(visitor)}=${token ?? ''}`, 'Path=/', 'HttpOnly', 'SameSite=Strict'];
  if (visitor.tls) parts.push('Secure');
  if (token === undefined) parts.push('Max-Age=0');
  return parts.join('; ');
}

/** Brokers on several ports of a machine have sessions of their own. */
function cookieName({ port }: Visitor): string {
  return `sluice-session-${port}`;
}

export function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0];
}
