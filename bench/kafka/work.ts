import type { Compression } from '../../src/records/index.ts';

/** What a bench is to do. Bytes are those of record batches as they are on the wire, headers included. */
export interface Work {
  /** Bytes of each record's value. */
  readonly recordBytes: number;
  /** The most that one produce request carries, before its records are compressed: one batch. */
  readonly batchBytes: number;
  /** Of the records, by the client. */
  readonly compression: Compression;
  readonly acks: 'all' | '1';
  readonly partitions: number;
  /** Partitions are dealt out to them; one partition is always of one connection. */
  readonly connections: number;
  /** Produce requests that one connection has under way. */
  readonly inFlight: number;
  /** The most that one fetch is answered with. */
  readonly fetchBytes: number;
  /** Fetches are of a session (KIP-227), and name the partitions whose offset has changed; else each names all of them. */
  readonly fetchSessions: boolean;
  /** Length of the measured window. */
  readonly seconds: number;
  /** Before the window: for the compilers of both sides. */
  readonly warmUpSeconds: number;
  /** Ends the window of a produce earlier; is what a consume bench has to read. */
  readonly totalBytes: number;
  /** Records per second over all connections, of the end-to-end bench; Infinity for as many as go. */
  readonly rate: number;
  /** Whether what is consumed is the newest, which brokers have in memory, or all of it after a restart. */
  readonly from: 'tail' | 'cold';
}
