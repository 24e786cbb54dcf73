import type { BindingRecord, ExchangeRecord, PolicyRecord } from '../catalog/virtual-host-state.ts';
import { decodeTable, EMPTY_TABLE, encodeTable, type FieldTable } from '../messages/index.ts';
import type { Binding } from '../routing/binding.ts';
import type { Destination } from './destination.ts';
import type { ExchangeDeclaration } from './exchange-entry.ts';
import type { Policy, PolicyScope } from './policy.ts';

/*
 * What lasts of a virtual host, as the catalog has it and back.
 */

/** A table as an AMQP table in base64; empty for an empty one, which most are. */
export function argumentsRecord(args: FieldTable): string {
  return args.size === 0 ? '' : encodeTable(args).toString('base64');
}

export function argumentsOf(record: string): FieldTable {
  if (record === '') return EMPTY_TABLE;
  const bytes = Buffer.from(record, 'base64');
  return decodeTable(bytes, 0, bytes.length);
}

export function exchangeRecord({
  name,
  type,
  autoDelete,
  internal,
  arguments: args,
}: ExchangeDeclaration): ExchangeRecord {
  return { name, type, autoDelete, internal, arguments: argumentsRecord(args) };
}

export function exchangeOf(record: ExchangeRecord): ExchangeDeclaration {
  return { ...record, durable: true, arguments: argumentsOf(record.arguments) };
}

export function bindingRecord(
  binding: Pick<Binding<Destination>, 'source' | 'destination' | 'key' | 'args'>,
): BindingRecord {
  const { source, destination, key, args } = binding;
  const [to, name] =
    'exchange' in destination ? (['exchange', destination.exchange] as const) : (['queue', destination.name] as const);
  return { source, to, destination: name ?? '', key, arguments: argumentsRecord(args) };
}

export function policyOf(record: PolicyRecord): Policy {
  // It was checked before it became an event.
  return { ...record, applyTo: record.applyTo as PolicyScope };
}
