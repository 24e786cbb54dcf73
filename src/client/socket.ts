import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { BrokerError } from '../errors.ts';

/** All PEM. */
export interface TlsOptions {
  /** Authorities of which one has signed the broker's certificate; those that Node knows unless given. */
  readonly ca?: Buffer | undefined;
  /** This client's own certificate, with its key. */
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

export interface SocketOptions {
  readonly host: string;
  readonly port: number;
  /** Talks TLS when it is there. */
  readonly tls?: TlsOptions | undefined;
}

const UNTRUSTED = 'no authority that is known here has signed its certificate; name the one that has';

/** Rejects with `closed`, which says why, when there is no connection within the time. */
export function connected({ host, port, tls }: SocketOptions, timeoutMs: number, address: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket =
      tls === undefined
        ? connect({ host, port })
        : connectTls({ host, port, ...definedOf(tls), ...(isIP(host) === 0 && { servername: host }) });
    socket.setNoDelay(true);
    const fail = (error: BrokerError) => {
      socket.destroy();
      reject(error);
    };
    const onTimeout = () => fail(new BrokerError('closed', `${address} did not answer within ${timeoutMs} ms`));
    const onError = (error: Error) => fail(connectionError(address, error));
    socket.setTimeout(timeoutMs, onTimeout);
    socket.once('error', onError);
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      // Others that listen are Node's own.
      socket.off('timeout', onTimeout);
      socket.off('error', onError);
      resolve(socket);
    });
  });
}

/** Node takes what is undefined for something. */
function definedOf({ ca, cert, key }: TlsOptions) {
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

/** What went wrong with a connection, and what to do about it. */
export function connectionError(address: string, error: NodeJS.ErrnoException): BrokerError {
  const reasons: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'nothing listens there; is the broker running?',
    ENOTFOUND: 'no host has that name; check it',
    EAI_AGAIN: 'the name cannot be looked up now; check the name and the network',
    ECONNRESET:
      'the connection was cut: perhaps one side talks TLS and the other does not; the log of the broker may say why',
    EPROTO: "it does not speak TLS, or refuses this client's certificate",
    ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
    DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
    SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
    CERT_HAS_EXPIRED: 'its certificate has expired',
    ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name; connect by a name that is in it',
    ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'it wants a certificate of its clients',
  };
  const reason = reasons[error.code ?? ''] ?? error.code ?? error.message;
  return new BrokerError('closed', `cannot talk to ${address}: ${reason}`, { cause: error });
}
