import type { QueuedMessage } from './queue-messages.ts';

/** Types of what is answered about messages that are held back until they are due (`/api/delayed…`). */

export interface DelayedMessage
  extends Omit<QueuedMessage, 'state' | 'holder' | 'part' | 'offset' | 'redelivered' | 'delivery_count'> {
  readonly vhost: string;
  /** Milliseconds since the epoch. */
  readonly due_at: number;
}

export interface DelayedPage {
  /** By the time that they are due. */
  readonly items: readonly DelayedMessage[];
  /** Ask with this as `cursor` for what follows; null at the end. */
  readonly next: string | null;
  /** Held back in the virtual host, whoever may see them. */
  readonly total: number;
}

export interface DelayedHost {
  readonly vhost: string;
  /** Held back. */
  readonly messages: number;
  /** When the next is due: milliseconds since the epoch. */
  readonly next_due_at: number | null;
}
