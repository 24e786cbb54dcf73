import type { HistoryShape } from '../../protocols/http/shapes/statistics.ts';
import { type ApiClient, ApiError } from '../api/index.ts';
import { at, type Item } from '../listing.ts';
import { sortOf, type TopState, viewOf } from './state.ts';
import type { TopColumn, View } from './views.ts';

/** What one poll has found. */
export interface Sample {
  readonly overview: Item;
  /** Undefined for users who may not see it. */
  readonly node: Item | undefined;
  /** Of one core; undefined where the broker does not tell. */
  readonly cpu: number | undefined;
  readonly ready: boolean;
  /** Why it is not. */
  readonly reasons: readonly string[];
  readonly rows: readonly Row[];
  /** Of the list, with what did not fit into `rows`. */
  readonly total: number;
  /** Why there is no list. */
  readonly missing: string | undefined;
}

/** In the order of the view's columns. */
export type Row = readonly unknown[];

interface Page {
  readonly items: readonly Item[];
  readonly filtered_count: number;
}

/** More nobody reads; those are the first in the order that was asked for. */
const MAX_ROWS = 500;

/** Of the last half minute. */
const HISTORY = { of: 'overview', age: 30 };

interface Before {
  readonly view: View;
  readonly time: number;
  /** By their identities. */
  readonly items: ReadonlyMap<string, Item>;
}

/** Asks the broker, and knows what it said before, for what it does not count itself. */
export class Sampler {
  readonly #client: ApiClient;
  readonly #now: () => number;
  #before: Before | undefined;

  /** `now` is in milliseconds, of whatever clock. */
  constructor(client: ApiClient, now: () => number) {
    this.#client = client;
    this.#now = now;
  }

  async take(state: TopState): Promise<Sample> {
    const view = viewOf(state);
    const [probe, overview, nodes, history, page] = await Promise.all([
      this.#client.probe('/readyz'),
      this.#client.get<Item>('/overview'),
      this.#client.get<readonly Item[]>('/nodes').catch(refusedAs([])),
      this.#client.get<HistoryShape>('/history', { query: HISTORY }).catch(untold),
      this.#page(state).catch((error: unknown) => {
        if (error instanceof ApiError && (error.status === 404 || error.code === 'access-refused')) return error;
        throw error;
      }),
    ]);
    const { reasons = [] } = (probe.body ?? {}) as { readonly reasons?: readonly string[] };
    const cpu = history?.series['cpu_utilization']?.findLast((value) => value !== null) ?? undefined;
    const health = { overview, node: nodes[0], cpu, ready: probe.status === 200, reasons };
    if (page instanceof ApiError) return { ...health, rows: [], total: 0, missing: page.message };
    const rows = this.#rows(view, page.items);
    const all = page.items.length === page.filtered_count;
    // What the broker does not know it cannot sort by; all of a short list can be sorted here.
    return { ...health, rows: all ? sorted(rows, state) : rows, total: page.filtered_count, missing: undefined };
  }

  async #page(state: TopState): Promise<Page> {
    const { path, columns, identity } = viewOf(state);
    const { column, descending } = sortOf(state);
    const by = columns[column];
    const needed = columns.flatMap(({ path: own, growthOf }) => [own, ...(growthOf === undefined ? [] : [growthOf])]);
    const query = {
      ...{ page: 1, page_size: MAX_ROWS, sort: by?.path, sort_reverse: descending || undefined },
      columns: [...new Set([...identity, ...needed])].join(','),
      name: state.filter === '' ? undefined : state.filter,
    };
    const body = await this.#client.get<Page | readonly Item[]>(path, { query });
    return 'items' in body ? body : { items: body.slice(0, MAX_ROWS), filtered_count: body.length };
  }

  #rows(view: View, items: readonly Item[]): Row[] {
    const before = this.#before?.view === view ? this.#before : undefined;
    const time = this.#now();
    const byIdentity = new Map(items.map((item) => [identityOf(view, item), item]));
    this.#before = { view, time, items: byIdentity };
    const seconds = before === undefined ? 0 : (time - before.time) / 1000;
    return Array.from(byIdentity, ([identity, item]) =>
      view.columns.map((column) => at(item, column.path) ?? growth(column, item, before?.items.get(identity), seconds)),
    );
  }
}

/** A second; undefined when it is not known. */
function growth({ growthOf }: TopColumn, item: Item, before: Item | undefined, seconds: number): number | undefined {
  if (growthOf === undefined || before === undefined || seconds <= 0) return undefined;
  const [now, then] = [at(item, growthOf), at(before, growthOf)];
  return typeof now === 'number' && typeof then === 'number' ? (now - then) / seconds : undefined;
}

function sorted(rows: readonly Row[], state: TopState): Row[] {
  const { column, descending } = sortOf(state);
  const direction = descending ? -1 : 1;
  return rows.toSorted((a, b) => direction * compare(a[column], b[column]) || compare(a[0], b[0]));
}

/** What is not known comes before everything that is. */
function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'number' || typeof b === 'number') return typeof a === 'number' ? 1 : -1;
  const [one, other] = [String(a ?? ''), String(b ?? '')];
  return one === other ? 0 : one < other ? -1 : 1;
}

function identityOf({ identity }: View, item: Item): string {
  return JSON.stringify(identity.map((path) => at(item, path)));
}

function refusedAs<Value>(value: Value): (error: unknown) => Value {
  return (error) => {
    if (error instanceof ApiError && error.code === 'access-refused') return value;
    throw error;
  };
}

/** Where nothing is sampled, there is nothing to tell. */
function untold(error: unknown): undefined {
  if (!(error instanceof ApiError)) throw error;
}
