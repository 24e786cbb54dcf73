import type { Clock, Random } from '../../environment/environment.ts';
import { BrokerError, type ErrorCode, toBrokerError } from '../../errors.ts';
import { DEFAULT_GROUP_CONFIG, type GroupConfigReader } from '../configs/index.ts';
import type { EventLog } from '../event-log.ts';
import { ClassicGroups } from './classic-groups.ts';
import { CommittedOffsets } from './committed-offsets.ts';
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
  NO_CONSUMERS,
  Subscriptions,
  type Topics,
} from './consumer/index.ts';
import type { EmbeddedProtocol } from './embedded-protocol.ts';
import type { ClassicGroup } from './group.ts';
import { GroupLoad } from './load.ts';
import type {
  GroupDescription,
  GroupListing,
  JoinRequest,
  JoinResult,
  LeaveRequest,
  LeaveResult,
  LeavingMember,
  MemberIdentity,
  SyncRequest,
  SyncResult,
} from './membership.ts';
import { Migration } from './migration.ts';
import type {
  CommitRequest,
  DeleteOffsetsRequest,
  FetchedTopic,
  FetchOffsetsRequest,
  PartitionResult,
  TopicPartitions,
  TransactionalCommitRequest,
} from './offsets.ts';
import { checkRoom, closed, noGroup, notInGroup } from './refusals.ts';
import { Retention } from './retention.ts';
import { DEFAULT_GROUP_SETTINGS, type GroupSettings } from './settings.ts';
import { listShareGroup, ShareGroupCoordinator } from './share/index.ts';
import type { GroupEvent, GroupsState, StoredGroup } from './state.ts';

export interface GroupCoordinatorOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Replayed already. The coordinator appends to it and does not close it. */
  readonly log: EventLog<GroupsState, GroupEvent>;
  readonly settings?: Partial<GroupSettings>;
  /** What is set for single groups; the settings hold for all without it. */
  readonly configs?: GroupConfigReader | undefined;
  /** What consumers of the classic protocol say to each other. */
  readonly embedded: EmbeddedProtocol;
  readonly topics: Topics;
  /** What is kept of a share group's deliveries goes; the group follows. */
  readonly forgetDeliveries?: ((groupId: string) => Promise<void>) | undefined;
  readonly onWarn?: (message: string, error: BrokerError) => void;
}

/** An answer per group of several. */
export interface GroupResult {
  readonly groupId: string;
  readonly error: ErrorCode | null;
}

/**
 * The groups of a shard: who is a member, who consumes what, and what they have committed. Methods reject with a
 * `BrokerError`; what is answered is durable.
 *
 * Nothing is done when a client's connection breaks, as it may come again by another: a join or sync that is left waiting
 * ends with its rebalance, or at the latest with `newMemberJoinTimeoutMs` or the rebalance time-out.
 */
export class GroupCoordinator {
  readonly #log: EventLog<GroupsState, GroupEvent>;
  readonly #settings: GroupSettings;
  readonly #offsets: CommittedOffsets;
  readonly #retention: Retention;
  readonly #classic: ClassicGroups;
  /** The groups whose members use the protocol of KIP-848. */
  readonly #consumers: ConsumerGroups;
  /** Share groups (KIP-932). */
  readonly share: ShareGroupCoordinator;
  #closed = false;

