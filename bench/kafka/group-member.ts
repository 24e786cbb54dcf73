import { setTimeout as delay } from 'node:timers/promises';
import type { Owners } from './owners.ts';
import { RequestConnection } from './request-connection.ts';

export interface GroupMemberOptions {
  readonly host: string;
  readonly port: number;
  readonly topic: string;
  readonly topicId: string;
  readonly partitions: number;
  readonly groupId: string;
  /** How often it comes; members of the consumer protocol are told by the broker. */
  readonly heartbeatMs: number;
  readonly owners: Owners<GroupMember>;
  readonly onFailed: (error: Error) => void;
}

/** As those of Kafka's consumer (max.poll.interval.ms, session.timeout.ms). */
export const REBALANCE_TIMEOUT_MS = 300_000;
export const SESSION_TIMEOUT_MS = 45_000;

/** One member of a group on a connection of its own, which takes what it is assigned, gives up what it is to, and fetches nothing. */
export abstract class GroupMember {
  protected readonly options: GroupMemberOptions;
  readonly #left = new AbortController();
  #connection: RequestConnection | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: GroupMemberOptions) {
    this.options = options;
  }

  /** By which the broker knows it. */
  abstract get id(): string;

  /** Connects and joins. */
  start(): void {
    this.#running = this.#run();
    this.#running.catch(this.options.onFailed);
  }

  /** Leaves the group: resolves when the broker has taken note. */
  async leave(): Promise<void> {
    this.#left.abort();
    await this.#running;
    this.options.owners.set(this, []);
    await this.sayGoodbye();
    this.close();
  }

  close(): void {
    this.#left.abort();
    this.#connection?.end();
  }

  /** Joins, and stays a member until `hasLeft`. */
  protected abstract stay(): Promise<void>;
  protected abstract sayGoodbye(): Promise<void>;

  protected get connection(): RequestConnection {
    if (this.#connection === undefined) throw new Error('the member is not started');
    return this.#connection;
  }

  protected get hasLeft(): boolean {
    return this.#left.signal.aborted;
  }

  /** Waits until the next heartbeat is due. */
  protected async untilHeartbeat(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#left.signal }).catch((error: Error) => {
      if (error.name !== 'AbortError') throw error;
    });
  }

  async #run(): Promise<void> {
    const { host, port, onFailed } = this.options;
    this.#connection = await RequestConnection.open({ host, port, onLost: onFailed });
    if (!this.hasLeft) await this.stay();
  }
}
