import { extname } from 'node:path';
import type { Thread, Threads } from '../../environment/environment.ts';
import { Cleaning, type FilteredChunk, type FilterPlan, type IndexPlan } from './cleaning.ts';
import type { CleaningRequest } from './cleaning-thread.ts';

/** A pass over a log, done by whoever. One call at a time; see `Cleaning`. */
export interface CleaningWork {
  begin(plan: IndexPlan): Promise<void>;
  index(chunk: Buffer): Promise<number | undefined>;
  prepare(plan: FilterPlan): Promise<void>;
  filter(chunk: Buffer): Promise<FilteredChunk>;
  /** Lets go of its memory. */
  close(): Promise<void>;
}

/** Does it where it is, between the reads: for logs that are done sooner than a thread is there. */
export class CleaningHere implements CleaningWork {
  #cleaning: Cleaning | undefined;

  async begin(plan: IndexPlan): Promise<void> {
    this.#cleaning = new Cleaning(plan);
  }

  async index(chunk: Buffer): Promise<number | undefined> {
    return this.#cleaning?.index(chunk);
  }

  async prepare(plan: FilterPlan): Promise<void> {
    this.#cleaning?.prepare(plan);
  }

  async filter(chunk: Buffer): Promise<FilteredChunk> {
    return this.#cleaning?.filter(chunk) ?? { bytes: chunk, changed: false, goneMarkers: [] };
  }

  async close(): Promise<void> {
    this.#cleaning = undefined;
  }
}

/** Has a thread do it, so that nobody waits for hashing and compression. */
export class CleaningElsewhere implements CleaningWork {
  readonly #thread: Thread;

  constructor(threads: Threads) {
    // Beside this file, in the source as in what is built from it.
    this.#thread = threads.start(new URL(`./cleaning-thread${extname(import.meta.url)}`, import.meta.url));
  }

  async begin(plan: IndexPlan): Promise<void> {
    await this.#call({ kind: 'begin', plan });
  }

  async index(chunk: Buffer): Promise<number | undefined> {
    return (await this.#call({ kind: 'index', chunk })) as number | undefined;
  }

  async prepare(plan: FilterPlan): Promise<void> {
    await this.#call({ kind: 'prepare', plan });
  }

  async filter(chunk: Buffer): Promise<FilteredChunk> {
    // Nothing comes back of what stays as it is.
    const changed = (await this.#call({ kind: 'filter', chunk })) as
      | (FilteredChunk & { bytes: Uint8Array })
      | undefined;
    if (changed === undefined) return { bytes: chunk, changed: false, goneMarkers: [] };
    const { buffer, byteOffset, byteLength } = changed.bytes;
    return { ...changed, bytes: Buffer.from(buffer, byteOffset, byteLength) };
  }

  close(): Promise<void> {
    return this.#thread.close();
  }

  #call(request: CleaningRequest): Promise<unknown> {
    return this.#thread.call(request);
  }
}
