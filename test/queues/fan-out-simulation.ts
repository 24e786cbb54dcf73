import { expect } from 'vitest';
import type { MessageBytes } from '../../src/broker/messages/message-bytes.ts';
import type { Consumer, Delivery } from '../../src/broker/queues/index.ts';
import { BrokerTurns, DEFAULT_QUEUE_SETTINGS, Queue, type QueueSettings } from '../../src/broker/queues/index.ts';
import type { Route } from '../../src/broker/routing/route.ts';
import type { Destination } from '../../src/broker/virtual-hosts/destination.ts';
import { SeededRandom } from '../../src/environment/seeded-random.ts';
import { SimulatedDisk } from '../../src/environment/simulated-files.ts';
import { VirtualClock } from '../../src/environment/virtual-clock.ts';
import { BrokerError } from '../../src/errors.ts';
import { MemoryCommitLog } from '../../src/storage/commit-log/memory.ts';
import { type Entry, Shard } from '../../src/storage/index.ts';
import { MemorySegmentStore } from '../../src/storage/segment-store/memory.ts';
import { openSimulatedShard } from '../simulated-shard.ts';
import { letterOf, numberedMessage, numberOf, turn, withHistory } from './simulated-message.ts';

const HOME = '/data/shard-0';
const PRIORITIES = 2;
/** After an append failed, what it lost is appended again within this time. */
const AGAIN_MS = 1000;

/** What the queues are called, in the order that they are opened: dead letters need somewhere to go. */
const NAMES = ['letters', 'dying', 'held', 'plain', 'limited', 'transient'] as const;
type Name = (typeof NAMES)[number];

/** Where messages go together. */
const ROUTES: readonly (readonly Name[])[] = [
  ['dying'],
  ['plain'],
  ['transient'],
  ['dying', 'plain'],
  ['plain', 'limited', 'transient'],
  ['dying', 'plain', 'limited', 'transient'],
];

const SETTINGS: Readonly<Record<Name, Partial<QueueSettings>>> = {
  letters: {},
  dying: { deadLetterExchange: 'letters', maxPriority: PRIORITIES - 1 },
  held: { deadLetterExchange: '' },
  plain: {},
  limited: { overflow: 'reject-publish' },
  transient: {},
};

/** A message in one of the queues that it was published to, or in the one that it went to from there. */
interface Copy {
  readonly message: Published;
  readonly origin: Name;
  out: boolean;
  /** It was acknowledged, or purged. */
  gone: boolean;
  /** That it is gone is known to last. */
  lasting: boolean;
  /** It is gone or not: it was acknowledged as a dead letter, of which the append perhaps failed. */
  unknown: boolean;
  /** That it is gone was perhaps lost, and is appended again by then. */
  notBefore: number;
}

interface Published {
  readonly id: number;
  readonly priority: number;
  readonly copies: readonly Copy[];
  /** A queue that was full did not take it. */
  refused: boolean;
  outcome: 'confirmed' | 'failed' | undefined;
}

interface Out {
  readonly delivery: Delivery;
  readonly copy: Copy;
  /** It is a dead letter, of which the append perhaps failed: then its message is in its queue again. */
  doubtful: boolean;
}

interface Life {
  readonly number: number;
  readonly clock: VirtualClock;
  readonly shard: Shard;
  readonly memory: Shard;
  readonly turns: BrokerTurns;
  readonly queues: ReadonlyMap<Name, Queue>;
  readonly routes: ReadonlyMap<readonly Name[], Route<Destination>>;
  readonly out: Out[];
  readonly consumers: { readonly consumer: Consumer; credit: number }[];
  /** The last message that each queue gave out for the first time, by priority. */
  readonly last: Map<string, number>;
}

/**
 * Several real queues in two shards, one on a disk that fails, is full, and loses power. Messages go to several of them at once;
 * some are taken without acknowledgements, some are purged, some go on to another queue, by themselves or when they are refused.
 */
export class FanOutSimulation {
  readonly history: string[] = [];
  readonly #random: SeededRandom;
  readonly #disk: SimulatedDisk;
  readonly #ids: ReadonlyMap<Name, readonly string[]>;
  readonly #limits: Partial<QueueSettings>;
  readonly #messages: Published[] = [];
  /** Copies that are gone, which is not known to last. */
  #unsure: Copy[] = [];
  #now = Date.UTC(2000, 0, 1);
  #out: readonly Out[] = [];
  #crashed = false;
  #broken: Error | undefined;

