import {
  BROKER_CONFIG_DEFINITIONS,
  type ConfigChange,
  type ConfigType,
  type ConfigValues,
  configValue,
  GROUP_CONFIG_DEFINITIONS,
  groupConfigValue,
  STREAM_CONFIG_DEFINITIONS,
  SUBSCRIPTION_CONFIG_DEFINITIONS,
} from '../../../../broker/index.ts';
import type { ErrorCode } from '../../../../errors.ts';
import { KafkaError } from '../../codec/error-codes.ts';
import type { RequestContext } from '../../handler.ts';
import { loggerTarget } from './broker-logger.ts';
import { Refusal } from './refusal.ts';
import { checkBrokerName, ResourceType } from './resource-type.ts';

/** Something whose settings can be changed. */
export interface ConfigTarget {
  /** Undefined for a setting that it does not have. */
  typeOf(name: string): ConfigType | undefined;
  /** The value that counts of what is set, and the defaults. */
  value(name: string, own: ConfigValues): string;
  /** Throws, or rejects, when the change cannot be made. */
  check(change: ConfigChange): void;
  configure(change: ConfigChange): Promise<void>;
  /** What the broker's codes mean here, where that differs. */
  readonly errorNumbers?: Partial<Record<ErrorCode, number>>;
}

interface Resource {
  readonly resourceType: number;
  readonly resourceName: string;
}

/** What a request's resource is here; throws a `Refusal` for one that has no settings to be changed. */
export function configTarget(resource: Resource, context: RequestContext): ConfigTarget {
  switch (resource.resourceType) {
    case ResourceType.TOPIC:
      return topicTarget(resource, context);
    case ResourceType.GROUP:
      return groupTarget(resource, context);
    case ResourceType.BROKER:
      return brokerTarget(resource, context);
    case ResourceType.BROKER_LOGGER:
      checkBrokerName(resource.resourceName, context.broker.settings.nodeId, `${context.broker.settings.nodeId}`);
      return loggerTarget(context.broker.logs);
    case ResourceType.CLIENT_METRICS:
      return clientMetricsTarget(resource, context);
    default:
      throw new Refusal(KafkaError.INVALID_REQUEST, `Unknown resource type ${resource.resourceType}`);
  }
}

function topicTarget({ resourceName: topic }: Resource, { broker: { streams } }: RequestContext): ConfigTarget {
  if (topic === '') throw new Refusal(KafkaError.INVALID_REQUEST, 'Default topic resources are not allowed.');
  streams.checkName(topic);
  if (streams.get(topic) === undefined)
    throw new Refusal(KafkaError.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${topic}' does not exist.`);
  return {
    typeOf: (name) => STREAM_CONFIG_DEFINITIONS.get(name)?.type,
    value: (name, own) => configValue(name, own, streams.defaults),
    check: (change) => streams.checkConfigure(topic, change),
    configure: (change) => streams.configure(topic, change),
    errorNumbers: { 'invalid-argument': KafkaError.INVALID_TOPIC_EXCEPTION },
  };
}

function groupTarget({ resourceName: groupId }: Resource, { broker: { groupConfigs } }: RequestContext): ConfigTarget {
  if (groupId === '') throw new Refusal(KafkaError.INVALID_REQUEST, 'Default group resources are not allowed.');
  return {
    typeOf: (name) => GROUP_CONFIG_DEFINITIONS.get(name)?.type,
    value: (name, own) => groupConfigValue(name, own, groupConfigs.defaults),
    check: (change) => groupConfigs.check(groupId, change),
    configure: (change) => groupConfigs.configure(groupId, change),
  };
}

function brokerTarget({ resourceName }: Resource, { broker: { configs, settings } }: RequestContext): ConfigTarget {
  if (resourceName !== '') checkBrokerName(resourceName, settings.nodeId, `${settings.nodeId}`);
  const scope = resourceName === '' ? 'cluster' : 'broker';
  return {
    typeOf: (name) => BROKER_CONFIG_DEFINITIONS.get(name)?.type,
    value: (name, own) => own[name] ?? configs.value(name),
    check: (change) => configs.check(scope, change),
    configure: (change) => configs.configure(scope, change),
    errorNumbers: { 'invalid-configuration': KafkaError.INVALID_REQUEST },
  };
}

function clientMetricsTarget({ resourceName: name }: Resource, { broker }: RequestContext): ConfigTarget {
  if (name === '') throw new Refusal(KafkaError.INVALID_REQUEST, "Subscription name can't be empty");
  const { subscriptions } = broker.clientMetrics;
  return {
    typeOf: (config) => SUBSCRIPTION_CONFIG_DEFINITIONS.get(config)?.type,
    value: (config, own) => own[config] ?? SUBSCRIPTION_CONFIG_DEFINITIONS.get(config)?.default ?? '',
    check: (change) => subscriptions.check(name, change),
    configure: (change) => subscriptions.configure(name, change),
  };
}
