/** One address that the broker listens on. */
export interface ListenerFacts {
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
}

/** One thing that can be set. */
export interface SettingFact {
  readonly name: string;
  /** Null for a secret, and for one that is not set. */
  readonly value: unknown;
  readonly default: unknown;
  /** `dynamic` for what was set while the broker runs. */
  readonly source: 'default' | 'file' | 'environment' | 'flag' | 'program' | 'dynamic';
  readonly kind: 'number' | 'boolean' | 'text' | 'list';
  readonly choices: readonly string[] | undefined;
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
  readonly description: string;
  /** The environment's variable; undefined for what can be set while the broker runs only. */
  readonly variable: string | undefined;
  /** Its name among Kafka's settings of brokers, where it is one of those that can be changed while the broker runs. */
  readonly kafkaName: string | undefined;
  readonly secret: boolean;
  /** It can be changed while the broker runs. */
  readonly dynamic: boolean;
}

/** What became of settings that were taken from the file again, by their names. */
export interface Reloaded {
  readonly changed: readonly string[];
  /** They count from the next start on. */
  readonly needsRestart: readonly string[];
}

/** The settings of the broker, and what can be changed of them. */
export interface SettingsDesk {
  all(): readonly SettingFact[];
  /** Undefined takes away what was set while the broker ran. Rejects with `invalid-configuration`, `not-found`. */
  set(name: string, value: string | undefined): Promise<void>;
  /** Takes the file again. Rejects with `unsupported` where there is none, `invalid-configuration`. */
  reload(): Promise<Reloaded>;
}

/** What is told of the process that the broker runs in. */
export interface ServerFacts {
  readonly product: string;
  readonly version: string;
  /** Of this and all other listeners. */
  listeners(): readonly ListenerFacts[];
  /** Where messages are kept; undefined when that is memory. */
  readonly disk:
    | {
        readonly directory: string;
        /** With less than that, writers are refused. */
        readonly minFreeBytes: number;
      }
    | undefined;
  /** Of `/metrics`: who may ask, and how many single queues, streams, exchanges and groups are told of. */
  readonly metrics: { readonly access: 'login' | 'loopback' | 'open'; readonly destinations: number };
  readonly settings: SettingsDesk;
  /** By the clock's `monotonic`. */
  readonly startedAt: number;
}

/** The release of RabbitMQ whose management API is followed: tools go by it. */
export const RABBITMQ_VERSION = '3.10.8';

/** RabbitMQ's name of this broker, which tools put into paths. */
export function nodeName(nodeId: number): string {
  return `sluice@broker-${nodeId}`;
}
