import type { ReloadShape, SettingShape } from './shapes/settings.ts';

/** One address that the broker listens on. */
export interface ListenerFacts {
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
}

/** The settings of the broker, and what can be changed of them. */
export interface SettingsDesk {
  all(): readonly SettingShape[];
  /** Undefined takes away what was set while the broker ran. Rejects with `invalid-configuration`, `not-found`. */
  set(name: string, value: string | undefined): Promise<void>;
  /** Takes the file again. Rejects with `unsupported` where there is none, `invalid-configuration`. */
  reload(): Promise<ReloadShape>;
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
