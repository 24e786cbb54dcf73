import { once } from 'node:events';
import { padEnd, padStart, printable, textWidth } from './terminal/text-width.ts';

/** What the reader of our output does when it has seen enough (`| head`) is no error. */
export function guardOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
}

/** Writes to standard output, no faster than it is read. */
export async function write(text: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

export function print(line: string): Promise<void> {
  return write(`${line}\n`);
}

export function printJson(value: unknown): Promise<void> {
  return print(JSON.stringify(value, undefined, 2));
}

export type Cell = string | number;

/** Columns as wide as their widest cell; numbers stand to the right. */
export function table(headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = [headings.map((heading) => heading.toUpperCase()), ...rows.map((row) => row.map(textOf))];
  const widths = headings.map((_, column) =>
    texts.reduce((most, row) => Math.max(most, textWidth(row[column] ?? '')), 0),
  );
  const numeric = headings.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (numeric[column] ? padStart : padEnd)(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return texts.map(line).join('\n');
}

function textOf(cell: Cell): string {
  return printable(String(cell));
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Bytes as people read them: 1.5 MiB. */
export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** Milliseconds as people say them: 3 d 4 h, 12 min 5 s. */
export function duration(ms: number): string {
  const parts: string[] = [];
  let left = Math.round(ms / 1000);
  for (const [seconds, unit] of [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
    [1, 's'],
  ] as const) {
    const count = Math.floor(left / seconds);
    left -= count * seconds;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.slice(0, 2).join(' ') || '0 s';
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
