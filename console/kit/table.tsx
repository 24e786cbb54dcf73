import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import { tableWords } from '../words/common.ts';
import { Icon } from './icon.tsx';
import { Menu } from './menu.tsx';
import { Notice } from './problem.tsx';

export interface Column<Row> {
  readonly id: string;
  readonly title: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** What it is sorted by: the name of the field in the answer, with dots for what is within. */
  readonly sort?: string;
  /** Numbers stand at the end. */
  readonly align?: 'end';
  /** Only shown when it is chosen. */
  readonly hidden?: boolean;
}

export interface Sorting {
  readonly by: string | undefined;
  readonly reverse: boolean;
}

export interface Selection<Row> {
  readonly keys: ReadonlySet<string>;
  toggle(rows: readonly Row[], on: boolean): void;
}

export interface TableProps<Row> {
  /** What is listed: for readers of screens. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  /** Unique; the name of the row for readers of screens. */
  readonly rowKey: (row: Row) => string;
  readonly sorting?: Sorting;
  readonly onSort?: (column: Column<Row>) => void;
  readonly selection?: Selection<Row> | undefined;
  readonly empty?: ComponentChildren;
  readonly busy?: boolean;
}

/** Rows as they are given. `ServerTable` has the broker filter, sort and page them; `LocalTable` sorts what is there. */
export function Table<Row>(props: TableProps<Row>) {
  const { label, columns, rows, rowKey, sorting, onSort, selection, empty, busy = false } = props;
  const all = rows.length > 0 && rows.every((row) => selection?.keys.has(rowKey(row)));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways, which has to work by keyboard.
    <section class="table-frame" tabIndex={0} aria-label={label} aria-busy={busy}>
      <table>
        <thead>
          <tr>
            {selection && (
              <th class="select" scope="col">
                <input
                  type="checkbox"
                  aria-label={tableWords.selectAll}
                  checked={all}
                  onChange={({ currentTarget }) => selection.toggle(rows, currentTarget.checked)}
                />
              </th>
            )}
            {columns.map((column) => (
              <Heading key={column.id} column={column} sorting={sorting} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const key = rowKey(row);
            const selected = selection?.keys.has(key) === true;
            return (
              <tr key={key} class={selected ? 'selected' : ''}>
                {selection && (
                  <td class="select">
                    <input
                      type="checkbox"
                      aria-label={tableWords.selectRow(key)}
                      checked={selected}
                      onChange={({ currentTarget }) => selection.toggle([row], currentTarget.checked)}
                    />
                  </td>
                )}
                {columns.map((column) => (
                  <td key={column.id} class={column.align ?? ''}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
      {rows.length === 0 && (empty ?? <Notice title={tableWords.nothing} />)}
    </section>
  );
}

interface HeadingProps<Row> {
  readonly column: Column<Row>;
  readonly sorting: Sorting | undefined;
  readonly onSort: ((column: Column<Row>) => void) | undefined;
}

function Heading<Row>({ column, sorting, onSort }: HeadingProps<Row>) {
  const { title, sort, align } = column;
  if (sort === undefined || onSort === undefined)
    return (
      <th scope="col" class={align ?? ''}>
        {title}
      </th>
    );
  const sorted = sorting?.by === sort;
  const order = sorted ? (sorting.reverse ? 'descending' : 'ascending') : 'none';
  return (
    <th scope="col" class={align ?? ''} aria-sort={order}>
      <button type="button" title={tableWords.sortBy(title)} onClick={() => onSort(column)}>
        {title}
        {sorted && <Icon name={sorting.reverse ? 'down' : 'up'} />}
      </button>
    </th>
  );
}

interface ColumnChoiceProps<Row> {
  readonly columns: readonly Column<Row>[];
  readonly shown: readonly Column<Row>[];
  onChange(ids: readonly string[]): void;
}

/** Which columns are shown: a button with a list of boxes. */
export function ColumnChoice<Row>({ columns, shown, onChange }: ColumnChoiceProps<Row>) {
  const ids = useMemo(() => new Set(shown.map(({ id }) => id)), [shown]);
  return (
    <Menu icon="columns" title={tableWords.columns}>
      <fieldset class="choices">
        <legend class="unseen">{tableWords.columns}</legend>
        {columns.map(({ id, title }) => (
          <label key={id}>
            <input
              type="checkbox"
              checked={ids.has(id)}
              disabled={ids.size === 1 && ids.has(id)}
              onChange={({ currentTarget: { checked } }) =>
                onChange(columns.filter((each) => (each.id === id ? checked : ids.has(each.id))).map((each) => each.id))
              }
            />
            {title}
          </label>
        ))}
      </fieldset>
    </Menu>
  );
}
