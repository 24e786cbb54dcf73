import { BrokerError, toBrokerError } from '../../errors.ts';
import type { Shard } from '../../storage/index.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { LogSweeper } from '../catalog/log-sweeper.ts';
import type { LogPlace, StreamEntry } from '../catalog/state.ts';
import { Partition, type PartitionOptions } from './partition.ts';
import { Stream } from './stream.ts';
import { checkStreamConfig, type StreamConfig, streamConfig } from './stream-config.ts';
import { checkName, flatName } from './stream-name.ts';

export interface StreamLimits {
  readonly maxStreams: number;
  readonly maxPartitionsPerStream: number;
  /** Over all streams. */
  readonly maxPartitions: number;
}

export const DEFAULT_STREAM_LIMITS: StreamLimits = {
  maxStreams: 100_000,
  maxPartitionsPerStream: 10_000,
  maxPartitions: 200_000,
};

export interface StreamsOptions {
  readonly catalog: Catalog;
  readonly shards: readonly Shard[];
  /** Deletes the logs of what is deleted; its own, unless others delete logs too. */
  readonly sweeper?: LogSweeper;
  readonly now: () => number;
  readonly uuid: () => string;
  /** Settings of streams that do not set them themselves, by name; checked. */
  readonly defaults: Readonly<Record<string, string>>;
  readonly limits?: Partial<StreamLimits>;
  readonly onTrouble: (error: BrokerError, what: string) => void;
}

export interface CreateStream {
  readonly name: string;
  readonly partitions: number;
  readonly config?: Readonly<Record<string, string>>;
}

/** Streams that are about to be made in one change, for the checks of those that come after them. */
class Plan {
  readonly entries: StreamEntry[] = [];
  readonly byFlatName = new Map<string, StreamEntry>();
  partitionCount = 0;

  add(entry: StreamEntry): void {
    this.entries.push(entry);
    this.byFlatName.set(flatName(entry.name), entry);
    this.partitionCount += entry.partitions.length;
  }
}

/**
 * All streams of the broker that are open: at any time those that the catalog knows. A change, from its checks until what
 * is open follows it, is one step among those of the catalog.
 */
export class Streams {
  readonly #options: StreamsOptions;
  readonly #limits: StreamLimits;
  readonly #sweeper: LogSweeper;
  readonly #byName = new Map<string, Stream>();
  readonly #byId = new Map<string, Stream>();
  /** By what their names would be in metrics. */
  readonly #byFlatName = new Map<string, Stream>();
  readonly #deletionListeners = new Set<(stream: Stream) => void>();
  #defaults: Readonly<Record<string, string>>;
  #partitionCount = 0;
  #version = 0;

  private constructor(options: StreamsOptions) {
    this.#options = options;
    this.#defaults = options.defaults;
    this.#limits = { ...DEFAULT_STREAM_LIMITS, ...options.limits };
    this.#sweeper = options.sweeper ?? new LogSweeper(options);
  }

