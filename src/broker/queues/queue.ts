import { BrokerError } from '../../errors.ts';
import type { MessageBytes } from '../messages/message-bytes.ts';
import type { ConsumerOptions } from './consumer.ts';
import type { Delivery } from './delivery.ts';
import type { QueueSettings } from './settings.ts';

/** What a queue needs of the world around it. */
export interface QueueHost {
  /** Publishes a message that left a queue without being acknowledged, to the queue's dead-letter exchange. Part of the turn that takes it from the queue. */
  deadLetter(queue: Queue, message: MessageBytes, reason: DeadLetterReason): void;
  /** The queue has been idle for `expiresMs`, or its last consumer went and it is auto-delete. */
  expired(queue: Queue, why: 'idle' | 'unused'): void;
}

export type DeadLetterReason = 'rejected' | 'expired' | 'maxlen' | 'delivery_limit';

/** One consumer that a queue delivers to. */
export interface Consumer {
  readonly options: ConsumerOptions;
  readonly queue: Queue;
  /** On a single-active-consumer queue, whether it is the one. */
  readonly active: boolean;
  /** It can take messages again. */
  wake(): void;
  /** Nothing more is delivered; what is out stays out until it is settled. */
  cancel(): void;
}

/** A log plus delivery state: each message goes to one consumer, is locked while out, and leaves when acknowledged. */
export class Queue {
  readonly name: string;
  readonly virtualHost: string;

  constructor(name: string, virtualHost: string) {
    this.name = name;
    this.virtualHost = virtualHost;
  }

  get settings(): QueueSettings {
    throw notBuilt();
  }

  /** Messages that wait for a consumer. */
  get readyCount(): number {
    throw notBuilt();
  }

  /** Messages that are out. */
  get unacknowledgedCount(): number {
    throw notBuilt();
  }

  get consumerCount(): number {
    throw notBuilt();
  }

  get readyBytes(): number {
    throw notBuilt();
  }

  configure(_settings: QueueSettings): void {
    throw notBuilt();
  }

  /** Begins to deliver. Throws `access-refused` when there is an exclusive consumer, or this one wants to be and there are others. */
  subscribe(_options: ConsumerOptions): Consumer {
    throw notBuilt();
  }

  /** Takes the next message out of the queue, if there is one; the bytes are handed to `visit` and valid during that call only. */
  get(_noAck: boolean, _visit: (delivery: Delivery, message: MessageBytes) => void): Promise<boolean> {
    throw notBuilt();
  }

  /** Drops all messages that are ready; answers how many there were. */
  purge(): number {
    throw notBuilt();
  }

  /** Somebody declared it again, or asked for it: it is in use, and does not expire yet. */
  touch(): void {
    throw notBuilt();
  }

  /** Called by `Delivery`. */
  acknowledge(_delivery: Delivery): void {
    throw notBuilt();
  }

  requeue(_delivery: Delivery, _failed: boolean): void {
    throw notBuilt();
  }

  reject(_delivery: Delivery): void {
    throw notBuilt();
  }
}

function notBuilt(): BrokerError {
  return new BrokerError('internal', 'not built yet');
}
