import type { Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';

/**
 * The one door to the outside. Everything that the broker knows of time, chance, files and sockets comes through here,
 * so that a test can run the real broker over a simulated disk and a clock that it turns itself.
 */
export interface Environment {
  readonly clock: Clock;
  readonly random: Random;
  readonly files: FileSystem;
  readonly network: Network;
  readonly memory: Memory;
  /** Where there are none, everything is done by the one thread that there is. */
  readonly threads?: Threads;
  /** Where there are none, nothing is said of the process. */
  readonly vitals?: Vitals;
}

/** Threads beside the one that serves clients, for work that takes long. */
export interface Threads {
  /** Starts one that loads the module and calls its exported `answer` for each request, one after the other. */
  start(module: URL): Thread;
}

export interface Thread {
  /** What `answer` returned, both copied; rejects with what it threw, or because the thread is gone. */
  call(request: unknown): Promise<unknown>;
  /** Ends the thread whatever it does; what it was asked is rejected. */
  close(): Promise<void>;
}

/** What this process takes of the machine's memory. */
export interface Memory {
  /** Bytes of objects and buffers, those that nothing refers to any more and that were not collected yet included. */
  used(): number;
  /** Bytes that the machine, or the container, has. */
  total(): number;
  /** Collects what nothing refers to any more; takes a while. */
  collect(): void;
  /** Calls about once a second until the timer is cancelled; of real time, also for a broker whose clock a test turns. */
  watch(callback: () => void): Timer;
}

/** How this process does, for those who watch it. */
export interface Vitals {
  /** Seconds of processor time since the process began. */
  cpuSeconds(): { readonly user: number; readonly system: number };
  /** Bytes. */
  memory(): MemoryParts;
  /** Files and sockets that are open; undefined where the system does not say. */
  openFiles(): Promise<number | undefined>;
  /** Begins to watch the event loop. */
  watchEventLoop(): EventLoopWatch;
}

export interface MemoryParts {
  /** What the operating system has given. */
  readonly resident: number;
  readonly heapUsed: number;
  readonly heapTotal: number;
  /** Outside of the heap: mostly buffers. */
  readonly external: number;
}

export interface EventLoopWatch {
  /** What it was like since this was asked last. */
  take(): EventLoopFigures;
  close(): void;
}

export interface EventLoopFigures {
  /** The share of time in which it was busy: 0 to 1. */
  readonly utilization: number;
  /** How much later than due it came to something, in milliseconds. */
  readonly delayMeanMs: number;
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
}

export interface Timer {
  /** Does nothing when the timer has fired or was cancelled before. */
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since the Unix epoch; may step backwards when the machine's clock is set. */
  now(): number;
  /** Milliseconds since some fixed point, never backwards: for intervals and time-outs. */
  monotonic(): number;
  /** Calls once after `delayMs`. A timer does not keep the process alive. */
  setTimer(delayMs: number, callback: () => void): Timer;
}

export interface Random {
  /** A random UUID (version 4), lower case with dashes. */
  uuid(): string;
  /** A number from 0 (included) to 1 (excluded). */
  float(): number;
  bytes(length: number): Buffer;
}

/**
 * Files, as far as a log needs them. Every method rejects with a `BrokerError`: `storage-full` when the device has no
 * space left, `not-found` when there is no such file, `storage-failed` for anything else.
 */
export interface FileSystem {
  /** Opens a file to read and write; `create` makes it when missing, `createNew` refuses one that is there. */
  open(path: string, mode: 'read' | 'write' | 'create' | 'createNew'): Promise<File>;
  /** Names (not paths) in a directory, unsorted, those of directories with a `/` at their end; an absent directory has none. */
  list(directory: string): Promise<string[]>;
  /** Makes the directory and those above it. */
  makeDirectory(directory: string): Promise<void>;
  /** Atomically gives the file a new name, replacing what had it; durable after `syncDirectory`. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; an absent one is no error. */
  remove(path: string): Promise<void>;
  /** Removes a directory if there is nothing in it; otherwise, or if it is absent, does nothing. */
  removeDirectory(directory: string): Promise<void>;
  /** Makes names made, changed or removed in the directory durable. */
  syncDirectory(directory: string): Promise<void>;
  /** Bytes free to this process on the device of the directory. */
  freeBytes(directory: string): Promise<number>;
  /** Takes the directory for this process. Rejects with `already-exists` while another process (or broker) holds it. */
  lock(directory: string): Promise<DirectoryLock>;
}

export interface DirectoryLock {
  release(): Promise<void>;
}

export interface File {
  /** Writes all bytes of the chunks, one after the other, from `position` on; or rejects, having written any part of it. */
  write(chunks: readonly Uint8Array[], position: number): Promise<void>;
  /** Reads up to `target.length` bytes; answers how many there were (fewer only at the end of the file). */
  read(target: Uint8Array, position: number): Promise<number>;
  /** Makes the data and the size durable (fdatasync). */
  sync(): Promise<void>;
  truncate(size: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** With it, connections are TLS. */
  readonly tls?: SecureContextOptions & {
    /** Clients are asked for a certificate; one that cannot be verified is refused. */
    readonly requestCert?: boolean;
    /** A client without a certificate is taken too. */
    readonly optionalCert?: boolean;
  };
}

export interface Network {
  /** Rejects with `already-exists` when the address is in use, `invalid-argument` when it cannot be had. */
  listen(options: ListenOptions, onConnection: (socket: Socket) => void): Promise<Listener>;
}

export interface Listener {
  readonly host: string;
  /** The real port, also when 0 was asked for. */
  readonly port: number;
  /** Stops accepting; resolves when the port is free. Connections that are open stay so. */
  close(): Promise<void>;
}