  /** Opens the streams that the catalog knows, and finishes deletions that were under way. */
  static async open(options: StreamsOptions): Promise<Streams> {
    checkStreamConfig(options.defaults);
    const streams = new Streams(options);
    await Promise.all(
      [...options.catalog.state.streams.values()].map(async (entry) => streams.#add(await streams.#openStream(entry))),
    );
    void streams.#sweeper.sweep();
    return streams;
  }

  get defaults(): Readonly<Record<string, string>> {
    return this.#defaults;
  }

  /** Has all streams that do not say otherwise go by other settings from now on; throws `invalid-configuration`. */
  setDefaults(defaults: Readonly<Record<string, string>>): void {
    checkStreamConfig(defaults);
    this.#defaults = defaults;
    for (const stream of this.#byName.values()) stream.configure(stream.ownConfig, defaults);
  }

  /** Another number whenever a stream was made, deleted or given partitions. */
  get version(): number {
    return this.#version;
  }

  get size(): number {
    return this.#byName.size;
  }

  get(name: string): Stream | undefined {
    return this.#byName.get(name);
  }

  getById(id: string): Stream | undefined {
    return this.#byId.get(id);
  }

  names(): Iterable<string> {
    return this.#byName.keys();
  }

  all(): Iterable<Stream> {
    return this.#byName.values();
  }

  /** Throws `invalid-argument` for a name that no stream can have. */
  checkName(name: string): void {
    checkName(name);
  }

  /**
   * Says what is wrong with a stream before it is made: throws `invalid-argument` for a name or a number of partitions,
   * `already-exists`, `invalid-configuration`, `limit-exceeded`.
   */
  check(stream: CreateStream): void {
    this.#check(stream, new Plan());
  }

  #check({ name, partitions, config = {} }: CreateStream, plan: Plan): void {
    checkName(name);
    // Names that differ in '.' and '_' only would share a name in metrics: Kafka does not let them live side by side.
    const flat = flatName(name);
    const twin = this.#byName.get(name) ?? this.#byFlatName.get(flat) ?? plan.byFlatName.get(flat);
    if (twin?.name === name) throw new BrokerError('already-exists', `Topic '${name}' already exists.`);
    if (twin !== undefined)
      throw new BrokerError('invalid-argument', `Topic '${name}' collides with existing topic: ${twin.name}`);
    if (!Number.isInteger(partitions) || partitions < 1)
      throw new BrokerError('invalid-argument', 'Number of partitions must be larger than 0.');
    this.#checkLimits(name, 0, partitions, plan);
    checkStreamConfig(config);
  }

  /** Makes a stream; throws what `check` throws. */
  async create(stream: CreateStream): Promise<Stream> {
    const [made] = await this.createAll([stream]);
    if (made instanceof Stream) return made;
    throw made ?? new BrokerError('internal', 'the catalog made no stream');
  }

  /**
   * Makes streams in one change, which costs one flush however many they are. Answers for each the stream, or what `check`
   * throws for it: that keeps the others from nothing. Rejects when none was made.
   */
  async createAll(streams: readonly CreateStream[]): Promise<(Stream | BrokerError)[]> {
    let planned: (StreamEntry | BrokerError)[] = [];
    let made: (Stream | BrokerError)[] = [];
    await this.#options.catalog.change(
      () => {
        const plan = new Plan();
        planned = streams.map((stream) => this.#plan(stream, plan));
        return plan.entries.map((stream) => ({ type: 'stream-created', stream }));
      },
      () => {
        made = planned.map((entry) => (entry instanceof BrokerError ? entry : this.#add(this.#openNew(entry))));
      },
    );
    return made;
  }

  #plan(stream: CreateStream, plan: Plan): StreamEntry | BrokerError {
    try {
      this.#check(stream, plan);
    } catch (error) {
      if (error instanceof BrokerError) return error;
      throw error;
    }
    const { name, partitions, config = {} } = stream;
    const entry = { id: this.#options.uuid(), name, partitions: this.#place(partitions, plan), config };
    plan.add(entry);
    return entry;
  }

  /**
   * Deletes a stream for good: `not-found` when there is none, or only another one that was made under this name since the
   * given id was looked up. Resolves when that is decided; its data goes afterwards.
   */
  async delete(name: string, id?: string): Promise<void> {
    await this.#options.catalog.change(
      () => {
        const stream = this.#byName.get(name);
        if (stream === undefined || (id !== undefined && stream.id !== id))
          throw new BrokerError('not-found', `there is no topic '${name}'${id === undefined ? '' : ` of id ${id}`}`);
        return [{ type: 'stream-deleted', name }];
      },
      () => this.#remove(name),
    );
    await this.#sweeper.sweep();
  }

  /** Says what is wrong with giving a stream so many partitions: `not-found`, `invalid-argument` when it has as many, `limit-exceeded`. */
  checkPartitions(name: string, total: number): Stream {
    const stream = this.#byName.get(name);
    if (stream === undefined) throw new BrokerError('not-found', `there is no topic '${name}'`);
    const present = stream.partitions.length;
    if (total < present)
      throw new BrokerError(
        'invalid-argument',
        `The topic ${name} currently has ${present} partition(s); ${total} would not be an increase.`,
      );
    if (total === present) throw new BrokerError('invalid-argument', `Topic already has ${present} partition(s).`);
    this.#checkLimits(name, present, total - present);
    return stream;
  }

  /** Throws what `checkPartitions` throws. */
  addPartitions(name: string, total: number): Promise<void> {
    let places: readonly LogPlace[] = [];
    return this.#options.catalog.change(
      () => {
        places = this.#place(total - this.checkPartitions(name, total).partitions.length);
        return [{ type: 'partitions-added', name, partitions: places }];
      },
      () => {
        const stream = this.#byName.get(name);
        if (stream === undefined) return;
        const first = stream.partitions.length;
        stream.addPartitions(places.map((place, i) => this.#newPartition(place, first + i, stream.config)));
        this.#partitionCount += places.length;
        this.#version++;
      },
    );
  }

  /** Says what is wrong with a change of settings before it is made: `not-found`, `invalid-configuration`. */
  checkConfigure(
    name: string,
    change: (own: Readonly<Record<string, string>>) => Readonly<Record<string, string>>,
  ): void {
    const stream = this.#byName.get(name);
    if (stream === undefined) throw new BrokerError('not-found', `there is no topic '${name}'`);
    checkStreamConfig(change(stream.ownConfig));
  }

  /** Replaces what is set for a stream: `not-found`, `invalid-configuration`. */
  async configure(
    name: string,
    change: (own: Readonly<Record<string, string>>) => Readonly<Record<string, string>>,
  ): Promise<void> {
    let config: Readonly<Record<string, string>> = {};
    await this.#options.catalog.change(
      () => {
        const stream = this.#byName.get(name);
        if (stream === undefined) throw new BrokerError('not-found', `there is no topic '${name}'`);
        config = change(stream.ownConfig);
        checkStreamConfig(config);
        return [{ type: 'stream-config-changed', name, config }];
      },
      () => this.#byName.get(name)?.configure(config, this.#defaults),
    );
  }

  onDeleted(listener: (stream: Stream) => void): void {
    this.#deletionListeners.add(listener);
  }

  /** Removes what every stream's retention says. */
  async retain(): Promise<void> {
    for (const stream of [...this.#byName.values()]) {
      for (const partition of stream.partitions) {
        try {
          await partition.retain();
        } catch (error) {
          this.#options.onTrouble(toBrokerError(error), `retention of ${stream.name}-${partition.index} was put off`);
        }
      }
    }
  }

  #add(stream: Stream): Stream {
    this.#byName.set(stream.name, stream);
    this.#byId.set(stream.id, stream);
    this.#byFlatName.set(flatName(stream.name), stream);
    this.#partitionCount += stream.partitions.length;
    this.#version++;
    return stream;
  }

  #remove(name: string): void {
    const stream = this.#byName.get(name);
    if (stream === undefined) return;
    this.#byName.delete(name);
    this.#byId.delete(stream.id);
    this.#byFlatName.delete(flatName(name));
    this.#partitionCount -= stream.partitions.length;
    this.#version++;
    for (const listener of this.#deletionListeners) listener(stream);
  }

  #openNew(entry: StreamEntry): Stream {
    const config = streamConfig(entry.config, this.#defaults);
    const partitions = entry.partitions.map((place, index) => this.#newPartition(place, index, config));
    return new Stream(entry, partitions, this.#defaults);
  }

  #newPartition(place: LogPlace, index: number, config: StreamConfig): Partition {
    return Partition.create(this.#partitionOptions(place, index, config));
  }

  async #openStream(entry: StreamEntry): Promise<Stream> {
    const config = streamConfig(entry.config, this.#defaults);
    const partitions = await Promise.all(
      entry.partitions.map((place, index) => Partition.open(this.#partitionOptions(place, index, config))),
    );
    return new Stream(entry, partitions, this.#defaults);
  }

  #partitionOptions({ logId, shard }: LogPlace, index: number, config: StreamConfig): PartitionOptions {
    const home = this.#options.shards[shard];
    if (home === undefined)
      throw new BrokerError('storage-damaged', `log ${logId} lives in shard ${shard}, which is not there`);
    return { index, shard: home, logId, config, now: this.#options.now };
  }

  /** Spreads new partitions over the shards, going on where the last ones ended. */
  #place(count: number, plan = new Plan()): LogPlace[] {
    const { shards, uuid } = this.#options;
    const present = this.#partitionCount + plan.partitionCount;
    return Array.from({ length: count }, (_, i) => ({ logId: uuid(), shard: (present + i) % shards.length }));
  }

  #checkLimits(name: string, present: number, added: number, plan = new Plan()): void {
    const { maxStreams, maxPartitions, maxPartitionsPerStream } = this.#limits;
    if (present === 0 && this.#byName.size + plan.entries.length >= maxStreams)
      throw new BrokerError('limit-exceeded', `there are ${maxStreams} topics already`);
    if (present + added > maxPartitionsPerStream)
      throw new BrokerError('limit-exceeded', `'${name}' can have ${maxPartitionsPerStream} partitions at most`);
    if (this.#partitionCount + plan.partitionCount + added > maxPartitions)
      throw new BrokerError('limit-exceeded', `all topics together can have ${maxPartitions} partitions`);
  }
}
