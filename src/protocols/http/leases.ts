import type { Delivery } from '../../broker/index.ts';
import type { Clock, Random, Timer } from '../../environment/environment.ts';
import { HttpError } from './errors.ts';

/** Messages that clients of one listener have at a time. */
const MAX_MESSAGES = 10_000;

export type Settlement = 'acknowledge' | 'reject' | 'requeue';

type Settleable = Pick<Delivery, Settlement>;

export interface LeaseOptions {
  /** Who alone may settle what it has. */
  readonly user: string;
  readonly virtualHost: string;
  readonly queue: string;
  /** After so many milliseconds a message that is not settled is delivered again. */
  readonly lockMs: number;
  /** A message of it was settled, or its lock ran out. */
  readonly onSettled?: () => void;
}

interface Leased {
  readonly delivery: Settleable;
  /** By the monotonic clock. */
  readonly deadline: number;
}

/** Messages that one request got, each with a token by which a later request settles it. */
export class Lease {
  readonly options: LeaseOptions;
  readonly #id: string;
  readonly #leases: Leases;
  readonly #clock: Clock;
  /** By number; those whose locks run out first come first, as all are as long. */
  readonly #messages = new Map<number, Leased>();
  #last = 0;
  #timer: Timer | undefined;

  /** Made by `Leases`. */
  constructor(id: string, leases: Leases, clock: Clock, options: LeaseOptions) {
    this.#id = id;
    this.#leases = leases;
    this.#clock = clock;
    this.options = options;
  }

  get size(): number {
    return this.#messages.size;
  }

  /** Answers the message's token. */
  add(delivery: Settleable): string {
    this.#messages.set(++this.#last, this.#locked(delivery));
    this.#leases.added(this.#id, this);
    this.#arm();
    return `${this.#id}.${this.#last}`;
  }

  /** False when there is no such message (any more). */
  settle(number: number, how: Settlement): boolean {
    const leased = this.#take(number);
    if (leased === undefined) return false;
    leased.delivery[how]();
    this.options.onSettled?.();
    return true;
  }

  /** The message is the client's for as long again. False when there is no such message (any more). */
  renew(number: number): boolean {
    const leased = this.#messages.get(number);
    if (leased === undefined) return false;
    this.#messages.delete(number);
    this.#messages.set(number, this.#locked(leased.delivery));
    this.#arm();
    return true;
  }

  /** Whoever had them is gone: all that is left goes back. `failed` counts that towards the queue's delivery limit. */
  release(failed: boolean): void {
    for (const number of [...this.#messages.keys()]) this.#take(number)?.delivery.requeue(failed);
  }

  #locked(delivery: Settleable): Leased {
    return { delivery, deadline: this.#clock.monotonic() + this.options.lockMs };
  }

  #take(number: number): Leased | undefined {
    const leased = this.#messages.get(number);
    if (leased === undefined) return undefined;
    this.#messages.delete(number);
    this.#leases.removed(this.#id, this);
    this.#arm();
    return leased;
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const [first] = this.#messages.values();
    if (first !== undefined)
      this.#timer = this.#clock.setTimer(Math.max(0, first.deadline - this.#clock.monotonic()), () => this.#expire());
  }

  #expire(): void {
    const now = this.#clock.monotonic();
    for (const [number, { deadline }] of [...this.#messages]) {
      if (deadline > now) break;
      this.settle(number, 'requeue');
    }
    this.#arm();
  }
}

/** What clients of a listener have got from queues and not settled. */
export class Leases {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #byId = new Map<string, Lease>();
  #messages = 0;

  constructor({ clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = clock;
    this.#random = random;
  }

  /** How many more messages there may be. */
  get room(): number {
    return Math.max(0, MAX_MESSAGES - this.#messages);
  }

  /** Throws 429 when clients have as many messages as they may. */
  open(options: LeaseOptions): Lease {
    if (this.room === 0)
      throw new HttpError(429, 'too_many_messages', `${MAX_MESSAGES} messages wait to be settled: settle some first`);
    return new Lease(this.#random.bytes(16).toString('base64url'), this, this.#clock, options);
  }

  /** The lease that a token is of, and which of its messages; undefined for what is no token (any more), or not of this user and queue. */
  find(
    token: string,
    { user, virtualHost, queue }: Pick<LeaseOptions, 'user' | 'virtualHost' | 'queue'>,
  ): { readonly lease: Lease; readonly number: number } | undefined {
    const [id = '', number] = token.split('.', 2);
    const lease = this.#byId.get(id);
    if (lease === undefined || number === undefined || !/^\d{1,15}$/.test(number)) return undefined;
    const { options } = lease;
    const isIts = options.user === user && options.virtualHost === virtualHost && options.queue === queue;
    return isIts ? { lease, number: Number(number) } : undefined;
  }

  /** All messages go back. */
  close(): void {
    for (const lease of [...this.#byId.values()]) lease.release(false);
  }

  /** Called by `Lease`. */
  added(id: string, lease: Lease): void {
    this.#messages++;
    this.#byId.set(id, lease);
  }

  /** Called by `Lease`. */
  removed(id: string, { size }: Lease): void {
    this.#messages--;
    if (size === 0) this.#byId.delete(id);
  }
}
