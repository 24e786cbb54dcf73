import type { Clock, Random, Timer } from '../../environment/environment.ts';
import { BrokerError, type ErrorCode, toBrokerError } from '../../errors.ts';
import type { GroupConfigReader } from '../configs/index.ts';
import type { EventLog } from '../event-log.ts';
import {
  type ConsumerGroup,
  type ConsumerGroupDescription,
  ConsumerGroups,
  type ConsumerHeartbeat,
  type ConsumerHeartbeatResult,
  type ConsumerMembership,
  describeConsumerGroup,
  JOINS,
  listConsumerGroup,
  Subscriptions,
  type Topics,
} from './consumer/index.ts';
import { expiredOffsets } from './expiry.ts';
import { ClassicGroup, CONSUMERS, type GroupSurroundings } from './group.ts';
import { GroupLoad } from './load.ts';
import type {
  GroupDescription,
  GroupListing,
  JoinRequest,
  JoinResult,
  LeaveRequest,
  LeaveResult,
  MemberIdentity,
  SyncRequest,
  SyncResult,
} from './membership.ts';
import type {
  CommitRequest,
  DeleteOffsetsRequest,
  FetchedOffset,
  FetchedTopic,
  FetchOffsetsRequest,
  OffsetToCommit,
  PartitionResult,
  TopicPartitions,
  TransactionalCommitRequest,
} from './offsets.ts';
import { isPending } from './pending-offsets.ts';
import { DEFAULT_GROUP_SETTINGS, type GroupSettings } from './settings.ts';
import type { GroupEvent, GroupsState, Membership, StoredGroup, StoredTopic } from './state.ts';

export interface GroupCoordinatorOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Replayed already. The coordinator appends to it and does not close it. */
  readonly log: EventLog<GroupsState, GroupEvent>;
  readonly settings?: Partial<GroupSettings>;
  /** What is set for single groups; the settings hold for all without it. */
  readonly configs?: GroupConfigReader | undefined;
  /** The topics that a member's metadata says it consumes; null when it is not of a consumer, or cannot be read. */
  readonly subscribedTopics: (protocolType: string, metadata: Buffer) => readonly string[] | null;
  readonly topics: Topics;
  readonly onWarn?: (message: string, error: BrokerError) => void;
}

/** An answer per group of several. */
export interface GroupResult {
  readonly groupId: string;
  readonly error: ErrorCode | null;
}

/** Events that an expiry appends at a time. */
const EXPIRED_AT_ONCE = 1_000;

/**
 * The consumer groups of a shard: who is a member, who consumes what, and what they have committed. Methods reject with a
 * `BrokerError`; what is answered is durable.
 *
 * Nothing is done when a client's connection breaks, as it may come again by another: a join or sync that is left waiting
 * ends with its rebalance, or at the latest with `newMemberJoinTimeoutMs` or the rebalance time-out.
 */
export class GroupCoordinator {
  readonly #clock: Clock;
  readonly #log: EventLog<GroupsState, GroupEvent>;
  readonly #settings: GroupSettings;
  readonly #surroundings: GroupSurroundings;
  readonly #onWarn: (message: string, error: BrokerError) => void;
  /** Groups of which there is more to know than what is durable: members, or rebalances under way. */
  readonly #live = new Map<string, ClassicGroup>();
  /** Likewise, those whose members use the protocol of KIP-848. */
  readonly #consumers: ConsumerGroups;
  #expiry: Timer | undefined;
  #closed = false;

  constructor(options: GroupCoordinatorOptions) {
    const { clock, random, log, subscribedTopics, topics, onWarn = () => {} } = options;
    this.#clock = clock;
    this.#log = log;
    this.#settings = { ...DEFAULT_GROUP_SETTINGS, ...options.settings };
    this.#onWarn = onWarn;
    this.#surroundings = {
      clock,
      settings: this.#settings,
      load: new GroupLoad(this.#settings),
      newMemberId: (prefix) => `${prefix}-${random.uuid()}`,
      store: (groupId, membership) => log.append([{ type: 'membership-stored', groupId, membership }]),
      subscribedTopics,
      onRest: (group) => this.#forget(group),
      onWarn,
    };
    for (const [groupId, { membership }] of log.state.groups) {
      if (membership !== null && membership.members.length > 0) this.#open(groupId);
    }
    this.#consumers = new ConsumerGroups(
      {
        clock,
        settings: this.#settings,
        timesOf: (groupId) => options.configs?.of(groupId) ?? this.#settings,
        load: this.#surroundings.load,
        subscriptions: new Subscriptions(topics, clock, this.#settings.topicRegexRetryMs),
        newMemberId: () => random.uuid(),
        membership: (groupId) => this.#consumersOf(groupId),
        firstEpoch: (groupId) => log.state.groups.get(groupId)?.membership?.generation ?? 0,
        checkKind: (groupId) => this.#checkNotClassic(groupId),
        store: (groupId, change) => log.append([{ type: 'consumer-group-changed', groupId, change }]),
        onWarn,
      },
      log.state.groups.keys(),
    );
    this.#scheduleExpiry();
  }

