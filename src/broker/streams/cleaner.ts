import type { Clock, Timer } from '../../environment/environment.ts';
import { type BrokerError, toBrokerError } from '../../errors.ts';
import { maxTimestamp } from '../../records/index.ts';
import type { Compacted, Shard } from '../../storage/index.ts';
import type { Partition } from './partition.ts';
import type { Stream } from './stream.ts';

export interface CleanerSettings {
  /** Milliseconds between two looks at how dirty logs are. */
  readonly checkMs: number;
  /** Memory for the keys of a log; with more, it takes several passes. */
  readonly mapBytes: number;
  /** Bytes read and written each second, on average, for each shard. */
  readonly bytesPerSecond: number;
}

const DEFAULT_CLEANER_SETTINGS: CleanerSettings = {
  checkMs: 15_000,
  mapBytes: 64 * 1024 * 1024,
  bytesPerSecond: 64 * 1024 * 1024,
};

export interface CleanerOptions {
  readonly shards: readonly Shard[];
  readonly streams: { all(): Iterable<Stream> };
  readonly clock: Clock;
  readonly settings?: Partial<CleanerSettings>;
  readonly onTrouble: (error: BrokerError, what: string) => void;
  readonly onCompacted?: (stream: Stream, partition: Partition, compacted: Compacted) => void;
}

/** How much of a log could be compacted. */
export interface Dirtiness {
  /** Bytes that were never compacted and can be now. */
  readonly dirtyBytes: number;
  /** Their share of these and what was compacted before: 0 to 1. */
  readonly ratio: number;
}

interface Candidate extends Dirtiness {
  readonly stream: Stream;
  readonly partition: Partition;
}

/** Compacts the logs of streams whose policy says so, in each shard the dirtiest first, one at a time. */
export class Cleaner {
  readonly #options: CleanerOptions;
  #settings: CleanerSettings;
  /** Logs with damage are left alone until the next start. */
  readonly #damaged = new WeakSet<Partition>();
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(options: CleanerOptions) {
    this.#options = options;
    this.#settings = { ...DEFAULT_CLEANER_SETTINGS, ...options.settings };
  }

  /** Goes by other settings from the next look on. */
  configure(settings: CleanerSettings): void {
    this.#settings = settings;
  }

  start(): void {
    if (this.#stopped) return;
    this.#timer = this.#options.clock.setTimer(this.#settings.checkMs, () => {
      void this.clean().then(() => this.start());
    });
  }

  /** Begins nothing more. What is under way ends when its shard closes. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Compacts all that is due. */
  clean(): Promise<void> {
    this.#running ??= Promise.all(this.#options.shards.map((shard) => this.#cleanShard(shard)))
      .then(() => {})
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  async #cleanShard(shard: Shard): Promise<void> {
    const { onTrouble } = this.#options;
    const done = new Set<Partition>();
    try {
      if (this.#partitions(shard).some((candidate) => this.#isFlushDue(candidate))) await shard.flush();
      while (!this.#stopped) {
        const dirtiest = await this.#dirtiest(shard, done);
        if (dirtiest === undefined) return;
        // It is looked at once in a round: what came meanwhile waits for the next one.
        done.add(dirtiest.partition);
        await this.#compact(dirtiest);
      }
    } catch (error) {
      onTrouble(toBrokerError(error), 'compaction was put off');
    }
  }

  #partitions(shard: Shard): { stream: Stream; partition: Partition }[] {
    return Array.from(this.#options.streams.all())
      .filter(({ config }) => config.cleanupPolicy.includes('compact'))
      .flatMap((stream) => stream.partitions.map((partition) => ({ stream, partition })))
      .filter(({ partition }) => partition.shard === shard && !this.#damaged.has(partition));
  }

  async #dirtiest(shard: Shard, done: ReadonlySet<Partition>): Promise<Candidate | undefined> {
    let dirtiest: Candidate | undefined;
    for (const { stream, partition } of this.#partitions(shard)) {
      if (done.has(partition)) continue;
      const { dirtyBytes, ratio } = dirtiness(partition, stream.config.minCompactionLagMs, this.#options.clock.now());
      if (dirtyBytes === 0 || ratio <= (dirtiest?.ratio ?? 0)) continue;
      if (ratio > stream.config.minCleanableDirtyRatio || (await this.#isOverdue(stream, partition)))
        dirtiest = { stream, partition, dirtyBytes, ratio };
    }
    return dirtiest;
  }

  async #compact({ stream, partition }: Candidate): Promise<void> {
    const { onTrouble, onCompacted, clock } = this.#options;
    const { minCompactionLagMs, deleteRetentionMs } = stream.config;
    const { mapBytes, bytesPerSecond } = this.#settings;
    try {
      const compacted = await partition.shard.compact(partition.log, {
        now: clock.now(),
        minLagMs: minCompactionLagMs,
        deleteRetentionMs,
        mapBytes,
        bytesPerSecond,
      });
      onCompacted?.(stream, partition, compacted);
    } catch (thrown) {
      const error = toBrokerError(thrown);
      // It was trimmed or deleted, or the broker closes.
      if (error.code === 'not-found' || error.code === 'closed') return;
      const hopeless = !['storage-full', 'storage-failed'].includes(error.code);
      if (hopeless) this.#damaged.add(partition);
      const when = hopeless ? 'until the next start' : 'for now';
      onTrouble(error, `${stream.name}-${partition.index} is not compacted ${when}`);
    }
  }

  /** Whether its memory holds what Kafka would have in a segment that is full, or too old to wait any longer. */
  #isFlushDue({ stream, partition: { log } }: Pick<Candidate, 'stream' | 'partition'>): boolean {
    const { bytes, oldest } = log.unflushedExtent;
    const maxAge = Math.min(log.segmentLimits.ms, stream.config.maxCompactionLagMs);
    return bytes >= log.segmentLimits.bytes || (oldest >= 0 && this.#options.clock.now() - oldest > maxAge);
  }

  /** Whether it has records that must not wait any longer. */
  async #isOverdue({ config }: Stream, { log }: Partition): Promise<boolean> {
    const cleanUntil = this.#options.clock.now() - config.maxCompactionLagMs;
    if (cleanUntil < 0) return false;
    const { chunks } = await log.read(Math.max(log.cleanedOffset, log.startOffset), 1);
    const [first] = chunks;
    const time = first === undefined ? -1 : maxTimestamp(first, 0);
    return time >= 0 && time < cleanUntil;
  }
}

/** How much of a log's segments can be compacted; as Kafka counts it. */
export function dirtiness({ log }: Pick<Partition, 'log'>, minLagMs: number, now: number): Dirtiness {
  let cleanBytes = 0;
  let dirtyBytes = 0;
  for (const { nextOffset, size, maxTimestamp: youngest } of log.segments) {
    if (nextOffset <= log.cleanedOffset) cleanBytes += size;
    else if (minLagMs > 0 && youngest > now - minLagMs) break;
    else dirtyBytes += size;
  }
  return { dirtyBytes, ratio: dirtyBytes === 0 ? 0 : dirtyBytes / (cleanBytes + dirtyBytes) };
}
