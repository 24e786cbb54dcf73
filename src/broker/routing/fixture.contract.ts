import {
  encodeProperties,
  type Field,
  type FieldTable,
  MessageBytes,
  type Properties,
  VOID,
} from '../messages/index.ts';
import type { ExchangeDestination } from './binding.ts';
import type { Route } from './route.ts';
import type { Router } from './router.ts';
import type { HashProperty, MessageAttributes } from './routing-table.ts';

// Shared by the tests in this folder.

export const NO_ARGS: FieldTable = new Map();

/** Something that messages are routed to. */
export class Place {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

export function exchange(name: string): ExchangeDestination {
  return { exchange: name };
}

/** A table of strings, integers, booleans, fields as they are, and null for void. */
export function table(fields: Readonly<Record<string, string | number | boolean | null | Field>>): FieldTable {
  return new Map(Object.entries(fields).map(([name, value]) => [name, fieldOf(value)] as const));
}

export function field(type: string, value: unknown): Field {
  return { type, value } as Field;
}

function fieldOf(value: string | number | boolean | null | Field): Field {
  if (value === null) return VOID;
  if (typeof value === 'string') return field('S', value);
  if (typeof value === 'number') return field('I', value);
  return typeof value === 'boolean' ? field('t', value) : value;
}

export function withHeaders(headers: FieldTable): MessageAttributes {
  return { headers: () => headers, property: () => undefined };
}

export function withProperty(name: HashProperty, value: string): MessageAttributes {
  return { headers: () => undefined, property: (asked) => (asked === name ? value : undefined) };
}

export function message(exchangeName: string, routingKey: string, properties: Properties = {}): MessageBytes {
  return MessageBytes.of(exchangeName, routingKey, encodeProperties(properties), Buffer.alloc(0));
}

/** Names of the targets, in order; 'no exchange' when there is none. */
export function namesOf(route: Route<Place> | undefined): readonly string[] | 'no exchange' {
  return route?.targets.map(({ name }) => name).sort() ?? 'no exchange';
}

export function namesFor(router: Router<Place>, exchangeName: string, routingKey: string): readonly string[] | string {
  return namesOf(router.route(message(exchangeName, routingKey)));
}
