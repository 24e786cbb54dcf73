import { BrokerError } from '../../errors.ts';
import { type Field, type FieldTable, sameField } from '../messages/index.ts';
import { erlangText, erlangType } from '../routing/erlang-text.ts';

/*
 * Something that is declared again has to be declared as it was, in what matters; the texts are RabbitMQ's.
 */

/** A property that is no argument. */
export function checkSame(what: string, property: string, current: unknown, received: unknown): void {
  if (current !== received) differ(what, property, `'${String(current)}'`, `'${String(received)}'`);
}

/** Numbers are the same in whatever size they come. */
export function checkSameArguments(
  what: string,
  names: Iterable<string>,
  current: FieldTable,
  received: FieldTable,
): void {
  for (const name of names) {
    const [old, now] = [current.get(name), received.get(name)];
    if (old === now) continue;
    if (old !== undefined && now !== undefined) {
      if (!sameField(old, now)) differ(what, name, `'${plain(old)}'`, `'${plain(now)}'`);
    } else if (name !== 'x-queue-type' || (old ?? now)?.value !== 'classic') {
      differ(what, name, withType(old), withType(now));
    }
  }
}

function differ(what: string, property: string, current: string, received: string): never {
  throw new BrokerError(
    'precondition-failed',
    `inequivalent arg '${property}' for ${what}: received ${received} but current is ${current}`,
  );
}

function withType(field: Field | undefined): string {
  return field === undefined ? 'none' : `the value '${plain(field)}' of type '${erlangType(field)}'`;
}

function plain(field: Field): string {
  return field.type === 'S' || field.type === 'x' ? String(field.value) : erlangText(field);
}