  constructor(seed: number) {
    const random = new SeededRandom(seed);
    this.#random = random;
    this.#disk = new SimulatedDisk(seed + 0.5 * 2 ** 32);
    this.#ids = new Map(NAMES.map((name) => [name, Array.from({ length: PRIORITIES + 1 }, () => random.uuid())]));
    this.#limits = random.chance(0.5) ? { maxLength: 1 + random.below(20) } : { maxLengthBytes: random.below(3000) };
  }

  async run(lives: number, steps: number): Promise<void> {
    for (let i = 0; i <= lives; i++) {
      const life = await this.#start();
      await this.#check(life);
      if (i < lives) await this.#live(life, steps);
      else await this.#close(life);
    }
  }

  async #start(): Promise<Life> {
    const random = this.#random;
    const clock = new VirtualClock(this.#now);
    const flushBytes = 500 + random.below(20_000);
    const tailCacheBytes = random.below(3) * 2000;
    const onTrouble = (error: Error, what: string) => this.#trouble(clock, error, what);
    const shard = await openSimulatedShard({
      ...{ disk: this.#disk, clock, home: HOME, flushBytes, tailCacheBytes, onTrouble },
      fileBytes: 500 + random.below(10_000),
    });
    const memory = await Shard.open({
      commitLog: new MemoryCommitLog(),
      store: new MemorySegmentStore(),
      clock,
      random: this.#disk.random,
      settings: { flushBytes, tailCacheBytes, minFreeBytes: 0 },
    });
    const turns = new BrokerTurns({ clock, shards: [shard, memory], onTrouble });
    const queues = new Map<Name, Queue>();
    const toLetters = (message: MessageBytes) => {
      const letters = queues.get('letters');
      if (letters === undefined) return;
      const route: Route<Destination> = { targets: [letters], memo: undefined };
      turns.current.publish(route, letterOf(message), true);
    };
    for (const name of NAMES) {
      const [stateLogId = '', ...lanes] = this.#ids.get(name) ?? [];
      const { maxPriority = 0 } = SETTINGS[name];
      const queue = await Queue.open({
        ...{ name, virtualHost: '/', turns, clock, stateLogId, lanes: lanes.slice(0, maxPriority + 1) },
        shard: name === 'transient' ? memory : shard,
        settings: { ...DEFAULT_QUEUE_SETTINGS, ...SETTINGS[name], ...(name === 'limited' && this.#limits) },
        host: { deadLetter: (_, message) => toLetters(message), expired: () => {}, onTrouble },
        stragglerSpan: 10,
        ...(name === 'held' && { expiryOf: ({ priority }: MessageBytes, at: number) => at + holdMs(priority) }),
      });
      queues.set(name, queue);
    }
    this.#crashed = false;
    const number = this.#disk.life;
    const counts = NAMES.map((name) => `${name} ${queues.get(name)?.readyCount}`);
    this.history.push(`start ${number}: ${counts.join()}`);
    const routes = new Map(
      ROUTES.map((names) => [names, { targets: names.map((name) => mustGet(queues, name)), memo: undefined }]),
    );
    const life = {
      number,
      clock,
      shard,
      memory,
      turns,
      queues,
      routes,
      out: [] as Out[],
      consumers: [],
      last: new Map(),
    };
    this.#out = life.out;
    // Of what is in memory nothing is left.
    for (const { copies } of this.#messages)
      for (const copy of copies) if (copy.origin === 'transient') Object.assign(copy, { gone: true, lasting: true });
    return life;
  }

  /** Storage that fails, or is full, is what is tried: but what was done in it may be lost, and is done again. */
  #trouble(clock: VirtualClock, error: Error, what: string): void {
    this.history.push(`trouble: ${what}: ${error.message}`);
    if (!(error instanceof BrokerError) || !['storage-failed', 'storage-full'].includes(error.code))
      this.#broken ??= error;
    for (const copy of this.#unsure) {
      copy.notBefore = clock.now() + AGAIN_MS;
      copy.unknown = copy.origin === 'dying' || copy.origin === 'held';
    }
    this.#unsure = this.#unsure.filter(({ unknown }) => !unknown);
    for (const each of this.#out) {
      if (each.delivery.queue.name !== 'letters') continue;
      each.doubtful = true;
      Object.assign(each.copy, { out: false, unknown: true });
    }
  }

  /** Takes everything out, looks at it, and puts it back. */
  async #check(life: Life): Promise<void> {
    await this.#settled(life);
    if (!this.#alive(life)) return;
    const found = new Map<Copy, Name>();
    const taken: Delivery[] = [];
    // What is found to have expired goes on to the last one.
    for (const name of NAMES.toReversed()) {
      const queue = mustGet(life.queues, name);
      expect(name === 'held' ? queue.readyCount : 0).toBe(0);
      const last = new Map<number, number>();
      const see = (delivery: Delivery, message: MessageBytes) => {
        taken.push(delivery);
        const copy = this.#copyOf(name, message);
        this.history.push(`message ${copy.message.id} is in ${name} at ${delivery.lane}:${delivery.offset}`);
        if (found.has(copy)) throw new Error(`message ${copy.message.id} is in ${name}, and in ${found.get(copy)} too`);
        found.set(copy, name);
        if (name === 'letters') return;
        if ((last.get(delivery.lane) ?? -1) > copy.message.id)
          throw new Error(`message ${copy.message.id} came from ${name} after a later one`);
        last.set(delivery.lane, copy.message.id);
      };
      while (await untilRead(() => queue.get(false, see))) {}
    }
    for (const { id, copies, refused, outcome } of this.#messages) {
      const there: boolean[] = [];
      for (const copy of copies) {
        const { origin, gone, lasting } = copy;
        if (copy.unknown) continue;
        const isThere = found.has(copy);
        const state = `message ${id} of ${origin}, ${outcome}${gone ? ', gone' : ''}${lasting ? ' for good' : ''}`;
        const mayBeRefused = refused && origin === 'limited';
        if (outcome === 'confirmed' && !gone && !isThere && !mayBeRefused) throw new Error(`${state}, is lost`);
        if (isThere && gone && lasting) throw new Error(`${state}, is there`);
        if (isThere && outcome === 'failed' && origin !== 'transient') throw new Error(`${state}, is there`);
        if (!gone && !mayBeRefused && origin !== 'transient') there.push(isThere);
      }
      if (there.includes(true) && there.includes(false)) throw new Error(`message ${id} is in some of its queues only`);
    }
    for (const message of this.#messages) {
      for (const copy of message.copies) {
        copy.gone = !found.has(copy);
        copy.lasting = copy.gone;
        copy.unknown = false;
      }
      if (message.copies.some((copy) => found.has(copy))) message.outcome = 'confirmed';
    }
    this.#unsure = [];
    for (const delivery of taken) delivery.requeue(false);
    await this.#settled(life);
  }

  async #live(life: Life, steps: number): Promise<void> {
    const random = this.#random;
    const ending = random.below(10);
    if (ending < 5)
      void this.#disk.crashAt(1 + random.below(steps * 2)).then(() => {
        this.#crashed ||= this.#disk.life === life.number + 1;
      });
    for (let step = 0; step < steps && this.#alive(life); step++) {
      await this.#step(life);
      if (this.#broken !== undefined) throw this.#broken;
    }
    if (this.#alive(life) && ending >= 7) {
      this.#disk.capacity = Number.POSITIVE_INFINITY;
      for (const { consumer } of life.consumers.splice(0)) consumer.cancel();
      // Somebody may wait for what is being read.
      await this.#settled(life);
      for (const { delivery, copy } of life.out.splice(0)) {
        copy.out = false;
        delivery.requeue(false);
      }
      await this.#settled(life);
      if (this.#alive(life)) {
        for (const copy of this.#unsure) copy.lasting = true;
        await this.#check(life);
        return this.#close(life);
      }
    }
    this.history.push('crash');
    if (this.#alive(life)) {
      if (ending < 6) this.#disk.crash();
      else this.#disk.kill();
    }
    this.#end(life);
  }

  #end({ clock, queues }: Life): void {
    this.#disk.capacity = Number.POSITIVE_INFINITY;
    this.#now = clock.now() + this.#random.below(500);
    for (const queue of queues.values()) queue.delete();
    for (const { copies } of this.#messages) for (const copy of copies) copy.out = false;
  }

  #alive(life: Life): boolean {
    return !this.#crashed && this.#disk.life === life.number;
  }

  async #close(life: Life): Promise<void> {
    this.history.push('close');
    const entries: Entry[] = [];
    for (const queue of life.queues.values()) queue.closing(queue.shard === life.shard ? entries : []);
    const lasts = await life.shard.append(entries).settled.then(
      () => true,
      () => false,
    );
    if (lasts) for (const copy of this.#unsure) copy.lasting = true;
    await life.shard.close();
    this.#disk.kill();
    this.#end(life);
  }

  async #step(life: Life): Promise<void> {
    const random = this.#random;
    const dice = random.below(100);
    if (dice < 30) this.#publish(life);
    else if (dice < 38) this.#subscribe(life);
    else if (dice < 46) {
      const each = life.consumers[random.below(life.consumers.length)];
      if (each !== undefined) {
        each.credit += 1 + random.below(10);
        each.consumer.wake();
      }
    } else if (dice < 64) this.#settleSome(life);
    else if (dice < 70) await life.clock.advance(random.below(800));
    else if (dice < 72) void life.shard.flush();
    else if (dice < 74) life.consumers.splice(random.below(life.consumers.length), 1)[0]?.consumer.cancel();
    else if (dice < 77) this.#get(life);
    else if (dice < 78) this.#purge(life);
    else if (dice < 81) this.#breakDisk();
    else for (let jobs = random.below(40); jobs > 0; jobs--) await undefined;
    if (random.chance(0.3)) await turn();
  }

