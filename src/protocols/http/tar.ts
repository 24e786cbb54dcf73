/*
 * A tape archive (POSIX.1-1988, ustar) of a few small files: a header of 512 bytes, the bytes filled up to a multiple of 512, and two empty blocks at the end.
 * The package that others use for it streams, with packages of its own for that; there is nothing to stream here.
 */

export interface ArchivedFile {
  /** At most 100 bytes. */
  readonly name: string;
  readonly bytes: Buffer;
}

const BLOCK = 512;
const CHECKSUM_AT = 148;
const MODE = 0o644;

export function tar(files: readonly ArchivedFile[], modifiedAt: number): Buffer {
  const blocks = files.flatMap(({ name, bytes }) => [
    header(name, bytes.length, modifiedAt),
    bytes,
    Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK),
  ]);
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

function header(name: string, size: number, modifiedAt: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0, 100);
  octal(block, MODE, 100, 8);
  octal(block, 0, 108, 8);
  octal(block, 0, 116, 8);
  octal(block, size, 124, 12);
  octal(block, Math.floor(modifiedAt / 1000), 136, 12);
  // The checksum is made with blanks in its place.
  block.fill(' ', CHECKSUM_AT, CHECKSUM_AT + 8);
  block.write('0', 156);
  block.write('ustar\0', 257, 'latin1');
  block.write('00', 263);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, CHECKSUM_AT, 'latin1');
  return block;
}

function octal(block: Buffer, number: number, at: number, length: number): void {
  block.write(`${number.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
}
