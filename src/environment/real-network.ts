import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { BrokerError } from '../errors.ts';
import type { Listener, ListenOptions, Network } from './environment.ts';

/** A client that has not finished its TLS handshake by then is disconnected. */
const TLS_HANDSHAKE_TIMEOUT_MS = 10_000;

/** TCP and TLS listeners by node:net and node:tls. Nagle's algorithm is off: what is written is already gathered. */
export const realNetwork: Network = {
  listen: (options, onConnection) =>
    listening(
      options.tls ? tlsServer(options.tls, onConnection) : createServer({ noDelay: true }, onConnection),
      options,
    ),
};

function tlsServer(tls: NonNullable<ListenOptions['tls']>, onConnection: (socket: Socket) => void): Server {
  const { optionalCert = false, ...secure } = tls;
  const options = {
    ...secure,
    noDelay: true,
    handshakeTimeout: TLS_HANDSHAKE_TIMEOUT_MS,
    rejectUnauthorized: !optionalCert,
  };
  // `noDelay` is passed on to node:net, which the types of node:tls do not say.
  return createTlsServer(options as TlsOptions, (socket) => {
    // To node:tls a certificate that is not there and one that is wrong are the same.
    if (!optionalCert || socket.authorized || socket.getPeerX509Certificate() === undefined) onConnection(socket);
    else socket.destroy();
  });
}

function listening(server: Server, options: ListenOptions): Promise<Listener> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, options)));
    server.listen({ host: options.host, port: options.port }, () => {
      server.removeAllListeners('error');
      // Too many open files while accepting, and the like: the connection is gone, the listener goes on.
      server.on('error', () => {});
      const { address, port } = server.address() as AddressInfo;
      resolve({
        host: address,
        port,
        close: () =>
          new Promise((closed) => {
            // The callback of close() would wait for all connections; the port itself is free at once.
            server.close();
            setImmediate(closed);
          }),
      });
    });
  });
}

function listenError(error: NodeJS.ErrnoException, { host, port }: ListenOptions): BrokerError {
  const at = `${host}:${port}`;
  if (error.code === 'EADDRINUSE') {
    return new BrokerError('already-exists', `${at} is in use by another process: stop it, or configure another port`, {
      cause: error,
    });
  }
  return new BrokerError(
    'invalid-argument',
    `cannot listen on ${at} (${error.code ?? error.message}): check host, port and permissions`,
    {
      cause: error,
    },
  );
}
