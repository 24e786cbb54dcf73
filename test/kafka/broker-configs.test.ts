import { Admin, ConfigResourceTypes, IncrementalAlterConfigOperationTypes } from '@platformatic/kafka';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { KafkaClient } from '../../src/client/index.ts';
import type { LevelledLogger } from '../../src/environment/logger.ts';
import { createBroker, type RunningBroker } from '../../src/index.ts';
import { apiVersions } from '../../src/protocols/kafka/codec/apis/api-versions.ts';
import { createTopics } from '../../src/protocols/kafka/codec/apis/create-topics.ts';
import { describeConfigs } from '../../src/protocols/kafka/codec/apis/describe-configs.ts';
import { incrementalAlterConfigs } from '../../src/protocols/kafka/codec/apis/incremental-alter-configs.ts';
import { KafkaError } from '../../src/protocols/kafka/codec/error-codes.ts';
import { temporaryDirectory, until } from './fixture.ts';
import { RawClient, recordingLogger } from './raw-client.ts';

// Settings of the broker that change while it runs (KIP-226), and the level of its log (KIP-412).

const { TOPIC, BROKER, BROKER_LOGGER } = ConfigResourceTypes;
const { SET, DELETE } = IncrementalAlterConfigOperationTypes;
const SOURCE = { TOPIC: 1, BROKER: 2, CLUSTER: 3, STATIC: 4, DEFAULT: 5, LOGGER: 6 };

let broker: RunningBroker;
let client: KafkaClient;
let directory: string;
let logger: LevelledLogger;

async function start(): Promise<void> {
  broker = await createBroker({
    ...{ listeners: ['kafka://127.0.0.1:0'], storage: 'disk', directory, logger },
    settings: { kafka: { topicDefaults: { 'retention.ms': 3_600_000 } } },
  });
  client = await KafkaClient.connect({ host: '127.0.0.1', port: port() });
}

async function stop(): Promise<void> {
  await client.close();
  await broker.close();
}

const port = () => broker.listeners[0]?.port ?? 0;

beforeEach(async () => {
  directory = await temporaryDirectory();
  logger = { ...recordingLogger(), level: 'info' };
  await start();
  onTestFinished(stop);
});

async function set(
  resourceName: string,
  values: Readonly<Record<string, string | null>>,
  resourceType: number = BROKER,
) {
  const configs = Object.entries(values).map(([name, value]) => ({
    ...{ name, value },
    configOperation: value === null ? DELETE : SET,
  }));
  const body = { resources: [{ resourceType, resourceName, configs }], validateOnly: false };
  const { responses } = await client.request(incrementalAlterConfigs, body);
  return responses[0];
}

async function entry(resourceName: string, name: string, resourceType: number = BROKER) {
  const resources = [{ resourceType, resourceName, configurationKeys: [name] }];
  const body = { resources, includeSynonyms: true, includeDocumentation: false };
  const { results } = await client.request(describeConfigs, body);
  return results[0]?.configs[0];
}

async function makeTopic(name: string): Promise<void> {
  const topics = [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }];
  await client.request(createTopics, { topics, timeoutMs: 5_000 });
}

test("a topic's default: what is set for this broker counts before what is for all, and that before its file", async () => {
  await makeTopic('t');
  const none = { errorCode: KafkaError.NONE };
  expect(await set('', { 'log.retention.ms': '2000' })).toMatchObject(none);
  expect(await entry('t', 'retention.ms', TOPIC)).toMatchObject({ value: '2000', configSource: SOURCE.CLUSTER });
  expect(await set('1', { 'log.retention.ms': '1000' })).toMatchObject(none);
  expect(await entry('t', 'retention.ms', TOPIC)).toMatchObject({
    value: '1000',
    configSource: SOURCE.BROKER,
    synonyms: [
      { name: 'log.retention.ms', value: '1000', source: SOURCE.BROKER },
      { name: 'log.retention.ms', value: '2000', source: SOURCE.CLUSTER },
      { name: 'log.retention.ms', value: '3600000', source: SOURCE.STATIC },
      { name: 'log.retention.hours', value: '168', source: SOURCE.DEFAULT },
    ],
  });
  expect(await entry('', 'log.retention.ms')).toMatchObject({ value: '2000', configSource: SOURCE.CLUSTER });
  expect(await entry('1', 'log.retention.ms')).toMatchObject({ value: '1000', readOnly: false });
});

