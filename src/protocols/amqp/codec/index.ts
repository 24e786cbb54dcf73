export { CODEC_REPLY_CODES, CodecError, type CodecReply } from './codec-error.ts';
export { type AskedProtocol, FrameParser, type FrameSink } from './frame-parser.ts';
export {
  BASIC_CLASS,
  CONTENT_HEADER_BYTES,
  FRAME_OVERHEAD,
  INITIAL_FRAME_MAX,
  MIN_FRAME_MAX,
  PROTOCOL_HEADER,
} from './frames.ts';
export { decodeMethod } from './method-decoder.ts';
export { encodeMethod } from './method-encoder.ts';
export { METHODS, type Method, type MethodInput, type MethodName, methodId } from './methods.ts';
export { OutputBuffer } from './output-buffer.ts';
