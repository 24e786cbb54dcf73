import type { MessageBytes } from '../../src/broker/messages/message-bytes.ts';
import type { Consumer, Delivery } from '../../src/broker/queues/index.ts';
import { BrokerTurns, DEFAULT_QUEUE_SETTINGS, Queue, type QueueSettings } from '../../src/broker/queues/index.ts';
import type { Route } from '../../src/broker/routing/route.ts';
import type { Destination } from '../../src/broker/virtual-hosts/destination.ts';
import { SeededRandom } from '../../src/environment/seeded-random.ts';
import { SimulatedDisk } from '../../src/environment/simulated-files.ts';
import { VirtualClock } from '../../src/environment/virtual-clock.ts';
import type { Entry, Shard } from '../../src/storage/index.ts';
import { openSimulatedShard } from '../simulated-shard.ts';
import { letterOf, numberedMessage, numberOf, settled, turn, withHistory } from './simulated-message.ts';

const HOME = '/data/shard-0';
const LANES = 3;

/** What is known of a message. */
interface Fate {
  readonly id: number;
  readonly priority: number;
  /** Confirmed, refused by the storage, or neither yet. */
  published: 'confirmed' | 'failed' | undefined;
  /** Acknowledged; and whether that is known to last. */
  acknowledged: 'lasting' | 'unsure' | undefined;
}

/** One start of the broker and what it holds. */
interface Life {
  readonly number: number;
  readonly clock: VirtualClock;
  readonly shard: Shard;
  readonly turns: BrokerTurns;
  /** The queue that is tried, and the one that gets its dead letters. */
  readonly queue: Queue;
  readonly letters: Queue;
  readonly out: { readonly delivery: Delivery; readonly fate: Fate }[];
  consumers: { readonly consumer: Consumer; credit: number }[];
}

/**
 * The real queue, turns, shard and disk commit log over a simulated disk, with consumers that do as they like, and at every
 * start a look at all that is there: nothing confirmed is lost, nothing is there twice, nothing comes back whose
 * acknowledgement lasts, and the order of each priority is that of publishing.
 */
export class QueueSimulation {
  readonly history: string[] = [];
  readonly #random: SeededRandom;
  readonly #disk: SimulatedDisk;
  readonly #fates: Fate[] = [];
  readonly #settings: QueueSettings;
  readonly #ids: readonly string[];
  /** Acknowledged since the last moment at which all that were are known to last. */
  #acknowledged: Fate[] = [];
  #now = Date.UTC(2000, 0, 1);
  #crashed = false;

