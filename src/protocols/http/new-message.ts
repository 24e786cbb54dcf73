import { z } from 'zod';
import { BrokerError } from '../../errors.ts';
import type { NewRecord } from '../../records/index.ts';
import type { Call } from './route.ts';

/** Of one request. */
export const MAX_MESSAGES = 10_000;
/** What of a request's headers a message carries (W3C Trace Context). */
const TRACE_HEADERS = ['traceparent', 'tracestate'] as const;

const encoding = z.enum(['text', 'json', 'base64']).optional();
const part = z.json().optional();

/** Some bytes in JSON: text as it is, anything else as JSON, unless the encoding says otherwise. */
export const contentFields = { value: part, value_encoding: encoding };

export const recordMessage = z.object({
  ...contentFields,
  key: part,
  key_encoding: encoding,
  headers: z
    .union([
      z.record(z.string(), z.union([z.string(), z.null()])),
      z.array(z.object({ name: z.string(), value: z.union([z.string(), z.null()]), encoding })),
    ])
    .optional(),
  partition: z.int().min(0).optional(),
  /** Milliseconds since the epoch; now unless given. */
  timestamp: z.int().min(0).optional(),
});

export type RecordMessage = z.output<typeof recordMessage>;

/** A record, and where it is to go; undefined for wherever its key says. */
export interface PlacedRecord {
  readonly record: NewRecord & { readonly key: Buffer | null; readonly timestamp: number };
  readonly partition: number | undefined;
}

/** Throws `invalid-argument` for what is not in its encoding. */
export function recordFrom(message: RecordMessage, now: number, call: Call): PlacedRecord {
  const { headers = [], partition, timestamp = now } = message;
  const listed = Array.isArray(headers)
    ? headers
    : Object.entries(headers).map(([name, value]) => ({ name, value, encoding: undefined }));
  const own = listed.map(({ name, value, encoding: how }) => [name, bytesFrom(value, how)] as const);
  const key = bytesFrom(message.key, message.key_encoding);
  const value = bytesFrom(message.value, message.value_encoding);
  return { record: { key, value, timestamp, headers: withTrace(own, call) }, partition };
}

/** A message belongs to the trace of the request that brings it, unless it says otherwise. */
export function withTrace<Value>(
  headers: readonly (readonly [string, Buffer | Value])[],
  { header }: Pick<Call, 'header'>,
): (readonly [string, Buffer | Value])[] {
  if (header('traceparent') === undefined || headers.some(([name]) => name === 'traceparent')) return [...headers];
  const trace = TRACE_HEADERS.flatMap((name) => {
    const value = header(name);
    return value === undefined ? [] : [[name, Buffer.from(value)] as const];
  });
  return [...headers, ...trace];
}

/** Null for what is null or not there. Throws `invalid-argument`. */
export function bytesFrom(value: unknown, how: 'text' | 'json' | 'base64' | undefined): Buffer | null {
  if (value === undefined || value === null) return null;
  if (how === 'json' || (how === undefined && typeof value !== 'string')) return Buffer.from(JSON.stringify(value));
  if (typeof value !== 'string') throw new BrokerError('invalid-argument', `a text is wanted for the encoding ${how}`);
  if (how !== 'base64') return Buffer.from(value);
  const bytes = Buffer.from(value, 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') !== value.replace(/=+$/, ''))
    throw new BrokerError('invalid-argument', 'this is not base64');
  return bytes;
}
