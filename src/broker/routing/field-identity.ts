import { isUtf8 } from 'node:buffer';
import type { Field, FieldTable } from '../messages/index.ts';

/*
 * Fields as texts that are the same when the fields are: keys of maps.
 */

/** What tells the arguments of one binding from those of another: names, types and values, in whatever order; empty for none. */
export function identityOf(args: FieldTable): string {
  if (args.size === 0) return '';
  const names = [...args.keys()].sort();
  // The names are the table's own.
  return names.map((name) => `${sized(name)}${exactText(args.get(name)!)}`).join('');
}

/** What a header's value is to a headers exchange: RabbitMQ compares values, of which strings, integers and fractions are kinds. */
export function comparableText(field: Field): string {
  switch (field.type) {
    case 'S':
      return field.bytes === undefined ? `S${field.value}` : `x${latin1(field.bytes)}`;
    case 'x':
      return isUtf8(field.value) ? `S${field.value.toString()}` : `x${latin1(field.value)}`;
    case 'f':
    case 'd':
      return `d${field.value}`;
    case 'b':
    case 'B':
    case 's':
    case 'u':
    case 'I':
    case 'i':
    case 'l':
      return `l${field.value}`;
    default:
      return exactText(field);
  }
}

/** What is inside tables and arrays counts with its type and in its order, as it does to RabbitMQ. */
function exactText(field: Field): string {
  switch (field.type) {
    case 'V':
      return field.type;
    case 'F': {
      const entries = [...field.value].map(([name, inner]) => `${sized(name)}${exactText(inner)}`);
      return field.type + sized(entries.join(''));
    }
    case 'A':
      return field.type + sized(field.value.map(exactText).join(''));
    case 'x':
      return field.type + sized(latin1(field.value));
    case 'S':
      // No type has a letter like this.
      return field.bytes === undefined ? field.type + sized(field.value) : `?${sized(latin1(field.bytes))}`;
    case 'D':
      return `${field.type}${sized(`${field.value.digits}/${field.value.scale}`)}`;
    default:
      return field.type + sized(String(field.value));
  }
}

function latin1(bytes: Buffer): string {
  return bytes.toString('latin1');
}

/** With its length, so that texts one after the other are never like others. */
function sized(text: string): string {
  return `${text.length}:${text}`;
}
