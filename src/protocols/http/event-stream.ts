import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '../../environment/environment.ts';

/** Bytes that wait to be written, above which nothing more should be said. */
const MAX_WAITING_BYTES = 256 * 1024;
/** What a client may leave unread before it is taken for gone, whoever did not heed the former. */
const MAX_UNREAD_BYTES = 8 * 1024 * 1024;
/** Between two signs of life, for what stands between the broker and the client and ends connections that are silent. */
const SIGN_OF_LIFE_MS = 15_000;
/** A client that read nothing for so many of them is gone. */
const MAX_STUCK = 4;

const OPEN_ENDED = new WeakSet<ServerResponse>();

/** Whether the answer has no end: nobody waits for it. */
export function isOpenEnded(response: ServerResponse): boolean {
  return OPEN_ENDED.has(response);
}

export interface ServerEvent {
  /** `message` unless given. */
  readonly event?: string;
  /** From where on a client that comes back goes on: it sends it as `last-event-id`. */
  readonly id?: string;
  /** As JSON. */
  readonly data: unknown;
}

/**
 * Server-sent events (WHATWG HTML, section 9.2) to one client, whose headers are sent. What is said is kept until the client reads it: whoever has
 * much to say looks at `congested` before.
 */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #mayListen: () => boolean;
  #timer: Timer;
  #stuck = 0;

  /** `mayListen` is asked every now and then. */
  constructor(response: ServerResponse, clock: Clock, mayListen: () => boolean) {
    this.#response = response;
    this.#clock = clock;
    this.#mayListen = mayListen;
    OPEN_ENDED.add(response);
    this.#timer = this.#signOfLife();
    response.once('close', () => this.#timer.cancel());
    response.on('drain', () => {
      this.#stuck = 0;
    });
    // A client that goes away in the middle is no error.
    response.on('error', () => {});
    // Headers go out with the first bytes.
    response.write(': \n\n');
  }

  get ended(): boolean {
    return this.#response.destroyed || this.#response.writableEnded;
  }

  /** So much waits to be read that nothing more should be said. */
  get congested(): boolean {
    return this.#response.writableLength > MAX_WAITING_BYTES;
  }

  /** Answers whether the client keeps up: when not, whoever can should wait for `drained`. */
  send({ event, id, data }: ServerEvent): boolean {
    if (this.ended) return true;
    const head = `${event === undefined ? '' : `event: ${event}\n`}${id === undefined ? '' : `id: ${id}\n`}`;
    const keepsUp = this.#response.write(`${head}data: ${JSON.stringify(data)}\n\n`);
    if (this.#response.writableLength > MAX_UNREAD_BYTES) this.#response.destroy();
    return keepsUp;
  }

  /** Resolves when the client has read what it was sent, or is gone. */
  async drained(): Promise<void> {
    if (this.ended || !this.#response.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      const end = () => {
        this.#response.off('drain', end).off('close', end);
        resolve();
      };
      this.#response.once('drain', end).once('close', end);
    });
  }

  onClose(callback: () => void): void {
    if (this.#response.destroyed) callback();
    else this.#response.once('close', callback);
  }

  end(): void {
    if (!this.ended) this.#response.end();
  }

  /** Whoever listens may not do so any more. */
  refuse(): void {
    this.send({ event: 'error', data: { reason: 'the login is over, or the user may not do this any more' } });
    this.end();
  }

  #signOfLife(): Timer {
    return this.#clock.setTimer(SIGN_OF_LIFE_MS, () => {
      if (this.ended) return;
      if (!this.#mayListen()) {
        this.refuse();
        return;
      }
      if (!this.#response.writableNeedDrain) this.#response.write(': \n\n');
      else if (++this.#stuck >= MAX_STUCK) {
        this.#response.destroy();
        return;
      }
      this.#timer = this.#signOfLife();
    });
  }
}
