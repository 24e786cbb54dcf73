import { connect, type Socket } from 'node:net';

/**
 * What one read takes from the system. Every socket of the process reads into the same memory: what was read is used up
 * before the callback returns, and thousands of connections need no buffers of their own.
 */
const READ = Buffer.allocUnsafe(1024 * 1024);

export interface LoadSocketOptions {
  readonly host: string;
  readonly port: number;
  /** The first `length` bytes came. They hold until the callback returns. What it throws ends the connection. */
  readonly onBytes: (bytes: Buffer, length: number) => void;
  readonly onLost: (error: Error) => void;
}

/** A socket that sends what was made before and hands on what comes, and allocates nothing for either. */
export class LoadSocket {
  readonly #socket: Socket;
  readonly #options: LoadSocketOptions;
  #ended = false;

  private constructor(options: LoadSocketOptions) {
    this.#options = options;
    this.#socket = connect({
      host: options.host,
      port: options.port,
      noDelay: true,
      onread: {
        buffer: READ,
        callback: (length, bytes) => {
          this.#received(bytes as Buffer, length);
          return true;
        },
      },
    });
    this.#socket.on('error', (error) => this.#lost(error));
    this.#socket.on('close', () => this.#lost(new Error('the broker closed the connection; see its log above')));
  }

  static async open(options: LoadSocketOptions): Promise<LoadSocket> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = new LoadSocket({
      ...options,
      onLost: (error) => {
        reject(error);
        options.onLost(error);
      },
    });
    socket.#socket.once('connect', resolve);
    await promise;
    return socket;
  }

  /** Whether it is over, from either side. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The bytes are not to change until they were sent; the callback says so. */
  send(bytes: Uint8Array, sent?: () => void): void {
    this.#socket.write(bytes, sent);
  }

  end(): void {
    this.#ended = true;
    this.#socket.destroy();
  }

  #received(bytes: Buffer, length: number): void {
    if (this.#ended) return;
    try {
      this.#options.onBytes(bytes, length);
    } catch (error) {
      this.#lost(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #lost(error: Error): void {
    if (this.#ended) return;
    this.end();
    this.#options.onLost(error);
  }
}
