import type { MessageBytes } from '../messages/index.ts';
import { headerText } from './message-identity.ts';

/** W3C trace context, version 1: https://www.w3.org/TR/trace-context/. What a message carries is the parent of what is done with it. */
export interface TraceContext {
  /** 32 and 16 hexadecimal digits. */
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
  /** `tracestate` as it came; empty when there is none. */
  readonly state: string;
}

export const TRACEPARENT = 'traceparent';
export const TRACESTATE = 'tracestate';

const TRACEPARENT_BYTES = Buffer.from(TRACEPARENT);
const TRACESTATE_BYTES = Buffer.from(TRACESTATE);
/** Longer ones are none: the specification has 55 characters, and room for what later versions append. */
const MAX_LENGTH = 256;
const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = 1;

/** Undefined for what is no trace context: then there is none. */
export function parseTraceContext(traceparent: string, state: string): TraceContext | undefined {
  const match = traceparent.length > MAX_LENGTH ? null : FORM.exec(traceparent);
  if (match === null) return undefined;
  const [, version = '', traceId = '', spanId = '', flags = '', more] = match;
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0, state };
}

export function contextOf(message: MessageBytes): TraceContext | undefined {
  if (!message.hasHeaders) return undefined;
  const traceparent = headerText(message, TRACEPARENT_BYTES);
  return traceparent === '' ? undefined : parseTraceContext(traceparent, headerText(message, TRACESTATE_BYTES));
}
