import {
  type DescribeConfigsRequest,
  type DescribeConfigsResponse,
  describeConfigs,
} from '../codec/apis/describe-configs.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler, type RequestContext } from '../handler.ts';
import { brokerConfigs, clusterConfigs } from './admin/broker-configs.ts';
import { loggerConfigs } from './admin/broker-logger.ts';
import type { ConfigEntry } from './admin/config-entry.ts';
import { groupConfigs } from './admin/group-configs.ts';
import { DONE, Refusal, refused, UNKNOWN_TOPIC } from './admin/refusal.ts';
import { checkBrokerName, ResourceType } from './admin/resource-type.ts';
import { subscriptionConfigs } from './admin/subscription-configs.ts';
import { topicConfigs } from './admin/topic-configs.ts';

type Resource = DescribeConfigsRequest['resources'][number];
type Result = DescribeConfigsResponse['results'][number];

/** Each takes some hundred times more in the answer than in the request. */
const MAX_RESOURCES = 10_000;

/** The settings of topics, groups, this broker and its log, with who set them. */
export const describeConfigsHandler = handler(
  describeConfigs,
  (request, context) => ({
    results: request.resources.map((resource, i) =>
      i < MAX_RESOURCES ? describe(resource, request, context) : tooMany(resource),
    ),
  }),
  { answersMuch: true },
);

function describe(
  resource: Resource,
  { includeSynonyms, includeDocumentation }: DescribeConfigsRequest,
  context: RequestContext,
): Result {
  const { resourceType, resourceName, configurationKeys } = resource;
  try {
    const wanted =
      configurationKeys === null || configurationKeys.length === 0 ? undefined : new Set(configurationKeys);
    const configs = entries(resource, context)
      .filter(({ name }) => wanted === undefined || wanted.has(name))
      .map((entry) => ({
        ...entry,
        synonyms: includeSynonyms ? entry.synonyms : [],
        documentation: includeDocumentation ? entry.documentation : null,
      }));
    return { ...DONE, resourceType, resourceName, configs };
  } catch (error) {
    const outcome = refused(error, context, { 'invalid-argument': KafkaError.INVALID_TOPIC_EXCEPTION });
    return { ...outcome, resourceType, resourceName, configs: [] };
  }
}

function tooMany({ resourceType, resourceName }: Resource): Result {
  const errorMessage = `${MAX_RESOURCES} resources are described at a time`;
  return { errorCode: KafkaError.INVALID_REQUEST, errorMessage, resourceType, resourceName, configs: [] };
}

function entries({ resourceType, resourceName }: Resource, context: RequestContext): ConfigEntry[] {
  const { broker } = context;
  const { streams, settings } = broker;
  switch (resourceType) {
    case ResourceType.TOPIC: {
      streams.checkName(resourceName);
      const stream = streams.get(resourceName);
      if (stream === undefined) throw new Refusal(UNKNOWN_TOPIC.errorCode, UNKNOWN_TOPIC.errorMessage ?? '');
      return topicConfigs(stream.ownConfig, broker.configs);
    }
    case ResourceType.BROKER:
      if (resourceName === '') return clusterConfigs(broker);
      checkBrokerName(resourceName, settings.nodeId, `${settings.nodeId} or empty string`);
      return brokerConfigs(context);
    case ResourceType.BROKER_LOGGER:
      checkBrokerName(resourceName, settings.nodeId, `${settings.nodeId}`);
      return loggerConfigs(broker.logs);
    case ResourceType.GROUP:
      if (resourceName === '') throw new Refusal(KafkaError.INVALID_REQUEST, 'Group name must not be empty');
      return groupConfigs(broker.groupConfigs.own(resourceName), broker.groupConfigs.defaults);
    case ResourceType.CLIENT_METRICS:
      if (resourceName === '')
        throw new Refusal(KafkaError.INVALID_REQUEST, 'Client metrics subscription name must not be empty');
      return subscriptionConfigs(broker.clientMetrics.subscriptions.of(resourceName));
    default:
      throw new Refusal(KafkaError.INVALID_REQUEST, `Unsupported resource type: ${resourceType}`);
  }
}
