import { BrokerError } from '../../errors.ts';
import type { SegmentStore } from '../segment-store.ts';

/** Objects in this process's memory: for tests, and for a broker that keeps nothing. */
export class MemorySegmentStore implements SegmentStore {
  readonly #objects = new Map<string, Buffer>();

  async put(name: string, chunks: readonly Uint8Array[]): Promise<void> {
    this.#objects.set(name, Buffer.concat(chunks));
  }

  async get(name: string, offset: number, length: number): Promise<Buffer> {
    const object = this.#objects.get(name);
    if (!object) throw new BrokerError('not-found', `there is no object '${name}' in the store`);
    return Buffer.from(object.subarray(offset, offset + length));
  }

  async delete(name: string): Promise<void> {
    this.#objects.delete(name);
  }

  async list(prefix: string): Promise<string[]> {
    return [...this.#objects.keys()].filter((name) => name.startsWith(prefix));
  }

  async freeBytes(): Promise<number> {
    return Number.POSITIVE_INFINITY;
  }

  /** The objects stay, for whoever opens the store next. */
  async close(): Promise<void> {}
}
