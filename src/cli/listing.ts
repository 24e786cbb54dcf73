import { type Command, InvalidArgumentError, Option } from 'commander';
import { type ApiClient, type ApiOptions, api } from './api/index.ts';
import { whole } from './arguments.ts';
import { type Cell, print, printJson, table } from './output.ts';

/** An object as the API answers it. */
export type Item = Readonly<Record<string, unknown>>;

/** One of a table. */
export interface Column {
  /** What stands above it, and one of its names for `--columns`, `--sort` and `--filter`; the other is its path. */
  readonly heading: string;
  /** Where in the API's object it is, with dots for what is within. */
  readonly path: string;
  readonly show?: (value: unknown) => Cell;
}

export interface ListingOptions extends ApiOptions {
  readonly columns?: readonly string[];
  readonly sort?: string;
  readonly filter?: readonly Filter[];
  readonly limit?: number;
}

export interface Filter {
  readonly field: string;
  readonly holds: (value: unknown) => boolean;
}

export interface List {
  readonly path: string;
  readonly columns: readonly Column[];
  /** Said instead of an empty table. */
  readonly none: string;
  /** What of that the list is of. */
  readonly only?: Filter;
  /** Of the names. */
  readonly part?: string | undefined;
}

/** `--columns`, `--sort`, `--filter`, `--limit` and those of every command that asks the API. */
export function listing(command: Command, columns: readonly Column[]): Command {
  return api(command, 'print as JSON, with everything that the API tells')
    .addOption(
      new Option(
        '--columns <names>',
        `what to show (default: ${columns.map(({ heading }) => heading).join(',')})`,
      ).argParser(names),
    )
    .option('--sort <column>', 'sort by this column; with a - before it, the largest first')
    .option(
      '--filter <condition>',
      'only what meets it: a part of the name, or COLUMN=VALUE, !=, <, >, <=, >=, ~REGEXP, !~; may be repeated',
      filters,
    )
    .option('--limit <n>', 'no more than so many', whole(1));
}

/** Prints the list that the API has there. */
export async function printList(client: ApiClient, list: List, options: ListingOptions): Promise<void> {
  const { items, looked, unknown } = await itemsOf(client, list, options);
  if (looked > 0 && unknown.length > 0)
    process.stderr.write(
      `sluice: nothing in this list has '${unknown.join("', '")}'; its columns are ${list.columns.map(({ heading }) => heading).join(', ')}\n`,
    );
  const chosen = options.columns?.map((name) => columnOf(list.columns, name));
  if (options.json) return printJson(chosen === undefined ? items : items.map((item) => picked(item, chosen)));
  if (items.length === 0) return print(looked === 0 && list.part === undefined ? list.none : 'nothing fits the filter');
  const columns = chosen ?? list.columns;
  await print(
    table(
      columns.map(({ heading }) => heading),
      items.map((item) => columns.map(({ path, show = cell }) => show(at(item, path)))),
    ),
  );
}

interface Found {
  readonly items: readonly Item[];
  /** Items that were held against the filters. */
  readonly looked: number;
  /** What the options name, and none of these has. */
  readonly unknown: readonly string[];
}

/** What the options leave of the list. */
async function itemsOf(
  client: ApiClient,
  { path, columns, part, only }: List,
  options: ListingOptions,
): Promise<Found> {
  const { sort, limit = Number.POSITIVE_INFINITY } = options;
  const filters = [...(options.filter ?? []), ...(part === undefined ? [] : [nameHas(part)])];
  const conditions = filters.map(({ field, holds }) => ({ path: columnOf(columns, field).path, holds }));
  const order = sort === undefined ? undefined : columnOf(columns, sort.replace(/^-/, '')).path;
  const shown = options.columns?.map((name) => columnOf(columns, name)) ?? columns;
  const needed = new Set([...shown, ...conditions].map((each) => each.path));
  if (order) needed.add(order);
  const unknown = new Set([...needed].filter((name) => !columns.some((column) => column.path === name)));
  const query = {
    sort: order,
    // Lists without pages do not look at it.
    name: part,
    sort_reverse: sort?.startsWith('-') || undefined,
    // The whole of each object is large; the broker sends what is asked for.
    columns:
      options.json && options.columns === undefined
        ? undefined
        : [...needed, ...(only === undefined ? [] : [only.field])].join(','),
  };
  const items: Item[] = [];
  let looked = 0;
  for await (const page of client.pages<Item>(path, { query }))
    for (const item of page) {
      if (only?.holds(at(item, only.field)) === false) continue;
      looked++;
      for (const name of unknown) if (at(item, name) !== undefined) unknown.delete(name);
      if (!conditions.every((condition) => condition.holds(at(item, condition.path)))) continue;
      items.push(item);
      if (items.length >= limit) return { items, looked, unknown: [...unknown] };
    }
  return { items, looked, unknown: [...unknown] };
}

