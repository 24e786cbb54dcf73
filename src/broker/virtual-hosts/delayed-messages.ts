import { BrokerError } from '../../errors.ts';
import type { Entry } from '../../storage/index.ts';
import type { MessageBytes } from '../messages/index.ts';
import { Queue } from '../queues/queue.ts';
import type { QueueHost, QueueOptions } from '../queues/queue-options.ts';
import { DEFAULT_QUEUE_SETTINGS } from '../queues/settings.ts';
import type { Turn } from '../queues/turn.ts';
import type { Route } from '../routing/route.ts';
import type { Destination } from './destination.ts';
import { delayOf } from './message-routing.ts';

export interface DelayedMessagesOptions extends Pick<QueueOptions, 'virtualHost' | 'shard' | 'turns' | 'clock'> {
  /** UUIDs of the logs of the messages, and of which of them are done with. */
  readonly logs: readonly [messages: string, state: string];
  readonly onTrouble: QueueHost['onTrouble'];
  /** A message is due: publishes it in the turn that takes it from here. */
  readonly due: (turn: Turn, message: MessageBytes) => void;
}

/** Settings that make everything leave the queue by the way that dead letters take. */
const SETTINGS = { ...DEFAULT_QUEUE_SETTINGS, deadLetterExchange: '' };

/**
 * The messages of a virtual host that are held back by delayed exchanges: a queue that nobody knows, in which they expire when they
 * are due. Its log keeps when each was published, its headers for how long, so that a restart changes nothing.
 */
export class DelayedMessages {
  readonly #queue: Queue;
  readonly #route: Route<Destination>;

  private constructor(queue: Queue) {
    this.#queue = queue;
    this.#route = { targets: [queue], memo: undefined };
  }

  static create(options: DelayedMessagesOptions): DelayedMessages {
    return new DelayedMessages(Queue.create(queueOptions(options)));
  }

  /** With those that are there. Rejects with `storage-damaged`. */
  static async open(options: DelayedMessagesOptions): Promise<DelayedMessages> {
    return new DelayedMessages(await Queue.open(queueOptions(options)));
  }

  /** How many are held back. */
  get count(): number {
    return this.#queue.readyCount;
  }

  /** Holds a message back until `dueAt`, milliseconds since the epoch: when it was published and its delay. Throws `storage-full`. */
  store(turn: Turn, message: MessageBytes, dueAt: number): void {
    if (this.#queue.shard.full)
      throw new BrokerError('storage-full', 'the disk is full; make space, or wait for consumers');
    turn.publishUntil(this.#route, message, dueAt);
  }

  /** Adds what makes them last over a stop. */
  closing(entries: Entry[]): void {
    this.#queue.closing(entries);
  }

  /** They are gone with their virtual host. */
  delete(): void {
    this.#queue.delete();
  }
}

function queueOptions({
  virtualHost,
  shard,
  turns,
  clock,
  logs,
  onTrouble,
  due,
}: DelayedMessagesOptions): QueueOptions {
  const [messages, stateLogId] = logs;
  return {
    name: 'delayed messages',
    virtualHost,
    shard,
    lanes: [messages],
    stateLogId,
    settings: SETTINGS,
    host: { deadLetter: (_queue, message) => due(turns.current, message), expired: () => {}, onTrouble },
    turns,
    clock,
    expiryOf: (message, publishedAt) => publishedAt + delayOf(message),
  };
}
