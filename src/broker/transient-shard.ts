import type { Environment } from '../environment/environment.ts';
import type { BrokerError } from '../errors.ts';
import { MemoryCommitLog } from '../storage/commit-log/memory.ts';
import { Shard } from '../storage/index.ts';
import { MemorySegmentStore } from '../storage/segment-store/memory.ts';

/** A shard in memory, for what does not outlive a restart. */
export function openTransientShard(
  { clock, random }: Environment,
  onTrouble: (error: BrokerError, what: string) => void,
): Promise<Shard> {
  return Shard.open({
    commitLog: new MemoryCommitLog(),
    store: new MemorySegmentStore(),
    clock,
    random,
    settings: { minFreeBytes: 0 },
    onTrouble,
  });
}
