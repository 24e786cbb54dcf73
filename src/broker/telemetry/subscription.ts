import { BrokerError } from '../../errors.ts';
import {
  anything,
  type ConfigDefinition,
  type ConfigValues,
  checkConfig,
  definitionsByName,
  int,
} from '../configs/config-definition.ts';
import { TopicPattern } from '../groups/consumer/topic-pattern.ts';

/** A client, as subscriptions to metrics tell clients apart. */
export interface MetricsClient {
  readonly clientId: string;
  readonly softwareName: string;
  readonly softwareVersion: string;
  readonly address: string;
  readonly port: number;
}

const DEFINITIONS: readonly ConfigDefinition[] = [
  {
    name: 'interval.ms',
    type: 'int',
    default: '300000',
    check: int(100, 3_600_000),
    doc: 'How often clients are to say it.',
  },
  {
    name: 'match',
    type: 'list',
    default: '',
    check: (value) => {
      const wrong = parts(value).find((part) => matcher(part) === undefined);
      return wrong === undefined ? undefined : `Illegal client matching pattern: ${wrong}`;
    },
    doc: 'Which clients: selector=regular expression, all of which have to match; empty for every client.',
  },
  {
    name: 'metrics',
    type: 'list',
    default: '',
    check: anything,
    doc: 'What clients are to say: names of metrics, or how they begin; * for everything.',
  },
];

/** What can be set for a subscription to metrics of clients (KIP-714). */
export const SUBSCRIPTION_CONFIG_DEFINITIONS: ReadonlyMap<string, ConfigDefinition> = definitionsByName(DEFINITIONS);

/** Of all expressions on one client. */
const MATCHING_STEPS = 100_000;

type Selector = (instanceId: string, client: MetricsClient) => string;

const SELECTORS: ReadonlyMap<string, Selector> = new Map<string, Selector>([
  ['client_instance_id', (instanceId) => instanceId],
  ['client_id', (_, { clientId }) => clientId],
  ['client_software_name', (_, { softwareName }) => softwareName],
  ['client_software_version', (_, { softwareVersion }) => softwareVersion],
  ['client_source_address', (_, { address }) => address],
  ['client_source_port', (_, { port }) => String(port)],
]);

export interface Subscription {
  readonly metrics: readonly string[];
  readonly intervalMs: number;
  readonly matches: (instanceId: string, client: MetricsClient) => boolean;
}

/** Throws `invalid-configuration`. */
export function checkSubscription(name: string, config: ConfigValues): void {
  if (name === '') throw new BrokerError('invalid-configuration', "Subscription name can't be empty");
  checkConfig('client metrics', SUBSCRIPTION_CONFIG_DEFINITIONS, config);
}

/** What is given must have been checked. */
export function readSubscription(config: ConfigValues): Subscription {
  const text = (name: string) => config[name] ?? SUBSCRIPTION_CONFIG_DEFINITIONS.get(name)?.default ?? '';
  const matchers = parts(text('match')).map(matcher);
  return {
    metrics: parts(text('metrics')),
    intervalMs: Number(text('interval.ms')),
    matches: (instanceId, client) => matchers.every((matches) => matches?.(instanceId, client) ?? false),
  };
}

function matcher(part: string): ((instanceId: string, client: MetricsClient) => boolean) | undefined {
  const [name = '', expression = '', ...rest] = part.split('=');
  const selector = SELECTORS.get(name.trim());
  if (selector === undefined || expression === '' || rest.length > 0) return undefined;
  try {
    const pattern = new TopicPattern(expression.trim());
    return (instanceId, client) => {
      try {
        return pattern.matches(selector(instanceId, client), { steps: MATCHING_STEPS });
      } catch {
        // Too costly for what this client calls itself: it is not meant.
        return false;
      }
    };
  } catch {
    return undefined;
  }
}

function parts(list: string): string[] {
  return list
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
