import { isUtf8 } from 'node:buffer';
import type { Field, FieldTable } from '../messages/field-table.ts';

/*
 * Fields as texts that are the same when the fields are: keys of maps.
 */

/** What tells the arguments of one binding from those of another: names, types and values, in whatever order; empty for none. */
export function identityOf(args: FieldTable): string {
  if (args.size === 0) return '';
  const names = [...args.keys()].sort();
  // The names are its own.
  return names.map((name) => `${sized(name)}${exactText(args.get(name)!)}`).join('');
}

/** What a header's value is to a headers exchange: RabbitMQ compares values, of which strings, integers and fractions are kinds. */
export function comparableText({ type, value }: Field): string {
  switch (type) {
    case 'S':
      return `S${String(value)}`;
    case 'x':
      return isUtf8(value as Buffer) ? `S${(value as Buffer).toString()}` : exactText({ type, value } as Field);
    case 'b':
    case 'B':
    case 's':
    case 'u':
    case 'U':
    case 'I':
    case 'i':
    case 'l':
    case 'L':
      return `n${String(value)}`;
    case 'f':
    case 'd':
      return `f${String(value)}`;
    default:
      return exactText({ type, value } as Field);
  }
}

/** What is inside tables and arrays counts with its type and in its order, as it does to RabbitMQ. */
function exactText(field: Field): string {
  const { type, value } = field;
  if (type === 'V') return type;
  if (value instanceof Map) {
    const entries = [...(value as FieldTable)].map(([name, inner]) => `${sized(name)}${exactText(inner)}`);
    return type + sized(entries.join(''));
  }
  if (Array.isArray(value)) return type + sized((value as readonly Field[]).map(exactText).join(''));
  if (value instanceof Uint8Array) return type + sized(Buffer.from(value).toString('latin1'));
  if (typeof value === 'object' && value !== null) return type + sized(JSON.stringify(value));
  return type + sized(String(value));
}

/** With its length, so that texts one after the other are never like others. */
function sized(text: string): string {
  return `${text.length}:${text}`;
}
