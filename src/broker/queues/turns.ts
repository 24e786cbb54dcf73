import type { Clock } from '../../environment/environment.ts';
import { BrokerError, toBrokerError } from '../../errors.ts';
import type { Entry, Log, Shard } from '../../storage/index.ts';
import type { MemoryAlarm } from '../flow/memory-alarm.ts';
import type { MessageBytes } from '../messages/message-bytes.ts';
import type { Route } from '../routing/route.ts';
import { Tracing } from '../traces/tracing.ts';
import type { Destination, StreamQueue } from '../virtual-hosts/destination.ts';
import { MessageBatch } from './message-batch.ts';
import type { Move } from './moves.ts';
import type { Queue } from './queue.ts';
import { type QueueGroup, Targets } from './targets.ts';
import type { Published, Turn, Turns, TurnWaiter } from './turn.ts';

/** A batch of a turn, and where it goes. */
interface Placed {
  readonly batch: MessageBatch;
  readonly queues: readonly Queue[];
  readonly logs: readonly Log[];
}

/** What one turn does to one shard. */
class ShardWork {
  readonly shard: Shard;
  readonly placed: Placed[] = [];
  readonly entries: Entry[] = [];
  /** Messages that leave queues with dead letters. */
  readonly moves: { readonly queue: Queue; readonly moves: readonly Move[] }[] = [];
  /** There is a message that somebody waits for. */
  durable = false;

  constructor(shard: Shard) {
    this.shard = shard;
  }
}

class OpenTurn implements Turn {
  readonly now: number;
  readonly begunAt: number;
  readonly works: ShardWork[] = [];
  readonly touched = new Set<Queue>();
  readonly streams = new Set<StreamQueue>();
  readonly waiters: TurnWaiter[] = [];
  /** Numbers of the messages that are traced; 0 when there are none. */
  firstTrace = 0;
  lastTrace = 0;

  constructor(now: number, begunAt: number) {
    this.now = now;
    this.begunAt = begunAt;
  }

  publish(route: Route<Destination>, message: MessageBytes, moves = false, trace = 0): Published {
    if (trace !== 0) this.#traced(trace);
    const { groups, streams } = Targets.of(route);
    let refused = false;
    for (const group of groups) {
      if (group.shard.full && !moves)
        throw new BrokerError('storage-full', 'the disk is full; make space, or wait for consumers');
      if (group.queues.some(mayRefuse)) refused = this.#publishSparingly(group, message, trace) || refused;
      else this.#add(group, message, trace);
    }
    for (const stream of streams) {
      stream.collect(message, this.now, trace);
      this.streams.add(stream);
    }
    return refused ? 'refused' : 'taken';
  }

  publishUntil(route: Route<Destination>, message: MessageBytes, at: number, trace = 0): void {
    if (trace !== 0) this.#traced(trace);
    for (const group of Targets.of(route).groups) this.#add(group, message, trace, at);
  }

  wait(waiter: TurnWaiter): void {
    this.waiters.push(waiter);
  }

  work(shard: Shard): ShardWork {
    for (const work of this.works) if (work.shard === shard) return work;
    const work = new ShardWork(shard);
    this.works.push(work);
    return work;
  }

