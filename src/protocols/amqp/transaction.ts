import { MessageBytes } from '../../broker/index.ts';
import type { ChannelConsumer, Settleable, Settlement } from './consumers.ts';
import { AmqpError } from './errors.ts';
import type { Outstanding } from './unacknowledged.ts';

/** A publish that waits for the commit. */
export interface PendingPublish {
  readonly message: MessageBytes;
  readonly mandatory: boolean;
}

type Taken = Outstanding<Settleable, ChannelConsumer | undefined>;

/** Deliveries that are settled with the commit. */
export interface PendingSettlement {
  readonly how: Settlement;
  readonly taken: readonly Taken[];
}

/** What one of either costs besides the bytes of the message. */
const ENTRY_BYTES = 100;

/** What a channel did since the last commit or rollback. */
export class Transaction {
  readonly #maxBytes: number;
  #publishes: PendingPublish[] = [];
  #settlements: PendingSettlement[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get publishes(): readonly PendingPublish[] {
    return this.#publishes;
  }

  get settlements(): readonly PendingSettlement[] {
    return this.#settlements;
  }

  /** Copies the message. */
  publish(message: MessageBytes, mandatory: boolean): void {
    const address = message.address.subarray(message.addressStart, message.addressEnd);
    const properties = message.properties.subarray(message.propertiesStart, message.propertiesEnd);
    const body = message.body.subarray(message.bodyStart, message.bodyEnd);
    this.#grow(address.length + properties.length + body.length);
    const copy = new MessageBytes();
    copy.address = Buffer.from(address);
    copy.addressEnd = address.length;
    copy.properties = Buffer.from(properties);
    copy.propertiesEnd = properties.length;
    copy.body = Buffer.from(body);
    copy.bodyEnd = body.length;
    this.#publishes.push({ message: copy, mandatory });
  }

  settle(how: Settlement, taken: readonly Taken[]): void {
    this.#grow(taken.length * ENTRY_BYTES);
    this.#settlements.push({ how, taken });
  }

  clear(): void {
    this.#publishes = [];
    this.#settlements = [];
    this.#bytes = 0;
  }

  #grow(bytes: number): void {
    this.#bytes += bytes + ENTRY_BYTES;
    if (this.#bytes > this.#maxBytes)
      throw new AmqpError('PRECONDITION_FAILED', `the transaction is larger than ${this.#maxBytes} bytes`);
  }
}
