import type { Partition } from '../../src/broker/streams/partition.ts';
import { batchesIn, decodeMarker, recordsIn, verifyIntegrity } from '../../src/records/index.ts';

/**
 * The values that a consumer of committed records gets from a partition, as Kafka's clients do it: by the aborted transactions that come with
 * what it fetches, and the markers on the way.
 */
export async function readCommittedValues(partition: Partition, maxBytes: number): Promise<string[]> {
  const values: string[] = [];
  const aborting = new Set<number>();
  for (let offset = partition.log.startOffset; offset < partition.lastStableOffset; ) {
    const { read, aborted } = await partition.readCommitted(offset, maxBytes);
    const waiting = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
    const before = offset;
    for (const batch of batchesIn(Buffer.concat(read.chunks))) {
      verifyIntegrity(batch.bytes, 0, batch.size);
      while ((waiting[0]?.firstOffset ?? Number.POSITIVE_INFINITY) <= batch.lastOffset)
        aborting.add(waiting.shift()?.producerId ?? -1);
      offset = batch.lastOffset + 1;
      if (batch.isControl) {
        for (const record of recordsIn(batch.bytes))
          if (decodeMarker(record)?.outcome === 'abort') aborting.delete(batch.producerId);
      } else if (!batch.isTransactional || !aborting.has(batch.producerId)) {
        for (const { value } of recordsIn(batch.bytes)) values.push(`${value}`);
      }
    }
    if (offset === before) throw new Error(`nothing to read at ${offset}, before ${partition.lastStableOffset}`);
  }
  return values;
}
