import { encodeMarkerBatch, type TransactionOutcome } from '../../records/index.ts';
import type { Entry, Shard } from '../../storage/index.ts';
import type { AppendedTogether, StagedEvents } from '../event-log.ts';
import type { Partition } from '../streams/partition.ts';
import type { Transaction } from './transaction.ts';

/** What takes part in transactions, as their coordinators see it. */
export interface Participants {
  /** Undefined when it was deleted. */
  partition(streamId: string, index: number): Partition | undefined;
  shardOfGroup(groupId: string): Shard;
  /** The group's own events for the end of a producer's transaction. */
  stageGroups(producerId: number, groupIds: readonly string[], outcome: TransactionOutcome): StagedEvents[];
}

/** What of a transaction is in one shard. */
export interface Share {
  readonly shard: Shard;
  readonly partitions: { readonly streamId: string; readonly partition: Partition }[];
  readonly groups: string[];
}

/** What takes part in a transaction and is still there, by shard. */
export function sharesOf(transaction: Transaction, participants: Participants): Map<Shard, Share> {
  const shares = new Map<Shard, Share>();
  const share = (shard: Shard) => {
    let found = shares.get(shard);
    if (found === undefined) {
      found = { shard, partitions: [], groups: [] };
      shares.set(shard, found);
    }
    return found;
  };
  for (const [streamId, indexes] of transaction.partitions) {
    for (const index of indexes) {
      const partition = participants.partition(streamId, index);
      if (partition !== undefined && !partition.log.deleted && !partition.log.deleting)
        share(partition.shard).partitions.push({ streamId, partition });
    }
  }
  for (const groupId of transaction.groups) share(participants.shardOfGroup(groupId)).groups.push(groupId);
  return shares;
}

/** Targets of one entry: the batch of a marker is written once for all of them. */
const TARGETS = 10_000;

/** The end of a producer's transaction in some partitions of one shard. */
export class Markers {
  readonly entries: readonly Entry[];
  readonly #batch: Buffer;
  readonly #partitions: readonly Partition[];

  constructor(
    partitions: readonly Partition[],
    marker: {
      readonly producerId: number;
      readonly producerEpoch: number;
      readonly outcome: TransactionOutcome;
      readonly coordinatorEpoch: number;
      readonly timestamp: number;
    },
  ) {
    this.#partitions = partitions;
    this.#batch = encodeMarkerBatch(marker);
    const entries: Entry[] = [];
    for (let i = 0; i < partitions.length; i += TARGETS) {
      // Each entry has its bytes stamped.
      const batch = Buffer.from(this.#batch);
      entries.push({ log: partitions.slice(i, i + TARGETS).map(({ log }) => log), batch });
    }
    this.entries = entries;
  }

  /** Appends them by the given call, and lets the partitions know. */
  append(append: (entries: readonly Entry[]) => AppendedTogether): Promise<void> {
    const offsets = this.#partitions.map(({ log }) => log.nextOffset);
    const { settled } = append(this.entries);
    // A shard that is closed takes nothing, and says so.
    for (const [i, partition] of this.#partitions.entries())
      if (partition.log.nextOffset > (offsets[i] ?? 0)) partition.markerAppended(this.#batch, offsets[i] ?? 0);
    return settled;
  }
}
