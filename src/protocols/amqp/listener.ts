import type { Socket } from 'node:net';
import type { Broker } from '../../broker/index.ts';
import type { Listener, ListenOptions } from '../../environment/environment.ts';
import type { Logger } from '../../environment/logger.ts';
import type { CertificateNameSource } from './certificate-name.ts';
import { Connection } from './connection.ts';
import type { AmqpLimits } from './limits.ts';
import type { ReplyChannels } from './reply-to.ts';
import type { ServerIdentity } from './server-properties.ts';

export interface AmqpListenerOptions {
  readonly broker: Broker;
  readonly logger: Logger;
  readonly listen: ListenOptions;
  /** Shared by all listeners of the broker. */
  readonly replies: ReplyChannels;
  readonly limits: AmqpLimits;
  /** How the broker calls itself. */
  readonly identity: Omit<ServerIdentity, 'clusterName'>;
  /** What of a client's certificate is its user's name. */
  readonly certificateName: CertificateNameSource;
  readonly maxConnections: number;
}

/** Accepts AMQP 0-9-1 clients on one address. */
export class AmqpListener {
  readonly #options: AmqpListenerOptions;
  readonly #connections = new Set<Connection>();
  #listener: Listener | undefined;
  #closing = false;
  /** The log knows already that there are too many connections. */
  #refusing = false;

  private constructor(options: AmqpListenerOptions) {
    this.#options = options;
  }

  static async open(options: AmqpListenerOptions): Promise<AmqpListener> {
    const amqp = new AmqpListener(options);
    const { listen, broker } = options;
    broker.virtualHosts.onDeleted((host) =>
      amqp.#forceClose(({ session }) => session?.virtualHost === host, `vhost '${host.name}' is deleted`),
    );
    broker.users.onUserRemoved((user) =>
      amqp.#forceClose(({ session }) => session?.user === user, `user '${user.name}' is deleted`),
    );
    amqp.#listener = await broker.environment.network.listen(listen, (socket) => amqp.#accept(socket));
    return amqp;
  }

  get port(): number {
    return this.#listener?.port ?? 0;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** No connection has an operation under way, or an answer that was not written. */
  get idle(): boolean {
    for (const connection of this.#connections) if (!connection.idle) return false;
    return true;
  }

  /** Accepts no more, tells clients that the broker closes, and after at most `graceMs` closes those that are left. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    await this.#listener?.close();
    const { clock } = this.#options.broker.environment;
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
    await Promise.all(left.map((connection) => connection.gone));
  }

  #forceClose(which: (connection: Connection) => boolean, reason: string): void {
    for (const connection of this.#connections) if (which(connection)) connection.forceClose(reason);
  }

  #accept(socket: Socket): void {
    const { broker, logger, listen, replies, limits, identity, certificateName, maxConnections } = this.#options;
    if (this.#closing) {
      socket.destroy();
      return;
    }
    if (this.#connections.size >= maxConnections) {
      if (!this.#refusing) {
        logger.warn(
          { limit: maxConnections, client: socket.remoteAddress },
          'connections are refused until others have gone: too many (limits.connections)',
        );
      }
      this.#refusing = true;
      socket.destroy();
      return;
    }
    this.#refusing = false;
    const connection = new Connection({
      socket,
      broker,
      logger,
      replies,
      limits,
      identity,
      certificates: { asked: listen.tls?.requestCert === true, nameFrom: certificateName },
    });
    this.#connections.add(connection);
    connection.onClose(() => this.#connections.delete(connection));
  }
}
