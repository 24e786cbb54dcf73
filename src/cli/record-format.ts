import { isUtf8 } from 'node:buffer';
import type { ConsumedRecord } from '../client/index.ts';

const NEW_LINE = Buffer.from('\n');
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0', '\\': '\\' };

/** What a letter behind a % stands for. */
const FIELDS: Readonly<Record<string, (topic: string, record: ConsumedRecord) => Buffer | string>> = {
  t: (topic) => topic,
  p: (_, { partition }) => String(partition),
  o: (_, { offset }) => String(offset),
  k: (_, { key }) => key ?? '',
  v: (_, { value }) => value ?? '',
  T: (_, { timestamp }) => String(timestamp),
  d: (_, { timestamp }) => (timestamp < 0 ? '' : new Date(timestamp).toISOString()),
  h: (_, { headers }) => headers.map(([name, value]) => `${name}=${value?.toString() ?? ''}`).join(','),
  '%': () => '%',
};

export type Format = (topic: string, record: ConsumedRecord) => Buffer;

/** Compiles a template; undefined when it has a letter behind a % that means nothing. */
export function compileFormat(template: string): Format | undefined {
  const parts: ((topic: string, record: ConsumedRecord) => Buffer | string)[] = [];
  for (const [whole, escaped, letter] of template.matchAll(/\\(.)|%(.?)|[^\\%]+|\\$/gs)) {
    if (letter !== undefined) {
      const field = FIELDS[letter];
      if (field === undefined) return undefined;
      parts.push(field);
    } else {
      const text = escaped === undefined ? whole : (ESCAPES[escaped] ?? whole);
      parts.push(() => text);
    }
  }
  return (topic, record) => Buffer.concat(parts.map((part) => Buffer.from(part(topic, record) as string)));
}

/** The value as it is, and a line's end. */
export const valueFormat: Format = (_, { value }) => Buffer.concat([value ?? Buffer.alloc(0), NEW_LINE]);

/** One object in one line. What is not UTF-8 is in `keyBase64`, `valueBase64`. */
export const jsonFormat: Format = (topic, { partition, offset, timestamp, key, value, headers }) => {
  const object = {
    topic,
    partition,
    offset,
    timestamp,
    ...text('key', key),
    ...text('value', value),
    headers: headers.map(([name, bytes]) => ({ name, ...text('value', bytes) })),
  };
  return Buffer.from(`${JSON.stringify(object)}\n`);
};

function text(name: string, bytes: Buffer | null): Record<string, string | null> {
  if (bytes === null) return { [name]: null };
  return isUtf8(bytes) ? { [name]: bytes.toString() } : { [`${name}Base64`]: bytes.toString('base64') };
}
