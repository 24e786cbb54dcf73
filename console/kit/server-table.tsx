import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Query } from '../api/client.ts';
import { usePoll } from '../api/poll.ts';
import { count } from '../format/numbers.ts';
import { place, setQuery } from '../location.ts';
import { tableWords } from '../words/common.ts';
import { Button } from './button.tsx';
import { Choice } from './form.tsx';
import { Icon } from './icon.tsx';
import { Loading, Notice, Problem } from './problem.tsx';
import { useShownColumns } from './shown-columns.ts';
import { type Column, ColumnChoice, Table } from './table.tsx';

/** What the broker answers to a list that is asked for by pages. */
interface PageOf<Row> {
  readonly items: readonly Row[];
  readonly total_count: number;
  readonly filtered_count: number;
  readonly page: number;
  readonly page_count: number;
}

export interface ServerTableProps<Row> {
  /** What is listed. */
  readonly label: string;
  /** Under this the choice of columns is kept. */
  readonly name: string;
  /** A list of the API. */
  readonly path: string | undefined;
  /** What is asked for besides page, order and filter. */
  readonly query?: Query;
  readonly columns: readonly Column<Row>[];
  /** Unique; the name of the row for readers of screens. */
  readonly rowKey: (row: Row) => string;
  /** The list can be filtered by name; it can where the API pages it. */
  readonly filter?: boolean;
  /** Before its parameters in the address, where there are several tables on a page. */
  readonly prefix?: string;
  /** Beside the filter: buttons, further filters. */
  readonly tools?: ComponentChildren;
  /** In the place of rows, when there are none and no filter. */
  readonly empty?: ComponentChildren;
  /** What can be done with several rows: makes rows selectable. */
  readonly bulk?: (rows: readonly Row[], clear: () => void) => ComponentChildren;
  readonly every?: number;
}

const PAGE_SIZES = ['25', '50', '100', '500'] as const;
const TYPING_MS = 250;

/** A list of thousands: the broker filters, sorts and pages it; page, order and filter are in the address. */
export function ServerTable<Row>(props: ServerTableProps<Row>) {
  const { label, name, path, columns, rowKey, filter = true, prefix = '', tools, empty, bulk, every } = props;
  const { shown, choose } = useShownColumns(name, columns);
  const [selected, setSelected] = useState<ReadonlyMap<string, Row>>(new Map());
  const state = tableState(prefix);
  const poll = usePoll<PageOf<Row> | readonly Row[]>(path, {
    query: {
      ...props.query,
      ...{ page: state.page, page_size: state.size, sort: state.sort, name: state.filter },
      ...(state.reverse && { sort_reverse: true }),
      ...(state.regex && { use_regex: true }),
    },
    ...(every !== undefined && { every }),
  });
  const list = poll.data && pageOf(poll.data, state);
  // The list has become shorter, or the address is an old one.
  const beyond = state.page > 1 && (list ? list.page_count < state.page : poll.error?.failure === 'invalid');
  useEffect(() => {
    if (beyond) setQuery({ [`${prefix}page`]: undefined });
  }, [beyond, prefix]);

  const clear = () => setSelected(new Map());
  const toggle = (rows: readonly Row[], on: boolean) =>
    setSelected((before) => {
      const next = new Map(before);
      for (const row of rows)
        if (on) next.set(rowKey(row), row);
        else next.delete(rowKey(row));
      return next;
    });
  const sortBy = ({ sort }: Column<Row>) => {
    const same = state.sort === sort;
    setQuery({
      [`${prefix}sort`]: sort,
      [`${prefix}reverse`]: same && !state.reverse ? '1' : undefined,
      [`${prefix}page`]: undefined,
    });
  };
  return (
    <div class="server-table">
      <div class="bar">
        {filter && <Filter prefix={prefix} text={state.filter ?? ''} regex={state.regex} />}
        {tools}
        <span class="gap" />
        {list && <Total list={list} />}
        <ColumnChoice columns={columns} shown={shown} onChange={choose} />
      </div>
      {bulk && selected.size > 0 && (
        <div class="bar bulk">
          <span>{tableWords.selected(count(selected.size))}</span>
          {bulk([...selected.values()], clear)}
        </div>
      )}
      {poll.error && !beyond && (list === undefined || poll.error.failure !== 'gone') && (
        <Problem error={poll.error} onRetry={poll.refresh} />
      )}
      {list === undefined && poll.error === undefined && <Loading />}
      {list && (
        <Table
          label={label}
          columns={shown}
          rows={list.items}
          rowKey={rowKey}
          busy={poll.loading}
          sorting={{ by: state.sort, reverse: state.reverse }}
          onSort={sortBy}
          selection={bulk && { keys: new Set(selected.keys()), toggle }}
          empty={state.filter === undefined ? empty : <Notice icon="search" title={tableWords.noMatch} />}
        />
      )}
      {list && <Pages list={list} size={state.size} prefix={prefix} />}
    </div>
  );
}

