import type { Clock } from '../../environment/environment.ts';
import type { BrokerError } from '../../errors.ts';
import type { Shard } from '../../storage/index.ts';
import type { MessageBytes } from '../messages/message-bytes.ts';
import type { QueueMeter } from '../telemetry/meters.ts';
import type { TracedAt } from '../traces/traced.ts';
import type { ExpiryOf } from './expiration.ts';
import type { Queue } from './queue.ts';
import type { QueueSettings } from './settings.ts';
import type { Turns } from './turn.ts';

export type DeadLetterReason = 'rejected' | 'expired' | 'maxlen' | 'delivery_limit';

/** What a queue needs of the world around it. */
export interface QueueHost {
  /**
   * Publishes a message that leaves a queue without being acknowledged to the queue's dead-letter exchange, in the turn under
   * way, which also takes it from the queue. Only called where there is such an exchange. `from` is where it was, when that is traced.
   */
  deadLetter(queue: Queue, message: MessageBytes, reason: DeadLetterReason, from?: TracedAt): void;
  /** The queue was not used for its `expiresMs`, or its last consumer went. */
  expired(queue: Queue, why: 'idle' | 'unused'): void;
  onTrouble(error: BrokerError, what: string): void;
}

export interface QueueOptions {
  readonly name: string;
  readonly virtualHost: string;
  readonly shard: Shard;
  /** Log ids, one for each priority from 0 on. */
  readonly lanes: readonly string[];
  readonly stateLogId: string;
  readonly settings: QueueSettings;
  readonly host: QueueHost;
  readonly turns: Turns;
  readonly clock: Clock;
  /** Counts what is done in it with what is done in others. */
  readonly meter?: QueueMeter | undefined;
  /** Messages outlive a restart whatever they say; otherwise those that are not persistent do not. */
  readonly keepsTransient?: boolean;
  /** Messages done with behind one that is not, from which on that one is copied out of their way; 10 000 unless given. */
  readonly stragglerSpan?: number;
  /**
   * Of a queue that keeps messages until a time: when that is. All of them are watched, however many there are. Without it, a
   * message's own expiration counts.
   */
  readonly expiryOf?: ExpiryOf;
}
