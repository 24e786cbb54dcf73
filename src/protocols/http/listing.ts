import { Pattern } from '../../broker/index.ts';
import { BrokerError } from '../../errors.ts';
import { badRequest, HttpError } from './errors.ts';

/** Things to list, and how each is shown. */
export interface Listed<Item> {
  readonly items: readonly Item[];
  /** What can be sorted and filtered by without showing the whole of every item. */
  readonly basics: (item: Item) => Shown;
  readonly show: (item: Item) => Shown;
  /** Columns in the order in which they sort, unless the query says others. */
  readonly order: readonly string[];
  /** Answered by pages when the query asks for one. */
  readonly paged: boolean;
}

export type Shown = Readonly<Record<string, unknown>>;
type Query = (name: string) => string | undefined;

const DEFAULT_PAGE_SIZE = 100;
const MAX_PAGE_SIZE = 500;
const MAX_SORT_KEYS = 8;
/** All names of a list together. */
const MATCH_MS = 200;

interface Page {
  readonly number: number;
  readonly size: number;
}

/** The list, or one page of it. Throws 400 for a query that cannot be. */
export function list<Item>(listed: Listed<Item>, query: Query): unknown {
  const page = listed.paged ? pageOf(query) : undefined;
  const columns = columnsOf(query);
  const sort = query('sort');
  const order = sort === undefined || sort === '' ? listed.order : [sort, ...listed.order];
  // Only what is on the page is shown as a whole, unless all of it is needed to sort.
  const [first] = listed.items;
  const cheap =
    first === undefined || order.every((key) => Object.hasOwn(listed.basics(first), key.split('.')[0] ?? ''));
  const seen = listed.items.map((item) => ({ item, facts: cheap ? listed.basics(item) : listed.show(item) }));
  const show = ({ item, facts }: (typeof seen)[number]) => pick(cheap ? listed.show(item) : facts, columns);
  const chosen = page === undefined ? seen : named(seen, query('name'), query('use_regex') === 'true');
  const matching = sortBy(chosen, order.slice(0, MAX_SORT_KEYS));
  if (query('sort_reverse') === 'true') matching.reverse();
  if (page === undefined) return matching.map(show);
  const start = (page.number - 1) * page.size;
  if (start > matching.length)
    throw new HttpError(
      400,
      'page_out_of_range',
      `Page out of range, page: ${page.number} page size: ${page.size}, len: ${matching.length}`,
    );
  const items = matching.slice(start, start + page.size).map(show);
  return {
    total_count: seen.length,
    item_count: items.length,
    filtered_count: matching.length,
    page: page.number,
    page_size: page.size,
    page_count: Math.ceil(matching.length / page.size),
    items,
  };
}

/** The columns that were asked for, of one thing. */
export function pickColumns(shown: Shown, query: Query): Shown {
  return pick(shown, columnsOf(query));
}

function pageOf(query: Query): Page | undefined {
  const number = wholeNumber(query('page'));
  const size = wholeNumber(query('page_size'));
  if (number === undefined) return undefined;
  if (number < 1 || (size !== undefined && (size < 1 || size > MAX_PAGE_SIZE)))
    throw new HttpError(
      400,
      'invalid_pagination_parameters',
      `Invalid pagination parameters: page number ${number}, page size ${size ?? 'undefined'}`,
    );
  return { number, size: size ?? DEFAULT_PAGE_SIZE };
}

function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^-?\d{1,9}$/.test(text)) throw badRequest('Pagination parameters are invalid');
  return Number(text);
}

function columnsOf(query: Query): readonly (readonly string[])[] | undefined {
  return query('columns')
    ?.split(',')
    .filter((column) => column !== '')
    .map((column) => column.split('.'));
}

function pick(shown: Shown, columns: readonly (readonly string[])[] | undefined): Shown {
  if (columns === undefined) return shown;
  const picked: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(shown)) {
    const below = columns.filter(([first]) => first === name).map((column) => column.slice(1));
    if (below.length === 0) continue;
    const whole = below.some((column) => column.length === 0);
    picked[name] = !whole && isShown(value) ? pick(value, below) : value;
  }
  return picked;
}

function named<Seen extends { readonly facts: Shown }>(
  seen: readonly Seen[],
  name: string | undefined,
  regex: boolean,
): readonly Seen[] {
  if (name === undefined || name === '') return seen;
  const names = seen.map(({ facts }) => String(facts['name'] ?? ''));
  const matches = regex ? matching(name, names) : containing(name, names);
  return seen.filter((_, index) => matches[index]);
}

function containing(part: string, names: readonly string[]): readonly boolean[] {
  const lower = part.toLowerCase();
  return names.map((name) => name.toLowerCase().includes(lower));
}

function matching(source: string, names: readonly string[]): readonly boolean[] {
  try {
    const pattern = Pattern.compile(source.startsWith('(?i)') ? source : `(?i)${source}`);
    const matches = pattern.matchesOf(names, MATCH_MS);
    if (matches !== undefined) return matches;
    throw badRequest('the regular expression takes too long: make it simpler');
  } catch (error) {
    if (error instanceof BrokerError) throw badRequest(error.message);
    throw error;
  }
}

function sortBy<Seen extends { readonly facts: Shown }>(seen: readonly Seen[], order: readonly string[]): Seen[] {
  const paths = order.map((key) => key.split('.'));
  return seen
    .map((one) => ({ one, keys: paths.map((path) => at(one.facts, path)) }))
    .sort((a, b) => {
      for (let index = 0; index < a.keys.length; index++) {
        const difference = compare(a.keys[index], b.keys[index]);
        if (difference !== 0) return difference;
      }
      return 0;
    })
    .map(({ one }) => one);
}

/** What is not there counts as 0. */
function at(facts: Shown, path: readonly string[]): unknown {
  let value: unknown = facts;
  for (const key of path) value = isShown(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return value ?? 0;
}

/** Numbers come before everything else, as in Erlang. */
function compare(one: unknown, other: unknown): number {
  if (one === other) return 0;
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  if (typeof one === 'number') return -1;
  if (typeof other === 'number') return 1;
  const [first, second] = [textOf(one), textOf(other)];
  if (first === second) return 0;
  return first < second ? -1 : 1;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function isShown(value: unknown): value is Shown {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
