import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { BrokerError } from '../errors.ts';
import { compressLz4, decompressLz4 } from './lz4-frame.ts';
import type { Compression } from './record-batch.ts';
import { compressSnappy, decompressSnappy } from './snappy.ts';

/** What a batch's records may decompress to, unless the caller says otherwise: more than any sane batch, less than memory. */
export const MAX_DECOMPRESSED_BYTES = 128 * 1024 * 1024;

/** Output is gathered in pieces of this many bytes: fewer calls for a large batch, little waste for a small one. */
const CHUNK_BYTES = 64 * 1024;

/** Compresses as Kafka's Java client does, at each codec's default level. */
export function compress(codec: Compression, bytes: Buffer): Buffer {
  switch (codec) {
    case 'none':
      return bytes;
    case 'gzip':
      return gzipSync(bytes, { chunkSize: CHUNK_BYTES });
    case 'snappy':
      return compressSnappy(bytes);
    case 'lz4':
      return compressLz4(bytes);
    case 'zstd':
      return zstdCompressSync(bytes, { chunkSize: CHUNK_BYTES });
  }
}

/**
 * Throws `message-too-large` when more than `maxBytes` would come out (having made no more than that), and
 * `corrupt-message` when it is not what the codec makes.
 */
export function decompress(codec: Compression, bytes: Buffer, maxBytes: number = MAX_DECOMPRESSED_BYTES): Buffer {
  try {
    return decompressWith(codec, bytes, maxBytes);
  } catch (error) {
    if (error instanceof BrokerError) throw error;
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') {
      throw new BrokerError('message-too-large', `the records decompress to more than ${maxBytes} bytes`, {
        cause: error,
      });
    }
    throw new BrokerError('corrupt-message', `the records are not ${codec}, or are damaged`, { cause: error });
  }
}

function decompressWith(codec: Compression, bytes: Buffer, maxBytes: number): Buffer {
  switch (codec) {
    case 'none':
      return bytes;
    case 'gzip':
      return gunzipSync(bytes, { chunkSize: CHUNK_BYTES, maxOutputLength: maxBytes });
    case 'snappy':
      return decompressSnappy(bytes, maxBytes);
    case 'lz4':
      return decompressLz4(bytes, maxBytes);
    case 'zstd':
      return zstdDecompressSync(bytes, { chunkSize: CHUNK_BYTES, maxOutputLength: maxBytes });
  }
}
