import type { FieldTable } from '../messages/index.ts';
import type { QueueSettings } from '../queues/settings.ts';
import type { StreamQueueSettings } from '../streams/stream-of-queue.ts';
import type { Policy, PolicyValue } from './policy.ts';
import type { QueueType } from './queue-entry.ts';

/** A message that was delivered and came back so often from a quorum queue leaves it, unless the queue says otherwise; as in RabbitMQ 4. */
export const DEFAULT_DELIVERY_LIMIT = 20;

/** What is asked for by an argument and by a policy. */
interface Asked {
  readonly argument: PolicyValue | undefined;
  readonly policy: PolicyValue | undefined;
}

/** What a queue is to do, by the arguments that it was declared with (checked) and the policy that applies. */
export function queueSettings(type: QueueType, args: FieldTable, policy: Policy | undefined): QueueSettings {
  const asked = askedFor(args, policy);
  return {
    messageTtlMs: least(asked('message-ttl')),
    expiresMs: least(asked('expires')),
    maxLength: least(asked('max-length')),
    maxLengthBytes: least(asked('max-length-bytes')),
    overflow: overflowOf(asked('overflow')),
    deadLetterExchange: textOf(asked('dead-letter-exchange')),
    deadLetterRoutingKey: textOf(asked('dead-letter-routing-key')),
    maxPriority: Number(argumentValue(args, 'x-max-priority') ?? 0),
    singleActiveConsumer: argumentValue(args, 'x-single-active-consumer') === true,
    deliveryLimit: type === 'quorum' ? deliveryLimit(asked('delivery-limit')) : undefined,
  };
}

/** The same for a stream. */
export function streamSettings(args: FieldTable, policy: Policy | undefined): StreamQueueSettings {
  const asked = askedFor(args, policy);
  return {
    maxAge: textOf(asked('max-age')),
    maxLengthBytes: least(asked('max-length-bytes')),
    maxSegmentBytes: least(asked('stream-max-segment-size-bytes')),
  };
}

/** The alternate exchange of an exchange. */
export function alternateExchange(args: FieldTable, policy: Policy | undefined): string | undefined {
  return textOf({
    argument: argumentValue(args, 'alternate-exchange'),
    policy: policy?.definition['alternate-exchange'],
  });
}

function askedFor(args: FieldTable, policy: Policy | undefined): (name: string) => Asked {
  return (name) => ({ argument: argumentValue(args, `x-${name}`), policy: policy?.definition[name] });
}

function argumentValue(args: FieldTable, name: string): PolicyValue | undefined {
  const field = args.get(name);
  if (field === undefined) return undefined;
  if (field.type === 't') return field.value === true;
  return field.type === 'S' ? String(field.value) : Number(field.value);
}

/** Of two limits the narrower one counts. */
function least({ argument, policy }: Asked): number | undefined {
  if (argument === undefined && policy === undefined) return undefined;
  return Math.min(Number(argument ?? Number.POSITIVE_INFINITY), Number(policy ?? Number.POSITIVE_INFINITY));
}

/** The argument counts, not the policy. */
function textOf({ argument, policy }: Asked): string | undefined {
  const value = argument ?? policy;
  return value === undefined ? undefined : String(value);
}

function overflowOf(asked: Asked): QueueSettings['overflow'] {
  const value = textOf(asked);
  return value === 'reject-publish' || value === 'reject-publish-dlx' ? value : 'drop-head';
}

/** A negative limit is none; where only one of the two is none, the other counts. */
function deliveryLimit({ argument, policy }: Asked): number | undefined {
  const limits = [argument, policy].filter((limit) => limit !== undefined).map(Number);
  if (limits.length === 0) return DEFAULT_DELIVERY_LIMIT;
  const real = limits.filter((limit) => limit >= 0);
  return real.length === 0 ? undefined : Math.min(...real);
}