  constructor(options: GroupCoordinatorOptions) {
    const { clock, random, log, embedded, topics, onWarn = () => {} } = options;
    this.#log = log;
    this.#settings = { ...DEFAULT_GROUP_SETTINGS, ...options.settings };
    this.#offsets = new CommittedOffsets(clock, log, this.#settings);
    const surroundings = { clock, settings: this.#settings, load: new GroupLoad(this.#settings), onWarn };
    const subscriptions = new Subscriptions(topics, clock, this.#settings.topicRegexRetryMs);
    this.#classic = new ClassicGroups(
      {
        ...surroundings,
        newMemberId: (prefix) => `${prefix}-${random.uuid()}`,
        store: (groupId, membership) => log.append([{ type: 'membership-stored', groupId, membership }]),
        embedded,
      },
      () => log.state,
    );
    const { settings } = surroundings;
    const translation = { embedded, topics };
    const migration = new Migration({ clock, log, settings, classic: this.#classic, translation });
    this.#consumers = new ConsumerGroups(
      {
        ...surroundings,
        timesOf: (groupId) => options.configs?.of(groupId) ?? this.#settings,
        subscriptions,
        newMemberId: () => random.uuid(),
        translation,
        membership: (groupId) => migration.membership(groupId),
        origin: (groupId) => migration.origin(groupId),
        store: (groupId, changes) => migration.store(groupId, changes),
        storeClassic: (groupId, membership) => migration.storeClassic(groupId, membership),
      },
      log.state.groups.keys(),
    );
    this.share = new ShareGroupCoordinator({
      ...surroundings,
      ...{ log, subscriptions },
      timesOf: (groupId) => options.configs?.of(groupId) ?? DEFAULT_GROUP_CONFIG,
      check: (groupId) => {
        this.#check(groupId);
        this.#checkRoom(groupId);
      },
      isOther: (groupId) => this.#isNotShare(groupId),
      forgetDeliveries: options.forgetDeliveries ?? (async () => {}),
    });
    const groups = { classic: this.#classic, consumers: this.#consumers };
    this.#retention = new Retention({ clock, log, settings, onWarn, ...groups });
  }

  /** Refuses all who wait with `closed`, and stops all timers. */
  close(): void {
    this.#closed = true;
    this.#retention.end();
    this.#classic.endAll(closed());
    this.#consumers.end();
    this.share.end();
  }

  // Membership

  /**
   * Resolves when the rebalance that it takes part in has all members. Rejects with `unknown-member`, `fenced-instance`,
   * `inconsistent-group-protocol`, `invalid-session-timeout`, `group-max-size`, `invalid-group` or `limit-exceeded`.
   */
  async join(request: JoinRequest): Promise<JoinResult> {
    this.#check(request.groupId);
    this.#checkJoin(request);
    if (this.share.has(request.groupId))
      throw new BrokerError('inconsistent-group-protocol', `group ${request.groupId} is a share group`);
    // What is kept must not be a piece of the buffer of a whole request.
    const protocols = request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) }));
    const clientId = request.clientId.slice(0, this.#settings.maxIdLength);
    const asked = { ...request, clientId, protocols };
    return await this.#ask<JoinResult>(
      request.groupId,
      (consumers) => consumers.classic.join(asked),
      () => this.#classic.join(asked),
    );
  }

  /**
   * Resolves with the member's assignment when the leader's sync is durable. Rejects with `unknown-member`,
   * `fenced-instance`, `illegal-generation`, `inconsistent-group-protocol`, `rebalance-in-progress` or `limit-exceeded`.
   */
  async sync(request: SyncRequest): Promise<SyncResult> {
    this.#check(request.groupId);
    return await this.#ask<SyncResult>(
      request.groupId,
      (consumers) => consumers.classic.sync(request),
      () => this.#classic.withMembers(request.groupId).sync(request),
    );
  }

  /** Rejects with `rebalance-in-progress` to call the member to join again; else as `sync`. */
  async heartbeat(request: MemberIdentity): Promise<void> {
    this.#check(request.groupId);
    await this.#ask<undefined>(
      request.groupId,
      (consumers) => consumers.classic.heartbeat(request),
      () => {
        this.#classic.withMembers(request.groupId).heartbeat(request);
        return undefined;
      },
    );
  }

  async leave({ groupId, members }: LeaveRequest): Promise<LeaveResult[]> {
    this.#check(groupId);
    return await this.#ask<LeaveResult[]>(
      groupId,
      (consumers) => consumers.remove(members),
      () => this.#classic.get(groupId)?.leave(members) ?? members.map(unknown),
    );
  }

  // Members of the protocol of KIP-848

  /**
   * A member joins, stays, or leaves. Resolves when what came of it is durable. Rejects with `unknown-member`,
   * `fenced-member-epoch`, `fenced-instance`, `unreleased-instance`, `invalid-regular-expression`, `group-max-size`,
   * `limit-exceeded`, or `not-found` for no such group, or one whose members of the classic protocol stay by themselves.
   */
  async consumerHeartbeat(request: ConsumerHeartbeat): Promise<ConsumerHeartbeatResult> {
    const { groupId, memberEpoch } = request;
    this.#check(groupId);
    this.#checkNotShare(groupId);
    if (memberEpoch === JOINS) this.#checkRoom(groupId);
    return await this.#consumers.heartbeat({
      ...request,
      clientId: request.clientId.slice(0, this.#settings.maxIdLength),
    });
  }

  /** Undefined for a group that does not exist, or is of the classic protocol. */
  describeConsumers(groupId: string): ConsumerGroupDescription | undefined {
    const consumers = this.#classic.has(groupId) ? undefined : this.#consumersOf(groupId);
    return consumers && describeConsumerGroup(groupId, consumers);
  }

  // Offsets

  /**
   * Resolves when what could be committed is durable. Rejects for the request as a whole: with `unknown-member`,
   * `fenced-instance`, `illegal-generation`, `rebalance-in-progress`, or `not-found` for a generation of no known group.
   */
  async commitOffsets(request: CommitRequest): Promise<TopicPartitions<PartitionResult>[]> {
    await this.#checkCommitter(request, (group) => group.checkCommit(request));
    return await this.#offsets.commit(request);
  }

  /** As `commitOffsets`; what it commits takes effect with the end of the producer's transaction. */
  async commitTransactionalOffsets(request: TransactionalCommitRequest): Promise<TopicPartitions<PartitionResult>[]> {
    await this.#checkCommitter(request, (group) => group.checkTransactionalCommit(request), true);
    return await this.#offsets.commitWithTransaction(request);
  }

  async #checkCommitter(
    request: CommitRequest,
    check: (group: ClassicGroup) => void,
    transactional = false,
  ): Promise<void> {
    const { groupId, generation } = request;
    this.#check(groupId);
    this.#checkNotShare(groupId);
    await this.#settled(groupId);
    const group = this.#classic.get(groupId);
    if (group !== undefined) check(group);
    else if (this.#consumersOf(groupId) !== undefined) this.#checkConsumer(request, transactional);
    else if (generation >= 0) throw this.#log.state.groups.has(groupId) ? notInGroup(groupId) : noGroup(groupId);
    this.#checkRoom(groupId);
  }

  /** Of a group that does not exist, no offset is committed. */
  async fetchOffsets(request: FetchOffsetsRequest): Promise<FetchedTopic[]> {
    const { groupId, memberId = null, memberEpoch = -1 } = request;
    this.#check(groupId);
    this.#checkNotShare(groupId);
    await this.#settled(groupId);
    if (
      (memberId !== null || memberEpoch >= 0) &&
      !this.#classic.has(groupId) &&
      this.#consumersOf(groupId) !== undefined
    ) {
      this.#liveConsumers(groupId).checkReader(memberId ?? '', memberEpoch);
    }
    return this.#offsets.fetch(request);
  }

  /**
   * `group-subscribed-to-topic` for a partition whose topic the group consumes. Rejects with `not-found` for no known group,
   * with `group-not-empty` when its members are no consumers.
   */
  async deleteOffsets(request: DeleteOffsetsRequest): Promise<TopicPartitions<PartitionResult>[]> {
    const { groupId } = request;
    this.#check(groupId);
    this.#checkNotShare(groupId);
    await this.#settled(groupId);
    const group = this.#classic.get(groupId);
    if (group === undefined && !this.#log.state.groups.has(groupId)) throw noGroup(groupId);
    const members = group ?? this.#consumers.get(groupId);
    const subscribed = members === undefined ? new Set<string>() : members.subscribedTopics;
    if (subscribed === undefined) {
      throw new BrokerError(
        'group-not-empty',
        `members of group ${groupId} may be using these offsets; stop them first`,
      );
    }
    return await this.#offsets.delete(request, (topic) => subscribed === null || subscribed.has(topic));
  }

  /** The topic is gone, and with it what any group has committed for it. */
  async onTopicDeleted(topicId: string): Promise<void> {
    await this.#offsets.onTopicDeleted(topicId);
  }

  // Groups

  /** `group-not-empty` for a group that has members, `not-found` for none. */
  async deleteGroups(groupIds: readonly string[]): Promise<GroupResult[]> {
    return await Promise.all(groupIds.map((groupId) => this.#delete(groupId)));
  }

  /** Undefined for a group that does not exist. */
  describe(groupId: string): GroupDescription | undefined {
    const live = this.#classic.get(groupId);
    if (live !== undefined) return live.describe();
    const stored = this.#log.state.groups.get(groupId);
    if (stored === undefined || stored.consumer !== null || stored.share !== null) return undefined;
    return { groupId, state: 'Empty', protocolType: protocolTypeOf(stored), protocolName: '', members: [] };
  }

  /** Undefined for a group that does not exist. */
  get(groupId: string): GroupListing | undefined {
    const live = this.#classic.get(groupId);
    if (live !== undefined) return live.list();
    const stored = this.#log.state.groups.get(groupId);
    return stored && listStored(groupId, stored);
  }

  /** States and types are compared without regard to case; empty or left out means all. */
  list(filter: { readonly states?: readonly string[]; readonly types?: readonly string[] } = {}): GroupListing[] {
    const states = new Set(filter.states?.map((state) => state.toLowerCase()));
    const types = new Set(filter.types?.map((type) => type.toLowerCase()));
    const listed: GroupListing[] = Array.from(this.#classic, (group) => group.list());
    for (const [groupId, stored] of this.#log.state.groups) {
      if (!this.#classic.has(groupId)) listed.push(listStored(groupId, stored));
    }
    return listed.filter(
      ({ state, type }) =>
        (states.size === 0 || states.has(state.toLowerCase())) && (types.size === 0 || types.has(type)),
    );
  }

  async #delete(groupId: string): Promise<GroupResult> {
    try {
      this.#check(groupId);
      if (this.share.has(groupId)) {
        await this.share.delete(groupId);
        return { groupId, error: null };
      }
      const group = this.#classic.get(groupId);
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
      const still = this.#classic.get(groupId);
      if (still?.state === 'Empty') this.#classic.end(still, noGroup(groupId));
      return { groupId, error: null };
    } catch (error) {
      return { groupId, error: toBrokerError(error).code };
    }
  }

  // Groups of three kinds

  #isNotShare(groupId: string): boolean {
    if (this.#classic.has(groupId) || this.#consumers.get(groupId) !== undefined) return true;
    const stored = this.#log.state.groups.get(groupId);
    return stored !== undefined && stored.share === null;
  }

  #checkNotShare(groupId: string): void {
    if (this.share.has(groupId)) throw new BrokerError('not-found', `Group ${groupId} is a share group.`);
  }

  /** What is durable of the group's members, if it is one of KIP-848. */
  #consumersOf(groupId: string): ConsumerMembership | undefined {
    return this.#log.state.groups.get(groupId)?.consumer ?? undefined;
  }

  #hasConsumers(groupId: string): boolean {
    return (this.#consumersOf(groupId)?.members.size ?? 0) > 0;
  }

  /** Asks a group of KIP-848 if that is what it is when its turn comes, else a classic group. */
  async #ask<T>(
    groupId: string,
    consumers: (group: ConsumerGroup) => Promise<T | typeof NO_CONSUMERS>,
    classic: () => T | Promise<T>,
  ): Promise<T> {
    for (;;) {
      const group = this.#classic.occupied(groupId) === undefined ? this.#consumers.get(groupId) : undefined;
      if (group === undefined) return await classic();
      const answer = await consumers(group);
      if (answer !== NO_CONSUMERS) return answer;
      // Several that asked at once would keep the group there for each other, if each asked again at once.
      await group.settled();
      if (this.#closed) throw closed();
    }
  }

  /** Waits while the group changes from one protocol to the other: its members are neither's then. */
  async #settled(groupId: string): Promise<void> {
    if (this.#classic.has(groupId) || this.#consumersOf(groupId) !== undefined) return;
    await this.#consumers.get(groupId)?.settled();
    if (this.#closed) throw closed();
  }

  #checkConsumer(request: CommitRequest, transactional: boolean): void {
    const { groupId, memberId, generation, groupInstanceId, knowsEpochs = true } = request;
    if (generation < 0 && !this.#hasConsumers(groupId)) return;
    if (!transactional) {
      this.#liveConsumers(groupId).checkMember(memberId, generation, knowsEpochs);
      return;
    }
    // A producer that does not say for whom it commits.
    if (generation < 0 && memberId === '' && groupInstanceId === null) return;
    try {
      this.#liveConsumers(groupId).checkMember(memberId, generation);
    } catch (error) {
      if (!(error instanceof BrokerError) || error.code !== 'stale-member-epoch') throw error;
      // Producers know generations only.
      throw new BrokerError('illegal-generation', error.message);
    }
  }

  /** Throws when it has no members. */
  #liveConsumers(groupId: string): ConsumerGroup {
    const consumers = this.#consumers.get(groupId);
    if (consumers === undefined) throw notInGroup(groupId);
    return consumers;
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

  /** Throws `limit-exceeded` when there is no room to remember one more group. */
  #checkRoom(groupId: string): void {
    checkRoom(groupId, this.#log.state.groups, this.#settings.maxGroups);
  }
}

function unknown({ memberId, groupInstanceId }: LeavingMember): LeaveResult {
  return { memberId, groupInstanceId, error: 'unknown-member' };
}

function listStored(groupId: string, stored: StoredGroup): GroupListing {
  if (stored.share !== null) return listShareGroup(groupId, stored.share);
  if (stored.consumer !== null) return listConsumerGroup(groupId, stored.consumer);
  return { groupId, protocolType: protocolTypeOf(stored), state: 'Empty', type: 'classic' };
}

function protocolTypeOf({ membership }: StoredGroup): string {
  return membership?.protocolType ?? '';
}
