import { connect, type Socket } from 'node:net';

const SIZE_BYTES = 4;
/** Bytes that one read takes from the system; read into the same memory each time. */
const READ_BYTES = 1024 * 1024;

export interface LoadConnectionOptions {
  readonly host: string;
  readonly port: number;
  /** An answer, without its size. Its bytes are the connection's: they hold until the callback returns. */
  readonly onFrame: (frame: Buffer) => void;
  readonly onLost: (error: Error) => void;
}

/** A socket that sends what was made before and cuts what comes into frames, and allocates nothing for either. */
export class LoadConnection {
  readonly #socket: Socket;
  readonly #options: LoadConnectionOptions;
  #frame = Buffer.allocUnsafe(64 * 1024);
  /** Bytes of the frame that are there, its size included. */
  #filled = 0;
  #ended = false;

  private constructor(options: LoadConnectionOptions) {
    this.#options = options;
    this.#socket = connect({
      host: options.host,
      port: options.port,
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafe(READ_BYTES),
        callback: (length, bytes) => {
          this.#received(bytes as Buffer, length);
          return true;
        },
      },
    });
    this.#socket.on('error', (error) => this.#lost(error));
    this.#socket.on('close', () => this.#lost(new Error('the broker closed the connection; see its log above')));
  }

  static async open(options: LoadConnectionOptions): Promise<LoadConnection> {
    const connection = new LoadConnection(options);
    await new Promise((resolve, reject) => {
      connection.#socket.once('connect', resolve);
      connection.#socket.once('error', reject);
    });
    return connection;
  }

  /** The bytes are not to change until they were answered. */
  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  end(): void {
    this.#ended = true;
    this.#socket.destroy();
  }

  #received(chunk: Buffer, length: number): void {
    let at = 0;
    while (at < length && !this.#ended) {
      const wanted = this.#filled < SIZE_BYTES ? SIZE_BYTES : SIZE_BYTES + this.#frame.readInt32BE(0);
      const taken = Math.min(wanted - this.#filled, length - at);
      if (wanted > this.#frame.length) this.#grow(wanted);
      chunk.copy(this.#frame, this.#filled, at, at + taken);
      at += taken;
      this.#filled += taken;
      if (this.#filled <= SIZE_BYTES || this.#filled < SIZE_BYTES + this.#frame.readInt32BE(0)) continue;
      const end = this.#filled;
      this.#filled = 0;
      try {
        this.#options.onFrame(this.#frame.subarray(SIZE_BYTES, end));
      } catch (error) {
        this.#lost(error instanceof Error ? error : new Error(String(error)));
      }
    }
  }

  #grow(size: number): void {
    const larger = Buffer.allocUnsafe(size * 2);
    this.#frame.copy(larger, 0, 0, this.#filled);
    this.#frame = larger;
  }

  #lost(error: Error): void {
    if (this.#ended) return;
    this.end();
    this.#options.onLost(error);
  }
}
