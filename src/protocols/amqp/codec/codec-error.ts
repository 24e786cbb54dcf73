import { BrokerError } from '../../../errors.ts';

/** Those of AMQP's reply codes (section 1.2 of the specification) that bytes alone can deserve. All of them close the connection. */
export const CODEC_REPLY_CODES = {
  FRAME_ERROR: 501,
  SYNTAX_ERROR: 502,
  COMMAND_INVALID: 503,
  UNEXPECTED_FRAME: 505,
  NOT_IMPLEMENTED: 540,
} as const;

export type CodecReply = keyof typeof CODEC_REPLY_CODES;

/**
 * Bytes that are not the frames or methods they claim to be, or a value that its field cannot carry. Read: the peer is told by
 * `connection.close` with this reply. Written: whoever made the value has a bug.
 */
export class CodecError extends BrokerError {
  readonly reply: CodecReply;

  constructor(reply: CodecReply, message: string, options?: { cause?: unknown }) {
    super('invalid-argument', message, options);
    this.name = 'CodecError';
    this.reply = reply;
  }

  get replyCode(): number {
    return CODEC_REPLY_CODES[this.reply];
  }
}
