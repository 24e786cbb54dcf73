import type { FieldTable } from '../../../broker/index.ts';

// AMQP's methods as data: ids, and fields in the order they are written in. TypeScript infers from the same object what a
// decoded method looks like and what an encoder accepts.

/**
 * On the wire: octet, short, long and long long are unsigned, of 8, 16, 32 and 64 bits; bits that follow one another share
 * octets, lowest first; a short string has a length of 8 bits, a long string, bytes and a table one of 32. `bytes` is what the
 * specification calls a long string too, where it is no text.
 */
export type Kind =
  | 'bit'
  | 'octet'
  | 'short'
  | 'long'
  | 'long long'
  | 'short string'
  | 'long string'
  | 'bytes'
  | 'table';

type Unused = 'unused bit' | 'unused short' | 'unused short string' | 'unused long string';

/** Fields that are unused are written as zero, and not read. */
export type FieldKinds = { readonly [name: string]: Kind | Unused };

export interface MethodSchema<F extends FieldKinds = FieldKinds> {
  readonly classId: number;
  readonly methodId: number;
  readonly fields: F;
  /** A header frame and body frames follow. */
  readonly content: boolean;
}

export function method<const F extends FieldKinds>(
  classId: number,
  methodId: number,
  fields: F,
  content?: 'content',
): MethodSchema<F> {
  return { classId, methodId, fields, content: content !== undefined };
}

interface Values {
  bit: boolean;
  octet: number;
  short: number;
  long: number;
  /** Beyond 2^53 the nearest number there is; only delivery tags are of this kind, and none that large was ever given. */
  'long long': number;
  'short string': string;
  'long string': string;
  bytes: Buffer;
  table: FieldTable;
}

type UsedIn<F extends FieldKinds> = { [K in keyof F]: F[K] extends Unused ? never : K }[keyof F];
/** False and the empty table go without saying. */
type OptionalIn<F extends FieldKinds> = { [K in keyof F]: F[K] extends 'bit' | 'table' ? K : never }[keyof F];
type ValueOf<K> = K extends Kind ? Values[K] : never;
type Flat<T> = { [K in keyof T]: T[K] };

/** What a decoder returns. */
export type Decoded<F extends FieldKinds> = { readonly [K in UsedIn<F>]: ValueOf<F[K]> };

/** What an encoder takes. */
export type Input<F extends FieldKinds> = Flat<
  { readonly [K in Exclude<UsedIn<F>, OptionalIn<F>>]: ValueOf<F[K]> } & {
    readonly [K in OptionalIn<F>]?: ValueOf<F[K]> | undefined;
  }
>;
