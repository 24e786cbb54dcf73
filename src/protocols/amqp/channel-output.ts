import type { MessageBytes } from '../../broker/index.ts';
import type { MethodInput, MethodName, OutputBuffer } from './codec/index.ts';
import type { DeliveryOutput } from './consumers.ts';
import { REPLIES } from './errors.ts';
import type { PublishOutput } from './publishing.ts';

/** What goes out on all channels of a connection. */
export interface ConnectionOutput {
  readonly output: OutputBuffer;
  /** The client understands `basic.cancel` from the broker. */
  readonly cancelNotify: boolean;
  /** So much waits to be written that consumers get nothing more. */
  readonly congested: boolean;
  /** So much that nothing more should be asked for. */
  readonly saturated: boolean;
  /** Calls back once, when it is not congested any more. */
  onRelieved(callback: () => void): void;
  /** Something was put in the output. */
  wrote(): void;
}

/** Frames that go out on one channel, until it is closed. */
export class ChannelOutput implements PublishOutput, DeliveryOutput {
  closed = false;

  readonly #number: number;
  readonly #connection: ConnectionOutput;

  constructor(number: number, connection: ConnectionOutput) {
    this.#number = number;
    this.#connection = connection;
  }

  get congested(): boolean {
    return this.#connection.congested;
  }

  get saturated(): boolean {
    return this.#connection.saturated;
  }

  onRelieved(callback: () => void): void {
    this.#connection.onRelieved(callback);
  }

  send<N extends MethodName>(name: N, fields: MethodInput<N>): void {
    if (this.closed) return;
    this.#connection.output.method(this.#number, name, fields);
    this.#connection.wrote();
  }

  confirm(number: number, multiple: boolean): void {
    this.#connection.output.ack(this.#number, number, multiple);
    this.#connection.wrote();
  }

  nack(number: number, multiple: boolean): void {
    this.#connection.output.nack(this.#number, number, multiple, false);
    this.#connection.wrote();
  }

  returned(message: MessageBytes): void {
    this.#connection.output.return(this.#number, REPLIES.NO_ROUTE.code, 'NO_ROUTE', message);
    this.#connection.wrote();
  }

  deliver(consumerTag: Buffer, deliveryTag: number, redelivered: boolean, message: MessageBytes): void {
    this.#connection.output.deliver(this.#number, consumerTag, deliveryTag, redelivered, message);
    this.#connection.wrote();
  }

  got(deliveryTag: number, redelivered: boolean, message: MessageBytes, messageCount: number): void {
    this.#connection.output.getOk(this.#number, deliveryTag, redelivered, message, messageCount);
    this.#connection.wrote();
  }

  consumerCancelled(consumerTag: string): void {
    if (this.#connection.cancelNotify) this.send('basic.cancel', { consumerTag, noWait: true });
  }
}
