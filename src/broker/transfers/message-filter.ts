import { decodeProperties, type MessageBytes, stringOf } from '../messages/index.ts';
import { deathTrail } from '../virtual-hosts/death-trail.ts';

/** What a message has to be to be among those that are meant: all that is given. */
export interface MessageCriteria {
  /** In the body, the routing key, or the properties; these bytes exactly. */
  readonly text?: string | undefined;
  readonly exchange?: string | undefined;
  readonly routingKey?: string | undefined;
  /** Has this header; with this value where one is given, as text. */
  readonly header?: { readonly name: string; readonly value?: string | undefined } | undefined;
  readonly messageId?: string | undefined;
  readonly correlationId?: string | undefined;
  /** Milliseconds since the epoch, of when it came to where it is. */
  readonly after?: number | undefined;
  readonly before?: number | undefined;
  /** Of its last death: why, and in which queue. */
  readonly reason?: string | undefined;
  readonly deathQueue?: string | undefined;
}

/** Tells messages that meet the criteria from others. */
export class MessageFilter {
  readonly #criteria: MessageCriteria;
  readonly #text: Buffer | undefined;
  readonly #decodes: boolean;
  readonly #asksDeath: boolean;

  constructor(criteria: MessageCriteria) {
    this.#criteria = criteria;
    this.#text = criteria.text === undefined || criteria.text === '' ? undefined : Buffer.from(criteria.text);
    const { header, messageId, correlationId, reason, deathQueue } = criteria;
    this.#decodes = header !== undefined || messageId !== undefined || correlationId !== undefined;
    this.#asksDeath = reason !== undefined || deathQueue !== undefined;
  }

  matches(message: MessageBytes, timestamp: number): boolean {
    const { exchange, routingKey, after, before } = this.#criteria;
    if (after !== undefined && timestamp < after) return false;
    if (before !== undefined && timestamp >= before) return false;
    if (exchange !== undefined && message.exchange !== exchange) return false;
    if (routingKey !== undefined && message.routingKey !== routingKey) return false;
    if (this.#text !== undefined && !holds(message, this.#text)) return false;
    if (this.#decodes && !this.#matchesProperties(message)) return false;
    return !this.#asksDeath || this.#matchesDeath(message);
  }

  #matchesProperties({ properties, propertiesStart, propertiesEnd }: MessageBytes): boolean {
    const { header, messageId, correlationId } = this.#criteria;
    const decoded = decodeProperties(properties, propertiesStart, propertiesEnd);
    if (messageId !== undefined && decoded.messageId !== messageId) return false;
    if (correlationId !== undefined && decoded.correlationId !== correlationId) return false;
    if (header === undefined) return true;
    const field = decoded.headers?.get(header.name);
    if (field === undefined) return false;
    return header.value === undefined || (stringOf(field) ?? String(field.value)) === header.value;
  }

  #matchesDeath(message: MessageBytes): boolean {
    const { reason, deathQueue } = this.#criteria;
    const [latest] = deathTrail(message)?.deaths ?? [];
    if (latest === undefined) return false;
    return (
      (reason === undefined || latest.reason === reason) && (deathQueue === undefined || latest.queue === deathQueue)
    );
  }
}

function holds(message: MessageBytes, text: Buffer): boolean {
  const { address, addressStart, addressEnd, properties, propertiesStart, propertiesEnd } = message;
  const { body, bodyStart, bodyEnd } = message;
  return (
    body.subarray(bodyStart, bodyEnd).includes(text) ||
    address.subarray(addressStart, addressEnd).includes(text) ||
    properties.subarray(propertiesStart, propertiesEnd).includes(text)
  );
}
