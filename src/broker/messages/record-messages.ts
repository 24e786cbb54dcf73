import type { LogRecord } from '../../records/index.ts';
import { type Exact, exactOf, fieldsOf, isSame, isShortString, typedFields } from './exact-properties.ts';
import { FieldWriter } from './field-writer.ts';
import { encodeAddress, MessageBytes } from './message-bytes.ts';
import {
  EXCHANGE_HEADER,
  findProperties,
  HEADERS_PROPERTY,
  KEY_FIELD,
  MAX_SECONDS,
  newPositions,
  OFFSET_FIELD,
  PARTITION_FIELD,
  PROPERTY_NAMES,
  propertyIndex,
  propertyKind,
  ROUTING_KEY_HEADER,
  TIMESTAMP_PROPERTY,
  TOMBSTONE_FIELD,
} from './record-headers.ts';

/** What the records of one partition look like to whoever reads them as messages. */
export interface MessagePlace {
  /** Of the queue: the routing key of a record that says none. */
  readonly name: string;
  /** Whether a message says at which offset it stands. */
  readonly offsets?: boolean;
  /** In which partition it stands, where there are several. */
  readonly partition?: number | undefined;
  /** Bytes that flags and properties may take; the largest headers are left out until they do. */
  readonly maxPropertiesBytes?: number | undefined;
}

const OMITTED_FIELD = 'x-headers-omitted';
const NOTHING = Buffer.alloc(0);
/** A block of properties that all have their largest size, without the table. */
const MAX_SCALARS_BYTES = 2 + PROPERTY_NAMES.length * 256;
/** The fields that a delivery adds, at most. */
const MAX_PLACE_BYTES = 96;
/** A scratch buffer above this is not kept. */
const KEPT_BYTES = 64 * 1024;

type Values = (Buffer | null)[];

/**
 * Records as messages, as docs/message-mapping.md says. One message is filled again and again: it is valid until the next
 * call of `of`.
 */
export class RecordMessages {
  readonly #place: MessagePlace;
  readonly #message = new MessageBytes();
  readonly #defaultAddress: Buffer;
  readonly #fields = new FieldWriter();
  readonly #positions = newPositions();
  /** What the record says of each property. */
  readonly #scalars: (Buffer | undefined)[] = PROPERTY_NAMES.map(() => undefined);
  readonly #groups = new Map<string, Values>();
  #scratch = Buffer.allocUnsafe(1024);

  constructor(place: MessagePlace) {
    this.#place = place;
    this.#defaultAddress = encodeAddress('', place.name);
  }

  of(record: LogRecord): MessageBytes {
    this.#fields.reset();
    const exact = exactOf(record);
    const body = record.value ?? NOTHING;
    const message = this.#message;
    message.body = body;
    message.bodyEnd = body.length;
    if (exact?.holds) {
      this.#address(record.headers[0]?.[1], record.headers[1]?.[1], exact.addressHeaders === 2);
      this.#properties(exact.block, record);
    } else {
      this.#group(record.headers, exact);
      this.#composed(record, exact?.block);
    }
    return message;
  }

