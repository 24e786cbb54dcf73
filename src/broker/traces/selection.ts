import type { Place } from './place.ts';
import type { TracingSettings } from './settings.ts';

const ALL = 0x1_0000_0000;
/** Names whose answer is kept. */
const MAX_KNOWN = 10_000;

/** Which messages are traced: made of the settings, asked for each message. */
export class Selection {
  /** Nothing is selected. */
  readonly isOff: boolean;
  /** Messages whose hash is below are in the sample: the same ones wherever they come by. */
  readonly #sampledBelow: number;
  readonly #isNarrow: boolean;
  readonly #hosts: readonly string[];
  readonly #destinations: readonly string[];
  readonly #known = new Map<string, boolean>();
  readonly #generation: number;

  constructor({ mode, sampleShare, virtualHosts, destinations }: TracingSettings, generation: number) {
    this.isOff = mode === 'off';
    this.#sampledBelow = mode === 'sampled' ? sampleShare * ALL : ALL;
    this.#hosts = virtualHosts;
    this.#destinations = destinations;
    this.#isNarrow = virtualHosts.length > 0 || destinations.length > 0;
    this.#generation = generation;
  }

  /** Whether all messages are in the sample: then nobody need hash them. */
  get takesAll(): boolean {
    return this.#sampledBelow === ALL;
  }

  samples(hash: number): boolean {
    return hash < this.#sampledBelow;
  }

  place(place: Place): boolean {
    if (place.seenIn !== this.#generation) {
      place.seenIn = this.#generation;
      place.selected = this.name(place.virtualHost, place.name);
    }
    return place.selected;
  }

  /** Whether the exchange, or any of those that its message goes to, is selected. */
  route(virtualHost: string, exchange: string, targets: readonly { readonly name: string }[]): boolean {
    if (!this.#isNarrow || this.name(virtualHost, exchange)) return true;
    for (const { name } of targets) if (this.name(virtualHost, name)) return true;
    return false;
  }

  name(virtualHost: string, name: string): boolean {
    if (!this.#isNarrow) return true;
    const key = `${virtualHost}/${name}`;
    let selected = this.#known.get(key);
    if (selected === undefined) {
      selected = matchesAny(this.#hosts, virtualHost) && matchesAny(this.#destinations, name);
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.set(key, selected);
    }
    return selected;
  }
}

function matchesAny(patterns: readonly string[], name: string): boolean {
  return patterns.length === 0 || patterns.some((pattern) => matches(pattern, name));
}

/** Stars stand for any characters. In time that grows with both lengths multiplied, whatever the pattern. */
function matches(pattern: string, name: string): boolean {
  let [at, next] = [0, 0];
  /** Where to try again with the last star standing for one character more. */
  let [star, tried] = [-1, 0];
  while (at < name.length) {
    if (pattern[next] === '*') {
      star = next++;
      tried = at;
    } else if (pattern[next] === name[at]) {
      at++;
      next++;
    } else if (star >= 0) {
      next = star + 1;
      at = ++tried;
    } else return false;
  }
  while (pattern[next] === '*') next++;
  return next === pattern.length;
}
