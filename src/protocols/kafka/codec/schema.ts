import { ZERO_UUID } from './uuid.ts';

// Kafka's messages as data. A schema is an object of fields; each field says its type, in which versions it is there,
// and what stands for it where it is not. TypeScript infers from the same object what a decoded message looks like
// and what an encoder accepts.
//
//   const topic = { name: string(), id: uuid({ since: 10 }), partitions: array(int32(), { nullable: true }) };
//   type Topic = Decoded<typeof topic>;

export type Scalar = 'bool' | 'int8' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'int64' | 'float64' | 'uuid';
export type Kind = Scalar | 'string' | 'bytes' | 'records' | 'array' | 'struct';

/** The zero of arrays, bytes and structs: no element, no byte, every field at its default. */
export const EMPTY = Symbol('empty');
type DefaultValue = number | string | boolean | null | typeof EMPTY;

/** One field, or the element of an array. */
export interface Field<Out = unknown, In = unknown, Optional extends boolean = boolean> {
  readonly kind: Kind;
  /** First and last message version that carry the field. */
  readonly since: number;
  readonly until: number;
  /** First version in which null is allowed; Infinity for never. */
  readonly nullableSince: number;
  /** Number among the tagged fields of its struct. */
  readonly tag: number | undefined;
  /** What stands for a field that the version lacks or the encoder was not given. */
  readonly default: DefaultValue;
  /** Whether an encoder may leave the field out. */
  readonly optional: boolean;
  /** Of an array. */
  readonly element: Field | undefined;
  /** Of a struct. */
  readonly fields: Fields | undefined;
  /** Never set: where TypeScript keeps the types it inferred. */
  readonly types?: { readonly out: Out; readonly in: In; readonly optional: Optional };
}

export type Fields = { readonly [name: string]: Field };

export interface Options<T> {
  readonly since?: number;
  readonly until?: number;
  readonly nullable?: true;
  readonly nullableSince?: number;
  /** Makes it a tagged field: on the wire only in flexible versions and only when it differs from its default. */
  readonly tag?: number;
  readonly default?: T | null;
}

type Nullable<O, T> = O extends { nullable: true } | { nullableSince: number } ? T | null : T;
type IsOptional<O> = O extends { default: unknown } | { tag: number } ? true : false;
type Made<O, Out, In = Out> = Field<Nullable<O, Out>, Nullable<O, In>, IsOptional<O>>;

/** What a decoder returns: every field is there, whatever the version. */
export type Decoded<F extends Fields> = { readonly [K in keyof F]: OutOf<F[K]> };

/** What an encoder takes: fields with a default may be left out. */
export type Input<F extends Fields> = Flat<
  { readonly [K in keyof F as IsOptionalField<F[K]> extends true ? never : K]: InOf<F[K]> } & {
    readonly [K in keyof F as IsOptionalField<F[K]> extends true ? K : never]?: InOf<F[K]> | undefined;
  }
>;

type OutOf<F> = F extends Field<infer Out, unknown, boolean> ? Out : never;
type InOf<F> = F extends Field<unknown, infer In, boolean> ? In : never;
type IsOptionalField<F> = F extends Field<unknown, unknown, infer Optional> ? Optional : never;
type Flat<T> = { [K in keyof T]: T[K] };

/** The phantom types are the caller's promise, which is why the result is of the type that the caller names. */
function field<M extends Field>(
  kind: Kind,
  zero: DefaultValue,
  options: Options<unknown> = {},
  parts: { readonly element?: Field; readonly fields?: Fields } = {},
): M {
  // An array's default can only be the empty one or null.
  const given = Array.isArray(options.default) ? EMPTY : (options.default as DefaultValue | undefined);
  const made: Field = {
    kind,
    since: options.since ?? 0,
    until: options.until ?? Number.POSITIVE_INFINITY,
    nullableSince: options.nullable ? 0 : (options.nullableSince ?? Number.POSITIVE_INFINITY),
    tag: options.tag,
    default: given === undefined ? zero : given,
    optional: given !== undefined || options.tag !== undefined,
    element: parts.element,
    fields: parts.fields,
  };
  return made as M;
}

function scalar<T>(kind: Kind, zero: DefaultValue) {
  return <const O extends Options<T>>(options?: O): Made<O, T> => field(kind, zero, options);
}

export const bool = scalar<boolean>('bool', false);
export const int8 = scalar<number>('int8', 0);
export const int16 = scalar<number>('int16', 0);
export const uint16 = scalar<number>('uint16', 0);
export const int32 = scalar<number>('int32', 0);
export const uint32 = scalar<number>('uint32', 0);
/** 64 bits on the wire, a number outside it: beyond ±(2⁵³ − 1) is a CodecError, both ways. */
export const int64 = scalar<number>('int64', 0);
export const float64 = scalar<number>('float64', 0);
/** A lowercase canonical string; ZERO_UUID for none. */
export const uuid = scalar<string>('uuid', ZERO_UUID);
export const string = scalar<string>('string', '');

/** Decodes to a part of the frame's own memory: whoever keeps it beyond the request copies it. */
export function bytes<const O extends Options<never>>(options?: O): Made<O, Buffer, Uint8Array> {
  return field('bytes', EMPTY, options);
}

/** Record batches. As `bytes`, but an encoder also takes a list of buffers that follow one another. */
export function records<const O extends Options<never>>(
  options?: O,
): Made<O, Buffer, Uint8Array | readonly Uint8Array[]> {
  return field('records', EMPTY, options);
}

export function struct<const F extends Fields, const O extends Options<never>>(
  fields: F,
  options?: O,
): Made<O, Decoded<F>, Input<F>> {
  return field('struct', EMPTY, options, { fields });
}

/** An array of structs, given their fields, or of anything else, given one field. */
export function array<const F extends Fields | Field, const O extends Options<readonly never[]>>(
  element: F,
  options?: O,
): Made<O, readonly ElementOut<F>[], readonly ElementIn<F>[]> {
  return field('array', EMPTY, options, { element: isField(element) ? element : struct(element) });
}

type ElementOut<F> = F extends Field<infer Out, unknown, boolean> ? Out : F extends Fields ? Decoded<F> : never;
type ElementIn<F> = F extends Field<unknown, infer In, boolean> ? In : F extends Fields ? Input<F> : never;

function isField(element: Fields | Field): element is Field {
  return typeof element.kind === 'string';
}
