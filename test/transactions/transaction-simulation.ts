import { SeededRandom } from '../../src/environment/seeded-random.ts';
import { SimulatedDisk } from '../../src/environment/simulated-files.ts';
import { VirtualClock } from '../../src/environment/virtual-clock.ts';
import { BrokerError } from '../../src/errors.ts';
import { readCommittedValues } from './committed-reader.ts';
import { SimulatedProducer } from './simulated-producer.ts';
import { closeSimulatedBroker, openSimulatedBroker, type SimulatedBroker } from './simulated-storage.ts';

/*
 * Producers with transactions over several shards of a bad disk, which fails and loses its power at any operation. Whoever reads committed
 * records sees all of a transaction or nothing of it, with the offsets that it commits; what was committed stays; what was aborted is never
 * seen; and nothing is open for ever.
 */

const PARTITIONS = 5;
const PRODUCERS = 3;
const GENERATIONS = 5;

export class TransactionSimulation {
  readonly #random: SeededRandom;
  readonly #disk: SimulatedDisk;
  readonly #shards: number;
  readonly #producers: readonly SimulatedProducer[];
  #clock = new VirtualClock(0);
  #now = 1_000_000;
  #producerIds = 1;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.#disk = new SimulatedDisk(seed + 2 ** 32);
    this.#shards = 1 + this.#random.below(3);
    this.#producers = Array.from(
      { length: PRODUCERS },
      (_, i) => new SimulatedProducer(`producer-${i}`, new SeededRandom(seed * 100 + i), () => this.#clock),
    );
  }

  /** Answers how many transactions were committed. */
  async run(): Promise<number> {
    for (let i = 0; i < GENERATIONS; i++) await this.#generation(this.#random.chance(0.8));
    await this.#generation(false);
    return this.#producers.flatMap(({ transactions }) => transactions).filter(({ state }) => state === 'committed')
      .length;
  }

  async #generation(crashing: boolean): Promise<void> {
    const random = this.#random;
    this.#now += 5000;
    const clock = new VirtualClock(this.#now);
    this.#clock = clock;
    let over = false;
    if (crashing) {
      void this.#disk.crashAt(1 + random.below(400)).then(() => {
        over = true;
      });
      if (random.chance(0.5))
        this.#disk.fail((['write', 'sync', 'rename'] as const)[random.below(3)] ?? 'sync', 5 + random.below(60));
    }
    const opening = openSimulatedBroker({
      disk: this.#disk,
      clock,
      shards: this.#shards,
      partitions: PARTITIONS,
      newProducerId: () => this.#producerIds++,
    });
    const broker = await this.#until(clock, () => over, opening.catch(this.#tolerated(crashing)));
    if (broker === undefined) return;
    let stopping = false;
    const going = () => !stopping && !over;
    let failure: Error | undefined;
    const running = Promise.all(
      this.#producers.map((producer) =>
        producer.run(broker, going).catch((error: Error) => {
          failure ??= error;
        }),
      ),
    );
    for (let step = 0; step < 60 && !over; step++) {
      if (random.chance(0.1)) for (const shard of broker.shards) void shard.flush();
      await clock.advance(random.chance(0.01) ? 3000 : 1 + random.below(10));
      if (failure !== undefined) throw failure;
    }
    stopping = true;
    this.#now = clock.now();
    if (over) return;
    if (crashing) {
      this.#disk.kill();
      return;
    }
    await this.#until(clock, () => false, running);
    if (failure !== undefined) throw failure;
    await this.#until(clock, () => false, Promise.all(this.#producers.map((producer) => producer.init(broker))));
    await this.#until(clock, () => false, this.#check(broker));
    await this.#until(clock, () => false, closeSimulatedBroker(broker));
    this.#disk.kill();
    this.#now = clock.now();
  }

  async #check(broker: SimulatedBroker): Promise<void> {
    const visible = new Map<string, number>();
    for (const partition of broker.partitions) {
      const { lastStableOffset, log, index } = partition;
      if (lastStableOffset !== log.highWatermark)
        throw new Error(`partition ${index} is stable up to ${lastStableOffset} of ${log.highWatermark} only`);
      for (const value of await readCommittedValues(partition, 1 + this.#random.below(2000)))
        visible.set(`${index} ${value}`, (visible.get(`${index} ${value}`) ?? 0) + 1);
    }
    for (const producer of this.#producers) {
      let offset = -1;
      for (const transaction of producer.transactions) {
        const { name, records } = transaction;
        const seen = records.filter(({ partition, value }) => visible.get(`${partition} ${value}`) === 1).length;
        if (transaction.state === 'unknown') transaction.state = this.#outcome(transaction, seen);
        const expected = transaction.state === 'committed' ? records.length : 0;
        if (seen !== expected)
          throw new Error(`${seen} of ${records.length} records of ${name} are seen, which is ${transaction.state}`);
        for (const { partition, value } of records) visible.delete(`${partition} ${value}`);
        if (transaction.state === 'committed') offset = transaction.offset ?? offset;
      }
      const committed = await producer.committedOffset(broker);
      if (committed !== offset) throw new Error(`the group of ${producer.id} is at ${committed}, not ${offset}`);
    }
    for (const value of visible.keys()) throw new Error(`'${value}' is seen, which nobody has committed once`);
  }

  #outcome({ name, records }: SimulatedProducer['transactions'][number], seen: number): 'committed' | 'aborted' {
    if (seen !== 0 && seen !== records.length)
      throw new Error(`${seen} of ${records.length} records of ${name} are seen`);
    return seen > 0 ? 'committed' : 'aborted';
  }

  /** A start may fail for a fault that was injected; then nothing is said but that. */
  #tolerated(crashing: boolean) {
    return (error: unknown): undefined => {
      if (!crashing || !(error instanceof BrokerError) || error.code !== 'storage-failed') throw error;
      this.#disk.kill();
    };
  }

  async #until<T>(clock: VirtualClock, over: () => boolean, promise: Promise<T>): Promise<T | undefined> {
    let done = false;
    const settle = () => {
      done = true;
    };
    promise.then(settle, settle);
    for (let i = 0; !done && !over(); i++) {
      if (i > 3000) throw new Error('nothing happens any more');
      await clock.advance(20);
    }
    return done ? promise : undefined;
  }
}

/** Runs seeds until five have failed; answers what they said, and how much was committed in all. */
export async function simulate(seeds: Iterable<number>): Promise<{ failures: string[]; committed: number }> {
  const failures: string[] = [];
  let committed = 0;
  for (const seed of seeds) {
    try {
      committed += await new TransactionSimulation(seed).run();
    } catch (error) {
      failures.push(`seed ${seed}: ${error instanceof Error ? error.message : error}`);
      if (failures.length === 5) break;
    }
  }
  return { failures, committed };
}
