import { KafkaError } from '../../codec/error-codes.ts';
import type { RequestContext } from '../../handler.ts';
import { DONE, type Outcome, Refusal, refused } from './refusal.ts';

/** What can have settings. Kafka's others are loggers (8), client metrics (16) and groups (32). */
export const ResourceType = { TOPIC: 2, BROKER: 4 } as const;

/** A topic's own settings, by name. */
export type OwnConfig = Readonly<Record<string, string>>;
export type ConfigChange = (own: OwnConfig) => OwnConfig;

interface Resource {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly configs: readonly { readonly name: string; readonly value: string | null }[];
}

/** Refuses a broker resource that is not this broker. The empty name, all brokers of a cluster, is for the caller to know. */
export function checkBrokerName(resourceName: string, nodeId: number, expected: string): void {
  if (!/^[+-]?\d+$/.test(resourceName))
    throw new Refusal(KafkaError.INVALID_REQUEST, `Broker id must be an integer, but it is: ${resourceName}`);
  if (Number(resourceName) !== nodeId) {
    throw new Refusal(
      KafkaError.INVALID_REQUEST,
      `Unexpected broker id, expected ${expected}, but received ${resourceName}`,
    );
  }
}

/**
 * What AlterConfigs and IncrementalAlterConfigs have in common: changes each resource on its own, or only says whether it
 * could be changed. `changeOf` says how a topic's settings change; it may throw a `Refusal`, then or when it is applied.
 */
export async function alterResources<R extends Resource>(
  { resources, validateOnly }: { readonly resources: readonly R[]; readonly validateOnly: boolean },
  context: RequestContext,
  changeOf: (resource: R) => ConfigChange,
): Promise<(Outcome & Pick<Resource, 'resourceType' | 'resourceName'>)[]> {
  const times = new Map<string, number>();
  const keyOf = ({ resourceType, resourceName }: Resource) => `${resourceType} ${resourceName}`;
  for (const resource of resources) times.set(keyOf(resource), (times.get(keyOf(resource)) ?? 0) + 1);
  const responses = [];
  for (const resource of resources) {
    const { resourceType, resourceName } = resource;
    let outcome = DONE;
    try {
      if ((times.get(keyOf(resource)) ?? 0) > 1)
        throw new Refusal(KafkaError.INVALID_REQUEST, 'Each resource must appear at most once.');
      checkResource(resource, context);
      const { streams } = context.broker;
      if (validateOnly) streams.checkConfigure(resourceName, changeOf(resource));
      else await streams.configure(resourceName, changeOf(resource));
    } catch (error) {
      outcome = refused(error, context, { 'invalid-argument': KafkaError.INVALID_TOPIC_EXCEPTION });
    }
    responses.push({ ...outcome, resourceType, resourceName });
  }
  return responses;
}

function checkResource({ resourceType, resourceName, configs }: Resource, { broker }: RequestContext): void {
  if (new Set(configs.map(({ name }) => name)).size < configs.length)
    throw new Refusal(KafkaError.INVALID_REQUEST, 'Error due to duplicate config keys');
  switch (resourceType) {
    case ResourceType.TOPIC:
      if (resourceName === '')
        throw new Refusal(KafkaError.INVALID_REQUEST, 'Default topic resources are not allowed.');
      broker.streams.checkName(resourceName);
      if (broker.streams.get(resourceName) === undefined)
        throw new Refusal(KafkaError.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${resourceName}' does not exist.`);
      return;
    case ResourceType.BROKER: {
      const { nodeId } = broker.settings;
      if (resourceName !== '') checkBrokerName(resourceName, nodeId, `${nodeId}`);
      throw new Refusal(
        KafkaError.INVALID_REQUEST,
        'Changing the configuration of a running broker is not supported: change its configuration file and restart it.',
      );
    }
    default:
      throw new Refusal(KafkaError.INVALID_REQUEST, `Unknown resource type ${resourceType}`);
  }
}

/** Refuses values that are missing. */
export function checkNoNulls(configs: Resource['configs']): void {
  const missing = configs.filter(({ value }) => value === null).map(({ name }) => name);
  if (missing.length > 0)
    throw new Refusal(KafkaError.INVALID_REQUEST, `Null value not supported for : ${missing.join(', ')}`);
}