interface TableState {
  readonly page: number;
  readonly size: number;
  readonly sort: string | undefined;
  readonly reverse: boolean;
  readonly filter: string | undefined;
  readonly regex: boolean;
}

function tableState(prefix: string): TableState {
  const get = (name: string) => place.value.query.get(prefix + name) ?? undefined;
  const page = Number(get('page'));
  return {
    page: Number.isInteger(page) && page > 0 ? page : 1,
    size: Number(PAGE_SIZES.find((each) => each === get('size')) ?? '50'),
    sort: get('sort'),
    reverse: get('reverse') === '1',
    filter: get('name'),
    regex: get('regex') === '1',
  };
}

/** Lists that the API does not page are paged here. */
function pageOf<Row>(answer: PageOf<Row> | readonly Row[], { page, size }: TableState): PageOf<Row> {
  if (!isWhole(answer)) return answer;
  const items = answer.slice((page - 1) * size, page * size);
  const count = answer.length;
  return { items, total_count: count, filtered_count: count, page, page_count: Math.ceil(count / size) };
}

function isWhole<Row>(answer: PageOf<Row> | readonly Row[]): answer is readonly Row[] {
  return Array.isArray(answer);
}

function Total<Row>({ list }: { readonly list: PageOf<Row> }) {
  const { total_count: total, filtered_count: filtered } = list;
  return (
    <span class="muted" role="status">
      {total === filtered ? tableWords.total(total, count(total)) : tableWords.filtered(count(filtered), count(total))}
    </span>
  );
}

function Filter({ prefix, text, regex }: { readonly prefix: string; readonly text: string; readonly regex: boolean }) {
  const [typed, setTyped] = useState(text);
  // Going back in the history changes the address, and so the text.
  useEffect(() => setTyped(text), [text]);
  useEffect(() => {
    if (typed === text) return;
    const timer = setTimeout(() => setQuery({ [`${prefix}name`]: typed, [`${prefix}page`]: undefined }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, text, prefix]);
  return (
    <search class="filter">
      <Icon name="search" />
      <input
        type="search"
        aria-label={tableWords.filter}
        placeholder={tableWords.filter}
        spellcheck={false}
        value={typed}
        onInput={({ currentTarget }) => setTyped(currentTarget.value)}
      />
      <label title={tableWords.regex}>
        <input
          type="checkbox"
          aria-label={tableWords.regex}
          checked={regex}
          onChange={({ currentTarget }) =>
            setQuery({ [`${prefix}regex`]: currentTarget.checked ? '1' : undefined, [`${prefix}page`]: undefined })
          }
        />
        .*
      </label>
    </search>
  );
}

interface PagesProps<Row> {
  readonly list: PageOf<Row>;
  readonly size: number;
  readonly prefix: string;
}

function Pages<Row>({ list: { page, page_count: pages, filtered_count: filtered }, size, prefix }: PagesProps<Row>) {
  if (filtered <= Number(PAGE_SIZES[0]) && page === 1) return null;
  const go = (to: number) => setQuery({ [`${prefix}page`]: to === 1 ? undefined : String(to) }, { replace: false });
  return (
    <nav class="bar pages" aria-label={tableWords.page(String(page), String(pages))}>
      <Button kind="quiet" icon="firstPage" label={tableWords.first} disabled={page <= 1} onClick={() => go(1)} />
      <Button kind="quiet" icon="left" label={tableWords.previous} disabled={page <= 1} onClick={() => go(page - 1)} />
      <span>{tableWords.page(count(page), count(Math.max(pages, 1)))}</span>
      <Button kind="quiet" icon="right" label={tableWords.next} disabled={page >= pages} onClick={() => go(page + 1)} />
      <Button kind="quiet" icon="lastPage" label={tableWords.last} disabled={page >= pages} onClick={() => go(pages)} />
      <span class="gap" />
      <Choice
        label={tableWords.rowsPerPage}
        value={String(size)}
        options={PAGE_SIZES.map((each) => ({ value: each as string, label: each }))}
        onChange={(chosen) => setQuery({ [`${prefix}size`]: chosen, [`${prefix}page`]: undefined })}
      />
    </nav>
  );
}
