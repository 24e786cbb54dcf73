import { Latency } from './latency.ts';
import { Churn, MessageCounts } from './message-counts.ts';

/** What clients of one protocol did. */
export class ProtocolMeter {
  /** Published by its clients, and given to them. */
  readonly messages = new MessageCounts();
  /** From when a message was taken up until its publisher was told that it is safe. */
  readonly confirmTime = new Latency();
  connectionsOpened = 0;
  connectionsClosed = 0;
  failedLogins = 0;
  /** By connections that are closed. */
  bytesReceived = 0;
  bytesSent = 0;
}

/** Of the queues of one virtual host. */
export interface QueueMeter {
  /** All of them together. */
  readonly totals: MessageCounts;
  /** How long messages were in a queue until they were delivered for the first time. */
  readonly waitTime: Latency;
}

/** What is counted for the broker as a whole. */
export class Meters {
  readonly churn = new Churn();
  readonly waitTime = new Latency();
  /** Of virtual hosts that are gone. */
  readonly gone = new MessageCounts();
  readonly #protocols = new Map<string, ProtocolMeter>();

  /** By the protocol's name: `AMQP 0-9-1`. */
  protocol(name: string): ProtocolMeter {
    let meter = this.#protocols.get(name);
    if (meter === undefined) {
      meter = new ProtocolMeter();
      this.#protocols.set(name, meter);
    }
    return meter;
  }

  protocols(): Iterable<readonly [name: string, meter: ProtocolMeter]> {
    return this.#protocols;
  }
}
