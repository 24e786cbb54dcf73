import { Admin, ConfigResourceTypes, IncrementalAlterConfigOperationTypes } from '@platformatic/kafka';
import { Kafka, type Admin as KafkaJsAdmin, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KafkaClient } from '../../src/client/index.ts';
import { createBroker, type RunningBroker } from '../../src/create-broker.ts';
import { alterConfigs } from '../../src/protocols/kafka/codec/apis/alter-configs.ts';
import { consumerGroupHeartbeat } from '../../src/protocols/kafka/codec/apis/consumer-group-heartbeat.ts';
import { createTopics } from '../../src/protocols/kafka/codec/apis/create-topics.ts';
import { describeConfigs } from '../../src/protocols/kafka/codec/apis/describe-configs.ts';
import { incrementalAlterConfigs } from '../../src/protocols/kafka/codec/apis/incremental-alter-configs.ts';
import { KafkaError } from '../../src/protocols/kafka/codec/error-codes.ts';

// Configurations of topics and of the broker, read and changed.

const { TOPIC, BROKER, BROKER_LOGGER, GROUP } = ConfigResourceTypes;
const { SET, DELETE, APPEND, SUBTRACT } = IncrementalAlterConfigOperationTypes;
const SOURCE = { TOPIC: 1, STATIC: 4, DEFAULT: 5, GROUP: 8 };
const NOT_A_BROKERS = 'Cannot update these configs dynamically: Set(segment.ms)';

let broker: RunningBroker;
let kafkajs: KafkaJsAdmin;
let platformatic: Admin;
let client: KafkaClient;

beforeAll(async () => {
  broker = await createBroker({
    listeners: ['kafka://127.0.0.1:0'],
    settings: { kafka: { numPartitions: 4, topicDefaults: { 'retention.ms': 3_600_000 } } },
  });
  const { host, port } = broker.listeners[0] ?? { host: '', port: 0 };
  kafkajs = new Kafka({ brokers: [`${host}:${port}`], logLevel: logLevel.NOTHING, retry: { retries: 0 } }).admin();
  platformatic = new Admin({ clientId: 'test', bootstrapBrokers: [`${host}:${port}`], retries: 0 });
  client = await KafkaClient.connect({ host, port });
  await kafkajs.connect();
});

afterAll(async () => {
  await Promise.all([kafkajs.disconnect(), platformatic.close(), client.close()]);
  await broker.close();
});

type Configs = Readonly<Record<string, string>>;
const listed = (configs: Configs) => Object.entries(configs).map(([name, value]) => ({ name, value }));

async function topic(name: string, configs: Configs = {}): Promise<string> {
  const topics = [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: listed(configs) }];
  const made = await client.request(createTopics, { topics, timeoutMs: 5_000 });
  expect(made.topics).toMatchObject([{ name, errorCode: KafkaError.NONE }]);
  return name;
}

async function describeResource(
  resourceType: number,
  resourceName: string,
  options: { keys?: readonly string[]; synonyms?: boolean; documentation?: boolean; maxVersion?: number } = {},
) {
  const { keys = null, synonyms = false, documentation = false, maxVersion = describeConfigs.lastStable } = options;
  const body = {
    resources: [{ resourceType, resourceName, configurationKeys: keys }],
    includeSynonyms: synonyms,
    includeDocumentation: documentation,
  };
  const { results } = await client.request(describeConfigs, body, { maxVersion });
  const [result] = results;
  if (result === undefined) throw new Error('no resource was described');
  return { ...result, byName: new Map(result.configs.map((config) => [config.name, config])) };
}

/** What was set for the topic itself. */
async function ownConfigs(name: string): Promise<Configs> {
  const { configs } = await describeResource(TOPIC, name);
  const own = configs.filter(({ configSource }) => configSource === SOURCE.TOPIC);
  return Object.fromEntries(own.map(({ name, value }) => [name, value ?? '']));
}

