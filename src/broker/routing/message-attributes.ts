import type { FieldTable } from '../messages/field-table.ts';
import type { MessageBytes } from '../messages/message-bytes.ts';
import type { HashProperty, MessageAttributes } from './routing-table.ts';

export class AttributesOfBytes implements MessageAttributes {
  of(_message: MessageBytes): this {
    return this;
  }

  headers(): FieldTable | undefined {
    return undefined;
  }

  property(_name: HashProperty): string | undefined {
    return undefined;
  }
}
