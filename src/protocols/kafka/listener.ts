import type { Socket } from 'node:net';
import { Acceptor, type Broker } from '../../broker/index.ts';
import type { ListenOptions } from '../../environment/environment.ts';
import type { Logger } from '../../environment/logger.ts';
import { type AuthenticationSettings, DEFAULT_AUTHENTICATION } from './authentication/index.ts';
import { clientView } from './client-view.ts';
import { Connection, type ConnectionLimits, DEFAULT_CONNECTION_LIMITS } from './connection.ts';
import { FetchSessions } from './fetch-sessions.ts';
import type { Endpoint, ListenerView } from './handler.ts';
import { ShareSessions } from './share-sessions.ts';

export interface KafkaListenerOptions {
  readonly broker: Broker;
  readonly logger: Logger;
  readonly listen: ListenOptions;
  /** What clients are told to connect to; where it listens, when not given. */
  readonly advertise?: Partial<Endpoint>;
  /** Those of the same broker, this one among them, for clients that ask; this one alone, when not given. */
  readonly listeners?: () => readonly ListenerView[];
  readonly authentication?: AuthenticationSettings;
  readonly limits?: Partial<ConnectionLimits>;
}

/** Accepts Kafka clients on one address. */
export class KafkaListener implements ListenerView {
  readonly #options: KafkaListenerOptions;
  readonly #fetchSessions: FetchSessions;
  readonly #shareSessions: ShareSessions;
  #acceptor: Acceptor<Connection> | undefined;
  #endpoint: Endpoint = { host: '', port: 0 };

  private constructor(options: KafkaListenerOptions) {
    this.#options = options;
    const { clock, random } = options.broker.environment;
    this.#fetchSessions = new FetchSessions(clock, random);
    this.#shareSessions = new ShareSessions(random);
  }

  static async open(options: KafkaListenerOptions): Promise<KafkaListener> {
    const kafka = new KafkaListener(options);
    const { broker, logger, listen, advertise } = options;
    const acceptor = await Acceptor.open({
      ...{ environment: broker.environment, logger, listen, limits: broker.connections },
      connect: (socket) => kafka.#connect(socket),
    });
    broker.users.onUserRemoved((user) => {
      for (const connection of acceptor.connections) if (connection.user === user) connection.destroy();
    });
    kafka.#acceptor = acceptor;
    kafka.#endpoint = { host: advertise?.host ?? advertisedHost(listen.host), port: advertise?.port ?? acceptor.port };
    return kafka;
  }

  get port(): number {
    return this.#acceptor?.port ?? 0;
  }

  /** What clients are told. */
  get endpoint(): Endpoint {
    return this.#endpoint;
  }

  get address(): Endpoint {
    return { host: this.#options.listen.host, port: this.port };
  }

  get securityProtocol(): ListenerView['securityProtocol'] {
    const { listen, authentication = DEFAULT_AUTHENTICATION } = this.#options;
    const encryption = listen.tls === undefined ? 'PLAINTEXT' : 'SSL';
    return authentication.sasl === 'required' ? `SASL_${encryption}` : encryption;
  }

  get connections(): number {
    return this.#acceptor?.connections.size ?? 0;
  }

  /** No request is being worked on, but for those that wait for something to happen. */
  get idle(): boolean {
    return this.#acceptor?.idle ?? true;
  }

  /** Accepts no more, lets the requests under way be answered for at most `graceMs`, then closes what is left. */
  async close(graceMs: number): Promise<void> {
    await this.#acceptor?.close(graceMs);
  }

  #connect(socket: Socket): Connection {
    const { broker, logger, listeners = () => [this], authentication = DEFAULT_AUTHENTICATION, limits } = this.#options;
    const connection = new Connection({
      socket,
      broker,
      logger,
      endpoint: this.#endpoint,
      listeners,
      fetchSessions: this.#fetchSessions,
      shareSessions: this.#shareSessions,
      authentication,
      limits: { ...DEFAULT_CONNECTION_LIMITS, ...limits },
    });
    connection.onClose(broker.clients.add(clientView(socket, connection, broker.environment.clock.now())));
    const waitMs = broker.quotas.recordConnection(socket.remoteAddress ?? '');
    if (waitMs > 0) connection.mute(waitMs);
    return connection;
  }
}

/** A wildcard is where to listen, not where to connect to. */
function advertisedHost(host: string): string {
  return host === '0.0.0.0' || host === '::' ? 'localhost' : host;
}
