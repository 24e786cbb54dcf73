import { useState } from 'preact/hooks';
import { type Column, Table, type TableProps } from './table.tsx';

type LocalTableProps<Row> = Pick<TableProps<Row>, 'label' | 'columns' | 'rows' | 'rowKey' | 'empty'>;

/** A list that is all there and short, sorted by clicks on its headings. For long ones there is `ServerTable`. */
export function LocalTable<Row>(props: LocalTableProps<Row>) {
  const [sorting, setSorting] = useState<{ readonly by: string | undefined; readonly reverse: boolean }>({
    ...{ by: undefined, reverse: false },
  });
  const sort = ({ sort: by }: Column<Row>) =>
    setSorting((before) => ({ by, reverse: before.by === by && !before.reverse }));
  const { by, reverse } = sorting;
  const rows =
    by === undefined ? props.rows : props.rows.toSorted((a, b) => compare(at(a, by), at(b, by)) * (reverse ? -1 : 1));
  return <Table {...props} rows={rows} sorting={sorting} onSort={sort} />;
}

function at(row: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], row);
}

function compare(one: unknown, other: unknown): number {
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  return String(one ?? '').localeCompare(String(other ?? ''));
}
