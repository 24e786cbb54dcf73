import { BrokerError } from '../../../errors.ts';

/**
 * Bytes that are not the message they claim to be, or a value that its schema cannot carry.
 * Of a request: close the connection. Of a response: whoever made the value has a bug.
 */
export class CodecError extends BrokerError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('invalid-argument', message, options);
    this.name = 'CodecError';
  }
}
