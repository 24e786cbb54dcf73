import { Cleaning, type FilterPlan, type IndexPlan } from './cleaning.ts';

/** What `CleaningElsewhere` asks of its thread. */
export type CleaningRequest =
  | { readonly kind: 'begin'; readonly plan: IndexPlan }
  | { readonly kind: 'index'; readonly chunk: Uint8Array }
  | { readonly kind: 'prepare'; readonly plan: FilterPlan }
  | { readonly kind: 'filter'; readonly chunk: Uint8Array };

let cleaning: Cleaning | undefined;

/** Called in the thread, for each request. */
export function answer(request: unknown): unknown {
  const asked = request as CleaningRequest;
  switch (asked.kind) {
    case 'begin':
      // The former one's memory first.
      cleaning = undefined;
      cleaning = new Cleaning(asked.plan);
      return undefined;
    case 'index':
      return cleaning?.index(bufferOf(asked.chunk));
    case 'prepare':
      return cleaning?.prepare(asked.plan);
    case 'filter': {
      const filtered = cleaning?.filter(bufferOf(asked.chunk));
      return filtered?.changed ? filtered : undefined;
    }
  }
}

/** Buffers arrive as plain arrays. */
function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
