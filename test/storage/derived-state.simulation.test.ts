import { expect, it } from 'vitest';
import { jsonCodec, ShardEventLog, type StateMachine } from '../../src/broker/event-log.ts';
import { Partition } from '../../src/broker/streams/partition.ts';
import { streamConfig } from '../../src/broker/streams/stream-config.ts';
import { SeededRandom } from '../../src/environment/seeded-random.ts';
import { SimulatedDisk } from '../../src/environment/simulated-files.ts';
import { VirtualClock } from '../../src/environment/virtual-clock.ts';
import { BrokerError } from '../../src/errors.ts';
import { DiskCommitLog } from '../../src/storage/commit-log/disk.ts';
import { Shard } from '../../src/storage/index.ts';
import { DirectorySegmentStore } from '../../src/storage/segment-store/directory.ts';
import { batchOf, LOG_A, LOG_B, readAll } from './fixture.ts';

/*
 * What is derived from logs, over the same bad disk as in shard-simulation.ts: idempotent producers that send again whatever
 * is not acknowledged, and an event log with snapshots. `SEED=123 npm test -- derived-state` runs one seed alone.
 */

const SEEDS = 200;
const HOME = '/data/shard-0';

interface Event {
  readonly number: number;
  readonly padding: string;
}

const machine: StateMachine<number[], Event> = {
  initial: () => [],
  apply: (state, { number }) => void state.push(number),
  toSnapshot: (state) => state,
  fromSnapshot: (snapshot) => [...(snapshot as number[])],
};

/** An idempotent producer with some batches under way, as it sees the broker. */
class SimulatedProducer {
  readonly id: number;
  /** The first batch that is not acknowledged, and the first that was never made. */
  acknowledged = 0;
  made = 0;
  /** What was sent in this life of the broker and neither acknowledged nor refused goes up to here. */
  sent = 0;

  constructor(id: number) {
    this.id = id;
  }

  batch(number: number): Buffer {
    return batchOf([`${this.id}-${number}`, `${this.id}-${number}b`], {
      producerId: this.id,
      producerEpoch: 0,
      baseSequence: number * 2,
    });
  }
}

