/** Types of what is answered about rates and history; RabbitMQ's shapes but for the last. */

/** Of a number that changes: by how much a second, and what it was like before, as far as that was asked for. */
export interface DetailsShape {
  readonly rate: number;
  /** The newest first; timestamps in milliseconds since the epoch. */
  readonly samples?: readonly { readonly sample: number; readonly timestamp: number }[];
  readonly avg_rate?: number;
  readonly avg?: number;
}

/** `publish`, `publish_details`, and so on; left out where nothing was ever done. */
export type MessageStatsShape = Readonly<Record<string, number | DetailsShape>>;

/** `GET /api/history`. */
export interface HistoryShape {
  /** Milliseconds since the epoch, the oldest first. */
  readonly timestamps: readonly number[];
  /** One value for each; null where nothing is known. What is counted comes as so many in a second. */
  readonly series: Readonly<Record<string, readonly (number | null)[]>>;
}
