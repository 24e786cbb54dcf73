import { dirname } from 'node:path';
import type { FileSystem } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';
import { crc32c } from '../../records/index.ts';

/*
 * A file of lines of JSON. The last line is `crc32c <8 digits>`: CRC-32C, in hexadecimal, of all bytes before it. It gets its name when it is
 * whole and durable.
 */

const LAST_LINE = /^crc32c ([0-9a-f]{8})\n$/;
const LAST_LINE_BYTES = 16;
const PIECE_BYTES = 256 * 1024;

/** Writes the values, one a line, in pieces. */
export async function writeLines(files: FileSystem, path: string, values: Iterable<unknown>): Promise<void> {
  const unfinished = `${path}~`;
  const file = await files.open(unfinished, 'create');
  try {
    let at = 0;
    let crc = 0;
    let text: string[] = [];
    let length = 0;
    const flush = async () => {
      const bytes = Buffer.from(text.join(''));
      text = [];
      length = 0;
      await file.write([bytes], at);
      crc = crc32c(bytes, crc);
      at += bytes.length;
    };
    await file.truncate(0);
    for (const value of values) {
      const line = `${JSON.stringify(value)}\n`;
      text.push(line);
      length += line.length;
      if (length >= PIECE_BYTES) await flush();
    }
    await flush();
    await file.write([Buffer.from(`crc32c ${crc.toString(16).padStart(8, '0')}\n`)], at);
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(unfinished, path);
  await files.syncDirectory(dirname(path));
}

/** Hands the lines' values on. Rejects with `storage-damaged` when the file is not as it was written, with `not-found` when it is not there. */
export async function readLines(files: FileSystem, path: string, visit: (value: unknown) => void): Promise<void> {
  const file = await files.open(path, 'read');
  try {
    const size = await file.size();
    const end = size - LAST_LINE_BYTES;
    const last = Buffer.alloc(LAST_LINE_BYTES);
    if (end < 0 || (await file.read(last, end)) < LAST_LINE_BYTES) throw damaged(path, size);
    // All of it is checked before any of it is believed.
    let crc = 0;
    for await (const piece of pieces(file.read.bind(file), end)) crc = crc32c(piece, crc);
    if (LAST_LINE.exec(last.toString())?.[1] !== crc.toString(16).padStart(8, '0')) throw damaged(path, size);
    let rest = Buffer.alloc(0);
    for await (const piece of pieces(file.read.bind(file), end)) {
      const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
      let from = 0;
      for (let at = bytes.indexOf(10, from); at >= 0; at = bytes.indexOf(10, from)) {
        visit(JSON.parse(bytes.toString('utf8', from, at)));
        from = at + 1;
      }
      rest = bytes.subarray(from);
    }
  } finally {
    await file.close();
  }
}

async function* pieces(read: (target: Uint8Array, position: number) => Promise<number>, end: number) {
  for (let at = 0; at < end; ) {
    const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, end - at));
    const count = await read(piece, at);
    if (count === 0) return;
    yield piece.subarray(0, count);
    at += count;
  }
}

function damaged(path: string, size: number): BrokerError {
  return new BrokerError(
    'storage-damaged',
    `${path} is damaged: its ${size} bytes do not have the CRC that stands in it`,
  );
}
