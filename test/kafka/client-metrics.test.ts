import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { KafkaClient } from '../../src/client/index.ts';
import { createBroker, type RunningBroker } from '../../src/index.ts';
import { getTelemetrySubscriptions } from '../../src/protocols/kafka/codec/apis/get-telemetry-subscriptions.ts';
import { incrementalAlterConfigs } from '../../src/protocols/kafka/codec/apis/incremental-alter-configs.ts';
import { type PushTelemetryRequest, pushTelemetry } from '../../src/protocols/kafka/codec/apis/push-telemetry.ts';
import { KafkaError } from '../../src/protocols/kafka/codec/error-codes.ts';
import { ZERO_UUID } from '../../src/protocols/kafka/codec/uuid.ts';
import { gauge, metricsData } from '../../src/protocols/kafka/telemetry/otlp.contract.ts';
import { compress } from '../../src/records/index.ts';

// Metrics of clients (KIP-714), by what goes over the wire.

const DATA = metricsData(gauge('org.apache.kafka.producer.rate', 3));

let broker: RunningBroker;
let client: KafkaClient;

beforeEach(async () => {
  broker = await createBroker({ listeners: ['kafka://127.0.0.1:0'], clock: 'virtual' });
  client = await KafkaClient.connect({ host: '127.0.0.1', port: broker.listeners[0]?.port ?? 0 });
  onTestFinished(async () => {
    await client.close();
    await broker.close();
  });
  await subscribe({
    metrics: 'org.apache.kafka.producer.',
    'interval.ms': '1000',
    match: 'client_software_name=sluice',
  });
});

async function subscribe(config: Readonly<Record<string, string>>): Promise<void> {
  const configs = Object.entries(config).map(([name, value]) => ({ name, value, configOperation: 0 }));
  const resources = [{ resourceType: 16, resourceName: 'subscription', configs }];
  const { responses } = await client.request(incrementalAlterConfigs, { resources, validateOnly: false });
  expect(responses[0]?.errorCode).toBe(KafkaError.NONE);
}

const ask = (clientInstanceId = ZERO_UUID) => client.request(getTelemetrySubscriptions, { clientInstanceId });

async function push(
  asked: { readonly clientInstanceId: string; readonly subscriptionId: number },
  other: Partial<PushTelemetryRequest> = {},
): Promise<number> {
  const { clientInstanceId, subscriptionId } = asked;
  const { errorCode } = await client.request(pushTelemetry, {
    ...{ clientInstanceId, subscriptionId, terminating: false, compressionType: 0, metrics: DATA },
    ...other,
  });
  return errorCode;
}

test('a client is given an id, and told what it is to say', async () => {
  const asked = await ask();
  expect(asked).toMatchObject({
    errorCode: KafkaError.NONE,
    clientInstanceId: expect.not.stringMatching(ZERO_UUID),
    acceptedCompressionTypes: [4, 3, 1, 2],
    pushIntervalMs: 1_000,
    telemetryMaxBytes: 1_048_576,
    deltaTemporality: true,
    requestedMetrics: ['org.apache.kafka.producer.'],
  });
  expect(await ask(asked.clientInstanceId)).toMatchObject({ errorCode: KafkaError.THROTTLING_QUOTA_EXCEEDED });
  await broker.clock.advance(1_000);
  expect(await ask(asked.clientInstanceId)).toMatchObject({ subscriptionId: asked.subscriptionId });
});

test.each([
  ['none', 0],
  ['gzip', 1],
  ['snappy', 2],
  ['lz4', 3],
  ['zstd', 4],
] as const)('what it says is taken, compressed by %s', async (codec, compressionType) => {
  expect(await push(await ask(), { compressionType, metrics: compress(codec, DATA) })).toBe(KafkaError.NONE);
});

test.each<[what: string, other: Partial<PushTelemetryRequest>, errorCode: number]>([
  ['has no id', { clientInstanceId: ZERO_UUID }, KafkaError.INVALID_REQUEST],
  ['was not told this subscription', { subscriptionId: 1 }, KafkaError.UNKNOWN_SUBSCRIPTION_ID],
  ['compresses in an unknown way', { compressionType: 9 }, KafkaError.UNSUPPORTED_COMPRESSION_TYPE],
  ['says too much at once', { metrics: Buffer.alloc(1_048_577) }, KafkaError.TELEMETRY_TOO_LARGE],
  ['says what is no metrics', { metrics: Buffer.from('nonsense') }, KafkaError.INVALID_RECORD],
  [
    'says what would be too much',
    { compressionType: 1, metrics: compress('gzip', Buffer.alloc(5_000_000)) },
    KafkaError.INVALID_RECORD,
  ],
])('a client that %s is refused', async (_, other, errorCode) => {
  expect(await push(await ask(), other)).toBe(errorCode);
});

test('a client that comes too early is refused, unless it goes', async () => {
  const asked = await ask();
  expect(await push(asked)).toBe(KafkaError.NONE);
  expect(await push(asked)).toBe(KafkaError.THROTTLING_QUOTA_EXCEEDED);
  expect(await push(asked, { terminating: true })).toBe(KafkaError.NONE);
  expect(await push(asked)).toBe(KafkaError.INVALID_REQUEST);
});
