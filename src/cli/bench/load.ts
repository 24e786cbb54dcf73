import type { Clock } from '../../environment/environment.ts';
import { pause } from '../pause.ts';
import { Progress } from '../terminal/progress.ts';
import { Histogram, type Latency } from './histogram.ts';

/** What is to be done. */
export interface Work {
  /** Bytes of each message. */
  readonly size: number;
  /** In all. */
  readonly messages: number;
  /** No message is sent after this time. */
  readonly durationMs: number;
  /** Messages a second; as many as go through unless given. */
  readonly rate: number | undefined;
  readonly producers: number;
  readonly consumers: number;
  /** Messages that are sent and not answered yet, of each producer. */
  readonly inFlight: number;
}

/** One direction of the load. */
export interface Measured {
  readonly messages: number;
  readonly seconds: number;
  readonly per_second: number;
  readonly bytes_per_second: number;
  /** Milliseconds; null when there was nothing. */
  readonly latency: Latency | null;
}

/** At the beginning of each message: when it was sent. */
export const STAMP_BYTES = 8;
/** What nobody reads for so long is lost. */
const STALL_MS = 15_000;
const LOOK_MS = 20;

/** Shares the work out among producers, paces them, and counts. */
export class Load {
  readonly work: Work;
  readonly #clock: Clock;
  /** When the first message was asked for: connecting is no load. */
  #startedAt: number | undefined;
  readonly #sent = new Histogram();
  readonly #received = new Histogram();
  readonly #progress: Progress;
  #given = 0;
  #confirmed = 0;
  #consumed = 0;
  #confirmedAt = 0;
  #consumedAt = 0;
  #stopped = false;

  constructor(work: Work, clock: Clock) {
    this.work = work;
    this.#clock = clock;
    this.#progress = new Progress({ doing: 'loading', total: work.messages });
  }

  /** Nothing more is sent. */
  stop(): void {
    this.#stopped = true;
  }

  /** How many messages to send next, at most `most`; 0 when all is done. Waits where there is a rate. */
  async take(most: number): Promise<number> {
    const { rate } = this.work;
    this.#startedAt ??= this.#clock.monotonic();
    if (rate === undefined) return this.#give(most);
    for (;;) {
      if (this.#isOver()) return 0;
      const due = Math.floor((this.#elapsed() / 1000) * rate) - this.#given;
      if (due > 0) return this.#give(Math.min(most, due));
      await pause(1);
    }
  }

  /** A message that says when it was sent. */
  message(): Buffer {
    const body = Buffer.alloc(this.work.size);
    body.writeDoubleBE(this.#clock.monotonic(), 0);
    return body;
  }

  now(): number {
    return this.#clock.monotonic();
  }

  /** So many messages are safe, which were sent then. */
  confirmed(count: number, sentAt: number): void {
    this.#confirmedAt = this.#clock.monotonic();
    for (let i = 0; i < count; i++) this.#sent.record(this.#confirmedAt - sentAt);
    this.#confirmed += count;
  }

  consumed(body: Buffer): void {
    this.#consumedAt = this.#clock.monotonic();
    if (body.length >= STAMP_BYTES) this.#received.record(this.#consumedAt - body.readDoubleBE(0));
    this.#consumed++;
    this.#progress.add(1);
  }

  /** Waits until all that was confirmed is consumed, or nothing comes any more. */
  async settled(): Promise<void> {
    let [last, since] = [this.#consumed, this.#clock.monotonic()];
    while (this.#consumed < this.#confirmed && this.#clock.monotonic() - since < STALL_MS) {
      await pause(LOOK_MS);
      if (this.#consumed !== last) [last, since] = [this.#consumed, this.#clock.monotonic()];
    }
    this.#progress.end();
  }

  get result(): { readonly produced: Measured; readonly consumed: Measured } {
    return {
      produced: this.#measured(this.#confirmed, this.#confirmedAt, this.#sent),
      consumed: this.#measured(this.#consumed, this.#consumedAt, this.#received),
    };
  }

  #give(most: number): number {
    const count = this.#isOver() ? 0 : Math.min(most, this.work.messages - this.#given);
    this.#given += count;
    return count;
  }

  #isOver(): boolean {
    return this.#stopped || this.#given >= this.work.messages || this.#elapsed() >= this.work.durationMs;
  }

  #elapsed(): number {
    const now = this.#clock.monotonic();
    return now - (this.#startedAt ?? now);
  }

  #measured(messages: number, endedAt: number, latencies: Histogram): Measured {
    const seconds = messages === 0 ? 0 : (endedAt - (this.#startedAt ?? endedAt)) / 1000;
    const perSecond = seconds === 0 ? 0 : messages / seconds;
    return {
      messages,
      seconds,
      per_second: perSecond,
      bytes_per_second: perSecond * this.work.size,
      latency: latencies.count === 0 ? null : latencies.summary(),
    };
  }
}
