import { double, type Field, type FieldTable, long, longString, VOID } from '../messages/index.ts';

/*
 * Arguments in JSON, as RabbitMQ's definitions have them. JSON has fewer types: whole numbers become 64 bits, byte arrays and
 * time stamps are not what they were when they come back.
 */

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

export function tableOf(json: Readonly<Record<string, Json>>): FieldTable {
  return new Map(Object.entries(json).map(([name, value]) => [name, fieldOf(value)]));
}

function fieldOf(json: Json): Field {
  if (json === null) return VOID;
  if (typeof json === 'string') return longString(json);
  if (typeof json === 'boolean') return { type: 't', value: json };
  if (typeof json === 'number') return Number.isSafeInteger(json) ? long(json) : double(json);
  if (Array.isArray(json)) return { type: 'A', value: json.map(fieldOf) };
  return { type: 'F', value: tableOf(json) };
}

export function jsonOfTable(fields: FieldTable): Record<string, Json> {
  return Object.fromEntries([...fields].map(([name, field]) => [name, jsonOf(field)]));
}

function jsonOf(field: Field): Json {
  switch (field.type) {
    case 'A':
      return field.value.map(jsonOf);
    case 'F':
      return jsonOfTable(field.value);
    case 'D':
      return field.value.digits / 10 ** field.value.scale;
    case 'x':
      return field.value.toString();
    case 'l':
    case 'T':
      return Number(field.value);
    default:
      return field.value;
  }
}
