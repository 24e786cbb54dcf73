import { createHash } from 'node:crypto';

/** A body begins with when it was due (milliseconds, 8 bytes), its number (4) and its publisher's (4); noise follows. */
export const STAMP_BYTES = 16;
const SEQUENCE = 8;
const PUBLISHER = 12;

/** Bytes that look random and are the same each time, behind room for a stamp. */
export function body(bytes: number): Buffer {
  if (bytes < STAMP_BYTES) throw new Error(`a message needs ${STAMP_BYTES} bytes to be told from others: raise --size`);
  return createHash('shake256', { outputLength: bytes }).update('sluice-bench').digest();
}

export function stamp(bytes: Buffer, at: number, dueAt: number, sequence: number): void {
  bytes.writeDoubleBE(dueAt, at);
  bytes.writeUInt32BE(sequence, at + SEQUENCE);
}

export function stampPublisher(bytes: Buffer, at: number, publisher: number): void {
  bytes.writeUInt32BE(publisher, at + PUBLISHER);
}

export function dueAt(bytes: Buffer, at: number): number {
  return bytes.readDoubleBE(at);
}

export function sequence(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at + SEQUENCE);
}

export function publisher(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at + PUBLISHER);
}
