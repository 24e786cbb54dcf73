/** `GET /api/audit`. */
export interface AuditPageShape {
  /** The newest first. */
  readonly items: readonly AuditEntryShape[];
  /** To be asked for as `before` for more; null when there is no more. */
  readonly next: number | null;
}

/** One administrative act. */
export interface AuditEntryShape {
  /** Grows with time; not without gaps. */
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Null for who did not log in. */
  readonly user: string | null;
  readonly address: string | null;
  readonly protocol: 'http' | 'amqp' | 'kafka' | 'broker';
  /** `queue.declare` */
  readonly act: string;
  /** On what; empty for the broker as a whole. */
  readonly object: string;
  readonly vhost: string | null;
  /** `refused` for who may not, `failed` for what could not be done. */
  readonly outcome: 'done' | 'refused' | 'failed';
  readonly reason: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  /** How often the same was done since the entry before, which was not told of. */
  readonly repeated: number;
}
