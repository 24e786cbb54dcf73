import { BrokerError } from '../../errors.ts';
import type { MessageBytes } from '../messages/message-bytes.ts';
import type { MessagePosition, SeenMessage } from '../queues/message-source.ts';
import { Queue } from '../queues/queue.ts';
import type { QueueMessages } from '../queues/queue-messages.ts';
import type { Turn, Turns } from '../queues/turn.ts';
import { turnEnd } from '../queues/turn-end.ts';
import type { TracedAt } from '../traces/traced.ts';
import type { PublishPlan } from '../virtual-hosts/publisher.ts';
import type { MessageFilter } from './message-filter.ts';
import type { SkipReason, Transfer } from './transfer.ts';

/** A message by its id. */
export interface MessageAt extends MessagePosition {
  /** When it was published: tells it from another that has its place since. */
  readonly timestamp: number;
}

/** Where a message is to go, or why it stays. */
export type Destined = PublishPlan | SkipReason;

export interface QueueTransferOptions {
  readonly queue: Queue;
  readonly turns: Turns;
  /** Those, or all that are there when it begins. */
  readonly ids: readonly MessageAt[] | undefined;
  readonly filter: MessageFilter | undefined;
  /** No more than so many. */
  readonly limit: number;
  readonly destine: (message: MessageBytes) => Destined;
  readonly publish: (turn: Turn, plan: PublishPlan, origin: { readonly from: TracedAt }) => void;
}

/** Messages, and bytes of bodies, that move in one go. */
const BATCH_MESSAGES = 200;
const BATCH_BYTES = 1024 * 1024;

/**
 * Takes messages out of a queue and publishes them elsewhere. Where all that a message goes to is in the queue's shard, both are one append:
 * it is in one place whatever happens. Else it is published first, and taken out when that is safe: then a crash in between, or
 * a consumer that gets it meanwhile, leaves it in both places, and nothing loses it.
 */
export class QueueTransfer {
  readonly #options: QueueTransferOptions;
  readonly #transfer: Transfer;
  readonly #messages: QueueMessages;
  readonly #batchMessages: number;
  /** In the batch: moved in one append, and published to be taken out afterwards. */
  #atomic = 0;
  #copies: MessageAt[] = [];
  #bytes = 0;
  #turn: Turn | undefined;
  #settling: Promise<BrokerError | undefined>[] = [];

  constructor(transfer: Transfer, options: QueueTransferOptions) {
    this.#transfer = transfer;
    this.#options = options;
    this.#messages = options.queue.messages;
    this.#batchMessages = transfer.batchOf(BATCH_MESSAGES);
  }

  /** Rejects with why it could not go on; what moved before has moved. */
  async run(): Promise<void> {
    const { ids } = this.#options;
    try {
      if (ids === undefined) await this.#all();
      else await this.#some(ids);
    } finally {
      await this.#settle();
    }
  }

  async #all(): Promise<void> {
    const { ends } = this.#messages;
    const stopped = () => this.#transfer.stopped;
    await this.#messages.walk({ ends, budget: Number.POSITIVE_INFINITY, stopped }, (seen) => this.#see(seen));
  }

  async #some(ids: readonly MessageAt[]): Promise<void> {
    for (const id of ids) {
      if (this.#transfer.stopped) return;
      const going = await this.#messages.find(id, (seen) =>
        seen.timestamp === id.timestamp ? this.#see(seen) : undefined,
      );
      if (going === undefined) {
        this.#transfer.looked++;
        this.#transfer.skip('gone');
      } else if (!(await going)) return;
    }
  }

  /** Answers false when there is nothing more to do. Throws for what keeps the whole from going on. */
  #see(seen: SeenMessage): boolean | Promise<boolean> {
    const { filter, limit, destine } = this.#options;
    const transfer = this.#transfer;
    if (transfer.matched >= limit || transfer.stopped) return false;
    const { message, timestamp } = seen;
    transfer.looked++;
    if (filter?.matches(message, timestamp) === false) return true;
    transfer.matched++;
    const destined = seen.ready ? destine(message) : 'unacknowledged';
    if (typeof destined === 'string') {
      transfer.skip(destined);
      return true;
    }
    const { targets } = destined.route;
    if (targets.length === 0 && destined.delayMs === 0) {
      transfer.skip('unroutable');
      return true;
    }
    if (transfer.description.dryRun) {
      transfer.goesTo(targets.map(({ name }) => name));
      return true;
    }
    return this.#move(seen, destined);
  }

  #move(seen: SeenMessage, plan: PublishPlan): boolean | Promise<boolean> {
    const { queue, turns, publish } = this.#options;
    const { part, offset, timestamp, message } = seen;
    const { targets } = plan.route;
    const bytes = message.bodyLength;
    for (const target of targets)
      if (target instanceof Queue && !target.hasRoomFor(bytes))
        throw new BrokerError('limit-exceeded', `queue '${target.name}' is full, and refuses what is published`);
    const turn = turns.current;
    if (turn !== this.#turn) {
      this.#turn = turn;
      this.#settling.push(turnEnd(turn));
    }
    publish(turn, plan, { from: { queue, lane: part, offset } });
    // What is held back goes to a queue that is no target.
    const isAtomic = targets.every((target) => target instanceof Queue && target.shard === queue.shard);
    if (isAtomic && plan.delayMs === 0) {
      this.#messages.takeSeen(seen, bytes);
      this.#atomic++;
    } else this.#copies.push({ part, offset, timestamp });
    this.#transfer.goesTo(targets.map(({ name }) => name));
    this.#bytes += bytes;
    const isFull = this.#atomic + this.#copies.length >= this.#batchMessages || this.#bytes >= BATCH_BYTES;
    return isFull ? this.#settle().then(() => true) : true;
  }

  /** Waits until what moves is safe. */
  async #settle(): Promise<void> {
    const [atomic, copies, settling] = [this.#atomic, this.#copies, this.#settling];
    this.#atomic = 0;
    this.#copies = [];
    this.#bytes = 0;
    this.#turn = undefined;
    this.#settling = [];
    throwFirst(await Promise.all(settling));
    this.#transfer.moved += atomic;
    if (copies.length > 0) await this.#takeOut(copies);
    await this.#transfer.pace(atomic + copies.length);
  }

  /** What is safe where it went leaves the queue. */
  async #takeOut(copies: readonly MessageAt[]): Promise<void> {
    const { turns } = this.#options;
    let taken = 0;
    const turnsMet = new Set<Turn>();
    const settling: Promise<BrokerError | undefined>[] = [];
    for (const copy of copies) {
      const outcome = await this.#messages.takeOut(copy, copy.timestamp, () => {
        const turn = turns.current;
        if (!turnsMet.has(turn)) settling.push(turnEnd(turn));
        turnsMet.add(turn);
        return true;
      });
      if (outcome === 'taken') taken++;
    }
    throwFirst(await Promise.all(settling));
    this.#transfer.moved += taken;
    this.#transfer.copied += copies.length - taken;
  }
}

function throwFirst(errors: readonly (BrokerError | undefined)[]): void {
  for (const error of errors) if (error !== undefined) throw error;
}
