import type { Assignment } from './assignment.ts';

// What members of a consumer group (KIP-848) ask of its coordinator, and what they are answered.

/** A member epoch that joins, or joins anew with nothing owned. */
export const JOINS = 0;
/** A member epoch that leaves. */
export const LEAVES = -1;
/** A member epoch of a static member that leaves for now: what it has is kept for its successor while its session lasts. */
export const LEAVES_FOR_NOW = -2;

export interface ConsumerHeartbeat {
  readonly groupId: string;
  /** Empty for a member that wants to be given an id. */
  readonly memberId: string;
  /** That it was last told, or one of the epochs above. */
  readonly memberEpoch: number;
  /** Of a static member. */
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  // Null, or -1 of a time, says that it is as it was told before.
  readonly rackId: string | null;
  /** How long the member may take to give partitions back. */
  readonly rebalanceTimeoutMs: number;
  readonly topicNames: readonly string[] | null;
  /** Of topic names, in RE2's syntax; empty for none. */
  readonly topicRegex: string | null;
  readonly assignor: string | null;
  /** The partitions that it has. */
  readonly owned: Assignment | null;
}

export interface ConsumerHeartbeatResult {
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly heartbeatIntervalMs: number;
  /** Null for what it was last told. */
  readonly assignment: Assignment | null;
}

/** Kafka's names, which are what its clients are told. */
export type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable';

export interface ConsumerGroupDescription {
  readonly groupId: string;
  readonly state: ConsumerGroupState;
  readonly epoch: number;
  readonly assignmentEpoch: number;
  readonly assignor: string;
  readonly members: readonly ConsumerMemberDescription[];
}

export interface ConsumerMemberDescription {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly rackId: string | null;
  readonly memberEpoch: number;
  readonly clientId: string;
  readonly clientHost: string;
  readonly topicNames: readonly string[];
  readonly topicRegex: string;
  readonly assignment: Assignment;
  readonly target: Assignment;
  /** Which one it uses. */
  readonly protocol: 'classic' | 'consumer';
}
