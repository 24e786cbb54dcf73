/*
 * A certificate's subject, as X509Certificate of node:crypto writes it: one relative distinguished name a line, the most
 * general first, as `CN=name`; several attributes of one with ` + ` between; values escaped as in RFC 2253.
 */

/** What of a client's certificate is its user's name. RabbitMQ: `ssl_cert_login_from`. */
export type CertificateNameSource = 'distinguished-name' | 'common-name';

/** Attributes that RabbitMQ calls otherwise than OpenSSL. */
const RABBITMQ_NAMES: Readonly<Record<string, string>> = {
  GN: 'GIVENNAME',
  street: 'STREET',
  emailAddress: 'EMAILADDRESS',
  serialNumber: 'SERIALNUMBER',
  title: 'TITLE',
  initials: 'INITIALS',
  generationQualifier: 'GENERATIONQUALIFIER',
  pseudonym: 'PSEUDONYM',
};
/** What RabbitMQ writes in hexadecimal: all but the visible characters of ASCII, and `~`. */
const NOT_PLAIN = /[^ -}]/gu;

/** The name, or undefined when the subject has no such part. */
export function certificateName(subject: string, from: CertificateNameSource): string | undefined {
  const names = subject.split('\n').filter((line) => line !== '');
  if (names.length === 0) return undefined;
  if (from === 'distinguished-name') return names.reverse().map(relativeName).join(',');
  // Several are joined, which is at least no other certificate's name.
  const commonNames = names.flatMap(attributesOf).filter((attribute) => attribute.startsWith('CN='));
  return commonNames.length === 0 ? undefined : commonNames.map((attribute) => unescaped(attribute.slice(3))).join(',');
}

/** As RabbitMQ writes it, which is as RFC 4514 says. */
function relativeName(line: string): string {
  return attributesOf(line)
    .map((attribute) => {
      const equals = attribute.indexOf('=');
      const name = attribute.slice(0, equals);
      return `${RABBITMQ_NAMES[name] ?? name}=${attribute.slice(equals + 1).replaceAll(NOT_PLAIN, inHexadecimal)}`;
    })
    .join('+');
}

/** A plus that is part of a value has a backslash before it. */
function attributesOf(line: string): string[] {
  return line.split(' + ');
}

function inHexadecimal(character: string): string {
  return [...Buffer.from(character)].map((byte) => `\\${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

function unescaped(value: string): string {
  const parts = value.match(/\\[0-9A-Fa-f]{2}|\\?./gsu) ?? [];
  return Buffer.concat(parts.map(bytesOf)).toString();
}

function bytesOf(part: string): Buffer {
  if (/^\\[0-9A-Fa-f]{2}$/.test(part)) return Buffer.from(part.slice(1), 'hex');
  return Buffer.from(part.length > 1 && part.startsWith('\\') ? part.slice(1) : part);
}