  constructor(seed: number) {
    const random = new SeededRandom(seed);
    this.#random = random;
    this.#disk = new SimulatedDisk(seed + 0.5 * 2 ** 32);
    this.#ids = Array.from({ length: LANES + 3 }, () => random.uuid());
    this.#settings = {
      ...DEFAULT_QUEUE_SETTINGS,
      deadLetterExchange: 'letters',
      maxPriority: LANES - 1,
      ...(random.chance(0.3) && { deliveryLimit: random.below(3) }),
      ...(random.chance(0.3) && { messageTtlMs: 1 + random.below(2000) }),
      ...(random.chance(0.3) && { maxLength: 1 + random.below(30) }),
    };
  }

  async run(lives: number, steps: number): Promise<void> {
    this.history.push(JSON.stringify(this.#settings));
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
    const shard = await openSimulatedShard({
      ...{ disk: this.#disk, clock, home: HOME, fileBytes: 500 + random.below(10_000) },
      flushBytes: 500 + random.below(20_000),
      tailCacheBytes: random.below(3) * 4000,
    });
    const turns = new BrokerTurns({ clock, shards: [shard], onTrouble: (error) => this.#fail(error) });
    const [letterLog = '', letterState = '', state = '', ...lanes] = this.#ids;
    let letters: Queue | undefined;
    const host = {
      deadLetter: (_: Queue, message: MessageBytes) => {
        const targets: readonly Destination[] = letters === undefined ? [] : [letters];
        const letter = letterOf(message, { priority: message.priority });
        turns.current.publish({ targets, memo: undefined } as Route<Destination>, letter);
      },
      expired: () => {},
      onTrouble: (error: Error) => this.#fail(error),
    };
    const common = { virtualHost: '/', shard, host, turns, clock };
    letters = await Queue.open({
      ...common,
      name: 'letters',
      lanes: [letterLog],
      stateLogId: letterState,
      settings: DEFAULT_QUEUE_SETTINGS,
    });
    const queue = await Queue.open({
      ...common,
      name: 'queue',
      lanes,
      stateLogId: state,
      settings: this.#settings,
      stragglerSpan: 10,
    });
    const number = this.#disk.life;
    this.history.push(`start ${number}: ${queue.readyCount} and ${letters.readyCount}`);
    this.#crashed = false;
    return { number, clock, shard, turns, queue, letters, out: [], consumers: [] };
  }

  /** Takes everything out, looks at it, and puts it back. */
  async #checkAll(life: Life): Promise<void> {
    this.#acknowledged = [];
    const found = new Map<number, number>();
    const taken: Delivery[] = [];
    const last = new Map<number, number>();
    for (const queue of [life.queue, life.letters]) {
      while (
        await queue.get(false, (delivery, message) => {
          taken.push(delivery);
          const fate = this.#fateOf(message);
          found.set(fate.id, (found.get(fate.id) ?? 0) + 1);
          this.history.push(`message ${fate.id} is in ${queue.name} at ${delivery.lane}:${delivery.offset}`);
          if (queue !== life.queue) return;
          if ((last.get(fate.priority) ?? -1) > fate.id) throw new Error(`message ${fate.id} came after a later one`);
          last.set(fate.priority, fate.id);
        })
      );
    }
    for (const { id, published, acknowledged } of this.#fates) {
      const count = found.get(id) ?? 0;
      const wanted = acknowledged === undefined && published === 'confirmed';
      const unwanted = acknowledged === 'lasting' || published === 'failed';
      if (count > 1 || (wanted && count === 0) || (unwanted && count > 0))
        throw new Error(`message ${id}, ${published}, acknowledged: ${acknowledged}, is there ${count} times`);
    }
    // What is there now stays; what is not there never comes.
    for (const fate of this.#fates) {
      const there = found.has(fate.id);
      fate.published = there ? 'confirmed' : 'failed';
      fate.acknowledged = there ? undefined : fate.acknowledged;
    }
    for (const delivery of taken) delivery.requeue(false);
    await settled(life);
  }

  async #live(life: Life, steps: number): Promise<void> {
    const random = this.#random;
    const ending = random.below(10);
    if (ending < 6)
      void this.#disk.crashAt(1 + random.below(steps * 2)).then(() => {
        this.#crashed ||= this.#disk.life === life.number + 1;
      });
    for (let step = 0; step < steps && this.#alive(life); step++) await this.#step(life);
    if (this.#alive(life) && ending >= 8) {
      for (const { consumer } of life.consumers) consumer.cancel();
      for (const { delivery } of life.out) delivery.requeue(false);
      // In one life, every acknowledgement counts.
      for (const fate of this.#acknowledged) fate.acknowledged = 'lasting';
      await settled(life);
      await this.#checkAll(life);
      return this.#close(life);
    }
    this.history.push('crash');
    if (this.#alive(life)) {
      if (ending < 7) this.#disk.crash();
      else this.#disk.kill();
    }
    this.#now = life.clock.now() + random.below(500);
    for (const queue of [life.queue, life.letters]) queue.delete();
  }

  #alive(life: Life): boolean {
    return !this.#crashed && this.#disk.life === life.number;
  }

  async #close(life: Life): Promise<void> {
    this.history.push('close');
    await settled(life);
    const entries: Entry[] = [];
    for (const queue of [life.queue, life.letters]) queue.closing(entries);
    if (entries.length > 0) await life.shard.append(entries).settled;
    for (const fate of this.#acknowledged) fate.acknowledged = 'lasting';
    await life.shard.close();
    this.#disk.kill();
    this.#now = life.clock.now() + this.#random.below(500);
    for (const queue of [life.queue, life.letters]) queue.delete();
  }

  async #step(life: Life): Promise<void> {
    const random = this.#random;
    const dice = random.below(100);
    if (dice < 30) this.#publish(life);
    else if (dice < 40) this.#subscribe(life);
    else if (dice < 48) {
      const each = life.consumers[random.below(life.consumers.length)];
      if (each !== undefined) {
        each.credit += 1 + random.below(10);
        each.consumer.wake();
      }
    } else if (dice < 72) this.#settleSome(life);
    else if (dice < 76) await life.clock.advance(random.below(600));
    else if (dice < 78) void life.shard.flush();
    else if (dice < 80) {
      const [each] = life.consumers.splice(random.below(life.consumers.length), 1);
      each?.consumer.cancel();
    } else for (let jobs = random.below(40); jobs > 0; jobs--) await undefined;
    if (random.chance(0.3)) await turn();
  }

  #publish(life: Life): void {
    const random = this.#random;
    for (let count = 1 + random.below(8); count > 0; count--) {
      const priority = random.below(LANES);
      const fate: Fate = { id: this.#fates.length, priority, published: undefined, acknowledged: undefined };
      this.#fates.push(fate);
      const expiration = random.chance(0.1) ? { expiration: `${random.below(1500)}` } : {};
      const message = numberedMessage(fate.id, random.below(300), { priority, ...expiration });
      const { current } = life.turns;
      current.publish({ targets: [life.queue], memo: undefined } as Route<Destination>, message);
      const before = this.#acknowledged;
      const many = before.length;
      current.wait({
        turnSettled: (_, error) => {
          if (!this.#alive(life)) return;
          fate.published = error === undefined ? 'confirmed' : 'failed';
          // Appends are durable in their order: so are the acknowledgements up to then.
          if (error === undefined) for (const earlier of before.slice(0, many)) earlier.acknowledged = 'lasting';
        },
      });
    }
  }

  #subscribe(life: Life): void {
    if (life.consumers.length > 4) return;
    const each: { consumer: Consumer; credit: number } = {
      credit: this.#random.below(10),
      consumer: life.queue.subscribe({
        tag: 'test',
        noAck: false,
        exclusive: false,
        priority: this.#random.below(2),
        canTake: () => each.credit > 0,
        deliver: (delivery, message) => {
          each.credit--;
          const fate = this.#fateOf(message);
          if (life.out.some((other) => other.fate === fate)) throw new Error(`message ${fate.id} is out twice`);
          if (fate.acknowledged !== undefined) throw new Error(`message ${fate.id} came after its acknowledgement`);
          this.history.push(`message ${fate.id} goes out from ${delivery.lane}:${delivery.offset}`);
          life.out.push({ delivery, fate });
        },
        cancelled: () => {},
      }),
    } as never;
    life.consumers.push(each);
  }

  #settleSome(life: Life): void {
    const random = this.#random;
    for (let count = 1 + random.below(6); count > 0; count--) {
      const at = random.chance(0.6) ? 0 : random.below(life.out.length);
      const [each] = life.out.splice(at, 1);
      if (each === undefined) return;
      const { delivery, fate } = each;
      const dice = random.below(10);
      this.history.push(`message ${fate.id} is ${dice < 7 ? 'acknowledged' : dice < 9 ? 'requeued' : 'rejected'}`);
      if (dice < 7) {
        delivery.acknowledge();
        fate.acknowledged = 'unsure';
        this.#acknowledged.push(fate);
      } else if (dice < 9) delivery.requeue();
      else delivery.reject();
    }
  }

  #fateOf(message: MessageBytes): Fate {
    const id = numberOf(message);
    const fate = this.#fates[id];
    if (fate === undefined) throw new Error(`a message that was never published: ${id}`);
    return fate;
  }

  #fail(error: Error): void {
    throw error;
  }
}

/** Rejects with what went wrong for the seed, and how it came to that. */
export async function simulateQueue(seed: number, lives = 5, steps = 120): Promise<void> {
  const simulation = new QueueSimulation(seed);
  await withHistory(seed, simulation.history, () => simulation.run(lives, steps));
}
