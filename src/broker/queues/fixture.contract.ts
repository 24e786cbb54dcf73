import { onTestFinished } from 'vitest';
import { SeededRandom } from '../../environment/seeded-random.ts';
import { VirtualClock } from '../../environment/virtual-clock.ts';
import { CommitLogMemory, MemoryCommitLog } from '../../storage/commit-log/memory.ts';
import { Shard, type ShardSettings } from '../../storage/index.ts';
import { MemorySegmentStore } from '../../storage/segment-store/memory.ts';
import { MessageBytes } from '../messages/message-bytes.ts';
import type { Route } from '../routing/route.ts';
import type { Destination } from '../virtual-hosts/destination.ts';
import type { Consumer, ConsumerOptions } from './consumer.ts';
import type { Delivery } from './delivery.ts';
import { Queue } from './queue.ts';
import type { DeadLetterReason, QueueHost, QueueOptions } from './queue-options.ts';
import { DEFAULT_QUEUE_SETTINGS, type QueueSettings } from './settings.ts';
import { BrokerTurns } from './turns.ts';

/** Property flags and list with a delivery mode, and a priority and an expiration where given. */
export function properties(options: { persistent?: boolean; priority?: number; expiration?: string } = {}): Buffer {
  const { persistent = true, priority, expiration } = options;
  const flags = 0x1000 | (priority === undefined ? 0 : 0x0800) | (expiration === undefined ? 0 : 0x0100);
  const list = [flags >>> 8, flags & 0xff, persistent ? 2 : 1];
  if (priority !== undefined) list.push(priority);
  if (expiration !== undefined) list.push(expiration.length, ...Buffer.from(expiration));
  return Buffer.from(list);
}

export const bodyOf = ({ body, bodyStart, bodyEnd }: MessageBytes) => body.toString('utf8', bodyStart, bodyEnd);

/** What a consumer got. */
export interface Received {
  readonly body: string;
  readonly delivery: Delivery;
}

/** A consumer that takes as many messages as it has credit for. */
export class TestConsumer {
  readonly received: Received[] = [];
  readonly consumer: Consumer;
  cancelled = false;
  credit: number;

  constructor(queue: Queue, credit = Number.POSITIVE_INFINITY, options: Partial<ConsumerOptions> = {}) {
    this.credit = credit;
    this.consumer = queue.subscribe({
      tag: 'test',
      noAck: false,
      exclusive: false,
      priority: 0,
      canTake: () => this.credit > 0,
      deliver: (delivery, message) => {
        this.credit--;
        this.received.push({ body: bodyOf(message), delivery });
      },
      cancelled: () => {
        this.cancelled = true;
      },
      ...options,
    });
  }

  get bodies(): string[] {
    return this.received.map(({ body }) => body);
  }

  give(credit: number): void {
    this.credit += credit;
    this.consumer.wake();
  }
}

/** Queues over one shard in memory, which outlives them. */
export class QueueFixture implements QueueHost {
  readonly clock = new VirtualClock();
  readonly deadLetters: { readonly queue: string; readonly body: string; readonly reason: DeadLetterReason }[] = [];
  readonly expirations: string[] = [];
  readonly troubles: string[] = [];
  readonly #memory = new CommitLogMemory();
  readonly #settings: Partial<ShardSettings>;
  readonly #store = new MemorySegmentStore();
  readonly #random = new SeededRandom(1);
  #shard: Shard | undefined;
  #turns: BrokerTurns | undefined;
  #queues = new Map<string, Queue>();
  /** As a router does, the same for the same targets. */
  readonly #routes = new Map<string, Route<Destination>>();
  readonly #ids = new Map<string, readonly string[]>();

  constructor(settings: Partial<ShardSettings> = {}) {
    this.#settings = settings;
    onTestFinished(async () => {
      await this.#shard?.close();
    });
  }

  get turns(): BrokerTurns {
    if (this.#turns === undefined) throw new Error('start the fixture first');
    return this.#turns;
  }

  get shard(): Shard {
    if (this.#shard === undefined) throw new Error('start the fixture first');
    return this.#shard;
  }

  async start(): Promise<this> {
    this.#shard = await Shard.open({
      commitLog: new MemoryCommitLog(this.#memory),
      store: this.#store,
      clock: this.clock,
      random: this.#random,
      settings: this.#settings,
    });
    this.#turns = new BrokerTurns({
      clock: this.clock,
      shards: [this.#shard],
      onTrouble: (_, what) => this.troubles.push(what),
    });
    return this;
  }

  /** A queue of that name, with what a former one of the name left. */
  async queue(
    name: string,
    settings: Partial<QueueSettings> = {},
    more: Pick<QueueOptions, 'expiryOf' | 'keepsTransient'> = {},
  ): Promise<Queue> {
    const all = { ...DEFAULT_QUEUE_SETTINGS, ...settings };
    const ids = this.#ids.get(name) ?? Array.from({ length: all.maxPriority + 2 }, () => this.#random.uuid());
    this.#ids.set(name, ids);
    const [stateLogId = '', ...lanes] = ids;
    const { shard, turns, clock } = this;
    const queue = await Queue.open({
      ...{ name, virtualHost: '/', shard, lanes, stateLogId, settings: all, host: this, turns, clock, ...more },
    });
    this.#queues.set(name, queue);
    return queue;
  }

  /** Ends everything in order, or just stops, and starts again. The store stays as it is. */
  async restart(how: 'close' | 'crash' = 'close'): Promise<void> {
    await this.settled();
    if (how === 'close') {
      const entries: Parameters<Shard['append']>[0][number][] = [];
      for (const queue of this.#queues.values()) queue.closing(entries);
      if (entries.length > 0) await this.shard.append(entries).settled;
      await this.shard.close();
    }
    // So that timers of the former life fire no more.
    for (const queue of this.#queues.values()) queue.delete();
    this.#queues = new Map();
    this.#routes.clear();
    await this.start();
  }

  publish(queues: Queue | readonly Queue[], body: string, options: Parameters<typeof properties>[0] = {}) {
    const targets: readonly Queue[] = queues instanceof Queue ? [queues] : queues;
    const names = targets.map(({ name }) => name).join();
    const route = this.#routes.get(names) ?? { targets, memo: undefined };
    this.#routes.set(names, route);
    return this.turns.current.publish(route, MessageBytes.of('', 'key', properties(options), Buffer.from(body)));
  }

  /** Resolves when nothing is in flight. */
  async settled(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      quiet = this.turns.idle && this.shard.idle ? quiet + 1 : 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  deadLetter(queue: Queue, message: MessageBytes, reason: DeadLetterReason): void {
    this.deadLetters.push({ queue: queue.name, body: bodyOf(message), reason });
  }

  expired(queue: Queue, why: 'idle' | 'unused'): void {
    this.expirations.push(`${queue.name} ${why}`);
  }

  onTrouble(_error: unknown, what: string): void {
    this.troubles.push(what);
  }
}
