const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** The lines of a stream of bytes, without their ends, as many at a time as have arrived together. */
export async function* linesIn(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer[], void, undefined> {
  /** Of a line that has not ended. */
  let parts: Buffer[] = [];
  for await (const chunk of chunks) {
    const lines: Buffer[] = [];
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
      lines.push(lineOf(parts, chunk.subarray(from, end)));
      parts = [];
      from = end + 1;
    }
    if (from < chunk.length) parts.push(chunk.subarray(from));
    if (lines.length > 0) yield lines;
  }
  if (parts.length > 0) yield [lineOf(parts, Buffer.alloc(0))];
}

function lineOf(parts: readonly Buffer[], last: Buffer): Buffer {
  const line = parts.length === 0 ? last : Buffer.concat([...parts, last]);
  return line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
}
