import type { ClientAddress, ClientConnection } from './client.ts';

/** The connections of all protocols that are open. */
export class Clients {
  readonly #connections = new Set<ClientConnection>();

  /** Call the answered function when the connection is gone. */
  add(connection: ClientConnection): () => void {
    this.#connections.add(connection);
    return () => this.#connections.delete(connection);
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
