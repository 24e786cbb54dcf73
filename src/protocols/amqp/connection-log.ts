import type { Socket } from 'node:net';
import type { FieldTable } from '../../broker/index.ts';
import type { Logger } from '../../environment/logger.ts';
import type { Session } from './session.ts';

/** A client chooses its name: the log has no more of it than this. */
const LOGGED_NAME_LENGTH = 200;

/** The log, with who it is about. */
export class ConnectionLog {
  readonly #logger: Logger;
  readonly #address: string;
  readonly #session: () => Session | undefined;
  readonly #clientProperties: () => FieldTable;

  constructor(
    logger: Logger,
    { remoteAddress, remotePort }: Socket,
    session: () => Session | undefined,
    clientProperties: () => FieldTable,
  ) {
    this.#logger = logger;
    this.#address = `${remoteAddress ?? ''}:${remotePort}`;
    this.#session = session;
    this.#clientProperties = clientProperties;
  }

  debug(what: string, more?: object): void {
    this.#logger.debug({ ...this.#who(), ...more }, what);
  }

  warn(what: string, more?: object): void {
    this.#logger.warn({ ...this.#who(), ...more }, what);
  }

  /** The broker is to blame. */
  broken(error: unknown): void {
    const err = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#logger.error({ ...this.#who(), err }, 'the broker failed');
  }

  #who(): object {
    const session = this.#session();
    const name = this.#clientProperties().get('connection_name');
    return {
      client: this.#address,
      ...(name?.type === 'S' && { name: name.value.slice(0, LOGGED_NAME_LENGTH) }),
      ...(session && { user: session.user.name, virtualHost: session.virtualHost.name }),
    };
  }
}
