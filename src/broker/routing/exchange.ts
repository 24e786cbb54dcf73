import { BrokerError } from '../../errors.ts';
import { type Binding, Endpoint, type Named } from './binding.ts';
import { ConsistentHashTable } from './consistent-hash.ts';
import { DirectTable } from './direct.ts';
import { FanoutTable } from './fanout.ts';
import { HeadersTable } from './headers.ts';
import type { RoutingTable } from './routing-table.ts';
import { TopicTable } from './topic.ts';

export type ExchangeType = 'direct' | 'fanout' | 'topic' | 'headers' | 'x-consistent-hash';

export interface ExchangeOptions {
  /** Name of the exchange that gets what no binding matches; it need not exist. */
  readonly alternate?: string | undefined;
  /** What an x-consistent-hash exchange hashes instead of the routing key: a header of this name… */
  readonly hashHeader?: string | undefined;
  /** …or a property: `correlation_id`, `message_id` or `timestamp`. */
  readonly hashProperty?: string | undefined;
}

/** An exchange: its bindings, and the table of its type that finds those which a message matches. */
export class Exchange<Target extends Named> {
  readonly name: string;
  readonly type: ExchangeType;
  readonly table: RoutingTable<Target>;
  /** The exchange as a destination of other exchanges' bindings. */
  readonly endpoint: Endpoint<Target>;
  /** By what makes a binding the same as another, in the order in which they were made. */
  readonly bindings = new Map<string, Binding<Target>>();
  alternate: string | undefined;

  constructor(id: number, name: string, type: ExchangeType, options: ExchangeOptions) {
    this.name = name;
    this.type = type;
    this.table = tableOf(type, options);
    this.endpoint = new Endpoint<Target>(id, { exchange: name }, this);
    this.alternate = options.alternate;
  }
}

/** Throws `precondition-failed`, in RabbitMQ's words, for options that exclude each other or that the type does not know. */
export function checkOptions(type: ExchangeType, options: ExchangeOptions): void {
  if (type === 'x-consistent-hash') ConsistentHashTable.checkOptions(options);
}

function tableOf<Target extends Named>(type: ExchangeType, options: ExchangeOptions): RoutingTable<Target> {
  switch (type) {
    case 'direct':
      return new DirectTable();
    case 'fanout':
      return new FanoutTable();
    case 'topic':
      return new TopicTable();
    case 'headers':
      return new HeadersTable();
    case 'x-consistent-hash':
      return new ConsistentHashTable(options);
    default:
      throw new BrokerError('invalid-argument', `there is no exchange type '${String(type)}'`);
  }
}
