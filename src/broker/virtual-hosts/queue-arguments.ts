import { BrokerError } from '../../errors.ts';
import type { Field, FieldTable } from '../messages/index.ts';
import { erlangType } from '../routing/erlang-text.ts';
import { describe } from './names.ts';
import type { QueueType } from './queue-entry.ts';
import { ALL_QUEUE_ARGUMENTS, isQueueType, QUEUE_TYPES } from './queue-types.ts';

/** Says what is wrong with a value, the way RabbitMQ prints it; undefined when nothing is. */
type Check = (field: Field, args: FieldTable) => string | undefined;

const INTEGER_TYPES: ReadonlySet<string> = new Set(['b', 'B', 's', 'u', 'I', 'i', 'l']);
/** Ten years, in milliseconds. */
const MAX_EXPIRY_MS = 315_360_000_000;
const MAX_PRIORITY = 255;

/** In the order in which RabbitMQ looks at them. */
const CHECKS: readonly (readonly [argument: string, check: Check])[] = [
  ['x-expires', (field) => integer(field, (value) => (value === 0 ? '{value_zero,0}' : expiry(value)))],
  ['x-message-ttl', (field) => integer(field, expiry)],
  ['x-dead-letter-exchange', text],
  [
    'x-dead-letter-routing-key',
    (field, args) => text(field) ?? (args.has('x-dead-letter-exchange') ? undefined : 'routing_key_but_no_dlx_defined'),
  ],
  ['x-dead-letter-strategy', oneOf(['at-most-once', 'at-least-once'], 'invalid_dlx_strategy')],
  ['x-max-length', natural],
  ['x-max-length-bytes', natural],
  ['x-max-in-memory-length', natural],
  ['x-max-in-memory-bytes', natural],
  [
    'x-max-priority',
    (field) =>
      natural(field) ?? (numberOf(field) > MAX_PRIORITY ? `{max_value_exceeded,${numberOf(field)}}` : undefined),
  ],
  ['x-overflow', oneOf(['drop-head', 'reject-publish', 'reject-publish-dlx'], 'invalid_overflow')],
  ['x-queue-mode', (field) => text(field) ?? unsupported(field, ['default', 'lazy'], 'queue mode')],
  ['x-queue-version', (field) => natural(field) ?? unsupported(field, ['1', '2'], 'queue version')],
  ['x-single-active-consumer', (field) => (field.type === 't' ? undefined : unacceptable(field))],
  ['x-quorum-initial-group-size', positive],
  ['x-quorum-target-group-size', positive],
  ['x-max-age', (field) => text(field) ?? (isMaxAge(String(field.value)) ? undefined : 'invalid_max_age')],
  ['x-stream-max-segment-size-bytes', natural],
  ['x-stream-filter-size-bytes', natural],
  ['x-initial-cluster-size', positive],
  [
    'x-queue-leader-locator',
    oneOf(['client-local', 'balanced', 'random', 'least-leaders'], 'invalid_queue_locator_arg'),
  ],
];

/** Throws `precondition-failed`, in RabbitMQ's words, for arguments that a queue of this type cannot have. */
export function checkQueueArguments(queue: string, host: string, args: FieldTable, byDefault: QueueType): void {
  const what = describe('queue', queue, host);
  const deadLetterExchange = args.get('x-dead-letter-exchange');
  if (deadLetterExchange !== undefined && deadLetterExchange.type !== 'S')
    refuse(`invalid type '${erlangType(deadLetterExchange)}' for arg 'x-dead-letter-exchange' in ${what}`);
  const asked = args.get('x-queue-type');
  if (asked !== undefined) {
    const error = text(asked) ?? unsupported(asked, Object.keys(QUEUE_TYPES), 'queue type');
    if (error !== undefined) refuse(`invalid arg 'x-queue-type' for ${what}: ${error}`);
  }
  const named = String(asked?.value);
  const { arguments: known, module } = QUEUE_TYPES[isQueueType(named) ? named : byDefault];
  for (const [argument, check] of CHECKS) {
    const field = known.includes(argument) ? args.get(argument) : undefined;
    const error = field === undefined ? undefined : check(field, args);
    if (error !== undefined) refuse(`invalid arg '${argument}' for ${what}: ${error}`);
  }
  for (const argument of args.keys()) {
    if (ALL_QUEUE_ARGUMENTS.has(argument) && !known.includes(argument))
      refuse(`invalid arg '${argument}' for ${what} of queue type ${module}`);
  }
}

export function numberOf(field: Field): number {
  return Number(field.value);
}

/** `7D`, `12h`: a number of years, months, days, hours, minutes or seconds. */
export function isMaxAge(value: string): boolean {
  return /^0*[1-9][0-9]*[YMDhms]$/.test(value);
}

function integer(field: Field, check: (value: number) => string | undefined): string | undefined {
  return INTEGER_TYPES.has(field.type) ? check(numberOf(field)) : `"expected integer, got ${erlangType(field)}"`;
}

function natural(field: Field): string | undefined {
  return integer(field, (value) => (value < 0 ? `{value_negative,${value}}` : undefined));
}

function positive(field: Field): string | undefined {
  return natural(field) ?? (numberOf(field) === 0 ? '{value_zero,0}' : undefined);
}

function expiry(value: number): string | undefined {
  if (value < 0) return `{value_negative,${value}}`;
  return value > MAX_EXPIRY_MS ? `{value_too_large,${value}}` : undefined;
}

function text(field: Field): string | undefined {
  return field.type === 'S' ? undefined : unacceptable(field);
}

function unacceptable(field: Field): string {
  return `{unacceptable_type,${erlangType(field)}}`;
}

function unsupported(field: Field, values: readonly string[], what: string): string | undefined {
  const value = String(field.value);
  return values.includes(value) ? undefined : `"unsupported ${what} '${value}'"`;
}

function oneOf(values: readonly string[], error: string): Check {
  return (field) => text(field) ?? (values.includes(String(field.value)) ? undefined : error);
}

function refuse(message: string): never {
  throw new BrokerError('precondition-failed', message);
}