type Change = readonly [name: string, configOperation: number, value: string | null];

async function change(
  resourceName: string,
  changes: readonly Change[],
  { validateOnly = false, resourceType = TOPIC as number } = {},
) {
  const configs = changes.map(([name, configOperation, value]) => ({ name, configOperation, value }));
  const body = { resources: [{ resourceType, resourceName, configs }], validateOnly };
  const { responses } = await client.request(incrementalAlterConfigs, body);
  expect(responses).toMatchObject([{ resourceType, resourceName }]);
  return responses[0];
}

async function replace(
  resourceName: string,
  configs: readonly { name: string; value: string | null }[],
  { validateOnly = false, resourceType = TOPIC as number } = {},
) {
  const body = { resources: [{ resourceType, resourceName, configs }], validateOnly };
  const { responses } = await client.request(alterConfigs, body);
  return responses[0];
}

describe('DescribeConfigs of a topic', () => {
  test('kafkajs and @platformatic/kafka read the same values', async () => {
    const name = await topic('read', { 'max.message.bytes': '2000' });
    const { resources } = await kafkajs.describeConfigs({ includeSynonyms: false, resources: [{ type: TOPIC, name }] });
    const byKafkajs = resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]);
    const described = await platformatic.describeConfigs({
      resources: [{ resourceType: TOPIC, resourceName: name }],
    });
    const byPlatformatic = described[0]?.configs.map(({ name, value }) => [name, value]);
    expect(byKafkajs).toEqual(expect.arrayContaining([['max.message.bytes', '2000']]));
    expect(byKafkajs?.toSorted()).toEqual(byPlatformatic?.toSorted());
  });

  test('each value says who set it: the topic, the broker or nobody', async () => {
    await topic('sources', { 'max.message.bytes': '2000' });
    const { byName } = await describeResource(TOPIC, 'sources');
    const common = { readOnly: false, isSensitive: false, synonyms: [], documentation: null };
    expect(byName.get('max.message.bytes')).toMatchObject({ ...common, value: '2000', configSource: SOURCE.TOPIC });
    expect(byName.get('retention.ms')).toMatchObject({ ...common, value: '3600000', configSource: SOURCE.STATIC });
    expect(byName.get('cleanup.policy')).toMatchObject({ ...common, value: 'delete', configSource: SOURCE.DEFAULT });
  });

  test('a setting that Kafka 4 has no more is taken, and shown where it is set', async () => {
    const former = 'message.timestamp.difference.max.ms';
    await topic('former', { [former]: '604800000' });
    const { byName } = await describeResource(TOPIC, 'former');
    expect(byName.get(former)).toMatchObject({ value: '604800000', configSource: SOURCE.TOPIC });
    await topic('latter');
    expect((await describeResource(TOPIC, 'latter')).byName.has(former)).toBe(false);
  });

  test('synonyms are all values that there are, first the one that counts', async () => {
    await topic('synonyms', { 'retention.ms': '5' });
    const { byName } = await describeResource(TOPIC, 'synonyms', { synonyms: true });
    expect(byName.get('retention.ms')?.synonyms).toEqual([
      { name: 'retention.ms', value: '5', source: SOURCE.TOPIC },
      { name: 'log.retention.ms', value: '3600000', source: SOURCE.STATIC },
      { name: 'log.retention.hours', value: '168', source: SOURCE.DEFAULT },
    ]);
    // As in Kafka, where only log.roll.hours has a default.
    expect(byName.get('segment.ms')).toMatchObject({ value: '604800000', configSource: SOURCE.DEFAULT, synonyms: [] });
    expect(byName.get('max.message.bytes')?.synonyms).toEqual([
      { name: 'message.max.bytes', value: '1048588', source: SOURCE.DEFAULT },
    ]);
  });

  test('types and, when asked for, documentation come with each value', async () => {
    await topic('types');
    const { byName, configs } = await describeResource(TOPIC, 'types', { documentation: true });
    const types = ['preallocate', 'compression.type', 'segment.bytes', 'retention.ms', 'min.cleanable.dirty.ratio'];
    expect(types.map((name) => byName.get(name)?.configType)).toEqual([1, 2, 3, 5, 6]);
    expect(byName.get('cleanup.policy')?.configType).toBe(7);
    expect(configs.every(({ documentation }) => documentation)).toBe(true);
  });

  test('only the names that are asked for are answered; an empty list asks for all', async () => {
    await topic('chosen');
    const { configs } = await describeResource(TOPIC, 'chosen', { keys: ['segment.ms', 'nonsense'] });
    expect(configs.map(({ name }) => name)).toEqual(['segment.ms']);
    const all = await describeResource(TOPIC, 'chosen', { keys: [] });
    expect(all.configs.length).toBeGreaterThan(20);
  });

  test('version 1, of old clients, is served too', async () => {
    await topic('old');
    const { byName } = await describeResource(TOPIC, 'old', { maxVersion: 1 });
    expect(byName.get('retention.ms')).toMatchObject({ value: '3600000', configSource: SOURCE.STATIC });
  });

  test('a topic that is not there, and a name that no topic can have, are refused apart', async () => {
    await topic('taken.name');
    for (const name of ['nowhere', 'taken_name']) {
      const { errorCode, configs } = await describeResource(TOPIC, name);
      expect([errorCode, configs]).toEqual([KafkaError.UNKNOWN_TOPIC_OR_PARTITION, []]);
    }
    expect(await describeResource(TOPIC, 'no name')).toMatchObject({ errorCode: KafkaError.INVALID_TOPIC_EXCEPTION });
  });
});

