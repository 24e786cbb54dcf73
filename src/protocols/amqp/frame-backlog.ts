export type FrameKind = 'method' | 'header' | 'body';

/** What a frame that waits costs besides its payload. */
const FRAME_BYTES = 64;

interface WaitingFrame {
  readonly kind: FrameKind;
  readonly payload: Buffer;
}

/** Frames of a channel that wait for an operation before them. Their payloads are copied: they hold on to no chunk of the socket's. */
export class FrameBacklog {
  /** Told how many bytes more (or fewer) wait. */
  readonly #onChange: (bytes: number) => void;
  #frames: WaitingFrame[] = [];

  constructor(onChange: (bytes: number) => void) {
    this.#onChange = onChange;
  }

  get empty(): boolean {
    return this.#frames.length === 0;
  }

  add(kind: FrameKind, buffer: Buffer, start: number, end: number): void {
    const payload = Buffer.from(buffer.subarray(start, end));
    this.#frames.push({ kind, payload });
    this.#onChange(payload.length + FRAME_BYTES);
  }

  /** Handles frames in order, as long as the next may be. `handle` does not throw. */
  replay(mayGoOn: () => boolean, handle: (kind: FrameKind, payload: Buffer) => void): void {
    let handled = 0;
    let bytes = 0;
    for (const { kind, payload } of this.#frames) {
      if (!mayGoOn()) break;
      handled++;
      bytes += payload.length + FRAME_BYTES;
      handle(kind, payload);
    }
    this.#frames.splice(0, handled);
    if (bytes > 0) this.#onChange(-bytes);
  }

  /** Forgets them. */
  clear(): void {
    this.replay(
      () => true,
      () => {},
    );
  }
}
