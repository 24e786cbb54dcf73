import type { StreamEntry } from '../catalog/state.ts';
import { StreamCounts } from '../telemetry/message-counts.ts';
import type { Partition } from './partition.ts';
import { type StreamConfig, streamConfig } from './stream-config.ts';

/** A stream that is open: its partitions, and its settings. */
export class Stream {
  readonly id: string;
  readonly name: string;
  /** Of all partitions together. */
  readonly counts = new StreamCounts();
  #partitions: readonly Partition[];
  #ownConfig: Readonly<Record<string, string>>;
  #config: StreamConfig;
  readonly #watchers = new Set<() => void>();

  constructor(entry: StreamEntry, partitions: readonly Partition[], defaults: Readonly<Record<string, string>>) {
    this.id = entry.id;
    this.name = entry.name;
    this.#partitions = partitions;
    this.#count(partitions);
    this.#ownConfig = entry.config;
    this.#config = streamConfig(entry.config, defaults);
  }

  get partitions(): readonly Partition[] {
    return this.#partitions;
  }

  /** What was set for this stream, by name. */
  get ownConfig(): Readonly<Record<string, string>> {
    return this.#ownConfig;
  }

  get config(): StreamConfig {
    return this.#config;
  }

  addPartitions(partitions: readonly Partition[]): void {
    this.#partitions = [...this.#partitions, ...partitions];
    this.#count(partitions);
    for (const callback of this.#watchers) callback();
  }

  /** Calls back when there are more partitions, until the answered function is called. */
  onPartitions(callback: () => void): () => void {
    this.#watchers.add(callback);
    return () => this.#watchers.delete(callback);
  }

  configure(ownConfig: Readonly<Record<string, string>>, defaults: Readonly<Record<string, string>>): void {
    this.#ownConfig = ownConfig;
    this.#config = streamConfig(ownConfig, defaults);
    for (const partition of this.#partitions) partition.configure(this.#config);
  }

  #count(partitions: readonly Partition[]): void {
    for (const partition of partitions) partition.counts = this.counts;
  }
}
