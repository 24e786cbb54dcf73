import type { SharePartition } from '../../broker/index.ts';
import type { Random } from '../../environment/environment.ts';

/** A partition that a share session fetches, or has records of. */
export interface ShareSessionPartition {
  readonly topicId: string;
  readonly partition: number;
  /** False for one that the member forgot and still may have records of. */
  wanted: boolean;
  /** Its delivery state, once something was asked of it. */
  state: SharePartition | undefined;
}

/** What a member of a share group fetches from this broker, by one connection (KIP-932): it sends only what changed. */
export interface ShareSession {
  readonly groupId: string;
  readonly memberId: string;
  /** Under what its records are locked: no other session's, of the same member either, so that its end releases what it had alone. */
  readonly owner: string;
  /** What the next request has to come with. */
  epoch: number;
  readonly partitions: Map<string, ShareSessionPartition>;
  closed: boolean;
  /** Stops watching its connection. */
  leave: () => void;
}

/** Kafka's group.share.max.share.sessions. */
const MAX_SESSIONS = 2000;
/** Of all sessions together. */
const MAX_PARTITIONS = 500_000;
const MAX_EPOCH = 0x7fff_ffff;

export interface ShareSessionLimits {
  readonly maxSessions: number;
  readonly maxPartitions: number;
}

interface PartitionId {
  readonly topicId: string;
  readonly partition: number;
}

export function shareSessionKey({ topicId, partition }: PartitionId): string {
  return `${partition}/${topicId}`;
}

/**
 * The share sessions of all connections of a listener, one for each member. A session ends with its connection, with the member's word, or when the member begins
 * another; what it had of records is others' then.
 */
export class ShareSessions {
  /** By group and member. */
  readonly #sessions = new Map<string, ShareSession>();
  readonly #random: Random;
  readonly #limits: ShareSessionLimits;
  #partitions = 0;

  constructor(random: Random, limits: Partial<ShareSessionLimits> = {}) {
    this.#random = random;
    this.#limits = { maxSessions: MAX_SESSIONS, maxPartitions: MAX_PARTITIONS, ...limits };
  }

  get size(): number {
    return this.#sessions.size;
  }

  get(groupId: string, memberId: string): ShareSession | undefined {
    return this.#sessions.get(keyOf(groupId, memberId));
  }

  /** A new session, at epoch 1, once the member's former one is closed; undefined when there is no room. */
  async begin(
    groupId: string,
    memberId: string,
    partitions: readonly PartitionId[],
  ): Promise<ShareSession | undefined> {
    // While that is waited for, the member may begin yet another, by another connection.
    for (let former = this.get(groupId, memberId); former !== undefined; former = this.get(groupId, memberId))
      await this.close(former);
    if (this.#sessions.size >= this.#limits.maxSessions) return undefined;
    const session: ShareSession = {
      ...{ groupId, memberId, owner: this.#random.uuid(), epoch: 1, partitions: new Map(), closed: false },
      leave: () => {},
    };
    this.#sessions.set(keyOf(groupId, memberId), session);
    if (this.change(session, partitions, [])) return session;
    this.#forget(session);
    return undefined;
  }

  /** Counts a request of the session. */
  advance(session: ShareSession): void {
    session.epoch = session.epoch === MAX_EPOCH ? 1 : session.epoch + 1;
  }

  /** What the session is to fetch as well, and no more; false when there is no room. */
  change(session: ShareSession, wanted: readonly PartitionId[], forgotten: readonly PartitionId[]): boolean {
    for (const id of forgotten) {
      const key = shareSessionKey(id);
      const known = session.partitions.get(key);
      if (known?.state === undefined) {
        if (session.partitions.delete(key)) this.#partitions--;
      } else {
        known.wanted = false;
      }
    }
    for (const { topicId, partition } of wanted) {
      const key = shareSessionKey({ topicId, partition });
      const known = session.partitions.get(key);
      if (known !== undefined) {
        known.wanted = true;
        continue;
      }
      if (this.#partitions >= this.#limits.maxPartitions) return false;
      session.partitions.set(key, { topicId, partition, wanted: true, state: undefined });
      this.#partitions++;
    }
    return true;
  }

  /** Ends a session: what it has of records is available to others. Resolves when that is durable. */
  async close(session: ShareSession): Promise<void> {
    if (session.closed) return;
    const states = [...session.partitions.values()].flatMap(({ state }) => state ?? []);
    this.#forget(session);
    await Promise.all(states.map((state) => state.releaseAll(session.owner)));
  }

  #forget(session: ShareSession): void {
    session.closed = true;
    session.leave();
    this.#sessions.delete(keyOf(session.groupId, session.memberId));
    this.#partitions -= session.partitions.size;
  }
}

/** A member's id has no more than 36 characters, and the group's may have any: no two pairs make one key. */
function keyOf(groupId: string, memberId: string): string {
  return `${memberId.length}/${memberId}${groupId}`;
}
