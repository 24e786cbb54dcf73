import { BrokerError } from '../../errors.ts';
import type { Entry } from '../../storage/index.ts';
import type { MessageBytes } from '../messages/index.ts';
import type { Due } from '../queues/expiry-heap.ts';
import { Queue } from '../queues/queue.ts';
import type { QueueMessages } from '../queues/queue-messages.ts';
import type { QueueHost, QueueOptions } from '../queues/queue-options.ts';
import { DEFAULT_QUEUE_SETTINGS } from '../queues/settings.ts';
import type { Turn, Turns } from '../queues/turn.ts';
import type { Route } from '../routing/route.ts';
import type { TracedAt } from '../traces/traced.ts';
import type { Destination } from './destination.ts';
import { delayOf } from './message-routing.ts';

export interface DelayedMessagesOptions extends Pick<QueueOptions, 'virtualHost' | 'shard' | 'turns' | 'clock'> {
  /** UUIDs of the logs of the messages, and of which of them are done with. */
  readonly logs: readonly [messages: string, state: string];
  readonly onTrouble: QueueHost['onTrouble'];
  /** A message is due: publishes it in the turn that takes it from here. */
  readonly due: (turn: Turn, message: MessageBytes, from?: TracedAt) => void;
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

  readonly #due: DelayedMessagesOptions['due'];
  readonly #turns: Turns;

  private constructor(queue: Queue, { due, turns }: DelayedMessagesOptions) {
    this.#queue = queue;
    this.#due = due;
    this.#turns = turns;
    this.#route = { targets: [queue], memo: undefined };
  }

  static create(options: DelayedMessagesOptions): DelayedMessages {
    return new DelayedMessages(Queue.create(queueOptions(options)), options);
  }

  /** With those that are there. Rejects with `storage-damaged`. */
  static async open(options: DelayedMessagesOptions): Promise<DelayedMessages> {
    return new DelayedMessages(await Queue.open(queueOptions(options)), options);
  }

  /** How many are held back. */
  get count(): number {
    return this.#queue.readyCount;
  }

  /** Where they lie. */
  get messages(): QueueMessages {
    return this.#queue.messages;
  }

  /** By the time that they are due, as far as they are still there, until `see` answers false. */
  inOrder(after: { time: number; offset: number } | undefined, see: (due: Due) => boolean): void {
    this.#queue.expiring(after, see);
  }

  /**
   * Takes a message out before its time. `visit` sees it in the turn in which it goes; false leaves it. When it is to be delivered now, it is
   * published in that turn, as if it were due.
   */
  takeOut(
    offset: number,
    delivers: boolean,
    visit: (message: MessageBytes, timestamp: number) => boolean,
  ): ReturnType<QueueMessages['takeOut']> {
    return this.messages.takeOut({ part: 0, offset }, undefined, (message, timestamp) => {
      if (!visit(message, timestamp)) return false;
      if (delivers) this.#due(this.#turns.current, message);
      return true;
    });
  }

  /** When a message of that time of publishing is due: milliseconds since the epoch. */
  static dueAt(message: MessageBytes, publishedAt: number): number {
    return publishedAt + delayOf(message);
  }

  /** Holds a message back until `dueAt`, milliseconds since the epoch: when it was published and its delay. Throws `storage-full`. */
  store(turn: Turn, message: MessageBytes, dueAt: number, trace = 0): void {
    if (this.#queue.shard.full)
      throw new BrokerError('storage-full', 'the disk is full; make space, or wait for consumers');
    turn.publishUntil(this.#route, message, dueAt, trace);
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
    host: {
      deadLetter: (_queue, message, _reason, from) => due(turns.current, message, from),
      expired: () => {},
      onTrouble,
    },
    turns,
    clock,
    expiryOf: DelayedMessages.dueAt,
  };
}
