import type { Socket } from 'node:net';
import { type ClientConnection, EMPTY_TABLE, endsOf } from '../../broker/index.ts';
import type { Connection } from './connection.ts';
import { PROTOCOL } from './protocol.ts';

/** A connection as people see it. Kafka's has no channels, and no way to say why it is closed. */
export function clientView(socket: Socket, connection: Connection, connectedAt: number): ClientConnection {
  return {
    protocol: PROTOCOL,
    ...endsOf(socket),
    connectedAt,
    get user() {
      return connection.user?.name;
    },
    virtualHost: undefined,
    get givenName() {
      return connection.clientId ?? undefined;
    },
    properties: EMPTY_TABLE,
    state: 'running',
    get bytesReceived() {
      return socket.bytesRead;
    },
    get bytesSent() {
      return socket.bytesWritten;
    },
    agreed: undefined,
    owner: undefined,
    channels: [],
    channelCounts: [],
    close: () => connection.destroy(),
  };
}