describe('DescribeConfigs of a broker', () => {
  test('what has a name in Kafka is there, and says whether it can be changed', async () => {
    const { errorCode, configs, byName } = await describeResource(BROKER, '1', { synonyms: true });
    expect(errorCode).toBe(KafkaError.NONE);
    const value = (name: string) => byName.get(name)?.value;
    expect(value('broker.id')).toBe('1');
    expect(value('auto.create.topics.enable')).toBe('true');
    expect(value('message.max.bytes')).toBe('1048588');
    expect(byName.get('num.partitions')).toMatchObject({
      value: '4',
      configSource: SOURCE.STATIC,
      synonyms: [
        { name: 'num.partitions', value: '4', source: SOURCE.STATIC },
        { name: 'num.partitions', value: '1', source: SOURCE.DEFAULT },
      ],
    });
    expect(byName.get('log.retention.ms')).toMatchObject({ value: '3600000', configSource: SOURCE.STATIC });
    expect(byName.get('num.partitions')?.readOnly).toBe(true);
    expect(byName.get('log.retention.ms')?.readOnly).toBe(false);
    expect(configs.some(({ isSensitive }) => isSensitive)).toBe(false);
  });

  test('kafkajs and @platformatic/kafka read it', async () => {
    const query = { includeSynonyms: false, resources: [{ type: BROKER, name: '1', configNames: ['num.partitions'] }] };
    const { resources } = await kafkajs.describeConfigs(query);
    expect(resources[0]?.configEntries).toMatchObject([{ configName: 'num.partitions', configValue: '4' }]);
    const resource = { resourceType: BROKER, resourceName: '1', configurationKeys: ['num.partitions'] };
    const described = await platformatic.describeConfigs({ resources: [resource] });
    expect(described[0]?.configs).toMatchObject([{ name: 'num.partitions', value: '4' }]);
  });

  test('nothing was set for all brokers of a cluster', async () => {
    expect(await describeResource(BROKER, '')).toMatchObject({ errorCode: KafkaError.NONE, configs: [] });
  });

  test.each([
    [BROKER, '7', 'Unexpected broker id, expected 1 or empty string, but received 7'],
    [BROKER, 'one', 'Broker id must be an integer, but it is: one'],
    [GROUP, '', 'Group name must not be empty'],
    [99, 'what', 'Unsupported resource type: 99'],
  ])("resource %s '%s' is refused", async (type, name, errorMessage) => {
    const described = await describeResource(type, name);
    expect(described).toMatchObject({ errorCode: KafkaError.INVALID_REQUEST, errorMessage, resourceType: type });
  });
});

