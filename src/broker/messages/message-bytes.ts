import { BrokerError } from '../../errors.ts';

/*
 * A message as the broker carries it from whoever published it to whoever gets it: three parts that are copied and never
 * taken apart on the way.
 *
 *   address    => exchange:shortstr  routing key:shortstr      shortstr => length:u8  UTF-8[length]
 *   properties => AMQP 0-9-1's property flags and property list (section 4.2.6.1), whatever protocol the message came by
 *   body       => bytes
 */

const NOTHING = Buffer.alloc(0);
/** No flags: a message without properties. */
const NO_PROPERTIES = Buffer.alloc(2);

/** Bits of the property flags. */
const CONTENT_TYPE = 0x8000;
const CONTENT_ENCODING = 0x4000;
const HEADERS = 0x2000;
const DELIVERY_MODE = 0x1000;
const PRIORITY = 0x0800;
const CORRELATION_ID = 0x0400;
const REPLY_TO = 0x0200;
const EXPIRATION = 0x0100;

const PERSISTENT = 2;

/**
 * Where the parts of a message lie, in whatever buffers they came in. One such object is filled again and again by who
 * publishes or reads many messages: it and its buffers are valid only during the call that it is handed to.
 */
export class MessageBytes {
  address: Buffer = NOTHING;
  addressStart = 0;
  addressEnd = 0;
  properties: Buffer = NO_PROPERTIES;
  propertiesStart = 0;
  propertiesEnd = 2;
  body: Buffer = NOTHING;
  bodyStart = 0;
  bodyEnd = 0;

  /** A message from its parts; throws `invalid-argument` for an exchange or routing key above 255 bytes. */
  static of(exchange: string, routingKey: string, properties: Buffer, body: Buffer): MessageBytes {
    const message = new MessageBytes();
    message.address = encodeAddress(exchange, routingKey);
    message.addressEnd = message.address.length;
    message.properties = properties;
    message.propertiesEnd = properties.length;
    message.body = body;
    message.bodyEnd = body.length;
    return message;
  }

  get exchange(): string {
    const length = this.address[this.addressStart] ?? 0;
    return this.address.toString('utf8', this.addressStart + 1, this.addressStart + 1 + length);
  }

  get routingKey(): string {
    const at = this.addressStart + 1 + (this.address[this.addressStart] ?? 0);
    return this.address.toString('utf8', at + 1, at + 1 + (this.address[at] ?? 0));
  }

  get bodyLength(): number {
    return this.bodyEnd - this.bodyStart;
  }

  /** Whether it is to outlive a restart of the broker. */
  get persistent(): boolean {
    const at = this.#property(DELIVERY_MODE);
    return at >= 0 && this.properties[at] === PERSISTENT;
  }

  /** 0 when it has none. */
  get priority(): number {
    const at = this.#property(PRIORITY);
    return at < 0 ? 0 : (this.properties[at] ?? 0);
  }

  /** Milliseconds that it may wait, as digits; undefined when it has none. */
  get expiration(): string | undefined {
    const at = this.#property(EXPIRATION);
    if (at < 0) return undefined;
    return this.properties.toString('latin1', at + 1, at + 1 + (this.properties[at] ?? 0));
  }

  /** Whether it has an expiration of its own. */
  get mayExpire(): boolean {
    return ((this.properties[this.propertiesStart] ?? 0) & (EXPIRATION >>> 8)) !== 0;
  }

  get hasHeaders(): boolean {
    return (this.properties.readUInt16BE(this.propertiesStart) & HEADERS) !== 0;
  }

  /** Position of a property's value; -1 when it is not there. The list was checked when it came in. */
  #property(wanted: number): number {
    const { properties } = this;
    const flags = properties.readUInt16BE(this.propertiesStart);
    if ((flags & wanted) === 0) return -1;
    let at = this.propertiesStart + 2;
    if ((flags & CONTENT_TYPE) !== 0) at += 1 + (properties[at] ?? 0);
    if ((flags & CONTENT_ENCODING) !== 0) at += 1 + (properties[at] ?? 0);
    if ((flags & HEADERS) !== 0) at += 4 + properties.readUInt32BE(at);
    if (wanted === DELIVERY_MODE) return at;
    if ((flags & DELIVERY_MODE) !== 0) at += 1;
    if (wanted === PRIORITY) return at;
    if ((flags & PRIORITY) !== 0) at += 1;
    if ((flags & CORRELATION_ID) !== 0) at += 1 + (properties[at] ?? 0);
    if ((flags & REPLY_TO) !== 0) at += 1 + (properties[at] ?? 0);
    return at;
  }
}

/** Exchange and routing key as two short strings. */
export function encodeAddress(exchange: string, routingKey: string): Buffer {
  const first = Buffer.byteLength(exchange);
  const second = Buffer.byteLength(routingKey);
  if (first > 255 || second > 255)
    throw new BrokerError('invalid-argument', 'names of exchanges and routing keys have 255 bytes at most');
  const address = Buffer.allocUnsafe(2 + first + second);
  address[0] = first;
  address.write(exchange, 1);
  address[1 + first] = second;
  address.write(routingKey, 2 + first);
  return address;
}
