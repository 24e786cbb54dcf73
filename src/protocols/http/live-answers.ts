import type { ServerResponse } from 'node:http';
import type { Clock } from '../../environment/environment.ts';
import { HttpError } from './errors.ts';
import { EventStream } from './event-stream.ts';

/** Readers of events at a time, of one listener. */
const MAX_EVENT_STREAMS = 100;
/** Requests that wait for something at a time, of one listener. */
const MAX_WAITING = 1000;

/** What lets a request go on that waits. Answers what ends the watching. */
export type Watch = (wake: () => void) => () => void;

/** The answers that take their time: those that wait for something, and those that never end. Their number is limited, and a broker that closes ends them. */
export class LiveAnswers {
  readonly #clock: Clock;
  readonly #streams = new Set<EventStream>();
  readonly #waiting = new Set<() => void>();
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws 503 when there are too many readers, before anything was answered. */
  checkRoom(): void {
    if (this.#closed || this.#streams.size >= MAX_EVENT_STREAMS)
      throw new HttpError(503, 'too_many_streams', `there are ${MAX_EVENT_STREAMS} readers of events: try again later`);
  }

  /** `mayListen` is asked every now and then. */
  open(response: ServerResponse, mayListen: () => boolean): EventStream {
    const stream = new EventStream(response, this.#clock, mayListen);
    this.#streams.add(stream);
    stream.onClose(() => this.#streams.delete(stream));
    return stream;
  }

  /** Resolves when it is woken, at the latest after so many milliseconds, or when the client is gone. Throws 503 when too many wait. */
  async wait(ms: number, response: ServerResponse, watch: Watch): Promise<void> {
    if (ms <= 0 || this.#closed || response.destroyed) return;
    if (this.#waiting.size >= MAX_WAITING)
      throw new HttpError(503, 'too_many_waiting', `${MAX_WAITING} requests wait already: try again later`);
    await new Promise<void>((resolve) => {
      let stop: (() => void) | undefined;
      const end = () => {
        timer.cancel();
        response.off('close', end);
        this.#waiting.delete(end);
        stop?.();
        stop = undefined;
        resolve();
      };
      const timer = this.#clock.setTimer(ms, end);
      response.once('close', end);
      this.#waiting.add(end);
      stop = watch(end);
      // It may have woken at once.
      if (!this.#waiting.has(end)) stop();
    });
  }

  close(): void {
    this.#closed = true;
    for (const end of [...this.#waiting]) end();
    for (const stream of [...this.#streams]) stream.end();
  }
}
