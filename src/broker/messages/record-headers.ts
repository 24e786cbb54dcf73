import { BrokerError } from '../../errors.ts';
import { ARRAY, BOOLEAN, BYTES, fieldContent, fieldEnd, fieldText, isPlain, STRING } from './field-text.ts';

/*
 * The names by which a record's headers say what AMQP says in properties; docs/message-mapping.md has the whole table.
 */

/** In the order of their flags, from the highest bit down; the table of headers is the third. */
export const PROPERTY_NAMES = [
  'content-type',
  'content-encoding',
  '',
  'delivery-mode',
  'priority',
  'correlation-id',
  'reply-to',
  'expiration',
  'message-id',
  'timestamp',
  'type',
  'user-id',
  'app-id',
  'cluster-id',
] as const;
export const HEADERS_PROPERTY = 2;
const DELIVERY_MODE_PROPERTY = 3;
const PRIORITY_PROPERTY = 4;
export const TIMESTAMP_PROPERTY = 9;

export const EXCHANGE_HEADER = 'exchange';
export const ROUTING_KEY_HEADER = 'routing-key';
/** The exact properties, where the other headers would not give them back. */
export const EXACT_HEADER = 'amqp-properties';

/** Headers of the message that are not headers of the record. */
export const KEY_FIELD = 'x-kafka-key';
export const TOMBSTONE_FIELD = 'x-kafka-tombstone';
export const OFFSET_FIELD = 'x-stream-offset';
export const PARTITION_FIELD = 'x-kafka-partition';

/** The end of the year 9999: a header `timestamp` with more is not one of seconds. */
export const MAX_SECONDS = 253_402_300_799n;

/** Flags without a name; the last says that more flags follow. */
const UNKNOWN_FLAGS = 0x0003;

/** Names that mean something in a record, and the index of the property. */
const PROPERTY_INDEXES: ReadonlyMap<string, number> = new Map(
  PROPERTY_NAMES.map((name, index) => [name, index] as const).filter(([name]) => name !== ''),
);

export type Headers = [name: string, value: Buffer | null][];

/** Properties as a record has them. */
export interface RecordProperties {
  readonly headers: Headers;
  readonly key: Buffer | null;
  readonly tombstone: boolean;
  /** Seconds since the epoch; undefined without the property. */
  readonly timestamp: bigint | undefined;
  /** Whether headers, key and value alone give back these properties. 'perhaps' for what is unusual: try it. */
  readonly exact: 'yes' | 'no' | 'perhaps';
}

/** What kind of value a property has: a number in one octet, one of eight, or a short string. */
export function propertyKind(index: number): 'octet' | 'timestamp' | 'string' {
  if (index === DELIVERY_MODE_PROPERTY || index === PRIORITY_PROPERTY) return 'octet';
  return index === TIMESTAMP_PROPERTY ? 'timestamp' : 'string';
}

/** Which property goes under this name; -1 for none. */
export function propertyIndex(name: string): number {
  return PROPERTY_INDEXES.get(name) ?? -1;
}

/** Where the value of each property of a block begins (-1 when it is not there), the end of the last one after them. Reused. */
export type PropertyPositions = Int32Array;

export function newPositions(): PropertyPositions {
  return new Int32Array(PROPERTY_NAMES.length + 1);
}

/** Finds the properties in a block of exactly these bytes; `corrupt-message` when they are not one. Tables are not looked into. */
export function findProperties(block: Buffer, positions: PropertyPositions): void {
  if (block.length < 2) throw cutShort();
  const flags = block.readUInt16BE(0);
  if ((flags & UNKNOWN_FLAGS) !== 0) throw new BrokerError('corrupt-message', `flags ${flags} have no meaning`);
  let at = 2;
  for (let index = 0; index < PROPERTY_NAMES.length; index++) {
    if ((flags & (0x8000 >> index)) === 0) {
      positions[index] = -1;
      continue;
    }
    positions[index] = at;
    if (index === HEADERS_PROPERTY) at += at + 4 <= block.length ? 4 + block.readUInt32BE(at) : block.length;
    else {
      const kind = propertyKind(index);
      at += kind === 'octet' ? 1 : kind === 'timestamp' ? 8 : 1 + (block[at] ?? 0);
    }
    if (at > block.length) throw cutShort();
  }
  positions[PROPERTY_NAMES.length] = at;
  if (at !== block.length) throw new BrokerError('corrupt-message', `${block.length - at} bytes follow the properties`);
}

const positions = newPositions();
/** So many headers are looked through faster than a set is made of them. */
const FEW = 16;

