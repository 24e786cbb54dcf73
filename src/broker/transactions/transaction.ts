import { BrokerError } from '../../errors.ts';
import type { TransactionOutcome } from '../../records/index.ts';

/** Kafka's names. What is between `Prepare` and `Complete` has been decided: only the markers are missing. */
export const TRANSACTION_STATES = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
] as const;
export type TransactionState = (typeof TRANSACTION_STATES)[number];

/** What is known of one transactional id. Never changed: a transition makes another one. */
export interface Transaction {
  readonly transactionalId: string;
  readonly producerId: number;
  /** -1 before a producer has it. */
  readonly producerEpoch: number;
  /** Of the producer that asked for this epoch and may ask again, as its answer was lost; -1 when there is none. */
  readonly lastProducerEpoch: number;
  /** The id whose epochs were used up, and the one to go on with when the markers are written; -1 for none. */
  readonly previousProducerId: number;
  readonly nextProducerId: number;
  readonly timeoutMs: number;
  readonly state: TransactionState;
  /** Its producer lets the epoch grow with the end of each transaction (KIP-890). */
  readonly epochPerTransaction: boolean;
  /** Indexes by the stream's id; while it is being ended, those where the marker is missing. */
  readonly partitions: ReadonlyMap<string, ReadonlySet<number>>;
  /** Consumer groups that it commits offsets of. */
  readonly groups: ReadonlySet<string>;
  /** When it began and when it last changed, in milliseconds by the broker's clock; -1 for one that has not begun. */
  readonly startTime: number;
  readonly updateTime: number;
}

export interface StreamPartitions {
  readonly streamId: string;
  readonly partitions: readonly number[];
}

export interface ProducerIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** The largest epoch that a producer is given: there is always one more to fence it with. */
export const LAST_EPOCH = 0x7ffe;

const NO_PARTITIONS: Transaction['partitions'] = new Map();
const NO_GROUPS: Transaction['groups'] = new Set();

export function newTransaction(
  transactionalId: string,
  producerId: number,
  timeoutMs: number,
  now: number,
): Transaction {
  return {
    transactionalId,
    producerId,
    producerEpoch: -1,
    lastProducerEpoch: -1,
    previousProducerId: -1,
    nextProducerId: -1,
    timeoutMs,
    state: 'Empty',
    epochPerTransaction: false,
    partitions: NO_PARTITIONS,
    groups: NO_GROUPS,
    startTime: -1,
    updateTime: now,
  };
}

export function isBeingEnded({ state }: Transaction): boolean {
  return state === 'PrepareCommit' || state === 'PrepareAbort';
}

export function isExhausted({ producerEpoch }: ProducerIdentity): boolean {
  return producerEpoch >= LAST_EPOCH;
}

export function isPartOf({ state, partitions }: Transaction, streamId: string, partition: number): boolean {
  return state === 'Ongoing' && partitions.get(streamId)?.has(partition) === true;
}

/**
 * Throws `unknown-producer-id` or `producer-fenced` for one who is not the producer that has the transactional id now,
 * `concurrent-transactions` while its last transaction is being ended.
 */
export function checkProducer(
  transaction: Transaction | undefined,
  { producerId, producerEpoch }: ProducerIdentity,
): Transaction {
  if (transaction === undefined || transaction.producerId !== producerId) throw unknownProducer(producerId);
  if (transaction.producerEpoch !== producerEpoch) throw fenced(transaction, producerEpoch);
  if (isBeingEnded(transaction)) throw beingEnded(transaction);
  return transaction;
}

/**
 * A producer begins, or begins again: it gets an epoch of its own, by which those before it are fenced. `expected` is what the producer had, when it
 * goes on after an error (KIP-360). `newProducerId` is needed when the epochs are used up.
 */
export function initialized(
  transaction: Transaction,
  timeoutMs: number,
  expected: ProducerIdentity | undefined,
  newProducerId: number,
  now: number,
): Transaction {
  const { producerId, producerEpoch, lastProducerEpoch, transactionalId } = transaction;
  const empty = { ...newTransaction(transactionalId, producerId, timeoutMs, now), previousProducerId: producerId };
  checkExpected(transaction, expected);
  if (expected !== undefined && producerEpoch >= 0 && expected.producerEpoch !== producerEpoch) {
    // It asks again: the answer was lost, and nobody came in between.
    const { previousProducerId } = transaction;
    return { ...empty, producerEpoch, lastProducerEpoch, previousProducerId };
  }
  const last = expected === undefined ? -1 : producerEpoch;
  if (isExhausted(transaction))
    return { ...empty, producerId: newProducerId, producerEpoch: 0, lastProducerEpoch: last };
  return { ...empty, producerEpoch: producerEpoch + 1, lastProducerEpoch: last };
}

/** Throws `producer-fenced` when another one has the transactional id by now than the producer that asks. */
export function checkExpected(transaction: Transaction, expected: ProducerIdentity | undefined): void {
  if (expected === undefined || transaction.producerEpoch < 0) return;
  const { producerId, producerEpoch, previousProducerId, lastProducerEpoch } = transaction;
  const sameId =
    expected.producerId === producerId || (expected.producerId === previousProducerId && isExhausted(expected));
  const sameEpoch = expected.producerEpoch === producerEpoch && expected.producerId === producerId;
  if (!sameId || !(sameEpoch || expected.producerEpoch === lastProducerEpoch))
    throw fenced(transaction, expected.producerEpoch);
}

