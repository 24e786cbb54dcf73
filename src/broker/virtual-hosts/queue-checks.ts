import { BrokerError } from '../../errors.ts';
import { checkSame, checkSameArguments } from './equivalence.ts';
import { checkNewName, describe } from './names.ts';
import { checkQueueArguments } from './queue-arguments.ts';
import type { QueueDeclaration, QueueEntry, QueueType } from './queue-entry.ts';
import { QUEUE_TYPES, queueTypeOf } from './queue-types.ts';

/*
 * What RabbitMQ refuses when a queue is declared, in its words and its order.
 */

/** A queue that is not there yet; answers what kind it is to be. Throws `precondition-failed`, `access-refused`. */
export function checkNewQueue(
  name: string,
  host: string,
  declaration: QueueDeclaration,
  byDefault: QueueType,
): QueueType {
  if (declaration.name !== '') checkNewName('queue', name);
  checkQueueArguments(name, host, declaration.arguments, byDefault);
  const type = queueTypeOf(declaration, byDefault);
  const { autoDelete, exclusive, durable } = declaration;
  const wrong = [autoDelete && 'auto-delete', exclusive && 'exclusive-owner', !durable && 'non-durable'].find(Boolean);
  if (wrong !== undefined && !QUEUE_TYPES[type].temporary)
    throw new BrokerError('precondition-failed', `invalid property '${wrong}' for ${describe('queue', name, host)}`);
  return type;
}

/** One that is there: it has to be declared as it was. Throws `precondition-failed`, `resource-locked`. */
export function checkQueueAgain(entry: QueueEntry, host: string, declaration: QueueDeclaration): void {
  const { durable, exclusive, autoDelete, owner, arguments: args } = declaration;
  const what = describe('queue', entry.name, host);
  if (entry.owner !== (exclusive ? owner : undefined)) throw locked(what);
  checkSame(what, 'durable', entry.durable, durable && !exclusive);
  checkSame(what, 'auto_delete', entry.autoDelete, autoDelete);
  checkSameArguments(what, QUEUE_TYPES[entry.type].arguments, entry.arguments, args);
}

/** One without a name gets one from the broker. Throws `precondition-failed` where it cannot. */
export function checkUnnamedQueue({ arguments: args }: QueueDeclaration, byDefault: QueueType): void {
  const asked = String(args.get('x-queue-type')?.value ?? byDefault);
  if (asked !== 'quorum' && asked !== 'stream') return;
  const { module } = QUEUE_TYPES[asked];
  throw new BrokerError('precondition-failed', `Cannot declare a server-named queue for type ${module}`);
}

/** Throws `resource-locked` when another connection has the queue for itself. */
export function checkAccess(entry: QueueEntry, host: string, owner: object | undefined): void {
  if (entry.owner !== undefined && entry.owner !== owner) throw locked(describe('queue', entry.name, host));
}

function locked(what: string): BrokerError {
  return new BrokerError(
    'resource-locked',
    `cannot obtain exclusive access to locked ${what}. It could be originally declared on another connection or the ` +
      'exclusive property value does not match that of the original declaration.',
  );
}
