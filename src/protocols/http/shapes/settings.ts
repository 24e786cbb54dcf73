/** One setting: `GET /api/settings`, sorted and paged as all lists. */
export interface SettingShape {
  readonly name: string;
  /** The value in force; null for a secret, and for one that is not set. */
  readonly value: unknown;
  readonly default: unknown;
  /** `dynamic` for what was set while the broker runs; `program` for who embeds the broker. */
  readonly source: 'default' | 'file' | 'environment' | 'flag' | 'program' | 'dynamic';
  readonly kind: 'number' | 'boolean' | 'text' | 'list';
  readonly choices: readonly string[] | null;
  readonly minimum: number | null;
  readonly maximum: number | null;
  readonly description: string;
  /** The environment's variable; null for what can be set while the broker runs only. */
  readonly variable: string | null;
  /** Its name among Kafka's settings of brokers, where it can be changed while the broker runs. */
  readonly kafka_name: string | null;
  readonly secret: boolean;
  /** It can be changed while the broker runs. */
  readonly dynamic: boolean;
}

/** `POST /api/settings/reload`: names of settings. */
export interface ReloadShape {
  readonly changed: readonly string[];
  /** They count from the next start on. */
  readonly needs_restart: readonly string[];
}
