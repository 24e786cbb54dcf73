export const TRACING_MODES = ['off', 'sampled', 'all'] as const;

/** Which messages are traced, and how long that is kept. */
export interface TracingSettings {
  readonly mode: (typeof TRACING_MODES)[number];
  /** Of messages, when they are sampled: 0 to 1. */
  readonly sampleShare: number;
  /** Names with `*` for any characters; none for all. */
  readonly virtualHosts: readonly string[];
  /** Likewise, of queues, streams and exchanges. */
  readonly destinations: readonly string[];
  /** The header that names a message which has no message-id. */
  readonly idHeader: string;
  readonly retentionMs: number;
  readonly retentionBytes: number;
}

export const DEFAULT_TRACING_SETTINGS: TracingSettings = {
  mode: 'off',
  sampleShare: 0.01,
  virtualHosts: [],
  destinations: [],
  idHeader: 'message-id',
  retentionMs: 24 * 60 * 60 * 1000,
  retentionBytes: 64 * 1024 * 1024,
};
