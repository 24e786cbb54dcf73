import type { Socket } from 'node:net';
import type { Broker } from '../../broker/index.ts';
import type { Listener, ListenOptions } from '../../environment/environment.ts';
import type { Logger } from '../../environment/logger.ts';
import { type AuthenticationSettings, DEFAULT_AUTHENTICATION } from './authentication/index.ts';
import { Connection, type ConnectionLimits, DEFAULT_CONNECTION_LIMITS } from './connection.ts';
import { FetchSessions } from './fetch-sessions.ts';
import type { Endpoint } from './handler.ts';

export interface KafkaListenerOptions {
  readonly broker: Broker;
  readonly logger: Logger;
  readonly listen: ListenOptions;
  /** What clients are told to connect to; where it listens, when not given. */
  readonly advertise?: Partial<Endpoint>;
  readonly authentication?: AuthenticationSettings;
  readonly limits?: Partial<ConnectionLimits>;
  readonly maxConnections: number;
}

/** Accepts Kafka clients on one address. */
export class KafkaListener {
  readonly #options: KafkaListenerOptions;
  readonly #connections = new Set<Connection>();
  readonly #fetchSessions: FetchSessions;
  #listener: Listener | undefined;
  #closing = false;
  /** The log knows already that there are too many connections. */
  #refusing = false;
  #endpoint: Endpoint = { host: '', port: 0 };

  private constructor(options: KafkaListenerOptions) {
    this.#options = options;
    const { clock, random } = options.broker.environment;
    this.#fetchSessions = new FetchSessions(clock, random);
  }

  static async open(options: KafkaListenerOptions): Promise<KafkaListener> {
    const kafka = new KafkaListener(options);
    const { listen, advertise, broker } = options;
    broker.users.onUserRemoved((user) => {
      for (const connection of kafka.#connections) if (connection.user === user) connection.destroy();
    });
    const listener = await broker.environment.network.listen(listen, (socket) => kafka.#accept(socket));
    kafka.#listener = listener;
    kafka.#endpoint = { host: advertise?.host ?? advertisedHost(listen.host), port: advertise?.port ?? listener.port };
    return kafka;
  }

  get port(): number {
    return this.#listener?.port ?? 0;
  }

  /** What clients are told. */
  get endpoint(): Endpoint {
    return this.#endpoint;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** No request is being worked on, but for those that wait for something to happen. */
  get idle(): boolean {
    for (const connection of this.#connections) if (!connection.idle) return false;
    return true;
  }

  /** Accepts no more, lets the requests under way be answered for at most `graceMs`, then closes what is left. */
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
        connection.drain(graceMs);
      }
      check();
    });
    for (const connection of this.#connections) connection.destroy();
  }

  #accept(socket: Socket): void {
    const { broker, logger, authentication = DEFAULT_AUTHENTICATION, limits, maxConnections } = this.#options;
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
      endpoint: this.#endpoint,
      fetchSessions: this.#fetchSessions,
      authentication,
      limits: { ...DEFAULT_CONNECTION_LIMITS, ...limits },
    });
    this.#connections.add(connection);
    connection.onClose(() => this.#connections.delete(connection));
    const waitMs = broker.quotas.recordConnection(socket.remoteAddress ?? '');
    if (waitMs > 0) connection.mute(waitMs);
  }
}

/** A wildcard is where to listen, not where to connect to. */
function advertisedHost(host: string): string {
  return host === '0.0.0.0' || host === '::' ? 'localhost' : host;
}
