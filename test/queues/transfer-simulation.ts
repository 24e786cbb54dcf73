import type { MessageBytes } from '../../src/broker/messages/message-bytes.ts';
import type { Delivery } from '../../src/broker/queues/index.ts';
import { BrokerTurns, DEFAULT_QUEUE_SETTINGS, Queue } from '../../src/broker/queues/index.ts';
import type { Route } from '../../src/broker/routing/route.ts';
import { type MessageAt, QueueTransfer, type Transfer, Transfers } from '../../src/broker/transfers/index.ts';
import type { Destination } from '../../src/broker/virtual-hosts/destination.ts';
import { SeededRandom } from '../../src/environment/seeded-random.ts';
import { SimulatedDisk } from '../../src/environment/simulated-files.ts';
import { VirtualClock } from '../../src/environment/virtual-clock.ts';
import { BrokerError } from '../../src/errors.ts';
import type { Entry, Shard } from '../../src/storage/index.ts';
import { openSimulatedShard } from '../simulated-shard.ts';
import { numberedMessage, numberOf, settled, turn, withHistory } from './simulated-message.ts';

const HOME = '/data/shard-0';
const LANES = 2;

interface Fate {
  readonly id: number;
  published: 'confirmed' | 'failed' | undefined;
  /** Acknowledged, or deleted by its id; and whether that is known to last. */
  gone: 'lasting' | 'unsure' | undefined;
}

interface Life {
  readonly number: number;
  readonly clock: VirtualClock;
  readonly shard: Shard;
  readonly turns: BrokerTurns;
  readonly queues: readonly [Queue, Queue];
  readonly transfers: Transfers;
  readonly pending: Set<Promise<void>>;
  readonly out: { readonly delivery: Delivery; readonly fate: Fate }[];
}

/**
 * Two real queues in one shard over a simulated disk. Messages are published, moved from one to the other and back, deleted by their ids, and
 * acknowledged, while the disk may lose its power at any operation; in some lives it also fails, or is full. At every start each message that counts is in one
 * queue, once; and what is seen by looking is what is got by getting, in that order.
 */
