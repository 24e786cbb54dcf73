import { BrokerError } from '../../errors.ts';
import type { FieldTable } from '../messages/index.ts';
import { erlangType } from '../routing/erlang-text.ts';
import type { ExchangeOptions, ExchangeType } from '../routing/exchange.ts';
import type { ExchangeDeclaration } from './exchange-entry.ts';
import { describe } from './names.ts';

/** The type that holds messages back, as RabbitMQ's plugin for it names it. It routes as another type. */
export const DELAYED = 'x-delayed-message';

const TYPES: readonly string[] = ['direct', 'fanout', 'topic', 'headers', 'x-consistent-hash'] satisfies ExchangeType[];

/** Exchanges that every virtual host has. The default exchange, which has no name, is not among them. */
export const PREDECLARED_EXCHANGES: readonly ExchangeDeclaration[] = [
  predeclared('amq.direct', 'direct'),
  predeclared('amq.fanout', 'fanout'),
  predeclared('amq.topic', 'topic'),
  predeclared('amq.headers', 'headers'),
  predeclared('amq.match', 'headers'),
  predeclared('amq.rabbitmq.trace', 'topic', true),
];

/** How an exchange routes. Throws `precondition-failed` for a type that there is not. */
export function routingType({ type, arguments: args }: Pick<ExchangeDeclaration, 'type' | 'arguments'>): ExchangeType {
  if (type !== DELAYED) {
    if (!isRoutingType(type)) throw new BrokerError('precondition-failed', `unknown exchange type '${type}'`);
    return type;
  }
  const delayed = args.get('x-delayed-type');
  const routesAs = String(delayed?.value);
  if (delayed?.type !== 'S' || !isRoutingType(routesAs))
    throw new BrokerError(
      'precondition-failed',
      "Invalid argument, 'x-delayed-type' must be an existing exchange type",
    );
  return routesAs;
}

/** What the router wants to know besides. */
export function routingOptions(args: FieldTable): ExchangeOptions {
  return { hashHeader: textOf(args, 'hash-header'), hashProperty: textOf(args, 'hash-property') };
}

/** Throws `precondition-failed`, in RabbitMQ's words. */
export function checkExchangeArguments(name: string, host: string, args: FieldTable): void {
  const alternate = args.get('alternate-exchange');
  if (alternate !== undefined && alternate.type !== 'S')
    throw new BrokerError(
      'precondition-failed',
      `invalid type '${erlangType(alternate)}' for arg 'alternate-exchange' in ${describe('exchange', name, host)}`,
    );
}

/** Arguments that have to be the same when the exchange is declared again. */
export function comparedArguments(type: string): readonly string[] {
  return type === DELAYED ? ['alternate-exchange', 'x-delayed-type'] : ['alternate-exchange'];
}

function isRoutingType(type: string): type is ExchangeType {
  return TYPES.includes(type);
}

function textOf(args: FieldTable, name: string): string | undefined {
  const field = args.get(name);
  return field === undefined ? undefined : String(field.value);
}

function predeclared(name: string, type: ExchangeType, internal = false): ExchangeDeclaration {
  return { name, type, durable: true, autoDelete: false, internal, arguments: new Map() };
}
