import { BrokerError } from '../../errors.ts';
import type { FieldTable } from '../messages/field-table.ts';
import type { MessageBytes } from '../messages/message-bytes.ts';
import type { Turn } from '../queues/turn.ts';
import type { Route } from '../routing/route.ts';
import type { Destination } from './destination.ts';
import type { ExchangeDeclaration, ExchangeEntry } from './exchange-entry.ts';
import type { Policy } from './policy.ts';
import type { DeleteQueue, QueueDeclaration, QueueEntry } from './queue-entry.ts';

/** What came of publishing a message. */
export interface PublishOutcome {
  /** It went to a queue at least, or is held back until it is due. */
  readonly routed: boolean;
  /** A queue that is full did not take it. */
  readonly refused: boolean;
}

/** A name space of queues, exchanges, bindings and policies. */
export class VirtualHost {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  queue(_name: string): QueueEntry | undefined {
    throw notBuilt();
  }

  queues(): Iterable<QueueEntry> {
    throw notBuilt();
  }

  exchange(_name: string): ExchangeEntry | undefined {
    throw notBuilt();
  }

  exchanges(): Iterable<ExchangeEntry> {
    throw notBuilt();
  }

  /** The queue for whoever wants to use it: throws `not-found`, or `resource-locked` when it belongs to another connection. */
  checkQueue(_name: string, _owner?: object): QueueEntry {
    throw notBuilt();
  }

  /** Throws `not-found`. */
  checkExchange(_name: string): ExchangeEntry {
    throw notBuilt();
  }

  /**
   * Makes a queue, or sees that the one there is was declared in the same way. Rejects with `precondition-failed`,
   * `resource-locked`, `access-refused` for a reserved name, `limit-exceeded`.
   */
  declareQueue(_declaration: QueueDeclaration): Promise<QueueEntry> {
    throw notBuilt();
  }

  /** Resolves to the number of messages that were ready in it; 0 when there was no such queue. Rejects with `precondition-failed`, `resource-locked`. */
  deleteQueue(_name: string, _how?: DeleteQueue): Promise<number> {
    throw notBuilt();
  }

  /** As for queues; also `invalid-argument` for a type that is not known. */
  declareExchange(_declaration: ExchangeDeclaration): Promise<ExchangeEntry> {
    throw notBuilt();
  }

  /** No error when it is not there. Rejects with `precondition-failed`, `access-refused`. */
  deleteExchange(_name: string, _how?: { readonly ifUnused?: boolean }): Promise<void> {
    throw notBuilt();
  }

  bindQueue(_queue: string, _exchange: string, _key: string, _args: FieldTable, _owner?: object): Promise<void> {
    throw notBuilt();
  }

  unbindQueue(_queue: string, _exchange: string, _key: string, _args: FieldTable, _owner?: object): Promise<void> {
    throw notBuilt();
  }

  bindExchange(_destination: string, _source: string, _key: string, _args: FieldTable): Promise<void> {
    throw notBuilt();
  }

  unbindExchange(_destination: string, _source: string, _key: string, _args: FieldTable): Promise<void> {
    throw notBuilt();
  }

  /** Where a message goes. Throws `not-found` for an exchange that is not there. */
  route(_exchange: string, _message: MessageBytes): Route<Destination> {
    throw notBuilt();
  }

  /**
   * Publishes a message in a turn: routed, held back where the exchange delays, also to the keys of its CC and BCC headers.
   * Throws `not-found` for the exchange, `access-refused` for an internal one, `precondition-failed` for wrong headers,
   * and what `Turn.publish` throws.
   */
  publish(_turn: Turn, _exchange: string, _message: MessageBytes): PublishOutcome {
    throw notBuilt();
  }

  /** Deletes the exclusive queues of a connection that is gone. */
  ownerGone(_owner: object): Promise<void> {
    throw notBuilt();
  }

  policies(): Iterable<Policy> {
    throw notBuilt();
  }

  /** Makes or replaces a policy, and applies it to what there is. Rejects with `invalid-argument`. */
  setPolicy(_policy: Policy): Promise<void> {
    throw notBuilt();
  }

  /** Rejects with `not-found`. */
  deletePolicy(_name: string): Promise<void> {
    throw notBuilt();
  }
}

function notBuilt(): BrokerError {
  return new BrokerError('internal', 'not built yet');
}
