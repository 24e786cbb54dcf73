import type { Endpoint, Named } from './binding.ts';
import type { GraphSearch } from './graph-search.ts';
import type { Route } from './route.ts';

/**
 * One route for each set of targets, whatever keys and headers lead to it: so that messages which go to the same places go
 * there together.
 */
export class InternedRoutes<Target extends Named> {
  /** By a sum over the ids of the targets, of which several sets may have the same. */
  readonly #bySum = new Map<number, InternedRoute<Target>[]>();
  readonly #single: Endpoint<Target>[] = [];
  readonly #nowhere: Route<Target> = { targets: [], memo: undefined };
  #size = 0;

  /** Targets in all routes. */
  get size(): number {
    return this.#size;
  }

  /** The route to the targets that the search met. */
  routeOf(search: GraphSearch<Target>): Route<Target> {
    const { targets } = search;
    const [first] = targets;
    if (first === undefined) return this.#nowhere;
    if (targets.length === 1) return first.route ?? this.#add(first);
    let sum = 0;
    for (const { id } of targets) sum = (sum + spread(id)) >>> 0;
    const same = this.#bySum.get(sum);
    const known = same?.find(({ endpoints }) => search.metAll(endpoints));
    return known ?? this.#addSet(sum, targets);
  }

  /** Forgets all: routes that are asked for later are others. */
  clear(): void {
    for (const endpoint of this.#single) {
      endpoint.route = undefined;
      endpoint.routed = false;
    }
    this.#single.length = 0;
    for (const routes of this.#bySum.values()) {
      for (const { endpoints } of routes) for (const endpoint of endpoints) endpoint.routed = false;
    }
    this.#bySum.clear();
    this.#size = 0;
  }

  #add(endpoint: Endpoint<Target>): Route<Target> {
    this.#size++;
    const route = { targets: targetsOf([endpoint]), memo: undefined };
    endpoint.route = route;
    endpoint.routed = true;
    this.#single.push(endpoint);
    return route;
  }

  #addSet(sum: number, found: readonly Endpoint<Target>[]): Route<Target> {
    this.#size += found.length;
    const endpoints = [...found];
    for (const endpoint of endpoints) endpoint.routed = true;
    const route = { targets: targetsOf(endpoints), memo: undefined, endpoints };
    const same = this.#bySum.get(sum);
    if (same === undefined) this.#bySum.set(sum, [route]);
    else same.push(route);
    return route;
  }
}

interface InternedRoute<Target extends Named> extends Route<Target> {
  readonly endpoints: readonly Endpoint<Target>[];
}

function targetsOf<Target extends Named>(endpoints: readonly Endpoint<Target>[]): readonly Target[] {
  // Only targets are collected: an endpoint with an exchange is searched on.
  return endpoints.map((endpoint) => endpoint.destination as Target);
}

/** Ids are given out one after the other: sums of them would be the same for many sets. */
function spread(id: number): number {
  let hash = Math.imul(id, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
