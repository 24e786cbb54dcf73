import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** OpenSSL's names of attributes that Java writes otherwise. */
const JAVA_NAMES: Readonly<Record<string, string>> = { street: 'STREET' };

/**
 * The distinguished name in the certificate that a client has shown, as Java writes it (RFC 2253, the most special part first):
 * `CN=anna,O=Shop\, Inc,C=DE`. Undefined when there is none that somebody vouches for.
 */
export function certificatePrincipal(socket: Socket): string | undefined {
  if (!('getPeerX509Certificate' in socket)) return undefined;
  const tls = socket as TLSSocket;
  const subject = tls.authorized ? tls.getPeerX509Certificate()?.subject : undefined;
  return subject === undefined ? undefined : distinguishedName(subject);
}

/**
 * Of a subject as X509Certificate of node:crypto writes it: one relative name a line, the most general first, its attributes with
 * ` + ` between them. Undefined when it is empty.
 */
export function distinguishedName(subject: string): string | undefined {
  const lines = subject.split('\n').filter((line) => line !== '');
  if (lines.length === 0) return undefined;
  return lines
    .reverse()
    .map((line) => line.split(' + ').map(javaAttribute).join('+'))
    .join(',');
}

function javaAttribute(attribute: string): string {
  const equals = attribute.indexOf('=');
  const name = attribute.slice(0, equals);
  return `${JAVA_NAMES[name] ?? name}${attribute.slice(equals)}`;
}
