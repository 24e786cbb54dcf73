import type { Socket } from 'node:net';
import { OutputBuffer } from './codec/index.ts';
import { HIGH_WATER_BYTES, MAX_UNSENT_BYTES } from './limits.ts';

/** What goes out on a connection: gathered while the event loop does one thing, then written at once. */
export class SocketOutput {
  readonly buffer = new OutputBuffer();
  readonly #socket: Socket;
  /** Called with every write. */
  readonly #onWrite: () => void;
  /** Called when something was taken, so that there may be room again. */
  readonly #onRoom: () => void;
  #relieved: (() => void)[] = [];
  #scheduled = false;
  #ending = false;
  readonly #flush = () => {
    this.#scheduled = false;
    this.flush();
  };

  constructor(socket: Socket, onWrite: () => void, onRoom: () => void) {
    this.#socket = socket;
    this.#onWrite = onWrite;
    this.#onRoom = onRoom;
    socket.on('drain', () => this.#room());
  }

  /** Bytes that the system has not taken. */
  get unsent(): number {
    return this.#socket.writableLength + this.buffer.length;
  }

  /** Consumers get nothing more. */
  get congested(): boolean {
    return this.unsent >= HIGH_WATER_BYTES;
  }

  /** Nothing more is asked of the client. */
  get saturated(): boolean {
    return this.unsent >= MAX_UNSENT_BYTES;
  }

  /** Calls back once, as soon as it is not congested any more. */
  onRelieved(callback: () => void): void {
    this.#relieved.push(callback);
    this.wrote();
  }

  /** Something was put into the buffer. */
  wrote(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(this.#flush);
  }

  /** Writes what there is, and closes this side of the connection. */
  end(): void {
    this.#ending = true;
    this.wrote();
  }

  flush(): void {
    const socket = this.#socket;
    if (socket.destroyed || !socket.writable) return;
    if (this.buffer.length > 0) {
      const chunks = this.buffer.take();
      socket.cork();
      for (const chunk of chunks) socket.write(chunk);
      socket.uncork();
      this.#onWrite();
    }
    if (this.#ending) socket.end();
    this.#room();
  }

  #room(): void {
    if (this.#relieved.length > 0 && !this.congested) {
      const relieved = this.#relieved;
      this.#relieved = [];
      for (const callback of relieved) callback();
    }
    this.#onRoom();
  }
}
