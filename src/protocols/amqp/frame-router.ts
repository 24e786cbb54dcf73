import type { Channel } from './channel.ts';
import type { AskedProtocol, FrameSink } from './codec/index.ts';

/** What a connection does with its frames. */
export interface FrameTarget {
  protocolHeader(asked: AskedProtocol): void;
  /** A method on channel 0. */
  connectionMethod(buffer: Buffer, start: number, end: number): void;
  /** The channel of a frame; undefined when frames do not count any more. */
  channel(number: number): Channel | undefined;
  /** What any of these, or the channel, has thrown. */
  failed(error: unknown, channel: Channel | undefined): void;
}

/** Takes frames to where they belong, each for itself: what goes wrong with one is dealt with before the next. */
export class FrameRouter implements FrameSink {
  readonly #target: FrameTarget;

  constructor(target: FrameTarget) {
    this.#target = target;
  }

  protocolHeader(asked: AskedProtocol): void {
    this.#target.protocolHeader(asked);
  }

  method(number: number, buffer: Buffer, start: number, end: number): void {
    let channel: Channel | undefined;
    try {
      if (number === 0) this.#target.connectionMethod(buffer, start, end);
      else {
        channel = this.#target.channel(number);
        channel?.method(buffer, start, end);
      }
    } catch (error) {
      this.#target.failed(error, channel);
    }
  }

  header(number: number, buffer: Buffer, start: number, end: number): void {
    let channel: Channel | undefined;
    try {
      channel = this.#target.channel(number);
      channel?.header(buffer, start, end);
    } catch (error) {
      this.#target.failed(error, channel);
    }
  }

  body(number: number, buffer: Buffer, start: number, end: number): void {
    let channel: Channel | undefined;
    try {
      channel = this.#target.channel(number);
      channel?.body(buffer, start, end);
    } catch (error) {
      this.#target.failed(error, channel);
    }
  }

  heartbeat(): void {
    // That something came is known already.
  }
}
