import { bool, type FieldTable, longString, table } from '../../broker/index.ts';

/** How the broker calls itself. */
export interface ServerIdentity {
  readonly product: string;
  readonly version: string;
  readonly clusterName: string;
}

/** What clients may rely on beyond the specification; RabbitMQ's names. */
const CAPABILITIES = [
  'publisher_confirms',
  'exchange_exchange_bindings',
  'basic.nack',
  'consumer_cancel_notify',
  'connection.blocked',
  'consumer_priorities',
  'authentication_failure_close',
  'per_consumer_qos',
  'direct_reply_to',
];

/** For `connection.start`. */
export function serverProperties({ product, version, clusterName }: ServerIdentity): FieldTable {
  return new Map([
    ['capabilities', table(new Map(CAPABILITIES.map((name) => [name, bool(true)])))],
    ['cluster_name', longString(clusterName)],
    ['platform', longString('Node.js')],
    ['product', longString(product)],
    ['version', longString(version)],
  ]);
}

/** Which of its capabilities a client has. */
export function hasCapability(clientProperties: FieldTable, name: string): boolean {
  const capabilities = clientProperties.get('capabilities');
  const capability = capabilities?.type === 'F' ? capabilities.value.get(name) : undefined;
  return capability?.type === 't' && capability.value;
}