  /** Refuses all who wait with `closed`, and stops all timers. */
  close(): void {
    this.#closed = true;
    this.#expiry?.cancel();
    for (const group of this.#live.values()) group.end(closed());
    this.#live.clear();
    this.#consumers.end();
  }

  // Membership

  /**
   * Resolves when the rebalance that it takes part in has all members. Rejects with `unknown-member`, `fenced-instance`,
   * `inconsistent-group-protocol`, `invalid-session-timeout`, `group-max-size`, `invalid-group` or `limit-exceeded`.
   */
  async join(request: JoinRequest): Promise<JoinResult> {
    this.#check(request.groupId);
    this.#checkJoin(request);
    // What is kept must not be a piece of the buffer of a whole request.
    const protocols = request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) }));
    const clientId = request.clientId.slice(0, this.#settings.maxIdLength);
    const consumers = this.#consumers.get(request.groupId);
    if (consumers !== undefined) await this.#checkNoConsumers(consumers);
    const group = request.memberId === '' ? this.#groupToJoin(request.groupId) : this.#live.get(request.groupId);
    if (group === undefined) throw notInGroup(request.groupId);
    try {
      return await group.join({ ...request, clientId, protocols });
    } finally {
      // Whom it refused, it need not be there for.
      if (group.atRest) this.#forget(group);
    }
  }

  /**
   * Resolves with the member's assignment when the leader's sync is durable. Rejects with `unknown-member`,
   * `fenced-instance`, `illegal-generation`, `inconsistent-group-protocol`, `rebalance-in-progress` or `limit-exceeded`.
   */
  async sync(request: SyncRequest): Promise<SyncResult> {
    this.#check(request.groupId);
    const group = this.#live.get(request.groupId);
    if (group === undefined) throw notInGroup(request.groupId);
    return await group.sync(request);
  }

  /** Rejects with `rebalance-in-progress` to call the member to join again; else as `sync`. */
  async heartbeat(request: MemberIdentity): Promise<void> {
    this.#check(request.groupId);
    const group = this.#live.get(request.groupId);
    if (group === undefined) throw notInGroup(request.groupId);
    group.heartbeat(request);
  }

  async leave({ groupId, members }: LeaveRequest): Promise<LeaveResult[]> {
    this.#check(groupId);
    const group = this.#live.get(groupId);
    if (group !== undefined) return await group.leave(members);
    if (this.#hasConsumers(groupId)) return await this.#consumers.remove(groupId, members);
    return members.map(({ memberId, groupInstanceId }) => ({ memberId, groupInstanceId, error: 'unknown-member' }));
  }

  // Members of the protocol of KIP-848

  /**
   * A member joins, stays, or leaves. Resolves when what came of it is durable. Rejects with `unknown-member`,
   * `fenced-member-epoch`, `fenced-instance`, `unreleased-instance`, `invalid-regular-expression`, `group-max-size`,
   * `limit-exceeded`, or `not-found` for no such group, or one that has members of the classic protocol.
   */
  async consumerHeartbeat(request: ConsumerHeartbeat): Promise<ConsumerHeartbeatResult> {
    const { groupId, memberEpoch } = request;
    this.#check(groupId);
    this.#checkNotClassic(groupId);
    if (memberEpoch === JOINS) {
      this.#checkRoom(groupId, this.#log.state.groups);
      // An empty group of the classic protocol becomes one of this.
      const classic = this.#live.get(groupId);
      classic?.end(notInGroup(groupId));
      if (classic !== undefined) this.#forget(classic);
    }
    return await this.#consumers.heartbeat({
      ...request,
      clientId: request.clientId.slice(0, this.#settings.maxIdLength),
    });
  }

  /** Undefined for a group that does not exist, or is of the classic protocol. */
  describeConsumers(groupId: string): ConsumerGroupDescription | undefined {
    const consumers = this.#live.has(groupId) ? undefined : this.#consumersOf(groupId);
    return consumers && describeConsumerGroup(groupId, consumers);
  }

  // Offsets

  /**
   * Resolves when what could be committed is durable. Rejects for the request as a whole: with `unknown-member`,
   * `fenced-instance`, `illegal-generation`, `rebalance-in-progress`, or `not-found` for a generation of no known group.
   */
  async commitOffsets(request: CommitRequest): Promise<TopicPartitions<PartitionResult>[]> {
    const { groupId, retentionMs } = request;
    this.#checkCommitter(request, (group) => group.checkCommit(request));
    const { accepted, results } = this.#acceptable(request);
    if (accepted.length > 0) {
      const timestamp = this.#clock.now();
      const expires = typeof retentionMs === 'number' && retentionMs >= 0 ? timestamp + retentionMs : null;
      await this.#log.append([{ type: 'offsets-committed', groupId, timestamp, expires, topics: accepted }]);
    }
    return results;
  }

  /** As `commitOffsets`; what it commits takes effect with the end of the producer's transaction. */
  async commitTransactionalOffsets(request: TransactionalCommitRequest): Promise<TopicPartitions<PartitionResult>[]> {
    const { groupId, producerId } = request;
    this.#checkCommitter(request, (group) => group.checkTransactionalCommit(request), true);
    const { accepted, results } = this.#acceptable(request);
    if (accepted.length > 0) {
      const timestamp = this.#clock.now();
      await this.#log.append([{ type: 'transactional-offsets', groupId, producerId, timestamp, topics: accepted }]);
    }
    return results;
  }

  #checkCommitter(request: CommitRequest, check: (group: ClassicGroup) => void, transactional = false): void {
    const { groupId, generation } = request;
    this.#check(groupId);
    const group = this.#live.get(groupId);
    if (group !== undefined) check(group);
    else if (this.#consumersOf(groupId) !== undefined) this.#checkConsumer(request, transactional);
    else if (generation >= 0) throw this.#log.state.groups.has(groupId) ? notInGroup(groupId) : noGroup(groupId);
    this.#checkRoom(groupId, this.#log.state.groups);
  }

  /** What of a request can be committed, and the answer for all of it. */
  #acceptable({ groupId, topics }: CommitRequest) {
    const results: TopicPartitions<PartitionResult>[] = [];
    const accepted: TopicPartitions<OffsetToCommit>[] = [];
    for (const { topic, topicId, partitions } of topics) {
      const good = partitions.filter(({ metadata }) => this.#metadataFits(metadata));
      if (good.length > 0) accepted.push({ topic, topicId, partitions: good });
      results.push({
        topic,
        topicId,
        partitions: partitions.map(({ partition, metadata }) => ({
          partition,
          error: this.#metadataFits(metadata) ? null : 'limit-exceeded',
        })),
      });
    }
    this.#checkOffsets(groupId, accepted);
    return { accepted, results };
  }

  /** Of a group that does not exist, no offset is committed. */
  async fetchOffsets(request: FetchOffsetsRequest): Promise<FetchedTopic[]> {
    const { groupId, topics, requireStable, memberId = null, memberEpoch = -1 } = request;
    this.#check(groupId);
    if (
      (memberId !== null || memberEpoch >= 0) &&
      !this.#live.has(groupId) &&
      this.#consumersOf(groupId) !== undefined
    ) {
      this.#checkMember(groupId, memberId ?? '', memberEpoch);
    }
    const group = this.#log.state.groups.get(groupId);
    const offsets = group?.offsets;
    const one = (topicId: string | null, partition: number): FetchedOffset => {
      if (requireStable && group !== undefined && topicId !== null && isPending(group.pending, topicId, partition))
        return { ...fetched(undefined, partition), error: 'unstable-offset' };
      return fetched(topicId === null ? undefined : offsets?.get(topicId), partition);
    };
    if (topics === null) {
      return [...(offsets ?? [])].map(([topicId, stored]) => ({
        topic: stored.topic,
        topicId,
        partitions: [...stored.partitions.keys()].map((partition) => one(topicId, partition)),
      }));
    }
    return topics.map(({ topic, topicId, partitions }) => {
      return { topic, topicId, partitions: partitions.map((partition) => one(topicId, partition)) };
    });
  }

  /**
   * `group-subscribed-to-topic` for a partition whose topic the group consumes. Rejects with `not-found` for no known group,
   * with `group-not-empty` when its members are no consumers.
   */
  async deleteOffsets({ groupId, topics }: DeleteOffsetsRequest): Promise<TopicPartitions<PartitionResult>[]> {
    this.#check(groupId);
    const group = this.#live.get(groupId);
    if (group === undefined && !this.#log.state.groups.has(groupId)) throw noGroup(groupId);
    const members = group ?? this.#consumers.get(groupId);
    const subscribed = members === undefined ? new Set<string>() : members.subscribedTopics;
    if (subscribed === undefined) {
      throw new BrokerError(
        'group-not-empty',
        `members of group ${groupId} may be using these offsets; stop them first`,
      );
    }
    const consumed = (topic: string) => subscribed === null || subscribed.has(topic);
    const deleted = topics.filter(({ topic }) => !consumed(topic));
    // Also what does not seem to be there: its commit may be on its way.
    if (deleted.length > 0) await this.#log.append([{ type: 'offsets-deleted', groupId, topics: deleted.map(bare) }]);
    return topics.map(({ topic, topicId, partitions }) => {
      const error = consumed(topic) ? 'group-subscribed-to-topic' : null;
      return { topic, topicId, partitions: partitions.map((partition) => ({ partition, error })) };
    });
  }

  /** The topic is gone, and with it what any group has committed for it. */
  async onTopicDeleted(topicId: string): Promise<void> {
    await this.#log.append([{ type: 'topic-deleted', topicId }]);
  }

  // Groups

  /** `group-not-empty` for a group that has members, `not-found` for none. */
  async deleteGroups(groupIds: readonly string[]): Promise<GroupResult[]> {
    return await Promise.all(groupIds.map((groupId) => this.#delete(groupId)));
  }

  /** Undefined for a group that does not exist. */
  describe(groupId: string): GroupDescription | undefined {
    const live = this.#live.get(groupId);
    if (live !== undefined) return live.describe();
    const stored = this.#log.state.groups.get(groupId);
    if (stored === undefined || stored.consumer !== null) return undefined;
    return { groupId, state: 'Empty', protocolType: protocolTypeOf(stored), protocolName: '', members: [] };
  }

  /** States and types are compared without regard to case; empty or left out means all. */
  list(filter: { readonly states?: readonly string[]; readonly types?: readonly string[] } = {}): GroupListing[] {
    const states = new Set(filter.states?.map((state) => state.toLowerCase()));
    const types = new Set(filter.types?.map((type) => type.toLowerCase()));
    const listed: GroupListing[] = [...this.#live.values()].map((group) => group.list());
    for (const [groupId, stored] of this.#log.state.groups) {
      if (this.#live.has(groupId)) continue;
      if (stored.consumer !== null) listed.push(listConsumerGroup(groupId, stored.consumer));
      else listed.push({ groupId, protocolType: protocolTypeOf(stored), state: 'Empty', type: 'classic' });
    }
    return listed.filter(
      ({ state, type }) =>
        (states.size === 0 || states.has(state.toLowerCase())) && (types.size === 0 || types.has(type)),
    );
  }

  async #delete(groupId: string): Promise<GroupResult> {
    try {
      this.#check(groupId);
      const group = this.#live.get(groupId);
      if (group === undefined && !this.#log.state.groups.has(groupId)) throw noGroup(groupId);
      const refuseMembers = () => {
        if ((group !== undefined && group.state !== 'Empty') || this.#hasConsumers(groupId)) {
          throw new BrokerError('group-not-empty', `group ${groupId} has members; stop them first`);
        }
      };
      const remove = () => {
        refuseMembers();
        return this.#log.append([{ type: 'group-deleted', groupId }]);
      };
      await (this.#consumers.get(groupId)?.meanwhile(remove) ?? remove());
      const still = this.#live.get(groupId);
      if (still?.state === 'Empty') {
        still.end(noGroup(groupId));
        this.#forget(still);
      }
      return { groupId, error: null };
    } catch (error) {
      return { groupId, error: toBrokerError(error).code };
    }
  }

  /** The group; a new one when there was none. */
  #groupToJoin(groupId: string): ClassicGroup {
    const live = this.#live.get(groupId);
    if (live !== undefined) return live;
    this.#checkRoom(groupId, this.#live);
    this.#checkRoom(groupId, this.#log.state.groups);
    return this.#open(groupId);
  }

  /** Goes on where the group was left. */
  #open(groupId: string): ClassicGroup {
    const stored = this.#log.state.groups.get(groupId);
    const membership = stored?.membership ?? (stored?.consumer ? afterConsumers(stored.consumer) : null);
    const group = new ClassicGroup(groupId, this.#surroundings, membership);
    this.#live.set(groupId, group);
    return group;
  }

  #forget(group: ClassicGroup): void {
    if (this.#live.get(group.groupId) === group) this.#live.delete(group.groupId);
  }

  // Expiry

  #scheduleExpiry(): void {
    this.#expiry = this.#clock.setTimer(this.#settings.offsetsRetentionCheckMs, () => {
      this.#expire()
        .catch((error: unknown) => this.#onWarn('expired offsets were not deleted', toBrokerError(error)))
        .finally(() => {
          if (!this.#closed) this.#scheduleExpiry();
        });
    });
  }

  async #expire(): Promise<void> {
    for (const group of this.#live.values()) group.saveAgain();
    const events: GroupEvent[] = [];
    const now = this.#clock.now();
    for (const [groupId, stored] of this.#log.state.groups) {
      const group = this.#live.get(groupId);
      const topics = expiredOffsets(
        stored,
        group,
        this.#consumers.get(groupId),
        now,
        this.#settings.offsetsRetentionMs,
      );
      if (topics.length > 0) events.push({ type: 'offsets-expired', groupId, topics });
      if (group === undefined && count(topics) === count(offsetsOf(stored))) {
        events.push({ type: 'group-expired', groupId });
      }
    }
    for (let i = 0; i < events.length; i += EXPIRED_AT_ONCE) {
      await this.#log.append(events.slice(i, i + EXPIRED_AT_ONCE));
    }
  }

  // Groups of two kinds

  /** What is durable of the group's members, if it is one of KIP-848. */
  #consumersOf(groupId: string): ConsumerMembership | undefined {
    return this.#log.state.groups.get(groupId)?.consumer ?? undefined;
  }

  #hasConsumers(groupId: string): boolean {
    return (this.#consumersOf(groupId)?.members.size ?? 0) > 0;
  }

  #checkNotClassic(groupId: string): void {
    const classic = this.#live.get(groupId);
    if (classic === undefined || classic.state === 'Empty') return;
    throw new BrokerError(
      'not-found',
      `Group ${groupId} is not a consumer group: it has members of the classic protocol.`,
    );
  }

  /** A group of KIP-848 can be joined by the classic protocol when it is empty; it is of that protocol then. */
  async #checkNoConsumers(consumers: ConsumerGroup): Promise<void> {
    await consumers.settled();
    if (this.#closed) throw closed();
    if (consumers.isEmpty) return;
    throw new BrokerError(
      'inconsistent-group-protocol',
      `group ${consumers.groupId} has members of the consumer protocol`,
    );
  }

  #checkConsumer(request: CommitRequest, transactional: boolean): void {
    const { groupId, memberId, generation, groupInstanceId, knowsEpochs = true } = request;
    if (generation < 0 && !this.#hasConsumers(groupId)) return;
    if (!transactional) {
      this.#checkMember(groupId, memberId, knowsEpochs ? generation : null);
      return;
    }
    // A producer that does not say for whom it commits.
    if (generation < 0 && memberId === '' && groupInstanceId === null) return;
    try {
      this.#checkMember(groupId, memberId, generation);
    } catch (error) {
      if (!(error instanceof BrokerError) || error.code !== 'stale-member-epoch') throw error;
      // Producers know generations only.
      throw new BrokerError('illegal-generation', error.message);
    }
  }

  #checkMember(groupId: string, memberId: string, memberEpoch: number | null): void {
    const consumers = this.#consumers.get(groupId);
    if (consumers === undefined) throw notInGroup(groupId);
    consumers.checkMember(memberId, memberEpoch);
  }

  // Checks

  #check(groupId: string): void {
    if (this.#closed) throw closed();
    if (groupId !== '' && groupId.length <= this.#settings.maxIdLength) return;
    throw new BrokerError('invalid-group', `a group id has 1 to ${this.#settings.maxIdLength} characters`);
  }

  #checkJoin({ sessionTimeoutMs, groupInstanceId, protocolType }: JoinRequest): void {
    const { minSessionTimeoutMs, maxSessionTimeoutMs, maxIdLength } = this.#settings;
    if (sessionTimeoutMs < minSessionTimeoutMs || sessionTimeoutMs > maxSessionTimeoutMs) {
      throw new BrokerError(
        'invalid-session-timeout',
        `a session is ${minSessionTimeoutMs} to ${maxSessionTimeoutMs} ms long, not ${sessionTimeoutMs}`,
      );
    }
    if ((groupInstanceId?.length ?? 0) > maxIdLength || protocolType.length > maxIdLength) {
      throw new BrokerError('invalid-argument', `instance id and protocol type have up to ${maxIdLength} characters`);
    }
  }

  /** One more group must not be one too many. */
  #checkRoom(groupId: string, groups: ReadonlyMap<string, unknown>): void {
    const { maxGroups } = this.#settings;
    if (groups.size < maxGroups || groups.has(groupId)) return;
    throw new BrokerError('limit-exceeded', `there are ${maxGroups} groups already; delete some, or raise the limit`);
  }

  /** Rejects with `limit-exceeded` when these would be too many for all groups together. */
  #checkOffsets(groupId: string, topics: readonly TopicPartitions<OffsetToCommit>[]): void {
    const { maxOffsets, maxTotalOffsetMetadataLength } = this.#settings;
    const { groups, committed } = this.#log.state;
    let offsets = committed.offsets;
    let metadataLength = committed.metadataLength;
    for (const { topicId, partitions } of topics) {
      const stored = groups.get(groupId)?.offsets.get(topicId)?.partitions;
      for (const { partition, metadata } of partitions) {
        const before = stored?.get(partition);
        if (before === undefined) offsets++;
        metadataLength += (metadata?.length ?? 0) - (before?.metadata.length ?? 0);
      }
    }
    // Whoever commits what it had committed before does not make it worse.
    const more = offsets > committed.offsets && offsets > maxOffsets;
    const longer = metadataLength > committed.metadataLength && metadataLength > maxTotalOffsetMetadataLength;
    if (more || longer)
      throw new BrokerError(
        'limit-exceeded',
        `all groups together have ${committed.offsets} committed offsets already`,
      );
  }

  #metadataFits(metadata: string | null): boolean {
    return metadata === null || metadata.length <= this.#settings.maxOffsetMetadataLength;
  }
}