describe('AlterConfigs', () => {
  test('kafkajs and @platformatic/kafka replace all that was set', async () => {
    const name = await topic('replaced', { 'retention.ms': '1', 'segment.ms': '2' });
    const configEntries = [{ name: 'retention.ms', value: '3' }];
    await kafkajs.alterConfigs({ validateOnly: false, resources: [{ type: TOPIC, name, configEntries }] });
    expect(await ownConfigs(name)).toEqual({ 'retention.ms': '3' });
    const configs = [{ name: 'segment.ms', value: '4' }];
    await platformatic.alterConfigs({ resources: [{ resourceType: TOPIC, resourceName: name, configs }] });
    expect(await ownConfigs(name)).toEqual({ 'segment.ms': '4' });
    expect(await replace(name, [])).toMatchObject({ errorCode: KafkaError.NONE, errorMessage: null });
    expect(await ownConfigs(name)).toEqual({});
  });

  test('validateOnly checks, and changes nothing', async () => {
    const name = await topic('not-replaced', { 'retention.ms': '1' });
    const validateOnly = true;
    expect(await replace(name, [], { validateOnly })).toMatchObject({ errorCode: KafkaError.NONE });
    expect(await replace(name, listed({ foo: '1' }), { validateOnly })).toMatchObject({
      errorCode: KafkaError.INVALID_CONFIG,
      errorMessage: 'Unknown topic config name: foo',
    });
    expect(await ownConfigs(name)).toEqual({ 'retention.ms': '1' });
  });

  test('one wrong value leaves all as it was', async () => {
    const name = await topic('half-wrong', { 'retention.ms': '1' });
    expect(await replace(name, listed({ 'segment.ms': '5', 'retention.ms': 'long' }))).toMatchObject({
      errorCode: KafkaError.INVALID_CONFIG,
      errorMessage: expect.stringMatching(/^Invalid value long for configuration retention\.ms/),
    });
    expect(await ownConfigs(name)).toEqual({ 'retention.ms': '1' });
  });

  test('missing values, topics and types of resources are refused', async () => {
    const name = await topic('refusing');
    expect(await replace(name, [{ name: 'retention.ms', value: null }])).toMatchObject({
      errorCode: KafkaError.INVALID_REQUEST,
      errorMessage: 'Null value not supported for : retention.ms',
    });
    expect(await replace('nowhere', [])).toMatchObject({ errorCode: KafkaError.UNKNOWN_TOPIC_OR_PARTITION });
    expect(await replace('1', [], { resourceType: BROKER_LOGGER })).toMatchObject({
      errorCode: KafkaError.INVALID_REQUEST,
    });
    expect(await replace('x', [], { resourceType: 99 })).toMatchObject({ errorMessage: 'Unknown resource type 99' });
  });
});