/** Begins with the first participants, and goes on with the others. */
export function withParticipants(
  transaction: Transaction,
  added: readonly StreamPartitions[],
  groups: readonly string[],
  now: number,
): Transaction {
  const ongoing = transaction.state === 'Ongoing';
  const partitions = new Map(ongoing ? transaction.partitions : NO_PARTITIONS);
  for (const { streamId, partitions: indexes } of added)
    partitions.set(streamId, new Set([...(partitions.get(streamId) ?? []), ...indexes]));
  return {
    ...transaction,
    state: 'Ongoing',
    epochPerTransaction: false,
    partitions,
    groups: new Set([...(ongoing ? transaction.groups : NO_GROUPS), ...groups]),
    startTime: ongoing ? transaction.startTime : now,
    updateTime: now,
  };
}

export interface EndRequest extends ProducerIdentity {
  readonly transactionalId: string;
  readonly outcome: TransactionOutcome;
  /** The producer expects another epoch for its next transaction (KIP-890). */
  readonly epochPerTransaction: boolean;
}

/**
 * Whether a transaction is to be ended, or was ended by this very request before. Throws what `checkProducer` throws, and
 * `invalid-transaction-state` where there is nothing to end, or it ended otherwise.
 */
export function decideEnd(transaction: Transaction | undefined, request: EndRequest): 'end' | 'ended' {
  const { producerId, producerEpoch, outcome, epochPerTransaction } = request;
  if (transaction === undefined) throw unknownProducer(producerId);
  const { state } = transaction;
  const bumped = transaction.epochPerTransaction && transaction.producerEpoch === producerEpoch + 1;
  const rotated =
    transaction.epochPerTransaction &&
    transaction.previousProducerId === producerId &&
    producerEpoch === LAST_EPOCH &&
    transaction.producerEpoch === 0;
  const again = (state !== 'Ongoing' && state !== 'Empty' && bumped) || rotated;
  if (transaction.producerId !== producerId && !rotated) throw unknownProducer(producerId);
  if (transaction.producerEpoch !== producerEpoch && !again) throw fenced(transaction, producerEpoch);
  if (state === 'Ongoing') return 'end';
  if (isBeingEnded(transaction)) {
    if ((state === 'PrepareCommit') === (outcome === 'commit')) throw beingEnded(transaction);
    throw wrongState(transaction, outcome);
  }
  const ended = state === (outcome === 'commit' ? 'CompleteCommit' : 'CompleteAbort');
  if (ended && (again || !transaction.epochPerTransaction) && !(epochPerTransaction && !again)) return 'ended';
  // What its first batches came to it does not know: perhaps the transaction has begun, and perhaps not.
  if (outcome === 'abort' && epochPerTransaction && !again) return 'end';
  throw wrongState(transaction, outcome);
}

/** It is decided how it ends. */
export function prepared(
  transaction: Transaction,
  outcome: TransactionOutcome,
  epochPerTransaction: boolean,
  nextProducerId: number,
  now: number,
): Transaction {
  const { producerEpoch, lastProducerEpoch } = transaction;
  const ongoing = transaction.state === 'Ongoing';
  return {
    ...transaction,
    state: outcome === 'commit' ? 'PrepareCommit' : 'PrepareAbort',
    epochPerTransaction,
    producerEpoch: epochPerTransaction ? producerEpoch + 1 : producerEpoch,
    lastProducerEpoch: epochPerTransaction ? producerEpoch : lastProducerEpoch,
    nextProducerId: epochPerTransaction && isExhausted(transaction) ? nextProducerId : -1,
    partitions: ongoing ? transaction.partitions : NO_PARTITIONS,
    groups: ongoing ? transaction.groups : NO_GROUPS,
    updateTime: now,
  };
}

/** Its producer is to be heard no more: it took too long, or another one has come. The transaction is aborted with a greater epoch. */
export function fencedAbort(transaction: Transaction, now: number): Transaction {
  return {
    ...transaction,
    state: 'PrepareAbort',
    epochPerTransaction: false,
    producerEpoch: transaction.producerEpoch + 1,
    lastProducerEpoch: -1,
    nextProducerId: -1,
    updateTime: now,
  };
}

/** All markers are written. */
export function completed(transaction: Transaction, now: number): Transaction {
  const { nextProducerId, producerId, producerEpoch, state } = transaction;
  const rotates = nextProducerId >= 0;
  return {
    ...transaction,
    state: state === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort',
    producerId: rotates ? nextProducerId : producerId,
    producerEpoch: rotates ? 0 : producerEpoch,
    previousProducerId: rotates ? producerId : transaction.previousProducerId,
    nextProducerId: -1,
    partitions: NO_PARTITIONS,
    groups: NO_GROUPS,
    updateTime: now,
  };
}

function unknownProducer(producerId: number): BrokerError {
  return new BrokerError(
    'unknown-producer-id',
    `producer ${producerId} does not have this transactional id (any more)`,
  );
}

function fenced({ transactionalId, producerEpoch }: Transaction, epoch: number): BrokerError {
  return new BrokerError(
    'producer-fenced',
    `transactional id '${transactionalId}' has epoch ${producerEpoch} by now, not ${epoch}`,
  );
}

function beingEnded({ transactionalId }: Transaction): BrokerError {
  return new BrokerError(
    'concurrent-transactions',
    `the last transaction of '${transactionalId}' is still being ended; try again`,
  );
}

function wrongState({ transactionalId, state }: Transaction, outcome: TransactionOutcome): BrokerError {
  return new BrokerError(
    'invalid-transaction-state',
    `'${transactionalId}' is in state ${state}: nothing to ${outcome}`,
  );
}
