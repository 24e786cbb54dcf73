import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { isLoopback } from '../../broker/index.ts';
import { type CertificateNameSource, certificateName } from './certificate-name.ts';
import type { SaslClient } from './sasl.ts';

/** How clients of a listener can show who they are. */
export interface CertificateOptions {
  /** Clients are asked for certificates. */
  readonly asked: boolean;
  readonly nameFrom: CertificateNameSource;
}

/** Who is at the other end of a socket, as far as that shows. */
export function clientAt(socket: Socket, { asked, nameFrom }: CertificateOptions): SaslClient {
  const certificateSubject = subjectShownBy(socket);
  return {
    loopback: isLoopback(socket.remoteAddress),
    address: socket.remoteAddress,
    asksForCertificate: asked,
    certificateName: certificateSubject === undefined ? undefined : certificateName(certificateSubject, nameFrom),
  };
}

/** The subject of the certificate that a client has shown; undefined when nobody vouches for it. */
function subjectShownBy(socket: Socket): string | undefined {
  if (!('getPeerX509Certificate' in socket)) return undefined;
  const tls = socket as TLSSocket;
  return tls.authorized ? tls.getPeerX509Certificate()?.subject : undefined;
}
