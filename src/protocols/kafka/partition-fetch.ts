import type { CommittedRead, Partition } from '../../broker/index.ts';
import type { FetchResponse } from './codec/apis/fetch.ts';
import { errorNumber } from './errors.ts';
import type { SessionPartition } from './fetch-session.ts';
import type { RequestContext } from './handler.ts';
import { checkLeaderEpoch } from './leader-epoch.ts';

type PartitionResponse = FetchResponse['responses'][number]['partitions'][number];
type Aborted = CommittedRead['aborted'];

/** What there is to say of a partition that was asked for. */
export interface Found {
  readonly asked: SessionPartition;
  readonly response: PartitionResponse;
  readonly bytes: number;
  /** Undefined when the partition could not be read. */
  readonly partition: Partition | undefined;
  /** All that its reader may see is read. */
  readonly isAtEnd: boolean;
  /** There is something, and it does not fit what was left of the answer. */
  readonly isTooMuch: boolean;
}

export interface FetchBounds {
  /** Bytes that the answer may still take. */
  readonly left: number;
  /** It is the first to give anything: it gives one batch however large that is, so that its reader gets on (KIP-74). */
  readonly isFirst: boolean;
  /** Its reader sees nothing of open transactions, and is told which were aborted. */
  readonly committed: boolean;
}

const NO_RECORDS: readonly Buffer[] = [];
const NO_TRANSACTIONS: Aborted = [];

/** Reads what a partition has for its reader, within bounds. */
export function fetchPartition(
  partition: Partition,
  asked: SessionPartition,
  { left, isFirst, committed }: FetchBounds,
  { logger }: RequestContext,
): Found | Promise<Found> {
  const { log } = partition;
  const { fetchOffset } = asked;
  const wrongEpoch = checkLeaderEpoch(partition, asked.currentLeaderEpoch);
  if (wrongEpoch !== 0) return unread(asked, wrongEpoch);
  if (asked.lastFetchedEpoch >= 0) {
    const end = log.endOfEpoch(asked.lastFetchedEpoch);
    // An epoch without records of its own, as a start without appends leaves, is no divergence: nothing is missing.
    if (end !== undefined && end.endOffset < fetchOffset) {
      const found = answer(partition, asked, committed, NO_RECORDS, 0);
      return { ...found, response: { ...found.response, divergingEpoch: end } };
    }
  }
  const isInside = fetchOffset >= log.startOffset && fetchOffset <= log.nextOffset && !log.deleted;
  if (isInside && fetchOffset >= (committed ? partition.lastStableOffset : log.highWatermark))
    return { ...answer(partition, asked, committed, NO_RECORDS, 0), isAtEnd: true };
  // When the answer is full, what there is to say of the rest is said without records.
  if (isInside && !isFirst && left <= 0) return answer(partition, asked, committed, NO_RECORDS, 0);
  const maxBytes = Math.max(Math.min(left, asked.maxBytes), 0);
  const fitting = ({ read: { chunks, bytes }, aborted }: CommittedRead) =>
    isFirst || bytes <= maxBytes
      ? answer(partition, asked, committed, chunks, bytes, aborted)
      : { ...answer(partition, asked, committed, NO_RECORDS, 0), isTooMuch: bytes > left };
  const fail = (error: unknown) => unread(asked, errorNumber(error, logger), partition);
  try {
    if (committed) {
      const found = partition.readCommitted(fetchOffset, maxBytes);
      return found instanceof Promise ? found.then(fitting, fail) : fitting(found);
    }
    const found = partition.read(fetchOffset, maxBytes);
    const all = (read: CommittedRead['read']) => fitting({ read, aborted: NO_TRANSACTIONS });
    return found instanceof Promise ? found.then(all, fail) : all(found);
  } catch (error) {
    return fail(error);
  }
}

function answer(
  partition: Partition,
  asked: SessionPartition,
  committed: boolean,
  records: readonly Buffer[],
  bytes: number,
  aborted = NO_TRANSACTIONS,
): Found {
  const { log } = partition;
  const response: PartitionResponse = {
    partitionIndex: asked.partition,
    errorCode: 0,
    highWatermark: log.highWatermark,
    lastStableOffset: partition.lastStableOffset,
    logStartOffset: log.startOffset,
    abortedTransactions: committed ? aborted.map(({ producerId, firstOffset }) => ({ producerId, firstOffset })) : null,
    records,
  };
  return { asked, response, bytes, partition, isAtEnd: false, isTooMuch: false };
}

/** A partition that is not read, and why; `partition` when it is there. */
export function unread(asked: SessionPartition, errorCode: number, partition?: Partition): Found {
  const response: PartitionResponse = {
    partitionIndex: asked.partition,
    errorCode,
    highWatermark: partition?.log.highWatermark ?? -1,
    lastStableOffset: partition?.lastStableOffset ?? -1,
    logStartOffset: partition?.log.startOffset ?? -1,
    abortedTransactions: null,
    records: NO_RECORDS,
  };
  return { asked, response, bytes: 0, partition, isAtEnd: false, isTooMuch: false };
}
