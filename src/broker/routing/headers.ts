import { BrokerError } from '../../errors.ts';
import type { Field, FieldTable } from '../messages/index.ts';
import { type Binding, type Bindings, minus, type Named, plus } from './binding.ts';
import { erlangText, erlangType } from './erlang-text.ts';
import { comparableText } from './field-identity.ts';
import type { RoutingTable, Search } from './routing-table.ts';

/*
 * A binding's arguments say which headers a message is to have, and `x-match` whether all of them (the default) or any one.
 * As in RabbitMQ (rabbit_exchange_type_headers):
 *
 *   - Names that begin with `x-` do not count with `all` and `any`; with `all-with-x` and `any-with-x` they do, but for `x-match`.
 *   - An argument without a value (type V) asks only that the header is there.
 *   - Values are compared, not their types: 1 is 1 in any integer type, and a long string equals a byte array. 1.0 is not 1.
 *     (Timestamps equal timestamps here. RabbitMQ 4 compares the message's milliseconds with the binding's seconds.)
 *   - A binding that asks for nothing matches everything with `all`, and nothing with `any`.
 *
 * Bindings are found by what they ask for: one of `all` by one of its headers, after which the others are checked; one of
 * `any` by each. So a message costs what its own headers lead to, not a look at every binding.
 */

const MODES = ['all', 'any', 'all-with-x', 'any-with-x'];
const MATCH = 'x-match';

/** One header that a binding asks for. */
interface Wanted {
  readonly name: string;
  /** Undefined when it may have any value. */
  readonly value: string | undefined;
}

interface Pattern {
  readonly all: boolean;
  readonly wanted: readonly Wanted[];
}

/** Bindings by one header that they ask for. */
class ByHeader<Target extends Named> {
  present: Bindings<Target>;
  readonly byValue = new Map<string, Bindings<Target>>();

  get empty(): boolean {
    return this.present === undefined && this.byValue.size === 0;
  }

  add(binding: Binding<Target>, { value }: Wanted): void {
    if (value === undefined) this.present = plus(this.present, binding);
    else this.byValue.set(value, plus(this.byValue.get(value), binding));
  }

  remove(binding: Binding<Target>, { value }: Wanted): void {
    if (value === undefined) {
      this.present = minus(this.present, binding);
      return;
    }
    const left = minus(this.byValue.get(value), binding);
    if (left === undefined) this.byValue.delete(value);
    else this.byValue.set(value, left);
  }
}

export class HeadersTable<Target extends Named> implements RoutingTable<Target> {
  readonly #patterns = new Map<Binding<Target>, Pattern>();
  readonly #byHeader = new Map<string, ByHeader<Target>>();
  /** Those that ask for nothing, and match everything. */
  #always: Bindings<Target>;

  check(_key: string, args: FieldTable): void {
    const field = args.get(MATCH);
    if (field === undefined) return;
    const value = erlangText(field);
    if (field.type !== 'S') {
      throw new BrokerError(
        'precondition-failed',
        `Invalid x-match field type ${erlangType(field)} (value ${value}); expected longstr`,
      );
    }
    if (!MODES.includes(field.value)) {
      throw new BrokerError(
        'precondition-failed',
        `Invalid x-match field value ${value}; expected all, any, all-with-x, or any-with-x`,
      );
    }
  }

  add(binding: Binding<Target>): void {
    const pattern = patternOf(binding.args);
    this.#patterns.set(binding, pattern);
    if (pattern.all && pattern.wanted.length === 0) this.#always = plus(this.#always, binding);
    for (const wanted of foundBy(pattern)) {
      let byHeader = this.#byHeader.get(wanted.name);
      if (byHeader === undefined) {
        byHeader = new ByHeader();
        this.#byHeader.set(wanted.name, byHeader);
      }
      byHeader.add(binding, wanted);
    }
  }

  remove(binding: Binding<Target>): void {
    const pattern = this.#patterns.get(binding);
    if (pattern === undefined) return;
    this.#patterns.delete(binding);
    this.#always = minus(this.#always, binding);
    for (const wanted of foundBy(pattern)) {
      const byHeader = this.#byHeader.get(wanted.name);
      byHeader?.remove(binding, wanted);
      if (byHeader?.empty === true) this.#byHeader.delete(wanted.name);
    }
  }

  match(search: Search<Target>): void {
    search.foundAll(this.#always);
    if (this.#byHeader.size === 0) return;
    const headers = search.attributes().headers();
    if (headers === undefined) return;
    for (const [name, field] of headers) {
      const byHeader = this.#byHeader.get(name);
      if (byHeader === undefined) continue;
      this.#check(byHeader.present, headers, search);
      if (byHeader.byValue.size > 0) this.#check(byHeader.byValue.get(comparableText(field)), headers, search);
    }
  }

  #check(candidates: Bindings<Target>, headers: FieldTable, search: Search<Target>): void {
    if (candidates === undefined) return;
    if (candidates instanceof Set) {
      for (const candidate of candidates) this.#checkOne(candidate, headers, search);
    } else this.#checkOne(candidates, headers, search);
  }

  #checkOne(candidate: Binding<Target>, headers: FieldTable, search: Search<Target>): void {
    const pattern = this.#patterns.get(candidate);
    if (pattern === undefined) return;
    if (!pattern.all || pattern.wanted.every((wanted) => matches(wanted, headers.get(wanted.name)))) {
      search.found(candidate);
    }
  }
}

function patternOf(args: FieldTable): Pattern {
  const mode = String(args.get(MATCH)?.value ?? 'all');
  const withX = mode.endsWith('-with-x');
  const wanted: Wanted[] = [];
  for (const [name, field] of args) {
    if (name === MATCH || (!withX && name.startsWith('x-'))) continue;
    wanted.push({ name, value: field.type === 'V' ? undefined : comparableText(field) });
  }
  return { all: mode.startsWith('all'), wanted };
}

/** A header with a value tells more bindings apart than one that only has to be there. */
function foundBy({ all, wanted }: Pattern): readonly Wanted[] {
  if (!all) return wanted;
  const first = wanted.find(({ value }) => value !== undefined) ?? wanted[0];
  return first === undefined ? [] : [first];
}

function matches({ value }: Wanted, field: Field | undefined): boolean {
  return field !== undefined && (value === undefined || comparableText(field) === value);
}
