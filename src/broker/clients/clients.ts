import type { Meters } from '../telemetry/meters.ts';
import type { ClientAddress, ClientConnection } from './client.ts';

/** The connections of all protocols that are open. */
export class Clients {
  readonly #connections = new Set<ClientConnection>();
  readonly #meters: Meters;

  constructor(meters: Meters) {
    this.#meters = meters;
  }

  /** Call the answered function when the connection is gone. */
  add(connection: ClientConnection): () => void {
    const { churn } = this.#meters;
    const meter = this.#meters.protocol(connection.protocol);
    this.#connections.add(connection);
    churn.connectionsOpened++;
    meter.connectionsOpened++;
    return () => {
      if (!this.#connections.delete(connection)) return;
      churn.connectionsClosed++;
      meter.connectionsClosed++;
      meter.bytesReceived += connection.bytesReceived;
      meter.bytesSent += connection.bytesSent;
    };
  }

  get size(): number {
    return this.#connections.size;
  }

  all(): Iterable<ClientConnection> {
    return this.#connections;
  }

  /** By the name that `connectionName` gives it. */
  get(name: string): ClientConnection | undefined {
    for (const connection of this.#connections) if (connectionName(connection) === name) return connection;
    return undefined;
  }
}

/** As RabbitMQ names connections: `127.0.0.1:50000 -> 127.0.0.1:5672`. */
export function connectionName({ peer, local }: Pick<ClientConnection, 'peer' | 'local'>): string {
  return `${addressText(peer)} -> ${addressText(local)}`;
}

function addressText({ host, port }: ClientAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