/** By its heading or its path; any other name is a path. */
function columnOf(columns: readonly Column[], name: string): Column {
  return (
    columns.find(({ heading, path }) => heading === name.toLowerCase() || path === name) ?? {
      heading: name,
      path: name,
    }
  );
}

function picked(item: Item, columns: readonly Column[]): Item {
  return Object.fromEntries(columns.map(({ path }) => [path, at(item, path) ?? null]));
}

/** What is there, or undefined. */
export function at(item: Item, path: string): unknown {
  let value: unknown = item;
  for (const key of path.split('.'))
    value = typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Item)[key] : undefined;
  return value;
}

/** A value as it stands in a table. */
export function cell(value: unknown): Cell {
  if (value === undefined || value === null || value === '') return '-';
  if (typeof value === 'string' || typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map((each) => cell(each)).join(',');
  const entries = Object.entries(value);
  return entries.length === 0 ? '-' : entries.map(([name, each]) => `${name}=${cell(each)}`).join(',');
}

function names(text: string): string[] {
  const all = text.split(',').filter((name) => name !== '');
  if (all.length === 0) throw new InvalidArgumentError('Names of columns with commas between them are wanted.');
  return all;
}

function filters(text: string, before: readonly Filter[] = []): Filter[] {
  return [...before, parseFilter(text)];
}

/** A part of the name (any case), or a condition on a column. */
export function parseFilter(text: string): Filter {
  const [, field, operator, operand = ''] = /^([\w.-]+?)\s*(!=|!~|<=|>=|=|<|>|~)\s*(.*)$/s.exec(text) ?? [];
  if (field === undefined || operator === undefined) {
    const part = text.toLowerCase();
    return {
      field: 'name',
      holds: (value) =>
        String(value ?? '')
          .toLowerCase()
          .includes(part),
    };
  }
  return { field, holds: condition(operator, operand) };
}

function nameHas(part: string): Filter {
  const lower = part.toLowerCase();
  return { field: 'name', holds: (value) => textOf(value).toLowerCase().includes(lower) };
}

function condition(operator: string, operand: string): (value: unknown) => boolean {
  if (operator === '~' || operator === '!~') {
    const pattern = patternOf(operand);
    return (value) => pattern.test(textOf(value)) === (operator === '~');
  }
  if (operator === '=') return (value) => textOf(value) === operand;
  if (operator === '!=') return (value) => textOf(value) !== operand;
  const bound = Number(operand);
  if (operand.trim() === '' || Number.isNaN(bound))
    throw new InvalidArgumentError(`A number is wanted after ${operator}.`);
  const holds = {
    '<': (n: number) => n < bound,
    '<=': (n: number) => n <= bound,
    '>': (n: number) => n > bound,
    '>=': (n: number) => n >= bound,
  }[operator];
  // What is not told counts as 0, as where the broker sorts.
  return (value) => holds?.(typeof value === 'number' ? value : Number(value ?? 0)) === true;
}

function patternOf(source: string): RegExp {
  try {
    return new RegExp(source, 'u');
  } catch {
    throw new InvalidArgumentError('A regular expression is wanted after ~.');
  }
}

function textOf(value: unknown): string {
  if (typeof value === 'object' && value !== null) return JSON.stringify(value);
  return String(value ?? '');
}
