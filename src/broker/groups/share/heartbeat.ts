import type { Assignment } from '../consumer/assignment.ts';

// What members of a share group (KIP-932) ask of its coordinator, and what they are answered. Epochs are those of a consumer group's
// members, but that nobody leaves for now.

export interface ShareHeartbeat {
  readonly groupId: string;
  /** Made up by the member. */
  readonly memberId: string;
  /** That it was last told, `JOINS` or `LEAVES`. */
  readonly memberEpoch: number;
  readonly clientId: string;
  readonly clientHost: string;
  // Null says that it is as it was told before.
  readonly rackId: string | null;
  readonly topicNames: readonly string[] | null;
}

export interface ShareHeartbeatResult {
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly heartbeatIntervalMs: number;
  /** Null for what it was last told. */
  readonly assignment: Assignment | null;
}

/** Kafka's names, which are what its clients are told. */
export type ShareGroupState = 'Empty' | 'Stable';

export interface ShareGroupDescription {
  readonly groupId: string;
  readonly state: ShareGroupState;
  readonly epoch: number;
  readonly assignmentEpoch: number;
  readonly assignor: string;
  readonly members: readonly ShareMemberDescription[];
}

export interface ShareMemberDescription {
  readonly memberId: string;
  readonly rackId: string | null;
  readonly memberEpoch: number;
  readonly clientId: string;
  readonly clientHost: string;
  readonly topicNames: readonly string[];
  readonly assignment: Assignment;
}
