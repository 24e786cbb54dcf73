import { linesIn } from '../lines.ts';

/** One event of a `text/event-stream`. */
export interface StreamEvent {
  /** `message` unless the stream says otherwise. */
  readonly event: string;
  readonly data: string;
  /** The last one that the stream gave; empty when it gave none. */
  readonly id: string;
}

/** Characters of one event: a server that goes on and on with one is none. */
const MAX_EVENT = 64 * 1024 * 1024;

/** The events of a stream, as they come (HTML, section 9.2.6). One that the end cuts off is dropped. */
export async function* eventsIn(chunks: AsyncIterable<Buffer>): AsyncGenerator<StreamEvent, void, undefined> {
  let event = '';
  let id = '';
  let data: string[] = [];
  let size = 0;
  for await (const lines of linesIn(chunks))
    for (const bytes of lines) {
      const line = bytes.toString();
      if (line === '') {
        if (data.length > 0) yield { event: event || 'message', data: data.join('\n'), id };
        [event, data, size] = ['', [], 0];
        continue;
      }
      const [field, value] = fieldOf(line);
      if (field === 'event') event = value;
      else if (field === 'id') id = value;
      else if (field === 'data') {
        size += value.length;
        if (size > MAX_EVENT) throw new RangeError(`an event has more than ${MAX_EVENT} characters`);
        data.push(value);
      }
    }
}

/** A line that begins with a colon is a comment: a field without a name. */
function fieldOf(line: string): [field: string, value: string] {
  const colon = line.indexOf(':');
  if (colon < 0) return [line, ''];
  return [line.slice(0, colon), line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)];
}
