/** A log as a session watches it. */
export interface WatchedLog {
  onGrowth(callback: () => void): () => void;
}

/** A partition that is asked for, and what its client was last told of it. */
export interface SessionPartition {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  fetchOffset: number;
  maxBytes: number;
  currentLeaderEpoch: number;
  lastFetchedEpoch: number;
  knownHighWatermark: number;
  knownStartOffset: number;
}

/** Who asks, and what for: when it is another than before, there may be something else to say of every partition. */
export interface Viewer {
  readonly client: object;
  /** Of what clients may do. */
  readonly accessVersion: number;
  readonly isolationLevel: number;
}

/**
 * What a client fetches over and over (KIP-227): it sends and is sent only what changed. Partitions of which there is nothing to say rest until
 * their log tells of something, so that a fetch costs what it brings, however many partitions its session has.
 */
export class FetchSession {
  readonly id: number;
  epoch = 1;
  lastUsed: number;
  readonly partitions: Map<string, SessionPartition>;
  /** Grows whenever a partition that rested does so no more. */
  wakes = 0;
  /** Those that do not rest, in the order in which they are served; those that gave something go to the end. */
  readonly #due: Set<SessionPartition>;
  /** Those that rest, with what stops waiting for their log. */
  readonly #resting = new Map<SessionPartition, () => void>();
  readonly #listeners = new Set<() => void>();
  #viewer: Viewer | undefined;
  #closed = false;

  constructor(id: number, partitions: Map<string, SessionPartition>, now: number) {
    this.id = id;
    this.partitions = partitions;
    this.#due = new Set(partitions.values());
    this.lastUsed = now;
  }

  get due(): readonly SessionPartition[] {
    return [...this.#due];
  }

  isResting(partition: SessionPartition): boolean {
    return this.#resting.has(partition);
  }

  /** Adds a partition, or replaces it. */
  set(key: string, partition: SessionPartition): void {
    this.delete(key);
    this.partitions.set(key, partition);
    this.#due.add(partition);
  }

  /** Answers whether it was there. */
  delete(key: string): boolean {
    const partition = this.partitions.get(key);
    if (partition === undefined) return false;
    this.#stop(partition);
    this.#due.delete(partition);
    return this.partitions.delete(key);
  }

  /** There may be something to say of the partition. */
  wake(partition: SessionPartition): void {
    this.#stop(partition);
    this.#due.add(partition);
  }

  /** There is nothing more to say of the partition until its log grows, begins elsewhere, or goes. */
  rest(partition: SessionPartition, log: WatchedLog): void {
    if (this.#closed || !this.#due.delete(partition)) return;
    const stop = log.onGrowth(() => {
      this.wake(partition);
      this.wakes++;
      for (const listener of this.#listeners) listener();
    });
    this.#resting.set(partition, stop);
  }

  /** Others are served before it. */
  serveLast(partition: SessionPartition): void {
    if (this.#due.delete(partition)) this.#due.add(partition);
  }

  /** Wakes all partitions when they are seen otherwise than before. */
  seenBy(viewer: Viewer): void {
    const before = this.#viewer;
    this.#viewer = viewer;
    const same =
      before?.client === viewer.client &&
      before.accessVersion === viewer.accessVersion &&
      before.isolationLevel === viewer.isolationLevel;
    if (!same) for (const partition of this.partitions.values()) this.wake(partition);
  }

  /** Calls back when a partition rests no more, until the answered function is called. */
  onWake(callback: () => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  /** Waits for no log any more. Who fetches in it at the moment goes on without. */
  close(): void {
    this.#closed = true;
    for (const partition of [...this.#resting.keys()]) this.wake(partition);
    this.wakes++;
    for (const listener of this.#listeners) listener();
  }

  #stop(partition: SessionPartition): void {
    this.#resting.get(partition)?.();
    this.#resting.delete(partition);
  }
}
