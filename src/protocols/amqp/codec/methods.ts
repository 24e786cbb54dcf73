import type { Decoded, Input, Kind, MethodSchema } from './method-schema.ts';
import { access } from './methods/access.ts';
import { basic } from './methods/basic.ts';
import { channel } from './methods/channel.ts';
import { confirm } from './methods/confirm.ts';
import { connection } from './methods/connection.ts';
import { exchange } from './methods/exchange.ts';
import { queue } from './methods/queue.ts';
import { tx } from './methods/tx.ts';

/** All methods of AMQP 0-9-1 and RabbitMQ's extensions of it. */
export const METHODS = {
  ...connection,
  ...channel,
  ...access,
  ...exchange,
  ...queue,
  ...basic,
  ...confirm,
  ...tx,
} as const;

export type MethodName = keyof typeof METHODS;
type FieldsOf<N extends MethodName> = (typeof METHODS)[N]['fields'];

/** A decoded method; with a name as parameter, that one. Narrow by `name`. */
export type Method<N extends MethodName = MethodName> = { [M in N]: { readonly name: M } & Decoded<FieldsOf<M>> }[N];

/** What an encoder takes for a method. */
export type MethodInput<N extends MethodName> = Input<FieldsOf<N>>;

/** One field as the codec goes through it. */
interface LayoutField {
  readonly name: string;
  readonly kind: Kind;
  readonly unused: boolean;
  /** Of a bit: its place in its octet. 0 begins a new one. */
  readonly bit: number;
}

/** A method as the codec goes through it. */
export interface Layout {
  readonly name: MethodName;
  readonly id: number;
  readonly fields: readonly LayoutField[];
  readonly content: boolean;
}

/** Class and method as the one 32-bit number that they are at the beginning of a method frame. */
export function methodId(name: MethodName): number {
  return layoutOf(name).id;
}

export function layoutOf(name: MethodName): Layout {
  // Every name has one.
  return BY_NAME.get(name)!;
}

export function layoutOfId(id: number): Layout | undefined {
  return BY_ID.get(id);
}

const LAYOUTS = Object.entries(METHODS).map(([name, schema]) => layout(name as MethodName, schema));
const BY_NAME: ReadonlyMap<MethodName, Layout> = new Map(LAYOUTS.map((layout) => [layout.name, layout]));
const BY_ID: ReadonlyMap<number, Layout> = new Map(LAYOUTS.map((layout) => [layout.id, layout]));

function layout(name: MethodName, { classId, methodId, fields, content }: MethodSchema): Layout {
  let bit = -1;
  const laidOut = Object.entries(fields).map(([field, kind]): LayoutField => {
    const unused = kind.startsWith('unused ');
    const used = (unused ? kind.slice('unused '.length) : kind) as Kind;
    bit = used === 'bit' ? (bit + 1) % 8 : -1;
    return { name: field, kind: used, unused, bit };
  });
  return { name, id: classId * 0x1_0000 + methodId, fields: laidOut, content };
}