test('it outlives the broker, until it is taken back', async () => {
  await set('1', { 'message.max.bytes': '5000' });
  await stop();
  await start();
  await makeTopic('t');
  expect(await entry('t', 'max.message.bytes', TOPIC)).toMatchObject({ value: '5000', configSource: SOURCE.BROKER });
  await set('1', { 'message.max.bytes': null });
  expect(await entry('t', 'max.message.bytes', TOPIC)).toMatchObject({
    value: '1048588',
    configSource: SOURCE.DEFAULT,
  });
});

describe('what cannot be changed while the broker runs is refused', () => {
  test.each([
    ['node.id', '7', 'Cannot update these configs dynamically: Set(node.id)'],
    ['num.partitions', '7', 'Cannot update these configs dynamically: Set(num.partitions)'],
    ['what.is.this', '7', 'Cannot update these configs dynamically: Set(what.is.this)'],
    ['log.retention.ms', 'long', 'Invalid value long for configuration log.retention.ms: a whole number is wanted'],
  ])('%s=%s', async (name, value, errorMessage) => {
    expect(await set('1', { [name]: value })).toMatchObject({ errorCode: KafkaError.INVALID_REQUEST, errorMessage });
  });
});

test('what cannot be changed is shown with whom it was set by', async () => {
  const advertised = `PLAINTEXT://127.0.0.1:${port()}`;
  const readOnly = { readOnly: true, isSensitive: false };
  for (const name of ['listeners', 'advertised.listeners'])
    expect(await entry('1', name)).toMatchObject({ ...readOnly, value: advertised, configSource: SOURCE.STATIC });
  expect(await entry('1', 'log.dirs')).toMatchObject({ ...readOnly, value: 'sluice' });
  const byDefault = { ...readOnly, configSource: SOURCE.DEFAULT };
  for (const [name, value] of [
    ['transaction.max.timeout.ms', '900000'],
    ['transactional.id.expiration.ms', '604800000'],
    ['group.max.session.timeout.ms', '1800000'],
    ['offsets.retention.minutes', '10080'],
    ['group.consumer.assignors', 'uniform,range'],
  ] as const)
    expect(await entry('1', name)).toMatchObject({ ...byDefault, value });
});

test('all listeners of Kafka are shown, by what has to be done there and as clients are told of them', async () => {
  const running = await createBroker({
    listeners: [
      'kafka://127.0.0.1:0',
      'amqp://127.0.0.1:0',
      'kafka://[::1]:0',
      { url: 'kafka://127.0.0.1:0', sasl: 'required', advertise: 'own.example:19092' },
    ],
    advertise: ['kafka://broker.example:9092'],
    settings: { kafka: { sasl: 'optional' }, transactions: { maxTimeoutMs: 1_000 } },
  });
  onTestFinished(() => running.close());
  const [first, , third, fourth] = running.listeners.map((listener) => listener.port);
  const other = await KafkaClient.connect({ host: '127.0.0.1', port: first ?? 0 });
  onTestFinished(() => other.close());
  const names = ['listeners', 'advertised.listeners', 'transaction.max.timeout.ms'];
  const { results } = await other.request(describeConfigs, {
    resources: [{ resourceType: BROKER, resourceName: '1', configurationKeys: names }],
    ...{ includeSynonyms: true, includeDocumentation: false },
  });
  expect(results[0]?.configs).toMatchObject([
    {
      name: 'advertised.listeners',
      value: 'PLAINTEXT://broker.example:9092,PLAINTEXT://broker.example:9092,SASL_PLAINTEXT://own.example:19092',
    },
    {
      name: 'listeners',
      value: `PLAINTEXT://127.0.0.1:${first},PLAINTEXT://[::1]:${third},SASL_PLAINTEXT://127.0.0.1:${fourth}`,
    },
    { name: 'transaction.max.timeout.ms', value: '1000', configSource: SOURCE.STATIC },
  ]);
});

