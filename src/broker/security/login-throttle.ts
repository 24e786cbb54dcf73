import { isIPv6 } from 'node:net';
import type { Clock } from '../../environment/environment.ts';

/** Failures at once of one name from one address, and how soon one more is allowed. */
const NAME = { burst: 10, everyMs: 6_000 };
/** Likewise of one address, whatever the name: several people may share it. */
const ADDRESS = { burst: 100, everyMs: 600 };
/** Addresses and names that are remembered; then the ones that failed longest ago are forgotten. */
const MAX_BUCKETS = 20_000;
const MAX_NAME_LENGTH = 255;

interface Bucket {
  failures: number;
  /** By the clock's `monotonic`: when `failures` was counted. */
  at: number;
}

/** Slows down whoever tries passwords: after some failures each further attempt has to wait for its time. */
export class LoginThrottle {
  readonly #clock: Clock;
  /** Those that failed last at the end. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds until the client may try; 0 for now. */
  waitMs(address: string | undefined, name: string): number {
    return Math.max(this.#wait(keyOf(address, name), NAME), this.#wait(keyOf(address), ADDRESS));
  }

  failed(address: string | undefined, name: string): void {
    this.#count(keyOf(address, name), NAME);
    this.#count(keyOf(address), ADDRESS);
  }

  /** The name's failures are forgotten, the address's are not: whoever knows one password could go on trying others. */
  succeeded(address: string | undefined, name: string): void {
    this.#buckets.delete(keyOf(address, name));
  }

  get size(): number {
    return this.#buckets.size;
  }

  #wait(key: string, { burst, everyMs }: typeof NAME): number {
    const failures = this.#failures(key, everyMs);
    return failures <= burst - 1 ? 0 : Math.ceil((failures - (burst - 1)) * everyMs);
  }

  #count(key: string, { everyMs }: typeof NAME): void {
    const failures = this.#failures(key, everyMs) + 1;
    this.#buckets.delete(key);
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined && this.#buckets.size >= MAX_BUCKETS) this.#buckets.delete(oldest);
    this.#buckets.set(key, { failures, at: this.#clock.monotonic() });
  }

  #failures(key: string, everyMs: number): number {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return 0;
    return Math.max(0, bucket.failures - (this.#clock.monotonic() - bucket.at) / everyMs);
  }
}

/** Of a name, as much as names can have. */
function keyOf(address: string | undefined, name?: string): string {
  return JSON.stringify([networkOf(address), name?.slice(0, MAX_NAME_LENGTH)]);
}

/** Who has one address of IPv6 has 2⁶⁴ of them. */
function networkOf(address: string = ''): string {
  if (!isIPv6(address) || address.includes('.')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':').filter((group) => group !== '');
  const after = (tail ?? '').split(':').filter((group) => group !== '');
  const zeros = tail === undefined ? 0 : 8 - groups.length - after.length;
  return [...groups, ...Array.from({ length: zeros }, () => '0'), ...after].slice(0, 4).join(':');
}
