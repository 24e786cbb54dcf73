import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Makes a certificate for `localhost` that signs itself, by openssl; undefined where that does not work. */
export function makeCertificate(directory: string): { readonly cert: string; readonly key: string } | undefined {
  const cert = join(directory, 'cert.pem');
  const key = join(directory, 'key.pem');
  const options = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const { status } = spawnSync('openssl', ['req', ...options, ...subject, '-keyout', key, '-out', cert]);
  return status === 0 ? { cert, key } : undefined;
}
