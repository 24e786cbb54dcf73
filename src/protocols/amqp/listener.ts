import { Acceptor, type Broker } from '../../broker/index.ts';
import type { ListenOptions } from '../../environment/environment.ts';
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
}

/** Accepts AMQP 0-9-1 clients on one address. */
export class AmqpListener {
  readonly #acceptor: Acceptor<Connection>;

  private constructor(acceptor: Acceptor<Connection>) {
    this.#acceptor = acceptor;
  }

  static async open(options: AmqpListenerOptions): Promise<AmqpListener> {
    const { broker, logger, listen, replies, limits, identity, certificateName } = options;
    const certificates = { asked: listen.tls?.requestCert === true, nameFrom: certificateName };
    const acceptor = await Acceptor.open({
      ...{ environment: broker.environment, logger, listen, limits: broker.connections },
      connect: (socket) => new Connection({ socket, broker, logger, replies, limits, identity, certificates }),
    });
    const amqp = new AmqpListener(acceptor);
    broker.virtualHosts.onDeleted((host) =>
      amqp.#forceClose(({ session }) => session?.virtualHost === host, `vhost '${host.name}' is deleted`),
    );
    broker.users.onUserRemoved((user) =>
      amqp.#forceClose(({ session }) => session?.user === user, `user '${user.name}' is deleted`),
    );
    return amqp;
  }

  get port(): number {
    return this.#acceptor.port;
  }

  get connections(): number {
    return this.#acceptor.connections.size;
  }

  /** No connection has an operation under way, or an answer that was not written. */
  get idle(): boolean {
    return this.#acceptor.idle;
  }

  /** Accepts no more, tells clients that the broker closes, and after at most `graceMs` closes those that are left. */
  close(graceMs: number): Promise<void> {
    return this.#acceptor.close(graceMs);
  }

  #forceClose(which: (connection: Connection) => boolean, reason: string): void {
    for (const connection of this.#acceptor.connections) if (which(connection)) connection.forceClose(reason);
  }
}
