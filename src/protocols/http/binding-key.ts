import { createHash } from 'node:crypto';
import { encodeTable, type FieldTable } from '../../broker/index.ts';

/** Bytes of the hash that tells arguments apart. */
const HASH_BYTES = 9;
const NO_KEY = '~';

/**
 * How a binding stands in a path: its routing key, and a hash of its arguments where it has some. `~` for neither. Whoever uses it
 * takes it from a list: RabbitMQ's hash is another one.
 */
export function bindingKey(routingKey: string, args: FieldTable): string {
  if (args.size === 0) return routingKey === '' ? NO_KEY : quoted(routingKey);
  return `${quoted(routingKey)}${NO_KEY}${hashOf(args)}`;
}

function hashOf(args: FieldTable): string {
  const sorted = new Map([...args].sort(([one], [other]) => (one < other ? -1 : 1)));
  return createHash('sha256').update(encodeTable(sorted)).digest().subarray(0, HASH_BYTES).toString('base64url');
}

/** As RabbitMQ quotes: a space is a plus. */
function quoted(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%20', '+')
    .replaceAll(/[!'()*~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