/** The headers, the key and so on that stand for a block of properties. Values are parts of the block where they can be. */
export function recordProperties(block: Buffer, headers: Headers = []): RecordProperties {
  findProperties(block, positions);
  let exact: RecordProperties['exact'] = 'yes';
  let timestamp: bigint | undefined;
  for (let index = 0; index < PROPERTY_NAMES.length; index++) {
    const at = positions[index] ?? -1;
    if (at < 0 || index === HEADERS_PROPERTY) continue;
    const kind = propertyKind(index);
    if (kind === 'timestamp') timestamp = block.readBigUInt64BE(at);
    const value =
      kind === 'octet'
        ? Buffer.from(String(block[at]))
        : kind === 'timestamp'
          ? Buffer.from(String(timestamp))
          : block.subarray(at + 1, at + 1 + (block[at] ?? 0));
    if (kind === 'string' ? !isPlain(STRING, value) : timestamp !== undefined && timestamp > MAX_SECONDS) exact = 'no';
    headers.push([PROPERTY_NAMES[index] ?? '', value]);
  }
  const table = positions[HEADERS_PROPERTY] ?? -1;
  if (table < 0) return { headers, key: null, tombstone: false, timestamp, exact };
  const fields = new TableHeaders(headers, exact);
  fields.read(block, table + 4, table + 4 + block.readUInt32BE(table));
  return { headers, key: fields.key, tombstone: fields.tombstone, timestamp, exact: fields.exact };
}

/** The headers of a message on their way to a record's. */
class TableHeaders {
  key: Buffer | null = null;
  tombstone = false;
  exact: RecordProperties['exact'];
  readonly #headers: Headers;
  /** Names in `#headers`, once they are too many to look through. */
  #names: Set<string> | undefined;

  constructor(headers: Headers, exact: RecordProperties['exact']) {
    this.#headers = headers;
    this.exact = exact;
  }

  read(block: Buffer, from: number, limit: number): void {
    for (let at = from; at < limit; ) {
      const value = at + 1 + (block[at] ?? 0);
      const end = fieldEnd(block, value, limit);
      this.#field(block.toString('utf8', at + 1, value), block, value, end, end === limit);
      at = end;
    }
  }

  #field(name: string, block: Buffer, at: number, end: number, last: boolean): void {
    if (name === OFFSET_FIELD || name === PARTITION_FIELD) {
      fieldText(block, at, end);
      return;
    }
    const type = block[at];
    if (name === KEY_FIELD && this.key === null && (type === STRING || type === BYTES)) {
      this.key = fieldContent(block, at, end);
      if (!last || !isPlain(type, this.key)) this.#spoil('perhaps');
      return;
    }
    if (name === TOMBSTONE_FIELD && type === BOOLEAN && block[at + 1] !== 0) {
      this.tombstone = true;
      this.#spoil('perhaps');
      return;
    }
    if (this.#isUnusual(name)) this.#spoil('perhaps');
    if (type === ARRAY && this.#list(name, block, at + 5, end)) return;
    const text = fieldText(block, at, end);
    if (text === null ? false : !isPlain(type, text)) this.#spoil('no');
    this.#headers.push([name, text]);
  }

  /** An array that several headers of one name can stand for. */
  #list(name: string, block: Buffer, from: number, end: number): boolean {
    let count = 0;
    for (let at = from; at < end; count++) {
      const next = fieldEnd(block, at, end);
      if (!isPlain(block[at], fieldContent(block, at, next))) return false;
      at = next;
    }
    if (count < 2) return false;
    for (let at = from; at < end; ) {
      const next = fieldEnd(block, at, end);
      this.#headers.push([name, fieldText(block, at, next)]);
      at = next;
    }
    return true;
  }

  /** Names that mean something else in a record, stand there already, or are not text. */
  #isUnusual(name: string): boolean {
    if (name === EXCHANGE_HEADER || name === ROUTING_KEY_HEADER || name === EXACT_HEADER) return true;
    if (name.startsWith('x-kafka-') || name.includes('\ufffd')) return true;
    if (PROPERTY_INDEXES.has(name)) return true;
    if (this.#headers.length > FEW) this.#names ??= new Set(this.#headers.map(([other]) => other));
    if (this.#names !== undefined) {
      const { size } = this.#names;
      return this.#names.add(name).size === size;
    }
    for (const [other] of this.#headers) if (other === name) return true;
    return false;
  }

  #spoil(exact: RecordProperties['exact']): void {
    this.exact = atMost(this.exact, exact);
  }
}

function atMost(one: RecordProperties['exact'], other: RecordProperties['exact']): RecordProperties['exact'] {
  return one === 'no' || other === 'no' ? 'no' : one === 'perhaps' || other === 'perhaps' ? 'perhaps' : 'yes';
}

function cutShort(): BrokerError {
  return new BrokerError('corrupt-message', 'the properties are cut short');
}
