import { compress } from './compression.ts';
import { type Compression, compression, withRecords } from './record-batch.ts';
import { bodyOf } from './record-decoder.ts';

/**
 * The batch with its records compressed by this codec: itself where they are. Throws `corrupt-message` for records that do
 * not decompress, `message-too-large` when they would be more than `MAX_DECOMPRESSED_BYTES`.
 */
export function recompress(batch: Buffer, codec: Compression): Buffer {
  if (compression(batch, 0) === codec) return batch;
  return withRecords(batch, codec, compress(codec, bodyOf(batch)));
}
