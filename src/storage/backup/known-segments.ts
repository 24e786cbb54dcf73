import { join } from 'node:path';
import type { FileSystem } from '../../environment/environment.ts';
import type { Segment } from '../segment.ts';
import type { ShardCopy } from './backup-list.ts';
import type { Stored } from './stored.ts';

/** How much of a segment's end is looked at to know it again. */
export const TAIL_BYTES = 4096;

/** Segments that a former backup has: sealed segments do not change, so that they are not copied again. */
export class KnownSegments {
  readonly #known = new Map<string, { readonly stored: Stored; readonly tailCrc: number }>();

  add(shards: readonly ShardCopy[]): void {
    for (const { shardId, logs } of shards)
      for (const { segments } of logs)
        for (const { segment, stored, tailCrc } of segments)
          this.#known.set(keyOf(shardId, segment), { stored, tailCrc });
  }

  /** Forgets those whose files are not there, or too short. */
  async check(files: FileSystem, directory: string): Promise<void> {
    const sizes = new Map<string, number>();
    for (const [key, { stored }] of this.#known) {
      let size = sizes.get(stored.file);
      if (size === undefined) {
        size = await sizeOf(files, join(directory, stored.file));
        sizes.set(stored.file, size);
      }
      if (size < stored.at + stored.size) this.#known.delete(key);
    }
  }

  /** Where a segment of that shard lies which ends so. */
  find(shardId: string, segment: Segment, tailCrc: number): Stored | undefined {
    const known = this.#known.get(keyOf(shardId, segment));
    return known?.tailCrc === tailCrc ? known.stored : undefined;
  }
}

function keyOf(shardId: string, { name, size }: Segment): string {
  return `${shardId} ${name} ${size}`;
}

/** -1 when it cannot be opened. */
async function sizeOf(files: FileSystem, path: string): Promise<number> {
  try {
    const file = await files.open(path, 'read');
    try {
      return await file.size();
    } finally {
      await file.close();
    }
  } catch {
    return -1;
  }
}
