import type { Clock, Random } from '../../environment/environment.ts';
import { ZERO_UUID } from './codec/uuid.ts';
import { FetchSession, type SessionPartition } from './fetch-session.ts';

/** Kafka's max.incremental.fetch.session.cache.slots. */
const MAX_SESSIONS = 1000;
/** A session used within this time is not given up for a new one; Kafka's value. */
const KEEP_MS = 120_000;
const MAX_ID = 0x7fff_ffff;
/** Of all sessions together: what is not there can be asked for as well. */
const MAX_PARTITIONS = 500_000;
/** No topic has a longer name, and none is kept of one that cannot be. */
const MAX_NAME_LENGTH = 249;

export interface FetchSessionLimits {
  readonly maxSessions: number;
  readonly maxPartitions: number;
}

/** By its topic's id where the request has ids: the name is gone when the topic is. */
export function sessionKey(topic: string, topicId: string, partition: number): string {
  return `${partition}/${topicId === ZERO_UUID ? topic : topicId}`;
}

/** The sessions of all connections of a listener. A client that gets none fetches in full each time. */
export class FetchSessions {
  readonly #sessions = new Map<number, FetchSession>();
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #limits: FetchSessionLimits;
  #partitions = 0;

  constructor(clock: Clock, random: Random, limits: Partial<FetchSessionLimits> = {}) {
    this.#clock = clock;
    this.#random = random;
    this.#limits = { maxSessions: MAX_SESSIONS, maxPartitions: MAX_PARTITIONS, ...limits };
  }

  get size(): number {
    return this.#sessions.size;
  }

  get(id: number): FetchSession | undefined {
    const session = this.#sessions.get(id);
    if (session === undefined) return undefined;
    session.lastUsed = this.#clock.monotonic();
    // Kept in the order in which they were last used.
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
    return session;
  }

  /** A new session; undefined when there is no room. */
  create(partitions: readonly SessionPartition[]): FetchSession | undefined {
    if (!partitions.every(fits) || !this.#makeRoom(partitions.length)) return undefined;
    let id = 0;
    while (id === 0 || this.#sessions.has(id)) id = 1 + Math.floor(this.#random.float() * (MAX_ID - 1));
    const entries = partitions.map((p): [string, SessionPartition] => [sessionKey(p.topic, p.topicId, p.partition), p]);
    const session = new FetchSession(id, new Map(entries), this.#clock.monotonic());
    this.#sessions.set(id, session);
    this.#partitions += session.partitions.size;
    return session;
  }

  /** Adds a partition to a session, or replaces it; false when there is no room, and then the session is no more. */
  add(session: FetchSession, partition: SessionPartition): boolean {
    const key = sessionKey(partition.topic, partition.topicId, partition.partition);
    if (session.partitions.has(key)) {
      session.set(key, partition);
      return true;
    }
    if (!fits(partition) || this.#partitions >= this.#limits.maxPartitions) {
      this.remove(session.id);
      return false;
    }
    session.set(key, partition);
    this.#partitions++;
    return true;
  }

  forget(session: FetchSession, key: string): void {
    if (session.delete(key)) this.#partitions--;
  }

  remove(id: number): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#partitions -= session.partitions.size;
    this.#sessions.delete(id);
    session.close();
  }

  #makeRoom(partitions: number): boolean {
    const { maxSessions, maxPartitions } = this.#limits;
    while (this.#sessions.size >= maxSessions || this.#partitions + partitions > maxPartitions) {
      const oldest = this.#sessions.values().next().value;
      if (oldest === undefined || this.#clock.monotonic() - oldest.lastUsed < KEEP_MS) return false;
      this.remove(oldest.id);
    }
    return true;
  }
}

function fits({ topic }: SessionPartition): boolean {
  return topic.length <= MAX_NAME_LENGTH;
}
