import { EMPTY, type Field, type Fields } from './schema.ts';

/** How one version of a message lays out its bytes. */
export interface Version {
  readonly number: number;
  /** Compact lengths and tagged fields (KIP-482). */
  readonly flexible: boolean;
}

export type Named = readonly [name: string, field: Field];

/** A struct's fields as one version has them. */
export interface StructLayout {
  /** In the order of the wire. */
  readonly plain: readonly Named[];
  /** In the order of their tags. */
  readonly tagged: readonly Named[];
  /** In the schema, but not in this version. */
  readonly absent: readonly Named[];
}

export function layoutOf(fields: Fields, version: Version): StructLayout {
  const named = Object.entries(fields);
  const here = named.filter(([, field]) => isPresent(field, version));
  return {
    plain: here.filter(([, field]) => field.tag === undefined),
    tagged: here.filter(([, field]) => field.tag !== undefined).sort(([, a], [, b]) => Number(a.tag) - Number(b.tag)),
    absent: named.filter(([, field]) => !isPresent(field, version)),
  };
}

function isPresent(field: Field, version: Version): boolean {
  if (field.tag !== undefined && !version.flexible) return false;
  return version.number >= field.since && version.number <= field.until;
}

export function isNullable(field: Field, version: Version): boolean {
  return version.number >= field.nullableSince;
}

const SCALAR_BYTES = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  float64: 8,
  uuid: 16,
} as const;

/** The fewest bytes a field takes: what bounds how many elements an array can have in the bytes that are left. */
export function leastBytes(field: Field, version: Version): number {
  switch (field.kind) {
    case 'string':
      return version.flexible ? 1 : 2;
    case 'bytes':
    case 'records':
    case 'array':
      return version.flexible ? 1 : 4;
    case 'struct': {
      if (isNullable(field, version)) return 1;
      const { plain } = layoutOf(field.fields ?? {}, version);
      return plain.reduce((sum, [, inner]) => sum + leastBytes(inner, version), version.flexible ? 1 : 0);
    }
    default:
      return SCALAR_BYTES[field.kind];
  }
}

/** The JavaScript expression of a field's default. `noBytes` is in scope where compiled code runs. */
export function defaultCode(field: Field): string {
  if (field.default !== EMPTY) return JSON.stringify(field.default);
  if (field.kind === 'array') return '[]';
  if (field.kind === 'struct') {
    const inner = Object.entries(field.fields ?? {}).map(([name, part]) => `${name}: ${defaultCode(part)}`);
    return `{ ${inner.join(', ')} }`;
  }
  return 'noBytes';
}

/** The reader's or writer's method for a version, as `nullableString` → `compactNullableString`. */
export function methodName(base: string, version: Version): string {
  return version.flexible ? `compact${base[0]?.toUpperCase()}${base.slice(1)}` : base;
}