  #breakDisk(): void {
    const random = this.#random;
    if (random.chance(0.5)) {
      const operation = (['write', 'sync', 'create', 'read'] as const)[random.below(4)] ?? 'write';
      this.history.push(`${operation} will fail`);
      this.#disk.fail(operation, random.below(3));
    } else {
      const full = this.#disk.capacity === Number.POSITIVE_INFINITY && random.chance(0.5);
      this.#disk.capacity = full ? this.#disk.usedBytes + random.below(2000) : Number.POSITIVE_INFINITY;
    }
  }

  #publish(life: Life): void {
    const random = this.#random;
    for (let count = 1 + random.below(6); count > 0; count--) {
      const names = random.chance(0.1) ? (['held'] as const) : (ROUTES[random.below(ROUTES.length)] ?? []);
      const copies: Copy[] = [];
      const priority = random.below(PRIORITIES);
      const message: Published = { id: this.#messages.length, priority, copies, refused: false, outcome: undefined };
      for (const origin of names)
        copies.push({ message, origin, out: false, gone: false, lasting: false, unknown: false, notBefore: 0 });
      this.#messages.push(message);
      const dies = names.length === 1 && names[0] === 'dying' && random.chance(0.3);
      const more = dies ? { expiration: `${random.below(1500)}` } : {};
      const bytes = numberedMessage(message.id, random.below(300), { priority, ...more });
      const { current } = life.turns;
      this.history.push(`message ${message.id} is published to ${names.join()}`);
      try {
        const route = life.routes.get(names);
        if (route === undefined)
          current.publishUntil(
            { targets: [mustGet(life.queues, 'held')], memo: undefined } as Route<Destination>,
            bytes,
            current.now + holdMs(priority),
          );
        else message.refused = current.publish(route, bytes) === 'refused';
      } catch (error) {
        if (!(error instanceof BrokerError && error.code === 'storage-full')) throw error;
        this.history.push(`message ${message.id} is not wanted`);
        message.outcome = 'failed';
        continue;
      }
      const [before, at] = [[...this.#unsure], life.clock.now()];
      current.wait({
        turnSettled: (_, error) => {
          if (!this.#alive(life)) return;
          message.outcome = error === undefined ? 'confirmed' : 'failed';
          this.history.push(`message ${message.id} is ${message.outcome}`);
          const durable = copies.some(({ origin }) => origin !== 'transient' && origin !== 'limited');
          if (error !== undefined || !durable) return;
          // Appends are durable in their order: so is what was done up to then.
          for (const copy of before) if (!copy.unknown && copy.notBefore < at) copy.lasting = true;
        },
      });
    }
  }

  #took(life: Life, name: Name, noAck: boolean, delivery: Delivery, message: MessageBytes): void {
    const copy = this.#copyOf(name, message);
    const { id, outcome } = copy.message;
    this.history.push(
      `message ${id} goes out from ${name} ${delivery.lane}:${delivery.offset}${noAck ? ' for good' : ''}`,
    );
    if (copy.out) throw new Error(`message ${id} of ${copy.origin} is out twice`);
    if (copy.gone && !copy.unknown) throw new Error(`message ${id} of ${copy.origin} came after its acknowledgement`);
    if (outcome === 'failed' && name !== 'transient') throw new Error(`message ${id} came after its append had failed`);
    const key = `${name} ${delivery.lane}`;
    if (!delivery.redelivered && name !== 'letters') {
      if ((life.last.get(key) ?? -1) > id) throw new Error(`message ${id} came from ${name} after a later one`);
      life.last.set(key, id);
    }
    Object.assign(copy, { gone: false, unknown: false });
    if (noAck) this.#gone(copy);
    else {
      copy.out = true;
      life.out.push({ delivery, copy, doubtful: false });
    }
  }

  #gone(copy: Copy): void {
    copy.gone = true;
    this.#unsure.push(copy);
  }

  #subscribe(life: Life): void {
    if (life.consumers.length > 6) return;
    const name = this.#someQueue();
    const noAck = this.#random.chance(0.2);
    const each = { credit: this.#random.below(10), consumer: undefined as unknown as Consumer };
    each.consumer = mustGet(life.queues, name).subscribe({
      ...{ tag: 'test', noAck, exclusive: false, priority: 0 },
      canTake: () => each.credit > 0,
      deliver: (delivery, message) => {
        each.credit--;
        this.#guard(() => this.#took(life, name, noAck, delivery, message));
      },
      cancelled: () => {},
    });
    life.consumers.push(each);
  }

  #get(life: Life): void {
    const name = this.#someQueue();
    const noAck = this.#random.chance(0.3);
    mustGet(life.queues, name)
      .get(noAck, (delivery, message) => this.#guard(() => this.#took(life, name, noAck, delivery, message)))
      .catch((error: Error) => this.history.push(`get: ${error.message}`));
  }

  #purge(life: Life): void {
    const name = (['plain', 'limited', 'transient'] as const)[this.#random.below(3)] ?? 'plain';
    const count = mustGet(life.queues, name).purge();
    this.history.push(`${name} is purged: ${count}`);
    for (const { copies } of this.#messages)
      for (const copy of copies) if (copy.origin === name && !copy.out && !copy.gone) this.#gone(copy);
  }

  #settleSome(life: Life): void {
    const random = this.#random;
    for (let count = 1 + random.below(6); count > 0; count--) {
      const [each] = life.out.splice(random.chance(0.6) ? 0 : random.below(life.out.length), 1);
      if (each === undefined) return;
      const { delivery, copy, doubtful } = each;
      const name = delivery.queue.name as Name;
      const dice = random.below(10);
      if (!doubtful) copy.out = false;
      else copy.unknown ||= !copy.out;
      this.history.push(
        `message ${copy.message.id} of ${name} is ${dice < 6 ? 'acknowledged' : dice < 8 ? 'requeued' : 'rejected'}`,
      );
      if (!doubtful && (dice < 6 || (dice >= 8 && name !== 'dying'))) this.#gone(copy);
      if (dice < 6) delivery.acknowledge();
      else if (dice < 8) delivery.requeue();
      else delivery.reject();
    }
  }

  #someQueue(): Name {
    const names = NAMES.filter((name) => name !== 'held');
    return names[this.#random.below(names.length)] ?? 'plain';
  }

  /** What is thrown in a consumer is the queue's trouble: it is kept. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#broken ??= error as Error;
    }
  }

  #copyOf(name: Name, message: MessageBytes): Copy {
    const id = numberOf(message);
    const copies = this.#messages[id]?.copies ?? [];
    const copy = copies.find(
      ({ origin }) => origin === name || (name === 'letters' && (origin === 'dying' || origin === 'held')),
    );
    if (copy === undefined) throw new Error(`message ${id} was never published to ${name}`);
    return copy;
  }

  /** Until nothing is under way, and what was lost was appended again. */
  async #settled(life: Life): Promise<void> {
    const { turns, shard, memory, clock } = life;
    for (let rounds = 0; rounds < 8 && this.#alive(life); rounds++) {
      await clock.advance(AGAIN_MS);
      for (let quiet = 0; quiet < 6 && this.#alive(life); ) {
        quiet = turns.idle && shard.idle && memory.idle ? quiet + 1 : 0;
        await turn();
      }
    }
    if (this.#broken !== undefined) throw this.#broken;
  }
}

/** By its priority, how long a message is held back. */
const holdMs = (priority: number) => 300 + priority * 1000;

/** A disk that fails at a read does so once. */
async function untilRead(read: () => Promise<boolean>): Promise<boolean> {
  for (let failures = 0; ; failures++) {
    try {
      return await read();
    } catch (error) {
      if (failures > 20) throw error;
    }
  }
}

function mustGet(queues: ReadonlyMap<Name, Queue>, name: Name): Queue {
  const queue = queues.get(name);
  if (queue === undefined) throw new Error(`there is no queue ${name}`);
  return queue;
}

/** Rejects with what went wrong for the seed, and how it came to that. */
export async function simulateFanOut(seed: number, lives = 5, steps = 120): Promise<void> {
  const simulation = new FanOutSimulation(seed);
  await withHistory(seed, simulation.history, () => simulation.run(lives, steps));
}
