import { type FieldTable, stringOf } from '../../../broker/index.ts';
import { AmqpError } from '../errors.ts';
import type { ChannelContext } from './context.ts';
import { refuseDefaultExchange, withoutLineBreaks } from './names.ts';

const ALTERNATE_EXCHANGE = 'alternate-exchange';

interface DeclareExchange {
  readonly exchange: string;
  readonly type: string;
  readonly passive: boolean;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly internal: boolean;
  readonly arguments: FieldTable;
}

export async function declareExchange(channel: ChannelContext, args: DeclareExchange): Promise<void> {
  const { virtualHost, permissions } = channel.session;
  const name = withoutLineBreaks(args.exchange);
  refuseDefaultExchange(name);
  if (args.passive) {
    permissions.checkAny('exchange', name);
    virtualHost.checkExchange(name);
    return;
  }
  const isNew = virtualHost.exchange(name) === undefined;
  permissions.checkMaking('exchange', name, isNew ? stringOf(args.arguments.get(ALTERNATE_EXCHANGE)) : undefined);
  const { type, durable, autoDelete, internal } = args;
  await virtualHost.declareExchange({ name, type, durable, autoDelete, internal, arguments: args.arguments });
}

interface DeleteExchange {
  readonly exchange: string;
  readonly ifUnused: boolean;
}

/** Resolves to whether there was one. */
export async function deleteExchange(channel: ChannelContext, args: DeleteExchange): Promise<boolean> {
  const { virtualHost, permissions } = channel.session;
  const name = withoutLineBreaks(args.exchange);
  refuseDefaultExchange(name);
  if (name.startsWith('amq.'))
    throw new AmqpError(
      'ACCESS_REFUSED',
      `deletion of system exchange '${name}' in vhost '${virtualHost.name}' not allowed`,
    );
  permissions.check('configure', 'exchange', name);
  return virtualHost.deleteExchange(name, { ifUnused: args.ifUnused });
}

interface BindExchange {
  readonly destination: string;
  readonly source: string;
  readonly routingKey: string;
  readonly arguments: FieldTable;
}

export function bindExchange(channel: ChannelContext, args: BindExchange): Promise<boolean> {
  const { destination, source } = checkedBinding(channel, args);
  return channel.virtualHost.bindExchange(destination, source, args.routingKey, args.arguments);
}

export function unbindExchange(channel: ChannelContext, args: BindExchange): Promise<boolean> {
  const { destination, source } = checkedBinding(channel, args);
  return channel.virtualHost.unbindExchange(destination, source, args.routingKey, args.arguments);
}

function checkedBinding({ session: { virtualHost, permissions } }: ChannelContext, args: BindExchange) {
  const destination = withoutLineBreaks(args.destination);
  const source = withoutLineBreaks(args.source);
  permissions.check('write', 'exchange', destination);
  refuseDefaultExchange(destination);
  refuseDefaultExchange(source);
  permissions.check('read', 'exchange', source);
  const entry = virtualHost.exchange(source);
  if (entry !== undefined) permissions.checkTopic('read', entry, args.routingKey);
  return { destination, source };
}
