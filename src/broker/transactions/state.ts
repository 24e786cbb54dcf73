import type { EventCodec, StateMachine } from '../event-log.ts';
import { type StreamPartitions, type Transaction, withParticipants } from './transaction.ts';

/** What is durable of the transactions of a coordinator, by transactional id. */
export type TransactionsState = Map<string, Transaction>;

export type TransactionEvent =
  | { readonly type: 'stored'; readonly transaction: Transaction }
  /** The first ones begin the transaction. */
  | {
      readonly type: 'participants-added';
      readonly transactionalId: string;
      readonly partitions: readonly StreamPartitions[];
      readonly groups: readonly string[];
      readonly time: number;
    }
  | { readonly type: 'expired'; readonly transactionalId: string };

export const transactionsMachine: StateMachine<TransactionsState, TransactionEvent> = {
  initial: () => new Map(),
  apply(state, event) {
    switch (event.type) {
      case 'stored':
        state.set(event.transaction.transactionalId, event.transaction);
        return;
      case 'participants-added': {
        const transaction = state.get(event.transactionalId);
        if (transaction === undefined) return;
        state.set(event.transactionalId, withParticipants(transaction, event.partitions, event.groups, event.time));
        return;
      }
      case 'expired':
        state.delete(event.transactionalId);
        return;
    }
  },
  toSnapshot: (state) => Array.from(state.values(), toJson),
  fromSnapshot: (snapshot) =>
    new Map((snapshot as JsonTransaction[]).map((json) => [json.transactionalId, fromJson(json)])),
};

type JsonTransaction = Omit<Transaction, 'partitions' | 'groups'> & {
  readonly partitions: readonly (readonly [streamId: string, partitions: readonly number[]])[];
  readonly groups: readonly string[];
};

function toJson(transaction: Transaction): JsonTransaction {
  return {
    ...transaction,
    partitions: Array.from(transaction.partitions, ([streamId, partitions]) => [streamId, [...partitions]] as const),
    groups: [...transaction.groups],
  };
}

function fromJson(json: JsonTransaction): Transaction {
  return {
    ...json,
    partitions: new Map(json.partitions.map(([streamId, partitions]) => [streamId, new Set(partitions)])),
    groups: new Set(json.groups),
  };
}

type JsonEvent =
  | Exclude<TransactionEvent, { type: 'stored' }>
  | { readonly type: 'stored'; readonly transaction: JsonTransaction };

export const transactionEventCodec: EventCodec<TransactionEvent> = {
  encode: (event) =>
    Buffer.from(JSON.stringify(event.type === 'stored' ? { ...event, transaction: toJson(event.transaction) } : event)),
  decode(bytes) {
    const event = JSON.parse(bytes.toString()) as JsonEvent;
    return event.type === 'stored' ? { ...event, transaction: fromJson(event.transaction) } : event;
  },
};
