import type { Clock } from '../../environment/environment.ts';
import { crc32c } from '../../records/index.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { StoredConfigs } from '../configs/stored-configs.ts';
import { type GrantedSubscription, type MetricPoint, MetricsInstance, type PushOutcome } from './metrics-instance.ts';
import { checkSubscription, type MetricsClient, readSubscription, type Subscription } from './subscription.ts';

const MAX_SUBSCRIPTIONS = 1_000;
/** Clients that are remembered; the one longest silent goes first. */
const MAX_INSTANCES = 10_000;
/** Series of all clients together: more are not kept. */
const MAX_SERIES = 200_000;
/** UTF-16 units of a series' name and attributes. */
const MAX_SERIES_LENGTH = 500;
/** Of clients whose metrics nobody asked for. */
const USUAL_INTERVAL_MS = 300_000;
/** Intervals of silence after which a client counts as gone. */
const SILENT_INTERVALS = 3;
const EVERYTHING = '*';

/** What one client has said of itself last. */
export interface ClientMetricsReport {
  readonly instanceId: string;
  readonly client: MetricsClient;
  /** The wall clock's time. */
  readonly lastSeenMs: number;
  /** By `name{key=value,…}`. */
  readonly series: ReadonlyMap<string, number>;
}

export interface ClientMetricsTotals {
  /** Pushes that were taken, and the bytes of their metrics. */
  pushes: number;
  bytes: number;
  /** Requests that came too early, or for a subscription that is no more. */
  refused: number;
  /** Values that there was no room for. */
  dropped: number;
}

/** What clients say of themselves, as far as somebody has subscribed to it (KIP-714). */
export class ClientMetrics {
  readonly subscriptions: StoredConfigs;
  readonly totals: ClientMetricsTotals = { pushes: 0, bytes: 0, refused: 0, dropped: 0 };
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly #parsed = new Map<string, Subscription>();
  /** The one longest silent first. */
  readonly #instances = new Map<string, MetricsInstance>();
  #version = 0;
  #seriesCount = 0;

  constructor({ catalog, clock }: { readonly catalog: Catalog; readonly clock: Pick<Clock, 'now' | 'monotonic'> }) {
    this.#clock = clock;
    this.subscriptions = new StoredConfigs({
      catalog,
      kind: 'subscription',
      limit: MAX_SUBSCRIPTIONS,
      check: checkSubscription,
      onChange: (name) => this.#read(name),
    });
    for (const name of this.subscriptions.names()) this.#read(name);
  }

  /** What a client is to say; undefined when it asks too often. */
  ask(instanceId: string, client: MetricsClient): GrantedSubscription | undefined {
    const now = this.#clock.monotonic();
    const instance = this.#instance(instanceId, client, now);
    if (instance.asks(now)) return instance.subscription;
    this.totals.refused++;
    return undefined;
  }

  /** Whether what a client says is taken. */
  push(instanceId: string, client: MetricsClient, subscriptionId: number, terminating: boolean): PushOutcome {
    const now = this.#clock.monotonic();
    const outcome = this.#instance(instanceId, client, now).pushes(subscriptionId, terminating, now);
    if (outcome !== 'accepted') this.totals.refused++;
    return outcome;
  }

  /** Keeps what a client has said with a push that was taken. */
  record(instanceId: string, points: Iterable<MetricPoint>, bytes: number): void {
    this.totals.pushes++;
    this.totals.bytes += bytes;
    const series = this.#instances.get(instanceId)?.series;
    for (const { name, attributes, value, isDelta } of points) {
      const key = attributes.length === 0 ? name : `${name}{${attributes.join(',')}}`;
      const before = series?.get(key);
      const hasRoom = before !== undefined || (this.#seriesCount < MAX_SERIES && key.length <= MAX_SERIES_LENGTH);
      if (series === undefined || !hasRoom) {
        this.totals.dropped++;
        continue;
      }
      if (before === undefined) this.#seriesCount++;
      series.set(key, isDelta ? (before ?? 0) + value : value);
    }
  }

  /** The clients that have asked or said something lately. */
  *reports(): Iterable<ClientMetricsReport> {
    const now = this.#clock.monotonic();
    this.#forgetSilent(now);
    const wall = this.#clock.now();
    for (const [instanceId, { client, lastSeenMs, series }] of this.#instances)
      yield { instanceId, client, series, lastSeenMs: wall - Math.round(now - lastSeenMs) };
  }

  #instance(instanceId: string, client: MetricsClient, now: number): MetricsInstance {
    let instance = this.#instances.get(instanceId);
    if (instance !== undefined && instance.version === this.#version) {
      this.#instances.delete(instanceId);
      instance.lastSeenMs = now;
    } else {
      // What was granted before may have changed: it is granted anew, and may be asked for at once.
      this.#forget(instanceId);
      this.#forgetSilent(now);
      instance = new MetricsInstance(client, this.#grant(instanceId, client), this.#version, now);
    }
    this.#instances.set(instanceId, instance);
    return instance;
  }

  #grant(instanceId: string, client: MetricsClient): GrantedSubscription {
    const matching = [...this.#parsed.values()].filter(({ matches }) => matches(instanceId, client));
    const all = [...new Set(matching.flatMap(({ metrics }) => metrics))].sort();
    const metrics = all.includes(EVERYTHING) ? [EVERYTHING] : all;
    const intervalMs = Math.min(USUAL_INTERVAL_MS, ...matching.map((subscription) => subscription.intervalMs));
    const id = crc32c(Buffer.from(JSON.stringify([metrics, intervalMs, instanceId]))) | 0;
    return { id, intervalMs, metrics };
  }

  #forgetSilent(now: number): void {
    for (const [instanceId, { lastSeenMs, subscription }] of this.#instances) {
      const isGone = now - lastSeenMs > SILENT_INTERVALS * subscription.intervalMs;
      if (!isGone && this.#instances.size < MAX_INSTANCES) return;
      this.#forget(instanceId);
    }
  }

  #forget(instanceId: string): void {
    this.#seriesCount -= this.#instances.get(instanceId)?.series.size ?? 0;
    this.#instances.delete(instanceId);
  }

  #read(name: string): void {
    const config = this.subscriptions.of(name);
    if (Object.keys(config).length === 0) this.#parsed.delete(name);
    else this.#parsed.set(name, readSubscription(config));
    this.#version++;
  }
}
