import { BATCH_LENGTH_OVERHEAD, baseOffset, batchSize } from '../../records/index.ts';
import type { LogRead } from '../../storage/index.ts';

/** The batches of a read that begin before an offset, at which one of them or the end has to be; and where the last of them begins. */
export function beforeOffset(read: LogRead, end: number): { readonly read: LogRead; readonly lastBaseOffset: number } {
  let lastBaseOffset = -1;
  let bytes = 0;
  /** Where the next batch begins, counted from the beginning of the chunk. A batch may reach into the next chunk. */
  let at = 0;
  for (const [index, chunk] of read.chunks.entries()) {
    while (chunk.length - at >= BATCH_LENGTH_OVERHEAD) {
      const base = baseOffset(chunk, at);
      if (base >= end) {
        const chunks = read.chunks.slice(0, index);
        if (at > 0) chunks.push(chunk.subarray(0, at));
        return { read: { chunks, bytes: bytes + at }, lastBaseOffset };
      }
      lastBaseOffset = base;
      at += batchSize(chunk, at);
    }
    bytes += chunk.length;
    at -= chunk.length;
  }
  return { read, lastBaseOffset };
}