class Simulation {
  readonly #random: SeededRandom;
  readonly #disk: SimulatedDisk;
  readonly #producers = [1, 2, 3].map((id) => new SimulatedProducer(id));
  /** Events that have to be there, those that may be there after them, and the next one's number. */
  #events: number[] = [];
  #unsettled: number[] = [];
  #next = 0;
  #now = 1_000_000;
  #life = 0;
  #failure: Error | undefined;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.#disk = new SimulatedDisk(seed + 2 ** 32);
  }

  async run(): Promise<void> {
    for (let i = 0; i < 4; i++) await this.#generation(this.#random.chance(0.8));
    await this.#generation(false);
  }

  async #generation(crashing: boolean): Promise<void> {
    const random = this.#random;
    this.#now += 1000;
    const clock = new VirtualClock(this.#now);
    const life = ++this.#life;
    let over = false;
    if (crashing) {
      void this.#disk.crashAt(1 + random.below(150)).then(() => {
        over = true;
      });
      if (random.chance(0.5))
        this.#disk.fail((['write', 'sync', 'rename'] as const)[random.below(3)] ?? 'sync', 5 + random.below(30));
    }
    const open = await this.#until(clock, () => over, this.#open(clock).catch(this.#tolerated(crashing)));
    if (open === undefined) return;
    const { shard, partition, events } = open;
    this.#checkEvents(events.state);
    for (const producer of this.#producers) producer.sent = producer.acknowledged;
    for (let step = 0; step < 60 && !over; step++) {
      const dice = random.below(10);
      if (dice < 5) this.#produce(partition, life);
      else if (dice < 7) this.#appendEvent(events, life);
      else if (dice < 8) void shard.flush();
      else await clock.advance(random.below(10) === 0 ? 3000 : 1);
      if (this.#failure !== undefined) throw this.#failure;
    }
    if (over) return;
    if (crashing) {
      this.#disk.kill();
      return;
    }
    for (let tries = 0; this.#producers.some(({ acknowledged, made }) => acknowledged < made); tries++) {
      if (tries > 100) throw new Error('a producer is not answered any more');
      for (const producer of this.#producers) this.#send(producer, partition, life);
      await clock.advance(100);
    }
    await this.#checkRecords(partition);
    await this.#until(
      clock,
      () => false,
      events.close().then(() => shard.close()),
    );
    this.#disk.kill();
  }

  async #open(clock: VirtualClock) {
    const random = this.#random;
    const environment = { files: this.#disk.files(), clock, random: this.#disk.random };
    const store = await DirectorySegmentStore.open({ environment, directory: `${HOME}/segments` });
    const fileBytes = 500 + random.below(20_000);
    const shard = await Shard.open({
      commitLog: new DiskCommitLog({ environment, directory: `${HOME}/commit-log`, fileBytes }),
      store,
      clock,
      random: this.#disk.random,
      settings: { flushBytes: 300 + random.below(3000), tailCacheBytes: random.below(2) * 2000, minFreeBytes: 0 },
    });
    if (random.chance(0.3)) await shard.flush();
    const now = () => clock.now();
    const partition = await Partition.open({ index: 0, shard, logId: LOG_A, config: streamConfig({}, {}), now });
    const onTrouble = () => {};
    const events = await ShardEventLog.open({
      shard,
      logId: LOG_B,
      machine,
      codec: jsonCodec<Event>(),
      now,
      onTrouble,
    });
    return { shard, partition, events };
  }

  /** A start may fail for a fault that was injected; then nothing is said but that. */
  #tolerated(crashing: boolean) {
    return (error: unknown): undefined => {
      if (!crashing || !(error instanceof BrokerError) || error.code !== 'storage-failed') throw error;
      this.#disk.kill();
    };
  }

  #produce(partition: Partition, life: number): void {
    const producer = this.#producers[this.#random.below(3)];
    if (producer === undefined) return;
    if (producer.made - producer.acknowledged < 5) producer.made++;
    this.#send(producer, partition, life);
  }

  /** Sends what was not sent yet in this life, or was refused, in order. */
  #send(producer: SimulatedProducer, partition: Partition, life: number): void {
    while (producer.sent < producer.made) {
      const number = producer.sent++;
      // Sometimes a request is lost, and sent again while the first one may be under way.
      const { settled } = partition.append(producer.batch(number), 'durable');
      if (this.#random.chance(0.1)) partition.append(producer.batch(number), 'durable').settled.catch(() => {});
      settled.then(
        () => {
          if (life !== this.#life) return;
          if (producer.acknowledged !== number)
            this.#failure ??= new Error(`batch ${number} was acknowledged out of turn`);
          producer.acknowledged++;
        },
        () => {
          if (life === this.#life) producer.sent = Math.min(producer.sent, number);
        },
      );
    }
  }

  #appendEvent(events: ShardEventLog<number[], Event>, life: number): void {
    const number = this.#next++;
    this.#unsettled.push(number);
    const padding = 'p'.repeat(this.#random.chance(0.1) ? 400_000 : this.#random.below(300));
    events.append([{ number, padding }]).then(
      () => {
        if (life !== this.#life) return;
        if (this.#unsettled.shift() !== number) this.#failure ??= new Error(`event ${number} was settled out of turn`);
        this.#events.push(number);
        if (!events.state.includes(number))
          this.#failure ??= new Error(`event ${number} was not applied when it was settled`);
      },
      () => {
        if (life === this.#life) this.#unsettled = this.#unsettled.filter((other) => other !== number);
      },
    );
  }

  /** All that were acknowledged, and a beginning of the others. */
  #checkEvents(state: readonly number[]): void {
    const possible = [...this.#events, ...this.#unsettled];
    expect(state).toEqual(possible.slice(0, state.length));
    expect(state.length).toBeGreaterThanOrEqual(this.#events.length);
    this.#events = [...state];
    this.#unsettled = [];
  }

  async #checkRecords(partition: Partition): Promise<void> {
    const records = await readAll(partition.log);
    for (const { id, acknowledged } of this.#producers) {
      const own = records
        .map((record) => record.slice(record.indexOf(':') + 1))
        .filter((value) => value.startsWith(`${id}-`));
      expect(own).toEqual(
        Array.from({ length: acknowledged * 2 }, (_, i) => `${id}-${i >> 1}${i % 2 === 0 ? '' : 'b'}`),
      );
    }
  }

  async #until<T>(clock: VirtualClock, over: () => boolean, promise: Promise<T>): Promise<T | undefined> {
    let done = false;
    promise.then(
      () => {
        done = true;
      },
      () => {
        done = true;
      },
    );
    for (let i = 0; !done && !over(); i++) {
      if (i > 2000) throw new Error('nothing happens any more');
      await clock.advance(20);
    }
    return done ? promise : undefined;
  }
}

it('knows producers and events after crashes as it did before', { timeout: 300_000 }, async () => {
  const { SEED } = process.env;
  if (SEED !== undefined) return new Simulation(Number(SEED)).run();
  const failures: string[] = [];
  for (let seed = 1; seed <= SEEDS && failures.length < 5; seed++)
    await new Simulation(seed).run().catch((error: Error) => failures.push(`seed ${seed}: ${error.message}`));
  expect(failures).toEqual([]);
});