describe('IncrementalAlterConfigs', () => {
  test('@platformatic/kafka sets, unsets, appends and subtracts, and leaves the rest alone', async () => {
    const name = await topic('changed', { 'retention.ms': '1', 'segment.ms': '2' });
    const configs = [
      { name: 'max.message.bytes', configOperation: SET, value: '3' },
      { name: 'segment.ms', configOperation: DELETE },
      { name: 'cleanup.policy', configOperation: APPEND, value: 'compact' },
    ];
    await platformatic.incrementalAlterConfigs({ resources: [{ resourceType: TOPIC, resourceName: name, configs }] });
    expect(await ownConfigs(name)).toEqual({
      'retention.ms': '1',
      'max.message.bytes': '3',
      'cleanup.policy': 'delete,compact',
    });
    const subtract = [{ name: 'cleanup.policy', configOperation: SUBTRACT, value: 'delete' }];
    const resources = [{ resourceType: TOPIC, resourceName: name, configs: subtract }];
    await platformatic.incrementalAlterConfigs({ resources });
    expect(await ownConfigs(name)).toMatchObject({ 'cleanup.policy': 'compact' });
  });

  test('appending what is there and subtracting what is not changes nothing', async () => {
    const name = await topic('lists', { 'cleanup.policy': 'compact' });
    expect(await change(name, [['cleanup.policy', APPEND, 'compact']])).toMatchObject({ errorCode: KafkaError.NONE });
    expect(await change(name, [['cleanup.policy', SUBTRACT, 'delete']])).toMatchObject({ errorCode: KafkaError.NONE });
    expect(await ownConfigs(name)).toEqual({ 'cleanup.policy': 'compact' });
  });

  test('validateOnly checks, and changes nothing', async () => {
    const name = await topic('not-changed');
    const validateOnly = true;
    expect(await change(name, [['segment.ms', SET, '5']], { validateOnly })).toMatchObject({ errorCode: 0 });
    expect(await change(name, [['segment.ms', SET, '0']], { validateOnly })).toMatchObject({ errorCode: 40 });
    expect(await ownConfigs(name)).toEqual({});
  });

  test('changes at the same time do not undo one another', async () => {
    const name = await topic('at-once');
    await Promise.all([change(name, [['segment.ms', SET, '5']]), change(name, [['retention.ms', SET, '6']])]);
    expect(await ownConfigs(name)).toEqual({ 'segment.ms': '5', 'retention.ms': '6' });
  });

  beforeAll(() => topic('refusing-changes', { 'retention.ms': '7' }));

  test.each<[string, Change[], number, string]>([
    ['an unknown name', [['foo', SET, '1']], KafkaError.INVALID_CONFIG, 'Unknown topic config name: foo'],
    [
      'a name twice',
      [
        ['segment.ms', SET, '1'],
        ['segment.ms', DELETE, null],
      ],
      KafkaError.INVALID_REQUEST,
      'Error due to duplicate config keys',
    ],
    [
      'no value to set',
      [
        ['segment.ms', SET, null],
        ['retention.ms', DELETE, null],
      ],
      KafkaError.INVALID_REQUEST,
      'Null value not supported for : segment.ms',
    ],
    [
      'appending to a number',
      [['segment.ms', APPEND, '1']],
      KafkaError.INVALID_CONFIG,
      "Can't APPEND to key segment.ms because its type is not LIST.",
    ],
    [
      'subtracting from what is unknown',
      [['foo', SUBTRACT, '1']],
      KafkaError.INVALID_CONFIG,
      "Can't SUBTRACT to key foo because its type is not LIST.",
    ],
    ['an unknown operation', [['segment.ms', 9, '1']], KafkaError.INVALID_REQUEST, 'Unknown operations type 9'],
  ])('%s is refused, and nothing changed', async (_, changes, errorCode, errorMessage) => {
    const name = 'refusing-changes';
    const attempt: Change[] = [['max.message.bytes', SET, '8'], ...changes];
    expect(await change(name, attempt)).toMatchObject({ errorCode, errorMessage });
    expect(await ownConfigs(name)).toEqual({ 'retention.ms': '7' });
  });

  test.each([
    [TOPIC, 'no name', KafkaError.INVALID_TOPIC_EXCEPTION, expect.stringMatching(/^Topic name is invalid/)],
    [TOPIC, '', KafkaError.INVALID_REQUEST, 'Default topic resources are not allowed.'],
    [TOPIC, 'nowhere', KafkaError.UNKNOWN_TOPIC_OR_PARTITION, "The topic 'nowhere' does not exist."],
    [BROKER, '1', KafkaError.INVALID_REQUEST, NOT_A_BROKERS],
    [BROKER, '', KafkaError.INVALID_REQUEST, NOT_A_BROKERS],
    [BROKER, '2', KafkaError.INVALID_REQUEST, 'Unexpected broker id, expected 1, but received 2'],
    [GROUP, '', KafkaError.INVALID_REQUEST, 'Default group resources are not allowed.'],
    [GROUP, 'g', KafkaError.INVALID_CONFIG, 'Unknown group config name: segment.ms'],
    [99, 'what', KafkaError.INVALID_REQUEST, 'Unknown resource type 99'],
  ])("resource %s '%s' cannot be changed", async (resourceType, name, errorCode, errorMessage) => {
    for (const validateOnly of [true, false]) {
      const refused = await change(name, [['segment.ms', SET, '1']], { resourceType, validateOnly });
      expect(refused).toMatchObject({ errorCode, errorMessage });
    }
  });

  test('a resource that comes twice is refused, the others are changed', async () => {
    await Promise.all([topic('twice'), topic('once')]);
    const configs = [{ name: 'segment.ms', configOperation: SET, value: '5' }];
    const resources = ['twice', 'once', 'twice'].map((resourceName) => ({
      resourceType: TOPIC,
      resourceName,
      configs,
    }));
    const { responses } = await client.request(incrementalAlterConfigs, { resources, validateOnly: false });
    const duplicate = [KafkaError.INVALID_REQUEST, 'Each resource must appear at most once.'];
    expect(responses.map(({ errorCode, errorMessage }) => [errorCode, errorMessage])).toEqual([
      duplicate,
      [KafkaError.NONE, null],
      duplicate,
    ]);
    expect(await ownConfigs('once')).toEqual({ 'segment.ms': '5' });
    expect(await ownConfigs('twice')).toEqual({});
  });
});