  /** To those of the queues that take it. Answers whether one refused. */
  #publishSparingly(group: QueueGroup, message: MessageBytes, trace: number): boolean {
    const willing = group.queues.filter((queue) => !queue.mayRefuse || !queue.refuses(message));
    for (const queue of willing) {
      queue.pendingCount++;
      queue.pendingBytes += message.bodyLength;
    }
    if (willing.length === group.queues.length) this.#add(group, message, trace);
    else {
      const [part] = new Targets(willing).groups;
      if (part !== undefined) this.#add(part, message, trace);
    }
    return willing.length < group.queues.length;
  }

  #add(group: QueueGroup, message: MessageBytes, trace: number, until?: number): void {
    const work = this.work(group.shard);
    let { batch } = group;
    const priority = group.hasPriorities ? message.priority : 0;
    if (batch === undefined || batch.sealed || batch.full || priority !== group.priority)
      batch = this.#begin(group, work, priority);
    if (until !== undefined || message.mayExpire) {
      const at = until ?? this.now + Number(message.expiration);
      for (const queue of group.queues) queue.nowExpiring();
      batch.expiring.push({ index: batch.count, at });
    }
    if (trace !== 0) batch.traced.push({ index: batch.count, trace });
    batch.add(message, this.now);
    if (message.persistent || group.keepsTransient) work.durable = true;
    else batch.hasTransient = true;
  }

  /** Numbers ascend. */
  #traced(trace: number): void {
    if (this.firstTrace === 0) this.firstTrace = trace;
    this.lastTrace = trace;
  }

  /** A queue's messages are in the order of its batches: those that its earlier batch would get go to a new one from now on. */
  #begin(group: QueueGroup, work: ShardWork, priority: number): MessageBatch {
    const batch = new MessageBatch();
    if (group.batch !== undefined) group.batch.sealed = true;
    group.batch = batch;
    group.priority = priority;
    for (const queue of group.queues) {
      if (queue.openBatch !== undefined) queue.openBatch.sealed = true;
      queue.openBatch = batch;
    }
    work.placed.push({ batch, queues: group.queues, logs: group.logsFor(priority) });
    return batch;
  }
}

const mayRefuse = (queue: Queue) => queue.mayRefuse;

export interface TurnsOptions {
  readonly clock: Clock;
  readonly shards: readonly Shard[];
  /** Holds publishers back beside the shards. */
  readonly alarm?: MemoryAlarm;
  /** None unless given. */
  readonly tracing?: Tracing;
  readonly onTrouble: (error: BrokerError, what: string) => void;
}

/** Gathers what all connections do, until the event loop has been around once. */
export class BrokerTurns implements Turns {
  readonly tracing: Tracing;
  readonly #options: TurnsOptions;
  readonly #pumps = new Set<Queue>();
  #current: OpenTurn | undefined;
  #scheduled = false;
  #settling = 0;

  constructor(options: TurnsOptions) {
    this.#options = options;
    this.tracing = options.tracing ?? new Tracing(options.clock);
  }

  get current(): Turn {
    return this.#open();
  }

  get overloaded(): boolean {
    const { shards, alarm } = this.#options;
    return alarm?.raised === true || shards.some((shard) => shard.overloaded);
  }

  get idle(): boolean {
    return this.#current === undefined && this.#pumps.size === 0 && this.#settling === 0;
  }

  onDrained(callback: () => void): void {
    const { shards, alarm } = this.#options;
    if (alarm?.raised) alarm.onRelief(callback);
    else for (const shard of shards) if (shard.overloaded) shard.onDrained(callback);
  }

  touch(queue: Queue): void {
    this.#open().touched.add(queue);
  }

  pumpLater(queue: Queue): void {
    this.#pumps.add(queue);
    this.#schedule();
  }

  flush(): void {
    const turn = this.#current;
    if (turn === undefined) return;
    this.#current = undefined;
    this.#commit(turn);
  }

