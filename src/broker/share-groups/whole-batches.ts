import { BATCH_LENGTH_OVERHEAD, type BatchView, batchesIn } from '../../records/index.ts';
import type { LogRead } from '../../storage/index.ts';

/** The batches of a read. One that several logs share comes in two chunks, of which the first is what is this log's own. */
export function* wholeBatches({ chunks }: LogRead): Generator<BatchView, void, undefined> {
  let own: Buffer | undefined;
  for (const chunk of chunks) {
    if (own === undefined && chunk.length === BATCH_LENGTH_OVERHEAD) {
      own = chunk;
      continue;
    }
    yield* batchesIn(own === undefined ? chunk : Buffer.concat([own, chunk]));
    own = undefined;
  }
}
