import type { Partition, ScanOptions, SeenRecord, Stream } from '../../broker/index.ts';
import { badRequest } from './errors.ts';
import type { Call } from './route.ts';

/** Partitions that are looked at together. */
export const MAX_PARTITIONS = 256;
const MAX_COUNT = 500;
const DEFAULT_COUNT = 50;
const DEFAULT_TRUNCATE = 4096;
const MAX_TRUNCATE = 1024 * 1024;
const MAX_PAGE_BYTES = 16 * 1024 * 1024;
const DEFAULT_PAGE_BYTES = 1024 * 1024;
/** Of a key, or of text that is looked for. */
const MAX_WANTED = 4096;

const FILTERED = ['key', 'value', 'headers'] as const;
type Filtered = (typeof FILTERED)[number];

/** What of a stream's records is shown, and how. */
export interface BrowseQuery extends ScanOptions {
  readonly partitions: readonly Partition[];
  readonly count: number;
  readonly maxBytes: number;
  /** Bytes that are shown of a key, a value or a header. */
  readonly truncate: number;
}

/** Throws 400 for what cannot be. */
export function browseQuery(call: Call, stream: Stream): BrowseQuery {
  const committed = oneOf(call, 'isolation', ['read_uncommitted', 'read_committed']) === 'read_committed';
  return {
    partitions: partitionsIn(call.query('partition'), stream),
    committed,
    control: flagIn(call, 'control'),
    count: numberIn(call, 'count', { default: DEFAULT_COUNT, min: 1, max: MAX_COUNT }),
    maxBytes: numberIn(call, 'max_bytes', { default: DEFAULT_PAGE_BYTES, min: 1, max: MAX_PAGE_BYTES }),
    truncate: numberIn(call, 'truncate', { default: DEFAULT_TRUNCATE, min: 0, max: MAX_TRUNCATE }),
    accepts: filterIn(call),
  };
}

/** Those wanted, by commas; all unless some are. Throws 400. */
export function partitionsIn(wanted: string | undefined, { partitions, name }: Stream): readonly Partition[] {
  const found =
    wanted === undefined || wanted === ''
      ? partitions
      : [...new Set(wanted.split(',').slice(0, MAX_PARTITIONS + 1))].map((text) => {
          const partition = /^\d{1,9}$/.test(text) ? partitions[Number(text)] : undefined;
          if (partition === undefined) throw badRequest(`stream '${name}' has no partition '${text}'`);
          return partition;
        });
  if (found.length > MAX_PARTITIONS)
    throw badRequest(`no more than ${MAX_PARTITIONS} partitions are looked at together: choose some by partition=0,1`);
  return found;
}

export function numberIn(
  call: Call,
  name: string,
  bounds: { readonly default: number; readonly min: number; readonly max: number },
): number {
  const text = call.query(name);
  if (text === undefined || text === '') return bounds.default;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= bounds.min && value <= bounds.max))
    throw badRequest(`${name} is a whole number from ${bounds.min} to ${bounds.max}`);
  return value;
}

export function flagIn(call: Call, name: string): boolean {
  return oneOf(call, name, ['false', 'true']) === 'true';
}

/** The first one unless the query says another. */
export function oneOf<Word extends string>(call: Call, name: string, words: readonly [Word, ...Word[]]): Word {
  const text = call.query(name) ?? '';
  if (text === '') return words[0];
  const found = words.find((word) => word === text);
  if (found === undefined) throw badRequest(`${name} is one of ${words.join(', ')}`);
  return found;
}

/** Milliseconds since the epoch, from a number or a date; undefined when it is not there. */
export function timeIn(call: Call, name: string): number | undefined {
  const text = call.query(name);
  if (text === undefined || text === '') return undefined;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isNaN(value)) throw badRequest(`${name} is milliseconds since 1970, or a date: 2026-01-31T12:00:00Z`);
  return value;
}

function filterIn(call: Call): (seen: SeenRecord) => boolean {
  const key = bytesIn(call, 'key');
  const text = bytesIn(call, 'filter');
  const places = new Set((call.query('filter_in') ?? FILTERED.join(',')).split(','));
  for (const place of places)
    if (!FILTERED.includes(place as Filtered)) throw badRequest(`filter_in is some of ${FILTERED.join(',')}`);
  return ({ record, batch }) => {
    if (key === undefined && text === undefined) return true;
    if (batch.isControl) return false;
    if (key !== undefined && !(record.key?.equals(key) ?? false)) return false;
    if (text === undefined) return true;
    if (places.has('value') && record.value?.includes(text)) return true;
    if (places.has('key') && record.key?.includes(text)) return true;
    if (!places.has('headers')) return false;
    return record.headers.some(([name, value]) => name.includes(text.toString()) || value?.includes(text));
  };
}

/** Text, or bytes where `…_encoding=base64` says so. */
function bytesIn(call: Call, name: string): Buffer | undefined {
  const text = call.query(name);
  if (text === undefined || (text === '' && name === 'filter')) return undefined;
  if (text.length > MAX_WANTED) throw badRequest(`${name} has at most ${MAX_WANTED} characters`);
  return Buffer.from(text, oneOf(call, `${name}_encoding`, ['text', 'base64']) === 'base64' ? 'base64' : 'utf8');
}
