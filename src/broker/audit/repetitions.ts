import type { Act, Principal } from './act.ts';

/** Of what is remembered to be repeated; then what was first seen longest ago is forgotten. */
const MAX_REMEMBERED = 10_000;
/** Of a name: clients can make them long. */
const MAX_PART = 255;
const MINUTE = 60_000;
/** Of what programs do again and again: log in, and set the offsets of groups that they are no members of. */
const ROUTINE_MS = 60 * MINUTE;
const ROUTINE: ReadonlySet<string> = new Set(['login', 'offsets.set']);

interface Remembered {
  readonly until: number;
  repeated: number;
}

/**
 * What is done again by the same, and is no news: a program that logs in for each message, or whose password is wrong. The first is told at once,
 * the others are counted until some time has passed.
 */
export class Repetitions {
  readonly #remembered = new Map<string, Remembered>();

  /** Undefined for what is not to be told of; otherwise how many were not told of before. `now` is monotonic. */
  count(
    { act, object, virtualHost, outcome }: Act,
    { protocol, user, address }: Principal,
    now: number,
  ): number | undefined {
    const forMs = outcome === 'done' ? (ROUTINE.has(act) ? ROUTINE_MS : 0) : MINUTE;
    if (forMs === 0) return 0;
    const parts = [act, object, virtualHost, outcome, protocol, user, address];
    const key = JSON.stringify(parts.map((part) => part?.slice(0, MAX_PART)));
    const before = this.#remembered.get(key);
    if (before !== undefined && now < before.until) {
      before.repeated++;
      return undefined;
    }
    this.#remembered.delete(key);
    const [oldest] = this.#remembered.keys();
    if (oldest !== undefined && this.#remembered.size >= MAX_REMEMBERED) this.#remembered.delete(oldest);
    this.#remembered.set(key, { until: now + forMs, repeated: 0 });
    return before?.repeated ?? 0;
  }
}
