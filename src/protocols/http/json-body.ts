import { badRequest } from './errors.ts';

/** Arrays and objects within each other, at most: what reads them does so by recursion. */
const MAX_DEPTH = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** The object that a request's body is; an empty body is an empty one. Throws 400 `not_json`, as RabbitMQ says it. */
export function parseJsonBody(bytes: Buffer): Readonly<Record<string, unknown>> {
  if (bytes.length === 0) return {};
  if (isTooDeep(bytes)) throw badRequest(`more than ${MAX_DEPTH} arrays and objects within each other`);
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString());
  } catch {
    throw badRequest('not_json');
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw badRequest('not_json');
  return json as Record<string, unknown>;
}

function isTooDeep(bytes: Buffer): boolean {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (quoted) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) quoted = false;
    } else if (byte === QUOTE) quoted = true;
    else if (OPENING.has(byte) && ++depth > MAX_DEPTH) return true;
    else if (CLOSING.has(byte)) depth--;
  }
  return false;
}
