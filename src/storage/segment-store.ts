/**
 * Immutable named objects: sealed segments, their indexes, snapshots, the manifest. Names are paths of letters, digits,
 * `-`, `_` and `.`, parted by `/`. Every method rejects with a `BrokerError` (`storage-full`, `storage-failed`).
 */
export interface SegmentStore {
  /** Stores an object, durable when this resolves. Atomic: a name has its former content or the new one, never a part. */
  put(name: string, chunks: readonly Uint8Array[]): Promise<void>;
  /** Up to `length` bytes from `offset` on; fewer only at the end. Rejects with `not-found` for an absent object. */
  get(name: string, offset: number, length: number): Promise<Buffer>;
  /** Removes an object; an absent one is no error. */
  delete(name: string): Promise<void>;
  /** Names that begin with the prefix, in no order. */
  list(prefix: string): Promise<string[]>;
  /** Bytes that can still be stored, as far as the store can tell; Infinity when it cannot. */
  freeBytes(): Promise<number>;
  close(): Promise<void>;
}
