import { KafkaError } from '../../codec/error-codes.ts';
import { Refusal } from './refusal.ts';

/** Kafka's numbers for what can have settings. */
export const ResourceType = { TOPIC: 2, BROKER: 4, BROKER_LOGGER: 8, CLIENT_METRICS: 16, GROUP: 32 } as const;

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
