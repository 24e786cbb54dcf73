import type { BrokerProcess } from '../broker-process.ts';

/** A broker that can be measured. */
export interface Peer {
  readonly name: string;
  /** Whether what was written is there after a restart. */
  readonly durable: boolean;
  /** Where its CPU profile is after it was stopped, if it is profiled. */
  readonly profileDirectory?: string | undefined;
  /** Starts the broker on a directory: an empty one, or one that it has used before. */
  start(directory: string): Promise<BrokerProcess>;
}
