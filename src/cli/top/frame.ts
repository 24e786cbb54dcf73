import { at, type Item } from '../listing.ts';
import { rateText } from '../management/rates.ts';
import { duration, plural, size } from '../output.ts';
import { style } from '../terminal/style.ts';
import { clip, padEnd, padStart, printable, textWidth } from '../terminal/text-width.ts';
import type { Sample } from './sample.ts';
import { sortOf, type TopState, viewOf } from './state.ts';
import { shown, VIEWS } from './views.ts';

export interface FrameSize {
  readonly columns: number;
  readonly rows: number;
}

/** Lines above the rows, and below them. */
const HEAD = 6;
const FOOT = 1;
const BAR = 10;
const MIN_NAME = 12;

const HELP: readonly string[] = [
  'q, Ctrl-C      end',
  '1 to 4, Tab    queues, streams, groups, connections',
  '← →, < >       sort by another column',
  'r              the other way round',
  '↑ ↓, PgUp PgDn scroll; g, Home: to the top',
  '/              only names that have this in them; Esc takes it away',
  'space, p       stand still, and go on',
  '+ -            ask more often, or less',
  '?, h           this; any key takes it away',
];

/** How many rows of the list fit. */
export function rowsThatFit({ rows }: FrameSize): number {
  return Math.max(1, rows - HEAD - FOOT);
}

/** The lines of the whole screen. `trouble` says why what is shown is old. */
export function frame(state: TopState, sample: Sample, size: FrameSize, trouble?: string): string[] {
  const body = state.help ? HELP.map((line) => clip(line, size.columns)) : list(state, sample, size);
  const head = [...health(sample, size.columns, trouble), tabs(state, sample, size.columns), ''];
  const lines = [...head, ...body].slice(0, Math.max(0, size.rows - FOOT));
  while (lines.length < size.rows - FOOT) lines.push('');
  return [...lines, foot(state, size.columns)];
}

function health(
  { overview, node, cpu, ready, reasons }: Sample,
  columns: number,
  trouble: string | undefined,
): string[] {
  const name = `${overview['product_name']} ${overview['product_version']}`;
  const uptime = number(node, 'uptime');
  const word = trouble !== undefined ? trouble : ready ? 'ready' : `not ready: ${reasons.join(', ')}`;
  const facts = [name, ...(uptime === undefined ? [] : [`up ${duration(uptime)}`])].join('   ');
  const first = clip(printable(`${facts}   ${word}`), columns);
  const good = trouble === undefined && ready;
  return [
    good ? style('bold', first) : style(['bold', 'red'], first),
    clip(resources(node, cpu), columns),
    clip(traffic(overview), columns),
  ];
}

function resources(node: Item | undefined, cpu: number | undefined): string {
  const [used, limit, free] = ['mem_used', 'mem_limit', 'disk_free'].map((field) => number(node, field));
  const parts: string[] = [];
  if (used !== undefined && limit !== undefined)
    parts.push(`memory ${bar(used / limit)} ${size(used)} of ${size(limit)}`);
  if (free !== undefined) parts.push(`disk ${size(free)} free`);
  if (cpu !== undefined) parts.push(`cpu ${(cpu * 100).toFixed(0)} %`);
  return parts.join('   ');
}

function bar(part: number): string {
  const full = Math.max(0, Math.min(BAR, Math.round(part * BAR)));
  return '█'.repeat(full) + '░'.repeat(BAR - full);
}

function traffic(overview: Item): string {
  const rates = [
    ['in', 'publish'],
    ['out', 'deliver_get'],
    ['acked', 'ack'],
  ].flatMap(([name, key]) => {
    const value = number(overview, `message_stats.${key}_details.rate`);
    return value === undefined ? [] : [`${name} ${rateText(value)}/s`];
  });
  const totals = ['connection', 'channel', 'consumer', 'queue'].map((noun) =>
    plural(number(overview, `object_totals.${noun}s`) ?? 0, noun),
  );
  const messages = plural(number(overview, 'queue_totals.messages') ?? 0, 'message');
  return [...rates, messages, totals.join(', ')].join('   ');
}

function number(item: Item | undefined, path: string): number | undefined {
  const value = item === undefined ? undefined : at(item, path);
  return typeof value === 'number' ? value : undefined;
}

function tabs(state: TopState, { total }: Sample, columns: number): string {
  const names = VIEWS.map(({ name }, index) =>
    index === state.view ? `[${index + 1} ${name}]` : ` ${index + 1} ${name} `,
  );
  const facts = [
    plural(total, viewOf(state).name.replace(/s$/, '')),
    ...(state.filter === '' ? [] : [`named *${printable(state.filter)}*`]),
    state.paused ? 'standing still' : `every ${state.intervalMs / 1000} s`,
  ];
  return clip(`${names.join('')}   ${facts.join(', ')}`, columns);
}

function list(state: TopState, sample: Sample, frameSize: FrameSize): string[] {
  if (sample.missing !== undefined) return [clip(printable(sample.missing), frameSize.columns)];
  const { columns } = viewOf(state);
  const { column: sortedBy, descending } = sortOf(state);
  const fit = rowsThatFit(frameSize);
  // Not beyond the end.
  const first = Math.max(0, Math.min(state.offset, sample.rows.length - fit));
  const cells = sample.rows
    .slice(first, first + fit)
    .map((row) => columns.map((column, index) => printable(shown(column, row[index]))));
  const headings = columns.map(({ heading }, index) =>
    index === sortedBy ? `${heading.toUpperCase()}${descending ? '▼' : '▲'}` : heading.toUpperCase(),
  );
  const widths = widthsOf([headings, ...cells], frameSize.columns);
  const line = (texts: readonly string[]) =>
    widths
      .map((width, index) => (columns[index]?.numeric ? padStart : padEnd)(clip(texts[index] ?? '', width), width))
      .join('  ');
  return [style('inverse', padEnd(line(headings), frameSize.columns)), ...cells.map((texts) => line(texts).trimEnd())];
}

/** As wide as what is in them; the first gives way to the others, and those at the right that do not fit are left out. */
function widthsOf(rows: readonly (readonly string[])[], columns: number): number[] {
  const wanted = (rows[0] ?? []).map((_, index) =>
    rows.reduce((most, row) => Math.max(most, textWidth(row[index] ?? '')), 0),
  );
  const [name = 0, ...others] = wanted;
  const least = Math.min(columns, Math.max(MIN_NAME, textWidth(rows[0]?.[0] ?? '')));
  const kept: number[] = [];
  let left = columns - least;
  for (const width of others) {
    left -= width + 2;
    if (left < 0) break;
    kept.push(width);
  }
  const taken = kept.reduce((sum, width) => sum + width + 2, 0);
  return [Math.min(Math.max(name, least), columns - taken), ...kept];
}

function foot({ typing }: TopState, columns: number): string {
  if (typing !== undefined) return clip(`names with: ${printable(typing)}_   (Enter, Esc)`, columns);
  return style('dim', clip('q end  1-4 view  ←→ sort  r reverse  / filter  space stop  ? help', columns));
}