  #open(): OpenTurn {
    if (this.#current === undefined) {
      const { clock } = this.#options;
      this.#current = new OpenTurn(clock.now(), clock.monotonic());
      this.#schedule();
    }
    return this.#current;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#end();
    });
  }

  #end(): void {
    this.flush();
    if (this.#pumps.size > 0) {
      const pumps = [...this.#pumps];
      this.#pumps.clear();
      for (const queue of pumps) this.#guard(queue, () => queue.pump());
    }
  }

  #commit(turn: OpenTurn): void {
    const settled: Promise<unknown>[] = [];
    for (const queue of turn.touched) this.#guard(queue, () => commitQueue(queue, turn.work(queue.shard), turn.now));
    for (const work of turn.works) {
      const appended = this.#append(work);
      if (appended !== undefined) settled.push(appended);
    }
    for (const stream of turn.streams) settled.push(stream.commit(this.tracing));
    this.#settle(turn, settled);
  }

  /** Appends what a turn does to one shard, and has the queues deliver it. */
  #append(work: ShardWork): Promise<void> | undefined {
    const { shard, durable } = work;
    const placed = withoutDeleted(work.placed);
    const entries: Entry[] = placed.map(({ batch, logs }) => {
      const [only] = logs;
      return { log: logs.length === 1 && only !== undefined ? only : logs, batch: batch.finish() };
    });
    // Acknowledgements may be of messages that came just now.
    entries.push(...work.entries);
    if (entries.length === 0) return undefined;
    try {
      const { settled } = shard.append(entries, durable ? 'durable' : 'memory');
      if (work.moves.length > 0)
        settled.then(
          () => {
            for (const { queue, moves } of work.moves) queue.moved(moves);
          },
          // The queues know: their logs were rolled back.
          () => {},
        );
      for (const { batch, queues } of placed) {
        for (const queue of queues) {
          queue.appended(batch.count, batch.bodyBytes, batch.hasTransient);
          this.#pumps.add(queue);
        }
      }
      noteExpiring(placed);
      noteTraced(placed, this.tracing);
      this.#schedule();
      return durable ? settled : undefined;
    } catch (error) {
      for (const { queues } of placed) for (const queue of queues) queue.appended(0, 0, false);
      return Promise.reject(error);
    }
  }

  #settle(turn: OpenTurn, settled: readonly Promise<unknown>[]): void {
    const { waiters } = turn;
    if (settled.length === 0) {
      for (const waiter of waiters) waiter.turnSettled(turn, undefined);
      return;
    }
    this.#settling++;
    const done = (error: BrokerError | undefined) => {
      this.#settling--;
      if (turn.lastTrace !== 0) this.tracing.settled(turn.firstTrace, turn.lastTrace, error !== undefined);
      for (const waiter of waiters) waiter.turnSettled(turn, error);
    };
    const all = settled.length === 1 ? settled[0] : Promise.all(settled);
    all?.then(
      () => done(undefined),
      (error: unknown) => done(toBrokerError(error)),
    );
  }

  /** One queue's trouble is not the others'. */
  #guard(queue: Queue, action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#options.onTrouble(toBrokerError(error), `queue '${queue.name}' in vhost '${queue.virtualHost}' failed`);
    }
  }
}

function commitQueue(queue: Queue, work: ShardWork, now: number): void {
  const moves = queue.commit(work.entries, now);
  if (moves === undefined) return;
  work.moves.push({ queue, moves });
  work.durable = true;
}

/** A queue may have been deleted in the turn in which it got messages. */
function withoutDeleted(placed: readonly Placed[]): readonly Placed[] {
  if (!placed.some(({ queues }) => queues.some((queue) => queue.deleted))) return placed;
  return placed.flatMap(({ batch, queues, logs }) => {
    const left = queues.map((_, i) => i).filter((i) => !queues[i]?.deleted);
    const keep = <T>(list: readonly T[]) => list.filter((_, i) => left.includes(i));
    return left.length === 0 ? [] : [{ batch, queues: keep(queues), logs: keep(logs) }];
  });
}

/** Tells queues at which offsets messages that expire came to lie. */
function noteExpiring(placed: readonly Placed[]): void {
  if (!placed.some(({ batch }) => batch.expiring.length > 0)) return;
  eachPlace(placed, ({ expiring }, queue, log, base) => {
    for (const { index, at } of expiring) queue.appendedExpiring(log, base + index, at);
  });
}

function noteTraced(placed: readonly Placed[], tracing: Tracing): void {
  if (!placed.some(({ batch }) => batch.traced.length > 0)) return;
  eachPlace(placed, ({ traced }, queue, log, base) => {
    const lane = queue.laneOf(log);
    for (const { index, trace } of traced) tracing.storedInQueue(trace, queue, lane, base + index);
  });
}

/** Visits the batches that were just appended, with the offset that each got in each of its logs. */
function eachPlace(
  placed: readonly Placed[],
  visit: (batch: MessageBatch, queue: Queue, log: Log, base: number) => void,
): void {
  const ends = new Map<Log, number>();
  for (const { batch, queues, logs } of placed.toReversed()) {
    logs.forEach((log, i) => {
      const queue = queues[i];
      const base = (ends.get(log) ?? log.nextOffset) - batch.count;
      ends.set(log, base);
      if (queue !== undefined) visit(batch, queue, log, base);
    });
  }
}
