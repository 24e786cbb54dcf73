import type { ErrorCode } from '../../errors.ts';
import type { ConsumerGroupState } from './consumer/heartbeat.ts';
import type { ShareGroupState } from './share/heartbeat.ts';

// What members of a classic group ask of its coordinator, and what they are answered. Where nothing else is said, a refusal
// is a rejected promise with a `BrokerError`.

/** A way of assigning partitions that a member can take part in, with what it tells the leader about itself. */
export interface MemberProtocol {
  readonly name: string;
  /** Opaque here; of a consumer, its subscription. */
  readonly metadata: Buffer;
}

export interface JoinRequest {
  readonly groupId: string;
  /** Empty for a member that has no id yet. */
  readonly memberId: string;
  /** Of a static member (KIP-345). */
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  /** How long a rebalance waits for this member to join again; negative for as long as its session. */
  readonly rebalanceTimeoutMs: number;
  readonly protocolType: string;
  /** The best liked first. */
  readonly protocols: readonly MemberProtocol[];
  readonly reason?: string | null;
  /** Whether a new dynamic member is given an id first and has to come again with it (KIP-394; JoinGroup version 4). */
  readonly requireKnownMemberId: boolean;
  /** Whether the member understands `skipAssignment` (KIP-814; JoinGroup version 9). */
  readonly canSkipAssignment: boolean;
}

export interface Joined {
  readonly joined: true;
  readonly memberId: string;
  readonly generation: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  /** The leader's member id. */
  readonly leader: string;
  /** The leader is to sync without assigning anything: the group keeps the assignment that it has (KIP-814). */
  readonly skipAssignment: boolean;
  /** For the leader, all members with the metadata of the protocol chosen; for others none. */
  readonly members: readonly JoinedMember[];
}

export interface JoinedMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly metadata: Buffer;
}

/** The member has to come again, with this id (KIP-394). */
export interface MemberIdRequired {
  readonly joined: false;
  readonly memberId: string;
}

export type JoinResult = Joined | MemberIdRequired;

/** Who a member says that it is. */
export interface MemberIdentity {
  readonly groupId: string;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly generation: number;
}

export interface SyncRequest extends MemberIdentity {
  /** Checked when given (SyncGroup version 5). */
  readonly protocolType?: string | null;
  /** Checked when given (SyncGroup version 5). */
  readonly protocolName?: string | null;
  /** From the leader, what each member gets; from others nothing. */
  readonly assignments: readonly MemberAssignment[];
}

export interface MemberAssignment {
  readonly memberId: string;
  readonly assignment: Buffer;
}

export interface SyncResult {
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  /** Empty when the leader had nothing for this member. */
  readonly assignment: Buffer;
}

export interface LeaveRequest {
  readonly groupId: string;
  readonly members: readonly LeavingMember[];
}

export interface LeavingMember {
  /** Empty to remove a static member by its instance id, as an administrator does. */
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly reason?: string | null;
}

export interface LeaveResult {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly error: ErrorCode | null;
}

/** Kafka's names, which are what its clients are told. */
export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead';

export interface GroupDescription {
  readonly groupId: string;
  readonly state: GroupState;
  /** Empty for a group that was only used to commit offsets. */
  readonly protocolType: string;
  /** Empty unless the group is stable. */
  readonly protocolName: string;
  readonly members: readonly MemberDescription[];
}

export interface MemberDescription {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  /** Of the protocol chosen; empty unless the group is stable. */
  readonly metadata: Buffer;
  readonly assignment: Buffer;
}

export interface GroupListing {
  readonly groupId: string;
  readonly protocolType: string;
  readonly state: GroupState | ConsumerGroupState | ShareGroupState;
  readonly type: 'classic' | 'consumer' | 'share';
}
