import { at, cell, type Item } from '../listing.ts';
import { type Cell, table } from '../output.ts';
import { padEnd, printable, textWidth } from '../terminal/text-width.ts';

/** Lines of `name: value`; what is not told is left out. */
export function facts(pairs: readonly (readonly [name: string, value: Cell | undefined])[]): string {
  const known = pairs.flatMap(([name, value]) =>
    value === undefined || value === '-' ? [] : [[name, value] as const],
  );
  const width = known.reduce((most, [name]) => Math.max(most, textWidth(name)), 0);
  return known.map(([name, value]) => `${padEnd(`${name}:`, width + 1)} ${printable(String(value))}`).join('\n');
}

/** A fact by its path, and how it is shown. */
type Fact = readonly [name: string, path: string, show?: (value: unknown) => Cell];

/** The facts of one object. */
export function factsOf(item: Item, names: readonly Fact[]): string {
  return facts(names.map(([name, path, show = cell]) => [name, show(at(item, path))]));
}

/** A table with a title above it; empty when there is nothing in it. */
export function section(title: string, headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return rows.length === 0 ? '' : `\n${title}\n${table(headings, rows)}`;
}
