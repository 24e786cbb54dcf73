import type { Broker, ClientQuotaKey } from '../../broker/index.ts';
import type { Authentication } from './authentication/index.ts';
import { fetch } from './codec/apis/fetch.ts';
import { produce } from './codec/apis/produce.ts';
import { saslAuthenticate } from './codec/apis/sasl-authenticate.ts';
import { saslHandshake } from './codec/apis/sasl-handshake.ts';
import { shareFetch } from './codec/apis/share-fetch.ts';
import type { KnownRequest } from './codec/frames.ts';

const CONSUMING: ReadonlySet<number> = new Set([fetch.key, shareFetch.key]);
/** What a login takes is nobody's yet. */
const EXEMPT: ReadonlySet<number> = new Set([saslHandshake.key, saslAuthenticate.key]);
/** As Kafka: a client that took too much time waits no longer than that at once. */
const MAX_TIME_THROTTLE_MS = 1000;

/** What one client uses of the broker, as far as there are quotas (KIP-13, KIP-124). */
export class Throttle {
  readonly #broker: Broker;
  readonly #authentication: Authentication;

  constructor(broker: Broker, authentication: Authentication) {
    this.#broker = broker;
    this.#authentication = authentication;
  }

  /** Milliseconds, for differences. */
  now(): number {
    return this.#broker.environment.clock.monotonic();
  }

  /**
   * Counts a request that was answered: its bytes, those of the answer, and how long the event loop was busy with it (not how long it waited).
   * Answers for how many milliseconds the client is to do nothing more; 0 for none.
   */
  record(
    { api: { key }, clientId }: KnownRequest,
    used: { readonly requestBytes: number; readonly answer: readonly Buffer[]; readonly busyMs: number },
  ): number {
    const { quotas } = this.#broker;
    if (quotas.isEmpty || EXEMPT.has(key)) return 0;
    const { name } = this.#authentication;
    const count = (quota: ClientQuotaKey, amount: number) => quotas.record(quota, name, clientId ?? '', amount);
    // A whole second of each is all that there is: 100 percent.
    const byTime = Math.min(count('request_percentage', used.busyMs / 10), MAX_TIME_THROTTLE_MS);
    if (key === produce.key) return Math.max(byTime, count('producer_byte_rate', used.requestBytes));
    if (!CONSUMING.has(key)) return byTime;
    const bytes = used.answer.reduce((sum, { length }) => sum + length, 0);
    return Math.max(byTime, count('consumer_byte_rate', bytes));
  }
}