describe('Settings of groups', () => {
  test('are set and taken back, and say who set them', async () => {
    const set = await change('team', [['consumer.session.timeout.ms', SET, '50000']], { resourceType: GROUP });
    expect(set).toMatchObject({ errorCode: KafkaError.NONE });
    const { byName } = await describeResource(GROUP, 'team', { synonyms: true });
    expect(byName.get('consumer.session.timeout.ms')).toMatchObject({
      value: '50000',
      configSource: SOURCE.GROUP,
      synonyms: [
        { name: 'consumer.session.timeout.ms', value: '50000', source: SOURCE.GROUP },
        { name: 'group.consumer.session.timeout.ms', value: '45000', source: SOURCE.DEFAULT },
      ],
    });
    expect(byName.get('share.auto.offset.reset')).toMatchObject({ value: 'latest', configSource: SOURCE.DEFAULT });
    await change('team', [['consumer.session.timeout.ms', DELETE, null]], { resourceType: GROUP });
    const after = await describeResource(GROUP, 'team');
    expect(after.byName.get('consumer.session.timeout.ms')).toMatchObject({ value: '45000' });
  });

  test('that cannot be are refused', async () => {
    const refused = await change('team', [['share.delivery.count.limit', SET, '99']], { resourceType: GROUP });
    expect(refused).toMatchObject({
      errorCode: KafkaError.INVALID_CONFIG,
      errorMessage: 'share.delivery.count.limit must be less than or equal to 10',
    });
  });

  test('hold for the members of a consumer group at once', async () => {
    const beat = (memberEpoch: number) =>
      client.request(consumerGroupHeartbeat, {
        ...{ groupId: 'beating', memberId: 'm', memberEpoch, rackId: null, serverAssignor: null },
        ...{ rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['anything'], topicPartitions: [] },
      });
    const joined = await beat(0);
    expect(joined).toMatchObject({ errorCode: KafkaError.NONE, heartbeatIntervalMs: 5_000 });
    await change('beating', [['consumer.heartbeat.interval.ms', SET, '7000']], { resourceType: GROUP });
    expect(await beat(joined.memberEpoch)).toMatchObject({ heartbeatIntervalMs: 7_000 });
    await beat(-1);
  });
});
