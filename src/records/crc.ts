import { crc32c as nativeCrc32c } from '@node-rs/crc32';

/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `bytes`, unsigned. `previous` is the CRC of what comes before them, so
 * that one can be computed piece by piece.
 */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  return nativeCrc32c(bytes, previous);
}
