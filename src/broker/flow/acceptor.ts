import type { Socket } from 'node:net';
import type { Environment, Listener, ListenOptions } from '../../environment/environment.ts';
import type { Logger } from '../../environment/logger.ts';
import type { ConnectionLimits } from './connection-limits.ts';

/** One client's connection, as whoever accepted it sees it. */
export interface AcceptedConnection {
  /** Nothing is under way on it, and everything is written. */
  readonly idle: boolean;
  /** Resolves when it is closed, and nothing of it is left in the broker. */
  readonly gone: Promise<void>;
  /** Calls back when it is closed. */
  onClose(callback: () => void): void;
  /** The broker closes: it ends what is under way, and then itself, in at most `graceMs`. */
  shutDown(graceMs: number): void;
  destroy(): void;
}

export interface AcceptorOptions<C extends AcceptedConnection> {
  readonly environment: Pick<Environment, 'clock' | 'network'>;
  readonly logger: Logger;
  readonly listen: ListenOptions;
  /** Shared by all that accept. */
  readonly limits: ConnectionLimits;
  readonly connect: (socket: Socket) => C;
}

/** Accepts the connections of one address, as far as there may be more, and knows those that there are. */
export class Acceptor<C extends AcceptedConnection> {
  readonly #options: AcceptorOptions<C>;
  readonly #connections = new Set<C>();
  #listener: Listener | undefined;
  #closing = false;
  /** The log knows already that there are too many connections. */
  #refusing = false;

  private constructor(options: AcceptorOptions<C>) {
    this.#options = options;
  }

  /** Rejects with `already-exists` when the address is in use, `invalid-argument` when it cannot be had. */
  static async open<C extends AcceptedConnection>(options: AcceptorOptions<C>): Promise<Acceptor<C>> {
    const acceptor = new Acceptor(options);
    const { environment, listen } = options;
    acceptor.#listener = await environment.network.listen(listen, (socket) => acceptor.#accept(socket));
    return acceptor;
  }

  get port(): number {
    return this.#listener?.port ?? 0;
  }

  get connections(): ReadonlySet<C> {
    return this.#connections;
  }

  get idle(): boolean {
    for (const connection of this.#connections) if (!connection.idle) return false;
    return true;
  }

  /** Accepts no more, has those that there are end within `graceMs`, and closes what is left. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    await this.#listener?.close();
    const { clock } = this.#options.environment;
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(graceMs, resolve);
      const check = () => {
        if (this.#connections.size > 0) return;
        timer.cancel();
        resolve();
      };
      for (const connection of this.#connections) {
        connection.onClose(() => queueMicrotask(check));
        connection.shutDown(graceMs);
      }
      check();
    });
    const left = [...this.#connections];
    for (const connection of left) connection.destroy();
    await Promise.all(left.map(({ gone }) => gone));
  }

  #accept(socket: Socket): void {
    const { logger, limits, connect } = this.#options;
    if (this.#closing) {
      socket.destroy();
      return;
    }
    const address = socket.remoteAddress ?? '';
    const limit = limits.admit(address);
    if (limit !== undefined) {
      if (!this.#refusing)
        logger.warn({ client: address }, `connections are refused until others have gone: too many (${limit})`);
      this.#refusing = true;
      socket.destroy();
      return;
    }
    this.#refusing = false;
    const connection = connect(socket);
    this.#connections.add(connection);
    connection.onClose(() => {
      this.#connections.delete(connection);
      limits.closed(address);
    });
  }
}
