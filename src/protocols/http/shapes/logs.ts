/** `GET /api/log-level`. */
export interface LogLevelShape {
  /** The least severe lines that are logged, of the parts that have no level of their own. */
  readonly level: string;
  /** The parts' own levels; null where they have none. */
  readonly parts: Readonly<Record<string, string | null>>;
  /** What can be set, from the one that says most on. */
  readonly levels: readonly string[];
}

/** `GET /api/logs`. */
export interface LogPageShape {
  /** The newest first. */
  readonly items: readonly LogLineShape[];
  /** To be asked for as `before` for more; null when there is no more. */
  readonly next: number | null;
}

/** One line of the log; also the data of an event of `/api/logs/tail`. */
export interface LogLineShape {
  /** Grows by one with each line, from the start of the broker on. */
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly level: string;
  /** What says it: `kafka`, `amqp`, `http`, or `broker` for what belongs to none. */
  readonly part: string;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}
