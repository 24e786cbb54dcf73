import { listConfigResources } from '../codec/apis/list-config-resources.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler, type RequestContext } from '../handler.ts';
import { ResourceType } from './admin/resource-type.ts';

const { TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP } = ResourceType;

/** What has settings, or may have them: of groups and subscriptions, those that something is set for. */
export const listConfigResourcesHandler = handler(
  listConfigResources,
  ({ resourceTypes }, context) => {
    const all = context.version === 0 ? [CLIENT_METRICS] : Object.values(ResourceType);
    const wanted: readonly number[] = resourceTypes.length > 0 ? [...new Set(resourceTypes)] : all;
    const names = wanted.map((type) => namesOf(type, context));
    if (names.includes(undefined)) return { errorCode: KafkaError.UNSUPPORTED_VERSION, configResources: [] };
    return {
      errorCode: KafkaError.NONE,
      configResources: wanted.flatMap((resourceType, i) =>
        Array.from(names[i] ?? [], (resourceName) => ({ resourceName, resourceType })),
      ),
    };
  },
  { answersMuch: true },
);

function namesOf(type: number, { broker }: RequestContext): Iterable<string> | undefined {
  switch (type) {
    case TOPIC:
      return broker.streams.names();
    case BROKER:
    case BROKER_LOGGER:
      return [String(broker.settings.nodeId)];
    case CLIENT_METRICS:
      return broker.clientMetrics.subscriptions.names();
    case GROUP:
      return broker.groupConfigs.names();
    default:
      return undefined;
  }
}