export class TransferSimulation {
  readonly history: string[] = [];
  readonly #random: SeededRandom;
  readonly #disk: SimulatedDisk;
  readonly #fates: Fate[] = [];
  readonly #ids: readonly string[];
  #now = Date.UTC(2000, 0, 1);
  #crashed = false;
  /** The disk failed in this life, or may have: what was told is not sure, but that nothing which was there before is lost. */
  #torn = false;
  #failure: Error | undefined;
  moved = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.#disk = new SimulatedDisk(seed + 0.5 * 2 ** 32);
    this.#ids = Array.from({ length: 2 * (LANES + 1) }, () => this.#random.uuid());
  }

  async run(lives: number, steps: number): Promise<void> {
    for (let i = 0; i < lives; i++) {
      const life = await this.#start();
      await this.#checkAll(life);
      await this.#live(life, steps);
    }
    const life = await this.#start();
    await this.#checkAll(life);
    await this.#close(life);
  }

  async #start(): Promise<Life> {
    const random = this.#random;
    const clock = new VirtualClock(this.#now);
    this.#torn = false;
    this.#disk.capacity = Number.POSITIVE_INFINITY;
    const shard = await openSimulatedShard({
      ...{ disk: this.#disk, clock, home: HOME, fileBytes: 500 + random.below(10_000) },
      flushBytes: 500 + random.below(20_000),
      tailCacheBytes: random.below(3) * 4000,
      onTrouble: (error) => this.history.push(`trouble: ${error.message}`),
    });
    const fail = (error: Error) => {
      if (!this.#torn) throw error;
      this.history.push(`trouble: ${error.message}`);
    };
    const turns = new BrokerTurns({ clock, shards: [shard], onTrouble: fail });
    const host = { deadLetter: () => {}, expired: () => {}, onTrouble: fail };
    const open = (name: string, [stateLogId = '', ...lanes]: readonly string[]) =>
      Queue.open({
        ...{ name, virtualHost: '/', shard, host, turns, clock, lanes, stateLogId, stragglerSpan: 10 },
        settings: { ...DEFAULT_QUEUE_SETTINGS, maxPriority: LANES - 1 },
      });
    const queues = [
      await open('one', this.#ids.slice(0, LANES + 1)),
      await open('other', this.#ids.slice(LANES + 1)),
    ] as const;
    this.#crashed = false;
    const number = this.#disk.life;
    this.history.push(`start ${number}: ${queues.map(({ readyCount }) => readyCount).join(' and ')}`);
    return {
      number,
      clock,
      shard,
      turns,
      queues,
      transfers: new Transfers(clock, random),
      pending: new Set(),
      out: [],
    };
  }

  /** Looks at all, takes everything out, compares, and puts it back. */
  async #checkAll(life: Life): Promise<void> {
    const found = new Map<number, number>();
    for (const queue of life.queues) {
      const seen = await this.#look(queue);
      const got: number[] = [];
      const taken: Delivery[] = [];
      while (
        await queue.get(false, (delivery, message) => {
          taken.push(delivery);
          got.push(numberOf(message));
        })
      );
      if (seen.join() !== got.join()) throw new Error(`${queue.name}: seen were ${seen}, got ${got}`);
      if ((await this.#look(queue)).join() !== seen.join())
        throw new Error(`${queue.name}: what is out is seen as well`);
      for (const id of got) found.set(id, (found.get(id) ?? 0) + 1);
      for (const delivery of taken) delivery.requeue(false);
    }
    for (const { id, published, gone } of this.#fates) {
      const count = found.get(id) ?? 0;
      const wanted = published === 'confirmed' && gone === undefined;
      const unwanted = published === 'failed' || gone === 'lasting';
      if (count > 1 || (wanted && count === 0) || (unwanted && count > 0))
        throw new Error(`message ${id}, ${published}, ${gone}, is there ${count} times`);
    }
    for (const fate of this.#fates) {
      const there = found.has(fate.id);
      fate.published = there ? 'confirmed' : 'failed';
      fate.gone = there ? undefined : fate.gone;
    }
    await settled(life);
  }

  /** By pages of random size. */
  async #look(queue: Queue): Promise<number[]> {
    const seen: number[] = [];
    for (let from: Awaited<ReturnType<Queue['messages']['walk']>>; ; ) {
      from = await queue.messages.walk({ from, budget: 1 + this.#random.below(10) }, ({ message }) => {
        seen.push(numberOf(message));
        return true;
      });
      if (from === undefined) return seen;
    }
  }

  async #live(life: Life, steps: number): Promise<void> {
    const random = this.#random;
    const ending = random.below(10);
    const breaks = random.chance(0.4);
    if (ending < 7)
      void this.#disk.crashAt(1 + random.below(steps * 2)).then(() => {
        this.#crashed ||= this.#disk.life === life.number + 1;
      });
    for (let step = 0; step < steps && this.#alive(life); step++) {
      if (breaks && random.chance(0.05)) this.#breakDisk();
      await this.#step(life);
    }
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#alive(life) && ending >= 8 && !this.#torn) {
      await Promise.all(life.pending);
      for (const { delivery } of life.out) delivery.requeue(false);
      await life.transfers.close();
      await settled(life);
      return this.#close(life);
    }
    this.history.push('crash');
    if (this.#alive(life)) this.#disk.crash();
    for (const transfer of life.transfers.all()) transfer.stop();
    this.#now = life.clock.now() + random.below(500);
    for (const queue of life.queues) queue.delete();
  }

  #breakDisk(): void {
    const random = this.#random;
    this.#torn = true;
    if (random.chance(0.6)) {
      const operation = (['write', 'sync', 'create', 'read'] as const)[random.below(4)] ?? 'write';
      this.history.push(`${operation} will fail`);
      this.#disk.fail(operation, random.below(3));
    } else {
      const isFull = this.#disk.capacity === Number.POSITIVE_INFINITY;
      this.#disk.capacity = isFull ? this.#disk.usedBytes + random.below(2000) : Number.POSITIVE_INFINITY;
      this.history.push(isFull ? 'the disk will be full' : 'the disk has room');
    }
  }

  #alive(life: Life): boolean {
    return !this.#crashed && this.#disk.life === life.number;
  }

  async #close(life: Life): Promise<void> {
    this.history.push('close');
    const entries: Entry[] = [];
    for (const queue of life.queues) queue.closing(entries);
    if (entries.length > 0) await life.shard.append(entries).settled;
    for (const fate of this.#fates) if (fate.gone === 'unsure') fate.gone = 'lasting';
    await life.shard.close();
    this.#disk.kill();
    this.#now = life.clock.now() + this.#random.below(500);
    for (const queue of life.queues) queue.delete();
  }

  async #step(life: Life): Promise<void> {
    const random = this.#random;
    const dice = random.below(100);
    if (dice < 30) this.#publish(life);
    else if (dice < 50) this.#begin(life, this.#move(life));
    else if (dice < 58) this.#begin(life, this.#deleteOne(life));
    else if (dice < 68) this.#begin(life, this.#get(life));
    else if (dice < 80) this.#settleOne(life);
    else if (dice < 84) void life.shard.flush();
    else if (dice < 88) await life.clock.advance(random.below(300));
    else for (let jobs = random.below(40); jobs > 0; jobs--) await undefined;
    if (random.chance(0.5)) await turn();
  }

  /** What waits for a disk that is gone never ends. */
  #begin(life: Life, work: Promise<void>): void {
    const known = work.catch((error: Error) => {
      if (this.#alive(life) && !(this.#torn && error instanceof BrokerError)) this.#failure ??= error;
    });
    life.pending.add(known);
    void known.then(() => life.pending.delete(known));
  }

  #publish(life: Life): void {
    const random = this.#random;
    const target = life.queues[random.below(2)] ?? life.queues[0];
    for (let count = 1 + random.below(8); count > 0; count--) {
      const fate: Fate = { id: this.#fates.length, published: undefined, gone: undefined };
      this.#fates.push(fate);
      const message = numberedMessage(fate.id, random.below(300), { priority: random.below(LANES) });
      const { current } = life.turns;
      // Past what would refuse it on a full disk, as what moves is.
      current.publish({ targets: [target], memo: undefined } as Route<Destination>, message, true);
      current.wait({
        turnSettled: (_, error) => {
          if (this.#alive(life)) fate.published = error === undefined ? 'confirmed' : this.#torn ? undefined : 'failed';
        },
      });
    }
  }

  async #move(life: Life): Promise<void> {
    const random = this.#random;
    const [from, to] = random.chance(0.5) ? life.queues : [life.queues[1], life.queues[0]];
    const ids = random.chance(0.4) ? await this.#someOf(from) : undefined;
    const limit = random.chance(0.5) ? 1 + random.below(10) : Number.POSITIVE_INFINITY;
    this.history.push(`move ${ids?.length ?? 'all'}, ${limit} at most, from ${from.name}`);
    const route: Route<Destination> = { targets: [to], memo: undefined };
    const description = {
      ...({
        kind: 'move',
        virtualHost: '/',
        source: from.name,
        destination: to.name,
        user: 'u',
        dryRun: false,
      } as const),
      ...{ rate: random.chance(0.3) ? 100 : undefined, total: undefined },
    };
    const work = async (transfer: Transfer) => {
      try {
        await new QueueTransfer(transfer, {
          ...{ queue: from, turns: life.turns, ids, limit, filter: undefined },
          destine: (message) => ({ route, message, delayMs: 0 }),
          publish: (current, plan) => void current.publish(plan.route, plan.message, true),
        }).run();
      } finally {
        this.moved += transfer.moved;
      }
    };
    try {
      const transfer = life.transfers.start(description, work);
      if (random.chance(0.2)) transfer.stop();
    } catch {
      // Another one takes from that queue.
    }
  }

  async #someOf(queue: Queue): Promise<MessageAt[]> {
    const all: MessageAt[] = [];
    await queue.messages.walk(
      { budget: 50 },
      ({ part, offset, timestamp }) => all.push({ part, offset, timestamp }) > 0,
    );
    return all.filter(() => this.#random.chance(0.3)).reverse();
  }

  async #deleteOne(life: Life): Promise<void> {
    const queue = life.queues[this.#random.below(2)] ?? life.queues[0];
    const [at] = await this.#someOf(queue);
    if (at === undefined || !this.#alive(life)) return;
    let fate: Fate | undefined;
    await queue.messages.takeOut(at, at.timestamp, (message) => {
      const deleted = this.#fateOf(message);
      fate = deleted;
      fate.gone = 'unsure';
      life.turns.current.wait({
        turnSettled: (_, error) => {
          if (this.#alive(life)) deleted.gone = error === undefined ? 'lasting' : undefined;
        },
      });
      return true;
    });
    this.history.push(`message ${fate?.id} is deleted`);
  }

  async #get(life: Life): Promise<void> {
    const queue = life.queues[this.#random.below(2)] ?? life.queues[0];
    await queue.get(false, (delivery, message) => {
      const fate = this.#fateOf(message);
      // What an append took that failed is there again.
      if (!this.#torn && life.out.some((other) => other.fate === fate))
        throw new Error(`message ${fate.id} is out twice`);
      if (!this.#torn && fate.gone !== undefined) throw new Error(`message ${fate.id} came after it was gone`);
      life.out.push({ delivery, fate });
    });
  }

  #settleOne(life: Life): void {
    const [each] = life.out.splice(this.#random.below(life.out.length), 1);
    if (each === undefined) return;
    const { delivery, fate } = each;
    if (this.#random.chance(0.5)) {
      delivery.requeue(false);
      return;
    }
    delivery.acknowledge();
    fate.gone = 'unsure';
    this.history.push(`message ${fate.id} is acknowledged`);
  }

  #fateOf(message: MessageBytes): Fate {
    const fate = this.#fates[numberOf(message)];
    if (fate === undefined) throw new Error(`a message that was never published: ${numberOf(message)}`);
    return fate;
  }
}

/** Resolves to how many messages moved. Rejects with what went wrong for the seed, and how it came to that. */
export async function simulateTransfers(seed: number, lives = 5, steps = 100): Promise<number> {
  const simulation = new TransferSimulation(seed);
  await withHistory(seed, simulation.history, () => simulation.run(lives, steps));
  return simulation.moved;
}
