import { BrokerError } from '../../errors.ts';
import { Pattern } from '../security/pattern.ts';
import { isMaxAge } from './queue-arguments.ts';
import type { QueueType } from './queue-entry.ts';
import { QUEUE_TYPES } from './queue-types.ts';

export type PolicyScope = 'queues' | 'classic_queues' | 'quorum_queues' | 'streams' | 'exchanges' | 'all';

export type PolicyValue = string | number | boolean;

/** Settings for all queues or exchanges whose names match. Of several policies that match, one applies. */
export interface Policy {
  readonly name: string;
  /** A regular expression that a name has to contain a match of. */
  readonly pattern: string;
  readonly applyTo: PolicyScope;
  /** The highest applies. */
  readonly priority: number;
  readonly definition: Readonly<Record<string, PolicyValue>>;
}

/** What a policy is asked for. */
export type PolicyTarget =
  | { readonly kind: 'exchange'; readonly name: string }
  | { readonly kind: 'queue'; readonly name: string; readonly type: QueueType };

const SCOPES: readonly string[] = [
  'queues',
  'classic_queues',
  'quorum_queues',
  'streams',
  'exchanges',
  'all',
] satisfies PolicyScope[];

type Check = (value: PolicyValue) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isInteger: Check = (value) => Number.isSafeInteger(value);
const isNatural: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isOneOf =
  (...values: PolicyValue[]): Check =>
  (value) =>
    values.includes(value);

/** Settings that a policy can have, and what RabbitMQ calls a wrong value of each. */
const SETTINGS: Readonly<Record<string, readonly [check: Check, what: string]>> = {
  'alternate-exchange': [isText, 'alternate exchange name'],
  'consumer-timeout': [isNatural, 'consumer timeout'],
  'dead-letter-exchange': [isText, 'dead letter exchange name'],
  'dead-letter-routing-key': [isText, 'dead letter routing key'],
  'dead-letter-strategy': [isOneOf('at-most-once', 'at-least-once'), 'dead letter strategy'],
  'message-ttl': [isNatural, 'message TTL'],
  expires: [(value) => isNatural(value) && value !== 0, 'queue expiry'],
  'max-length': [isNatural, 'maximum length'],
  'max-length-bytes': [isNatural, 'maximum length in bytes'],
  'max-in-memory-length': [isNatural, 'maximum memory in bytes'],
  'max-in-memory-bytes': [isNatural, 'maximum memory in bytes'],
  'queue-mode': [isOneOf('default', 'lazy'), 'queue-mode value'],
  'queue-version': [isOneOf(1, 2), 'queue-version value'],
  overflow: [isOneOf('drop-head', 'reject-publish', 'reject-publish-dlx'), 'overflow value'],
  'delivery-limit': [isInteger, 'delivery limit'],
  'max-age': [(value) => typeof value === 'string' && isMaxAge(value), 'max age'],
  'queue-leader-locator': [
    isOneOf('client-local', 'balanced', 'random', 'least-leaders'),
    'queue leader locator value',
  ],
  'initial-cluster-size': [isNatural, 'cluster size'],
  'target-group-size': [isNatural, 'target group size'],
  'stream-max-segment-size-bytes': [isNatural, 'segment size'],
  'stream-filter-size-bytes': [
    (value) => isNatural(value) && Number(value) >= 16 && Number(value) <= 255,
    'filter size',
  ],
  // Of mirrored queues, which RabbitMQ had before 4.0: they say where copies are, of which there are none here.
  'ha-mode': [isText, 'ha-mode value'],
  'ha-params': [() => true, 'ha-params value'],
  'ha-sync-mode': [isText, 'ha-sync-mode value'],
  'ha-sync-batch-size': [isNatural, 'ha-sync-batch-size value'],
  'ha-promote-on-shutdown': [isText, 'ha-promote-on-shutdown value'],
  'ha-promote-on-failure': [isText, 'ha-promote-on-failure value'],
};

/** Throws `invalid-argument` for a policy that cannot be set. */
export function checkPolicy({ name, pattern, applyTo, priority, definition }: Policy): void {
  if (name === '') refuse('a policy needs a name');
  compile(pattern);
  if (!SCOPES.includes(applyTo))
    refuse(`apply-to '${applyTo}' unrecognised; should be one of: ${SCOPES.map((scope) => `'${scope}'`).join(', ')}`);
  if (!Number.isSafeInteger(priority)) refuse('priority should be a whole number');
  const settings = Object.entries(definition);
  if (settings.length === 0) refuse('no policy provided');
  for (const [setting, value] of settings) {
    const known = Object.hasOwn(SETTINGS, setting) ? SETTINGS[setting] : undefined;
    if (known === undefined) refuse(`'${setting}' is not a recognised policy setting`);
    const [check, what] = known;
    if (!check(value)) refuse(`${JSON.stringify(value)} is not a valid ${what}`);
  }
}

/** The policies of one virtual host, and which of them applies to what. */
export class PolicyBook {
  readonly #byName = new Map<string, Policy>();
  /** Highest priority first. */
  #ranked: { readonly policy: Policy; readonly pattern: Pattern }[] = [];

  get(name: string): Policy | undefined {
    return this.#byName.get(name);
  }

  all(): Iterable<Policy> {
    return this.#byName.values();
  }

  /** The policy is checked. */
  set(policy: Policy): void {
    this.#byName.set(policy.name, policy);
    this.#rank();
  }

  delete(name: string): void {
    this.#byName.delete(name);
    this.#rank();
  }

  /** The one that applies; of two with the same priority, the first by name. */
  match(target: PolicyTarget): Policy | undefined {
    return this.#ranked.find(({ policy, pattern }) => appliesTo(policy, target) && pattern.matches(target.name))
      ?.policy;
  }

  #rank(): void {
    this.#ranked = [...this.#byName.values()]
      .sort((a, b) => b.priority - a.priority || (a.name < b.name ? -1 : 1))
      .map((policy) => ({ policy, pattern: compile(policy.pattern) }));
  }
}

function appliesTo({ applyTo, definition }: Policy, target: PolicyTarget): boolean {
  if (target.kind === 'exchange') return applyTo === 'exchanges' || applyTo === 'all';
  const { policyScope, unsupportedPolicies } = QUEUE_TYPES[target.type];
  if (applyTo !== 'queues' && applyTo !== 'all' && applyTo !== policyScope) return false;
  return !unsupportedPolicies.some((setting) => Object.hasOwn(definition, setting));
}

/** An empty pattern is found in every name. */
function compile(pattern: string): Pattern {
  try {
    return Pattern.compile(pattern === '' ? '^' : pattern);
  } catch (error) {
    throw new BrokerError('invalid-argument', `'${pattern}' is not a regular expression`, { cause: error });
  }
}

function refuse(message: string): never {
  throw new BrokerError('invalid-argument', message);
}
