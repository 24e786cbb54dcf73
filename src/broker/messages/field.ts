/*
 * Values of AMQP 0-9-1's field tables, as RabbitMQ has them: the letters of its errata page, not those of the
 * specification (which has `l` and `i` signed otherwise, and `U`, `L` and short strings besides).
 */

/** Signed: b, s, I of 8, 16, 32 bits. Unsigned: B, u, i. */
export type SmallIntegerType = 'b' | 'B' | 's' | 'u' | 'I' | 'i';

export type Field =
  | { readonly type: 't'; readonly value: boolean }
  | { readonly type: SmallIntegerType; readonly value: number }
  /** 64 bits, signed. A bigint only where a number would not be exact. */
  | { readonly type: 'l'; readonly value: number | bigint }
  /** Seconds since the epoch: 64 bits, unsigned. A bigint only where a number would not be exact. */
  | { readonly type: 'T'; readonly value: number | bigint }
  /** 32 and 64 bits of IEEE 754. */
  | { readonly type: 'f' | 'd'; readonly value: number }
  | { readonly type: 'D'; readonly value: Decimal }
  /** A long string. `bytes` is there when they are not UTF-8: then they are what counts. */
  | { readonly type: 'S'; readonly value: string; readonly bytes?: Buffer }
  | { readonly type: 'x'; readonly value: Buffer }
  | { readonly type: 'A'; readonly value: readonly Field[] }
  | { readonly type: 'F'; readonly value: FieldTable }
  | { readonly type: 'V'; readonly value: null };

export type FieldType = Field['type'];

/** digits ÷ 10^scale; 0 <= scale < 2^8, 0 <= digits < 2^32. */
export interface Decimal {
  readonly scale: number;
  readonly digits: number;
}

/** Names have 255 bytes of UTF-8 at most. */
export type FieldTable = ReadonlyMap<string, Field>;

export const EMPTY_TABLE: FieldTable = new Map();

/** What a field looks like to people and to JavaScript. */
export type PlainValue =
  | boolean
  | number
  | bigint
  | string
  | Buffer
  | null
  | readonly PlainValue[]
  | { readonly [name: string]: PlainValue };

export function bool(value: boolean): Field {
  return { type: 't', value };
}

/** The narrower of 32 and 64 bits, as clients write integers. */
export function integer(value: number): Field {
  return value >= -(2 ** 31) && value < 2 ** 31 ? { type: 'I', value } : { type: 'l', value };
}

/** 64 bits whatever the value. */
export function long(value: number | bigint): Field {
  return { type: 'l', value };
}

export function double(value: number): Field {
  return { type: 'd', value };
}

export function longString(value: string): Field {
  return { type: 'S', value };
}

export function binary(value: Buffer): Field {
  return { type: 'x', value };
}

/** Seconds since the epoch. */
export function timestamp(seconds: number | bigint): Field {
  return { type: 'T', value: seconds };
}

export function array(value: readonly Field[]): Field {
  return { type: 'A', value };
}

export function table(value: FieldTable | { readonly [name: string]: Field }): Field {
  return { type: 'F', value: value instanceof Map ? value : new Map(Object.entries(value)) };
}

export const VOID: Field = { type: 'V', value: null };

/** The value of a field of whole numbers, whatever its width; undefined for any other, and beyond 2^53. */
export function integerOf(field: Field | undefined): number | undefined {
  if (field === undefined || !isInteger(field.type)) return undefined;
  return typeof field.value === 'number' ? field.value : undefined;
}

/** The value of a long string; undefined for any other field. */
export function stringOf(field: Field | undefined): string | undefined {
  return field?.type === 'S' ? field.value : undefined;
}

export function plain(field: Field): PlainValue {
  switch (field.type) {
    case 'A':
      return field.value.map(plain);
    case 'F':
      return plainTable(field.value);
    case 'D':
      return field.value.digits / 10 ** field.value.scale;
    default:
      return field.value;
  }
}

export function plainTable(fields: FieldTable): { readonly [name: string]: PlainValue } {
  return Object.fromEntries([...fields].map(([name, field]) => [name, plain(field)]));
}

/**
 * Whether two arguments mean the same to whoever declares something again, as RabbitMQ sees it: integers by value whatever
 * their width, as are floats; anything else by type and value.
 */
export function sameField(one: Field, other: Field): boolean {
  if (isInteger(one.type) && isInteger(other.type)) return sameNumber(one.value, other.value);
  if (isFloat(one.type) && isFloat(other.type)) return sameNumber(one.value, other.value);
  return identicalField(one, other);
}

/** Whether two tables have the same fields, of the same types, in whatever order. */
export function identicalTable(one: FieldTable, other: FieldTable): boolean {
  if (one.size !== other.size) return false;
  for (const [name, field] of one) {
    const match = other.get(name);
    if (match === undefined || !identicalField(field, match)) return false;
  }
  return true;
}

function identicalField(one: Field, other: Field): boolean {
  switch (one.type) {
    case 'D':
      return other.type === 'D' && one.value.scale === other.value.scale && one.value.digits === other.value.digits;
    case 'x':
      return other.type === 'x' && one.value.equals(other.value);
    case 'S':
      return other.type === 'S' && one.value === other.value && sameBytes(one.bytes, other.bytes);
    case 'A':
      return other.type === 'A' && sameElements(one.value, other.value);
    case 'F':
      return other.type === 'F' && identicalTable(one.value, other.value);
    case 't':
    case 'V':
      return one.type === other.type && one.value === other.value;
    default:
      return one.type === other.type && sameNumber(one.value, other.value);
  }
}

function sameElements(one: readonly Field[], other: readonly Field[]): boolean {
  if (one.length !== other.length) return false;
  return one.every((field, index) => {
    const match = other[index];
    return match !== undefined && identicalField(field, match);
  });
}

/** Of two strings that are equal as far as they are UTF-8. */
function sameBytes(one: Buffer | undefined, other: Buffer | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.equals(other);
}

/** A number and a bigint may be the same number; what is NaN is the same as what is NaN. */
function sameNumber(one: Field['value'], other: Field['value']): boolean {
  if (typeof one === 'bigint' && Number.isInteger(other)) return one === BigInt(other as number);
  if (typeof other === 'bigint' && Number.isInteger(one)) return other === BigInt(one as number);
  return one === other || (Number.isNaN(one) && Number.isNaN(other));
}

function isInteger(type: FieldType): boolean {
  return type === 'b' || type === 'B' || type === 's' || type === 'u' || type === 'I' || type === 'i' || type === 'l';
}

function isFloat(type: FieldType): boolean {
  return type === 'f' || type === 'd';
}
