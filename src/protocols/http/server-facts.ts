/** One address that the broker listens on. */
export interface ListenerFacts {
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
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
  /** By the clock's `monotonic`. */
  readonly startedAt: number;
}

/** The release of RabbitMQ whose management API is followed: tools go by it. */
export const RABBITMQ_VERSION = '3.10.8';

/** RabbitMQ's name of this broker, which tools put into paths. */
export function nodeName(nodeId: number): string {
  return `sluice@broker-${nodeId}`;
}
