import { erlangText, erlangType, type Field, parseAge, type StreamStart } from '../../broker/index.ts';
import { AmqpError } from './errors.ts';

export const OFFSET_ARGUMENT = 'x-stream-offset';

const INTEGER_TYPES = new Set(['b', 'B', 's', 'u', 'I', 'i', 'l']);

/**
 * Where a consumer of a stream wants to begin: `first`, `last`, `next` (which it is without the argument), an offset, a timestamp
 * (type T), or how long ago: `7D`, `1h`. Throws `PRECONDITION_FAILED` for anything else.
 */
export function streamStart(field: Field | undefined, queue: string, now: number): StreamStart {
  if (field === undefined) return { from: 'next' };
  if (field.type === 'T') return { from: 'timestamp', timestamp: Number(field.value) * 1000 };
  if (field.type === 'S') {
    const { value } = field;
    if (value === 'first' || value === 'last' || value === 'next') return { from: value };
    const age = parseAge(value);
    if (age !== undefined) return { from: 'timestamp', timestamp: now - age };
  } else if (INTEGER_TYPES.has(field.type)) {
    const offset = Number(field.value);
    if (Number.isSafeInteger(offset) && offset >= 0) return { from: 'offset', offset };
  }
  const printed = `{${erlangType(field)},${erlangText(field)}}`;
  throw new AmqpError(
    'PRECONDITION_FAILED',
    `invalid arg '${OFFSET_ARGUMENT}' for ${queue}: {invalid_stream_offset_arg,${printed}}`,
  );
}
