import type { Latency } from '../src/cli/bench/histogram.ts';

/** What one run of a bench found. `undefined`: the operating system does not tell, or the bench does not measure it. */
export interface Measurement {
  readonly bench: string;
  readonly broker: string;
  readonly seconds: number;
  /** What is counted: what the protocol calls a record, or transactions. */
  readonly unit: 'records' | 'messages' | 'transactions';
  readonly records: number;
  /** Those of record batches as they are on the wire; of messages, their bodies'. */
  readonly bytes: number;
  /** Milliseconds; of what is the bench's to say. */
  readonly latency: Latency;
  /** Milliseconds from publishing to the publisher's confirm, of a bench that has those. */
  readonly confirmLatency?: Latency | undefined;
  /** Of the broker's process, in the window. */
  readonly brokerCpuSeconds: number | undefined;
  /** Resident, from the process's start on. */
  readonly peakMemoryBytes: number | undefined;
  /** Messages that were published and not consumed when the window ended, of a bench that does both as fast as it goes. */
  readonly waiting?: number | undefined;
  /** Requests that the broker wanted to have again, of a bench that is told so. */
  readonly retried?: number | undefined;
  /** CPU seconds of the client per second: near 1, it is the client that is measured. */
  readonly clientCpuShare: number;
}

/** A single figure, its unit in its name: what is compared between brokers. */
export interface Figure {
  readonly name: string;
  readonly value: number | undefined;
}

/** What a bench found that goes through stages of different kinds. */
export interface Stages {
  readonly bench: string;
  readonly broker: string;
  readonly figures: readonly Figure[];
}
