import { LoadSocket, type LoadSocketOptions } from '../load-socket.ts';

const SIZE_BYTES = 4;

export interface LoadConnectionOptions extends Omit<LoadSocketOptions, 'onBytes'> {
  /** An answer, without its size. Its bytes are the connection's: they hold until the callback returns. */
  readonly onFrame: (frame: Buffer) => void;
}

/** Cuts what comes from a socket into frames, and allocates nothing for it. */
export class LoadConnection {
  #socket: LoadSocket | undefined;
  readonly #onFrame: (frame: Buffer) => void;
  #frame = Buffer.allocUnsafe(64 * 1024);
  /** Bytes of the frame that are there, its size included. */
  #filled = 0;

  private constructor(options: LoadConnectionOptions) {
    this.#onFrame = options.onFrame;
  }

  static async open(options: LoadConnectionOptions): Promise<LoadConnection> {
    const connection = new LoadConnection(options);
    connection.#socket = await LoadSocket.open({
      ...options,
      onBytes: (bytes, length) => connection.#received(bytes, length),
    });
    return connection;
  }

  /** The bytes are not to change until they were answered. */
  send(bytes: Buffer): void {
    this.#socket?.send(bytes);
  }

  end(): void {
    this.#socket?.end();
  }

  #received(chunk: Buffer, length: number): void {
    let at = 0;
    while (at < length && this.#socket?.ended === false) {
      const wanted = this.#filled < SIZE_BYTES ? SIZE_BYTES : SIZE_BYTES + this.#frame.readInt32BE(0);
      const taken = Math.min(wanted - this.#filled, length - at);
      if (wanted > this.#frame.length) this.#grow(wanted);
      chunk.copy(this.#frame, this.#filled, at, at + taken);
      at += taken;
      this.#filled += taken;
      if (this.#filled <= SIZE_BYTES || this.#filled < SIZE_BYTES + this.#frame.readInt32BE(0)) continue;
      const end = this.#filled;
      this.#filled = 0;
      this.#onFrame(this.#frame.subarray(SIZE_BYTES, end));
    }
  }

  #grow(size: number): void {
    const larger = Buffer.allocUnsafe(size * 2);
    this.#frame.copy(larger, 0, 0, this.#filled);
    this.#frame = larger;
  }
}