  /** The properties are those of the block, but for what the delivery adds. */
  #properties(block: Buffer, record: LogRecord): void {
    const { offsets, maxPropertiesBytes = Number.POSITIVE_INFINITY } = this.#place;
    if (!offsets && block.length <= maxPropertiesBytes) {
      this.#take(block, block.length);
      return;
    }
    const positions = this.#positions;
    findProperties(block, positions);
    const tableAt = positions[HEADERS_PROPERTY] ?? -1;
    for (const [name, start, , end] of fieldsOf(block, tableAt))
      if (!isOfPlace(name)) this.#fields.raw(block, start, end);
    this.#addPlace(record);
    const { bytes } = this.#fields;
    // The scalars before the table stand first in the block, those after it last.
    const before = tableAt < 0 ? this.#firstAfterTable(block.length) : tableAt;
    const after = tableAt < 0 ? before : tableAt + 4 + block.readUInt32BE(tableAt);
    const total = block.length - (after - before) + 4 + bytes.length;
    const out = this.#reserve(total);
    block.copy(out, 0, 0, before);
    out.writeUInt16BE(block.readUInt16BE(0) | (0x8000 >> HEADERS_PROPERTY), 0);
    const at = out.writeUInt32BE(bytes.length, before);
    bytes.copy(out, at);
    block.copy(out, at + bytes.length, after);
    this.#take(out, total);
  }

  #firstAfterTable(end: number): number {
    for (let index = HEADERS_PROPERTY + 1; index < PROPERTY_NAMES.length; index++) {
      const at = this.#positions[index] ?? -1;
      if (at >= 0) return at;
    }
    return end;
  }

  /** The properties are what the record's headers say. */
  #composed(record: LogRecord, block: Buffer | undefined): void {
    const groups = this.#groups;
    const exchange = this.#shortString(EXCHANGE_HEADER);
    const routingKey = this.#shortString(ROUTING_KEY_HEADER);
    this.#address(exchange, routingKey, exchange !== undefined || routingKey !== undefined);
    const typed = block === undefined ? undefined : typedFields(block);
    this.#scalars.fill(undefined);
    for (const [name, values] of groups) {
      const field = typed?.get(name);
      if (field !== undefined && values.length === 1 && isSame(values[0] ?? null, field.text)) {
        this.#fields.rawValue(name, field.block, field.start, field.end);
      } else if (!this.#scalar(name, values) && !isOfPlace(name) && !isSaidOtherwise(name, record)) {
        this.#fields.values(name, values);
      }
    }
    if (exchange === undefined && record.timestamp >= 0 && !groups.has(PROPERTY_NAMES[TIMESTAMP_PROPERTY]))
      this.#scalars[TIMESTAMP_PROPERTY] = Buffer.from(String(Math.floor(record.timestamp / 1000)));
    if (record.value === null) this.#fields.boolean(TOMBSTONE_FIELD, true);
    if (record.key !== null) this.#fields.values(KEY_FIELD, [record.key]);
    this.#addPlace(record);
    this.#writeScalars();
  }

  /** Gathers the values of each name, in the order in which the names first come. */
  #group(headers: LogRecord['headers'], exact: Exact | undefined): void {
    const groups = this.#groups;
    groups.clear();
    for (const [name, value] of headers) {
      if (value !== null && value === exact?.block) continue;
      const values = groups.get(name);
      if (values === undefined) groups.set(name, [value]);
      else values.push(value);
    }
  }

  /** Takes the single value of a name that can be a short string. */
  #shortString(name: string): Buffer | undefined {
    const values = this.#groups.get(name);
    const value = values?.length === 1 ? values[0] : undefined;
    if (!isShortString(value)) return undefined;
    this.#groups.delete(name);
    return value;
  }

  /** Takes values that can be a property. */
  #scalar(name: string, values: Values): boolean {
    const index = propertyIndex(name);
    const value = values.length === 1 ? values[0] : undefined;
    if (index < 0 || !isShortString(value)) return false;
    const kind = propertyKind(index);
    if (kind !== 'string' && !isNumber(value.toString('latin1'), kind === 'octet' ? 255n : MAX_SECONDS)) return false;
    this.#scalars[index] = value;
    return true;
  }

  #addPlace({ offset }: LogRecord): void {
    const { offsets, partition, maxPropertiesBytes } = this.#place;
    if (maxPropertiesBytes !== undefined) {
      const omitted = this.#fields.cutTo(Math.max(0, maxPropertiesBytes - MAX_SCALARS_BYTES - MAX_PLACE_BYTES));
      if (omitted > 0) this.#fields.int32(OMITTED_FIELD, omitted);
    }
    if (offsets) this.#fields.int64(OFFSET_FIELD, offset);
    if (offsets && partition !== undefined) this.#fields.int32(PARTITION_FIELD, partition);
  }

  #writeScalars(): void {
    const { bytes } = this.#fields;
    const out = this.#reserve(MAX_SCALARS_BYTES + 4 + bytes.length);
    let flags = 0;
    let at = 2;
    for (let index = 0; index < PROPERTY_NAMES.length; index++) {
      const value = this.#scalars[index];
      if (index === HEADERS_PROPERTY && bytes.length > 0) {
        at = out.writeUInt32BE(bytes.length, at);
        at += bytes.copy(out, at);
      } else if (value !== undefined) {
        const kind = propertyKind(index);
        if (kind === 'octet') out[at++] = Number(value);
        else if (kind === 'timestamp') at = out.writeBigUInt64BE(BigInt(value.toString('latin1')), at);
        else {
          out[at++] = value.length;
          at += value.copy(out, at);
        }
      } else continue;
      flags |= 0x8000 >> index;
    }
    out.writeUInt16BE(flags, 0);
    this.#take(out, at);
  }

  #address(exchange: Buffer | null | undefined, routingKey: Buffer | null | undefined, said: boolean): void {
    const message = this.#message;
    message.address = said ? twoShortStrings(exchange ?? NOTHING, routingKey ?? NOTHING) : this.#defaultAddress;
    message.addressEnd = message.address.length;
  }

  #take(properties: Buffer, end: number): void {
    this.#message.properties = properties;
    this.#message.propertiesEnd = end;
  }

  #reserve(bytes: number): Buffer {
    if (bytes > KEPT_BYTES) return Buffer.allocUnsafe(bytes);
    if (bytes > this.#scratch.length) this.#scratch = Buffer.allocUnsafe(Math.min(bytes * 2, KEPT_BYTES));
    return this.#scratch;
  }
}

/** Belongs to a delivery, not to the message. */
function isOfPlace(name: string): boolean {
  return name === OFFSET_FIELD || name === PARTITION_FIELD;
}

/** What the record itself says counts. */
function isSaidOtherwise(name: string, { key, value }: LogRecord): boolean {
  return (name === KEY_FIELD && key !== null) || (name === TOMBSTONE_FIELD && value === null);
}

function twoShortStrings(first: Buffer, second: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(2 + first.length + second.length);
  bytes[0] = first.length;
  first.copy(bytes, 1);
  bytes[1 + first.length] = second.length;
  second.copy(bytes, 2 + first.length);
  return bytes;
}

/** Digits as one writes a number, not above the limit. */
function isNumber(text: string, limit: bigint): boolean {
  return /^(0|[1-9][0-9]{0,19})$/.test(text) && BigInt(text) <= limit;
}
