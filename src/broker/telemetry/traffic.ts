import type { ClientConnection } from '../clients/index.ts';
import type { Counted } from './sample-book.ts';

/** The bytes of one connection, for those who sample it. */
export class Traffic implements Counted {
  sampled = 0;
  readonly #connection: ClientConnection;

  constructor(connection: ClientConnection) {
    this.#connection = connection;
  }

  get activity(): number {
    return this.#connection.bytesReceived + this.#connection.bytesSent;
  }
}
