import type { Socket } from 'node:net';
import { Acceptor, type Broker } from '../../broker/index.ts';
import type { ListenOptions } from '../../environment/environment.ts';
import type { Logger } from '../../environment/logger.ts';
import type { Application } from './application.ts';
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
  readonly #options: HttpListenerOptions;
  readonly #connections = new WeakMap<Socket, Connection>();
  #acceptor: Acceptor<Connection> | undefined;
  #application: Promise<Application | undefined> | undefined;

  private constructor(options: HttpListenerOptions) {
    this.#options = options;
  }

  static async open(options: HttpListenerOptions): Promise<HttpListener> {
    const { broker, logger, listen } = options;
    const listener = new HttpListener(options);
    listener.#acceptor = await Acceptor.open({
      ...{ environment: broker.environment, logger, listen, limits: broker.connections },
      connect: (socket) => listener.#connect(socket),
    });
    return listener;
  }

  get port(): number {
    return this.#acceptor?.port ?? 0;
  }

  /** No request is under way. */
  get idle(): boolean {
    return this.#acceptor?.idle !== false;
  }

  /** Accepts no more, answers what was asked within `graceMs`, and closes what is left. */
  async close(graceMs: number): Promise<void> {
    const application = await this.#application;
    application?.endWaiting();
    await this.#acceptor?.close(graceMs);
    await application?.close();
  }

  #connect(socket: Socket): Connection {
    this.#application ??= this.#openApplication();
    const server = this.#application.then((application) => application?.server);
    const connection = new Connection({ socket, server, clock: this.#options.broker.environment.clock });
    this.#connections.set(socket, connection);
    return connection;
  }

  /** With the first connection: a broker that nobody asks by HTTP starts sooner, and needs less memory. */
  async #openApplication(): Promise<Application | undefined> {
    try {
      const { openApplication } = await import('./application.ts');
      const application = await openApplication(this.#options);
      application.server.prependListener('request', (request, response) =>
        this.#connections.get(request.socket)?.began(request, response),
      );
      return application;
    } catch (error) {
      this.#options.logger.error({ err: error }, 'the HTTP API cannot be served');
      return undefined;
    }
  }
}
