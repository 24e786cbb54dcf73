import type { Socket } from 'node:net';
import { Acceptor, type Broker } from '../../broker/index.ts';
import type { ListenOptions } from '../../environment/environment.ts';
import type { Logger } from '../../environment/logger.ts';
import { type Application, openApplication } from './application.ts';
import { Connection } from './connection.ts';
import type { ServerFacts } from './server-facts.ts';

export interface HttpListenerOptions {
  readonly broker: Broker;
  readonly logger: Logger;
  readonly listen: ListenOptions;
  readonly server: ServerFacts;
  /** Of one request. */
  readonly maxBodyBytes: number;
  /** The web console is served, too. */
  readonly console: boolean;
}

/** Serves the HTTP API on one address. */
export class HttpListener {
  readonly #acceptor: Acceptor<Connection>;
  readonly #application: Application;

  private constructor(acceptor: Acceptor<Connection>, application: Application) {
    this.#acceptor = acceptor;
    this.#application = application;
  }

  static async open({ listen, ...options }: HttpListenerOptions): Promise<HttpListener> {
    const { broker, logger } = options;
    const application = await openApplication(options);
    const bySocket = new WeakMap<Socket, Connection>();
    application.server.prependListener('request', (request, response) =>
      bySocket.get(request.socket)?.began(request, response),
    );
    const { clock } = broker.environment;
    const acceptor = await Acceptor.open({
      ...{ environment: broker.environment, logger, listen, limits: broker.connections },
      connect: (socket) => {
        const connection = new Connection({ socket, server: application.server, clock });
        bySocket.set(socket, connection);
        return connection;
      },
    });
    return new HttpListener(acceptor, application);
  }

  get port(): number {
    return this.#acceptor.port;
  }

  /** No request is under way. */
  get idle(): boolean {
    return this.#acceptor.idle;
  }

  /** Accepts no more, answers what was asked within `graceMs`, and closes what is left. */
  async close(graceMs: number): Promise<void> {
    this.#application.endWaiting();
    await this.#acceptor.close(graceMs);
    await this.#application.close();
  }
}
