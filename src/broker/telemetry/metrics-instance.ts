import type { MetricsClient } from './subscription.ts';

/** What a client is to say of itself. */
export interface GrantedSubscription {
  /** Another number whenever what is granted is something else. */
  readonly id: number;
  readonly intervalMs: number;
  /** How the names of the metrics begin; `*` alone for all, none for nothing. */
  readonly metrics: readonly string[];
}

export type PushOutcome = 'accepted' | 'throttled' | 'unknown-subscription' | 'terminated';

/** One value of a metric at one time. */
export interface MetricPoint {
  readonly name: string;
  /** As `key=value`, in the order of the keys. */
  readonly attributes: readonly string[];
  readonly value: number;
  /** The value is what came since the last time, not all that there ever was. */
  readonly isDelta: boolean;
}

/** A client that has asked what to say of itself: when it did, and what it has said. */
export class MetricsInstance {
  readonly client: MetricsClient;
  readonly subscription: GrantedSubscription;
  /** Of the subscriptions that this was granted by. */
  readonly version: number;
  /** The last value of each series, or the sum of its deltas. */
  readonly series = new Map<string, number>();
  /** Of a clock that does not step back. */
  lastSeenMs: number;
  #lastGetMs = Number.NEGATIVE_INFINITY;
  #lastPushMs = Number.NEGATIVE_INFINITY;
  #terminating = false;
  /** It was told that its subscription is another one: it may ask at once. */
  #isStale = false;

  constructor(client: MetricsClient, subscription: GrantedSubscription, version: number, now: number) {
    this.client = client;
    this.subscription = subscription;
    this.version = version;
    this.lastSeenMs = now;
  }

  /** Whether the client may ask what to say: not before it would have said it. */
  asks(now: number): boolean {
    const last = Math.max(this.#lastGetMs, this.#lastPushMs);
    if (now - last < this.subscription.intervalMs && !this.#isStale) return false;
    this.#lastGetMs = now;
    this.#isStale = false;
    return true;
  }

  /** A push is taken once an interval; the first one after it has asked, and the last one, at any time. */
  pushes(subscriptionId: number, terminating: boolean, now: number): PushOutcome {
    if (this.#terminating) return 'terminated';
    this.#terminating = terminating;
    const isDue = this.#lastGetMs > this.#lastPushMs || now - this.#lastPushMs >= this.subscription.intervalMs;
    if (!isDue && !terminating) return 'throttled';
    this.#lastPushMs = now;
    if (subscriptionId === this.subscription.id) return 'accepted';
    this.#isStale = true;
    return 'unknown-subscription';
  }
}
