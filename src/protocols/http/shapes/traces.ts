/*
 * What /api/traces answers. Times are milliseconds since the epoch.
 */

/** A queue, a partition of a stream, or the messages of a virtual host that are held back until they are due. */
export interface TracePlace {
  readonly kind: 'queue' | 'stream' | 'delayed';
  readonly vhost: string;
  readonly name: string;
  /** Of a stream. */
  readonly partition?: number;
  readonly offset: number;
}

/** Who did it; what is not known is left out. */
export interface TraceActor {
  readonly protocol: string;
  readonly user?: string;
  /** As the list of connections names it. */
  readonly connection?: string;
  /** What the client calls itself. */
  readonly client?: string;
}

/** One message, as a search finds it. */
export interface TraceSummary {
  /** For `GET /api/traces/:trace`. */
  readonly trace: string;
  readonly time: number;
  readonly message_id?: string;
  /** The Kafka key, else the routing key. */
  readonly key?: string;
  readonly vhost: string;
  /** Of a message that came to an exchange. */
  readonly exchange?: string;
  readonly routing_key?: string;
  readonly bytes?: number;
  readonly outcome?: 'routed' | 'unroutable' | 'refused' | 'held';
  readonly by?: TraceActor;
  /** Where it came to lie first. */
  readonly places: readonly TracePlace[];
}

/** `GET /api/traces?message_id=…|key=…&destination=…&vhost=…&from=…&to=…&count=…&cursor=…` */
export interface TraceSearch {
  /** The latest first. */
  readonly traces: readonly TraceSummary[];
  /** There is more, or not all was looked through: ask again with it. */
  readonly cursor?: string;
  /** Events that are missing of what was looked through, because tracing did not keep up. */
  readonly dropped: number;
  /** Off: only streams are searched, and what was recorded before. */
  readonly mode: 'off' | 'sampled' | 'all';
}

export type TraceEventType =
  /** Came to an exchange; `how` says whether for the first time. */
  | 'published'
  /** Got its place in a queue or a stream. */
  | 'stored'
  /** On the disk, as far as that was asked for. */
  | 'durable'
  /** The append failed. */
  | 'lost'
  | 'delivered'
  | 'acknowledged'
  | 'requeued'
  | 'rejected'
  /** Left the queue, not by an acknowledgement: `reason`, and whether as a dead letter. */
  | 'left'
  | 'purged'
  /** Came in a batch of a producer. */
  | 'appended'
  /** Was in a piece that a reader of a stream got. */
  | 'fetched'
  /** A group said that it is done with it. */
  | 'committed'
  /** A member of a share group has it. */
  | 'acquired'
  /** What a member of a share group made of it: `settlement`. */
  | 'answered';

/** One step on a message's way. What does not belong to its type is left out. */
export interface TraceStep {
  readonly time: number;
  readonly type: TraceEventType;
  readonly place?: TracePlace;
  readonly by?: TraceActor;
  readonly how?: 'published' | 'dead-lettered' | 'due' | 'moved';
  readonly outcome?: 'routed' | 'unroutable' | 'refused' | 'held';
  readonly vhost?: string;
  readonly exchange?: string;
  readonly routing_key?: string;
  /** Of a message that is held back. */
  readonly due_at?: number;
  /** Where it was before it was published again. */
  readonly from?: TracePlace;
  readonly consumer?: string;
  readonly group?: string;
  /** How often it was delivered before. */
  readonly delivery_count?: number;
  readonly redelivered?: boolean;
  readonly no_ack?: boolean;
  readonly failed?: boolean;
  readonly reason?: 'rejected' | 'expired' | 'maxlen' | 'delivery_limit' | 'removed';
  readonly dead_lettered?: boolean;
  readonly settlement?: 'accepted' | 'released' | 'rejected' | 'renewed';
  /** The offset up to which a group is done. */
  readonly committed_offset?: number;
  /** Records of the piece or batch that it was in. */
  readonly records?: number;
}

/** `GET /api/traces/:trace` */
export interface Trace {
  readonly trace: string;
  readonly message_id?: string;
  readonly key?: string;
  /** W3C trace context that the message carries. */
  readonly traceparent?: string;
  readonly bytes?: number;
  /** In time. */
  readonly events: readonly TraceStep[];
  /** Not all that was recorded was looked through, or events were dropped meanwhile. */
  readonly complete: boolean;
  readonly dropped: number;
}

/** `GET`, `PUT` (any part of it) and `DELETE /api/traces/settings`: which messages are traced from now on. */
export interface TraceSettings {
  readonly mode: 'off' | 'sampled' | 'all';
  /** Of messages, when they are sampled: 0 to 1. */
  readonly sample_share: number;
  /** Names with `*` for any characters; none for all. */
  readonly virtual_hosts: readonly string[];
  /** Names of queues, streams and exchanges with `*` for any characters; none for all. */
  readonly destinations: readonly string[];
  /** The header that names a message which has no message-id. */
  readonly id_header: string;
  readonly retention_ms: number;
  readonly retention_bytes: number;
}

/** What `/api/traces/settings` answers. */
export interface TraceSettingsState extends TraceSettings {
  /** They were set while the broker runs, and take the place of the configuration's. */
  readonly overridden: boolean;
  readonly recorded: {
    /** Since the broker started. */
    readonly events: number;
    readonly dropped: number;
    /** Of what is kept now. */
    readonly bytes: number;
  };
}
