/** Types of what is answered about groups of consumers (`/api/groups…`). */

export interface GroupSummary {
  readonly name: string;
  readonly type: 'classic' | 'consumer' | 'share';
  /** As Kafka's tools name it: `Stable`, `Empty`, `PreparingRebalance`… */
  readonly state: string;
  /** `consumer` for those that consume streams; empty for one that was only used to commit offsets. */
  readonly protocol_type: string;
  readonly members: number;
  /** Streams that it has offsets of. */
  readonly streams: number;
  /** Records that it has yet to get, in all partitions that it has offsets of. */
  readonly lag: number;
}

export interface GroupDetails extends GroupSummary {
  /** How partitions are assigned; empty when that is not known. */
  readonly assignor: string;
  /** Of groups that have epochs; null for classic ones. */
  readonly epoch: number | null;
  readonly assignment_epoch: number | null;
}

export interface AssignedPartitions {
  readonly stream: string;
  readonly partitions: readonly number[];
}

export interface GroupMember {
  readonly member_id: string;
  /** Of a static member; null for others. */
  readonly instance_id: string | null;
  readonly client_id: string;
  readonly host: string;
  /** Null in a classic group. */
  readonly epoch: number | null;
  readonly protocol: 'classic' | 'consumer' | 'share';
  readonly subscription: readonly string[];
  /** Null when it cannot be understood: not all members of classic groups are consumers. */
  readonly assignment: readonly AssignedPartitions[] | null;
}

export interface GroupOffset {
  readonly stream: string;
  readonly partition: number;
  /** Where the group goes on; -1 for nowhere yet. */
  readonly offset: number;
  readonly start_offset: number;
  readonly end_offset: number;
  readonly lag: number;
  readonly metadata: string;
  /** Milliseconds since the epoch; null for share groups. */
  readonly committed_at: number | null;
  /** Who has the partition, of those that are known to. */
  readonly member_id: string | null;
  /** Of a share group: records that members have now, and that came back and wait to be had again. */
  readonly delivery: { readonly acquired: number; readonly returned: number } | null;
}

/** A partition before and after a reset. */
export interface ResetOffset {
  readonly stream: string;
  readonly partition: number;
  /** -1 for none. */
  readonly offset: number;
  readonly new_offset: number;
  readonly end_offset: number;
  readonly new_lag: number;
}

export interface ResetAnswer {
  /** False when it was only to be shown. */
  readonly applied: boolean;
  readonly offsets: readonly ResetOffset[];
}
