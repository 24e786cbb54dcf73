import {
  decodeTable,
  type FieldTable,
  type MessageBytes,
  type PropertyName,
  propertyPosition,
} from '../messages/index.ts';
import type { HashProperty, MessageAttributes } from './routing-table.ts';

const NAMES: Readonly<Record<HashProperty, PropertyName>> = {
  correlation_id: 'correlationId',
  message_id: 'messageId',
  timestamp: 'timestamp',
};

/** What a message's properties say, decoded when asked, and once. One object serves one message after the other. */
export class AttributesOfBytes implements MessageAttributes {
  #bytes: Buffer = Buffer.alloc(2);
  #start = 0;
  #decoded = false;
  #headers: FieldTable | undefined;

  of(message: MessageBytes): this {
    this.#bytes = message.properties;
    this.#start = message.propertiesStart;
    this.#decoded = false;
    return this;
  }

  headers(): FieldTable | undefined {
    if (!this.#decoded) {
      const at = propertyPosition(this.#bytes, this.#start, 'headers');
      this.#headers = at < 0 ? undefined : decodeTable(this.#bytes, at + 4, at + 4 + this.#bytes.readUInt32BE(at));
      this.#decoded = true;
    }
    return this.#headers;
  }

  property(name: HashProperty): string | undefined {
    const at = propertyPosition(this.#bytes, this.#start, NAMES[name]);
    if (at < 0) return undefined;
    if (name === 'timestamp') return String(this.#bytes.readBigUInt64BE(at));
    return this.#bytes.toString('utf8', at + 1, at + 1 + (this.#bytes[at] ?? 0));
  }
}