function fetched(stored: StoredTopic | undefined, partition: number): FetchedOffset {
  const found = stored?.partitions.get(partition);
  if (found === undefined) return { partition, offset: -1, leaderEpoch: -1, metadata: '', error: null };
  const { offset, leaderEpoch, metadata } = found;
  return { partition, offset, leaderEpoch, metadata, error: null };
}

function bare({ topicId, partitions }: TopicPartitions<number>) {
  return { topicId, partitions };
}

function offsetsOf({ offsets }: StoredGroup) {
  return [...offsets.values()].map(({ partitions }) => ({ partitions: [...partitions.keys()] }));
}

function count(topics: readonly { readonly partitions: readonly unknown[] }[]): number {
  return topics.reduce((sum, { partitions }) => sum + partitions.length, 0);
}

function protocolTypeOf({ membership }: StoredGroup): string {
  return membership?.protocolType ?? '';
}

/** The generations of the classic protocol go on after the epochs of the other. */
function afterConsumers({ epoch, since }: ConsumerMembership): Membership {
  return { generation: epoch, protocolType: CONSUMERS, protocolName: null, leader: null, since, members: [] };
}

function noGroup(groupId: string): BrokerError {
  return new BrokerError('not-found', `there is no group ${groupId}`);
}

function notInGroup(groupId: string): BrokerError {
  return new BrokerError('unknown-member', `group ${groupId} has no members; join it`);
}

function closed(): BrokerError {
  return new BrokerError('closed', 'the coordinator of this group has closed; look for it again');
}
