import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy that can swallow what the server answers, and break connections: requests arrive, their answers do not. */
export class Cut {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #deaf = false;

  private constructor(target: number) {
    this.#server = createServer((client) => {
      const server = connect(target, '127.0.0.1');
      for (const socket of [client, server]) {
        this.#sockets.add(socket);
        socket.setNoDelay(true);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.#sockets.delete(socket);
          client.destroy();
          server.destroy();
        });
      }
      client.on('data', (bytes) => server.write(bytes));
      server.on('data', (bytes) => {
        if (!this.#deaf) client.write(bytes);
      });
    });
  }

  static async before(url: string): Promise<Cut> {
    const cut = new Cut(Number(url.split(':')[1]));
    cut.#server.listen(0, '127.0.0.1');
    await once(cut.#server, 'listening');
    return cut;
  }

  get url(): string {
    const address = this.#server.address();
    return `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  }

  /** From now on no answer arrives, until `break`. */
  swallow(): void {
    this.#deaf = true;
  }

  /** Breaks all connections; new ones work. */
  break(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#deaf = false;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.break();
    await once(this.#server, 'close');
  }
}