test('the number of connections from one address is changed at once', async () => {
  await set('1', { 'max.connections.per.ip': '2' });
  const second = await RawClient.connect(port());
  onTestFinished(() => second.destroy());
  const third = await RawClient.connect(port());
  await third.closed;
  expect(second.isClosed).toBe(false);
  await set('1', { 'max.connections.per.ip.overrides': '127.0.0.1:3' });
  const another = await KafkaClient.connect({ host: '127.0.0.1', port: port() });
  const answer = await another.request(apiVersions, { clientSoftwareName: 'test', clientSoftwareVersion: '1' });
  expect(answer.errorCode).toBe(KafkaError.NONE);
  await another.close();
});

test('a connection that is gone makes room for another', async () => {
  await set('1', { 'max.connections': '2' });
  const second = await RawClient.connect(port());
  second.destroy();
  await until(async () => {
    const next = await KafkaClient.connect({ host: '127.0.0.1', port: port() }).catch(() => undefined);
    await next?.close();
    return next !== undefined;
  });
});

describe('the level of the log', () => {
  test('is read and changed', async () => {
    expect(await entry('1', 'root', BROKER_LOGGER)).toMatchObject({ value: 'INFO', configSource: SOURCE.LOGGER });
    expect(await set('1', { root: 'DEBUG' }, BROKER_LOGGER)).toMatchObject({ errorCode: KafkaError.NONE });
    expect(logger.level).toBe('debug');
    expect(await entry('1', 'root', BROKER_LOGGER)).toMatchObject({ value: 'DEBUG' });
  });

  test('can be that of one part', async () => {
    expect(await set('1', { kafka: 'TRACE' }, BROKER_LOGGER)).toMatchObject({ errorCode: KafkaError.NONE });
    expect(await entry('1', 'kafka', BROKER_LOGGER)).toMatchObject({ value: 'TRACE' });
    expect(await entry('1', 'amqp', BROKER_LOGGER)).toMatchObject({ value: 'INFO' });
    expect(await set('1', { kafka: null }, BROKER_LOGGER)).toMatchObject({ errorCode: KafkaError.NONE });
    expect(await entry('1', 'kafka', BROKER_LOGGER)).toMatchObject({ value: 'INFO' });
  });

  test.each([
    ['root', 'LOUD', KafkaError.INVALID_CONFIG, /^Cannot set the log level of root to LOUD/],
    ['root', null, KafkaError.INVALID_REQUEST, /^Removing the log level of the root logger/],
    ['storage', 'INFO', KafkaError.INVALID_CONFIG, /^Logger storage does not exist!/],
  ])('%s=%s is refused', async (name, value, errorCode, message) => {
    const refused = await set('1', { [name]: value }, BROKER_LOGGER);
    expect(refused).toMatchObject({ errorCode, errorMessage: expect.stringMatching(message) });
    expect(logger.level).toBe('info');
  });

  test('@platformatic/kafka reads it', async () => {
    const admin = new Admin({ clientId: 'test', bootstrapBrokers: [`127.0.0.1:${port()}`], retries: 0 });
    onTestFinished(() => admin.close());
    const described = await admin.describeConfigs({ resources: [{ resourceType: BROKER_LOGGER, resourceName: '1' }] });
    expect(described[0]?.configs.map(({ name, value }) => `${name}=${value}`)).toEqual([
      ...['root=INFO', 'broker=INFO', 'kafka=INFO', 'amqp=INFO', 'http=INFO'],
    ]);
  });
});
