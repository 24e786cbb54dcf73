import { Admin } from '@platformatic/kafka';
import { Kafka, type Admin as KafkaJsAdmin, logLevel, type Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KafkaClient } from '../../src/client/index.ts';
import { createBroker, type RunningBroker } from '../../src/create-broker.ts';
import { createPartitions } from '../../src/protocols/kafka/codec/apis/create-partitions.ts';
import { createTopics } from '../../src/protocols/kafka/codec/apis/create-topics.ts';
import { deleteRecords } from '../../src/protocols/kafka/codec/apis/delete-records.ts';
import { deleteTopics } from '../../src/protocols/kafka/codec/apis/delete-topics.ts';
import { KafkaError } from '../../src/protocols/kafka/codec/error-codes.ts';
import { ZERO_UUID } from '../../src/protocols/kafka/codec/uuid.ts';

// Topics: what is made, grown, emptied and deleted. Two clients that others wrote, and for what they do not offer, our own.

let broker: RunningBroker;
let kafkajs: KafkaJsAdmin;
let producer: Producer;
let platformatic: Admin;
let client: KafkaClient;

beforeAll(async () => {
  broker = await createBroker({
    listeners: ['kafka://127.0.0.1:0'],
    settings: { kafka: { numPartitions: 4, topicDefaults: { 'retention.ms': 3_600_000 } } },
  });
  const { host, port } = broker.listeners[0] ?? { host: '', port: 0 };
  const kafka = new Kafka({ brokers: [`${host}:${port}`], logLevel: logLevel.NOTHING, retry: { retries: 0 } });
  kafkajs = kafka.admin();
  producer = kafka.producer();
  platformatic = new Admin({ clientId: 'test', bootstrapBrokers: [`${host}:${port}`], retries: 0 });
  client = await KafkaClient.connect({ host, port });
  await Promise.all([kafkajs.connect(), producer.connect()]);
});

afterAll(async () => {
  await Promise.all([kafkajs.disconnect(), producer.disconnect(), platformatic.close(), client.close()]);
  await broker.close();
});

interface NewTopic {
  readonly name: string;
  readonly numPartitions?: number;
  readonly replicationFactor?: number;
  readonly assignments?: readonly { readonly partitionIndex: number; readonly brokerIds: readonly number[] }[];
  readonly configs?: readonly { readonly name: string; readonly value: string | null }[];
}

function create(topics: readonly NewTopic[], options: { validateOnly?: boolean; maxVersion?: number } = {}) {
  const { validateOnly = false, maxVersion = createTopics.lastStable } = options;
  const complete = { numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] };
  const body = { topics: topics.map((topic) => ({ ...complete, ...topic })), timeoutMs: 5_000, validateOnly };
  return client.request(createTopics, body, { maxVersion }).then(({ topics }) => topics);
}

function createOne(topic: NewTopic) {
  return create([topic]).then(([result]) => result);
}

function grow(
  name: string,
  count: number,
  {
    validateOnly = false,
    assignments = null,
  }: { validateOnly?: boolean; assignments?: { brokerIds: number[] }[] | null } = {},
) {
  const body = { topics: [{ name, count, assignments }], timeoutMs: 5_000, validateOnly };
  return client.request(createPartitions, body).then(({ results }) => results[0]);
}

async function partitionsOf(topic: string): Promise<number> {
  const { topics } = await kafkajs.fetchTopicMetadata({ topics: [topic] });
  return topics[0]?.partitions.length ?? 0;
}

/** The names of Kafka's errors in whatever a client threw. */
function errorNames(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const { type, apiId, errors = [], cause } = error as Error & { type?: string; apiId?: string; errors?: unknown[] };
  return [type, apiId, ...[...errors, cause].flatMap(errorNames)].filter((name) => name !== undefined);
}

async function refusal(action: Promise<unknown>): Promise<string[]> {
  return action.then(() => [], errorNames);
}

describe('CreateTopics', () => {
  test('kafkajs makes topics, and is told of one that exists', async () => {
    const topics = [{ topic: 'made.kafkajs', numPartitions: 3 }];
    expect(await kafkajs.createTopics({ topics })).toBe(true);
    expect(await partitionsOf('made.kafkajs')).toBe(3);
    expect(await kafkajs.createTopics({ topics })).toBe(false);
  });

  test('@platformatic/kafka is answered id, partitions, replicas and all configurations', async () => {
    const configs = [{ name: 'retention.ms', value: '1000' }];
    const [made] = await platformatic.createTopics({
      topics: ['made-platformatic'],
      partitions: 2,
      replicas: 1,
      configs,
    });
    expect(made).toMatchObject({ name: 'made-platformatic', partitions: 2, replicas: 1 });
    expect(made?.id).not.toBe(ZERO_UUID);
    expect(made?.configuration).toMatchObject({ 'retention.ms': '1000', 'cleanup.policy': 'delete' });
    const again = platformatic.createTopics({ topics: ['made-platformatic'] });
    expect(await refusal(again)).toContain('TOPIC_ALREADY_EXISTS');
  });

  test("-1 partitions are the broker's default, and any replication factor is taken but one replica reported", async () => {
    expect(await createOne({ name: 'defaults', replicationFactor: 3 })).toMatchObject({
      errorCode: KafkaError.NONE,
      errorMessage: null,
      numPartitions: 4,
      replicationFactor: 1,
    });
    expect(await partitionsOf('defaults')).toBe(4);
  });

  test('its configurations come by name, with who set them', async () => {
    const made = await createOne({ name: 'sources', configs: [{ name: 'max.message.bytes', value: '2000' }] });
    const names = made?.configs?.map(({ name }) => name) ?? [];
    expect(names).toEqual(names.toSorted());
    const sources = new Map(made?.configs?.map(({ name, value, configSource }) => [name, [value, configSource]]));
    expect(sources.get('max.message.bytes')).toEqual(['2000', 1]);
    expect(sources.get('retention.ms')).toEqual(['3600000', 4]);
    expect(sources.get('cleanup.policy')).toEqual(['delete', 5]);
  });

  test('version 2, of old clients, is served too', async () => {
    const [made] = await create([{ name: 'old', numPartitions: 1, replicationFactor: 1 }], { maxVersion: 2 });
    expect(made).toMatchObject({ name: 'old', errorCode: KafkaError.NONE });
  });

  test('validateOnly says what would be, and makes nothing', async () => {
    const [valid, invalid] = await create([{ name: 'only-valid', numPartitions: 2 }, { name: 'only valid' }], {
      validateOnly: true,
    });
    expect(valid).toMatchObject({ errorCode: KafkaError.NONE, numPartitions: 2, topicId: ZERO_UUID });
    expect(invalid).toMatchObject({ errorCode: KafkaError.INVALID_TOPIC_EXCEPTION });
    expect(await kafkajs.listTopics()).not.toContain('only-valid');
  });

  test('a name that comes twice in a request is refused, the others are made', async () => {
    const results = await create([{ name: 'twice' }, { name: 'beside-twice' }, { name: 'twice' }]);
    expect(results).toHaveLength(2);
    expect(results.find(({ name }) => name === 'twice')).toMatchObject({
      errorCode: KafkaError.INVALID_REQUEST,
      errorMessage: 'Duplicate topic name.',
    });
    expect(results.find(({ name }) => name === 'beside-twice')).toMatchObject({ errorCode: KafkaError.NONE });
    expect(await kafkajs.listTopics()).not.toContain('twice');
  });

  test('a manual assignment says how many partitions, and names this broker only', async () => {
    const assignments = [
      { partitionIndex: 1, brokerIds: [1] },
      { partitionIndex: 0, brokerIds: [1] },
    ];
    expect(await createOne({ name: 'assigned', assignments })).toMatchObject({ errorCode: 0, numPartitions: 2 });
    const byPlatformatic = await platformatic.createTopics({
      topics: ['assigned-platformatic'],
      assignments: [{ partition: 0, brokers: [1] }],
    });
    expect(byPlatformatic).toMatchObject([{ partitions: 1 }]);
  });

  const one = { partitionIndex: 0, brokerIds: [1] };
  test.each<[string, Omit<NewTopic, 'name'>, number, string]>([
    [
      'no replica',
      { assignments: [{ ...one, brokerIds: [] }] },
      39,
      'The manual partition assignment includes an empty replica list.',
    ],
    [
      'another broker',
      { assignments: [{ ...one, brokerIds: [7] }] },
      39,
      'The manual partition assignment includes broker 7, but no such broker is registered.',
    ],
    [
      'this broker twice',
      { assignments: [{ ...one, brokerIds: [1, 1] }] },
      39,
      'The manual partition assignment includes the broker 1 more than once.',
    ],
    [
      'a partition twice',
      { assignments: [one, one] },
      39,
      'Found multiple manual partition assignments for partition 0',
    ],
    [
      'a gap',
      { assignments: [one, { ...one, partitionIndex: 2 }] },
      39,
      'partitions should be a consecutive 0-based integer sequence',
    ],
    [
      'an assignment and a number of partitions',
      { numPartitions: 1, assignments: [one] },
      42,
      'A manual partition assignment was specified, but numPartitions was not set to -1.',
    ],
    [
      'an assignment and a replication factor',
      { replicationFactor: 1, assignments: [one] },
      42,
      'A manual partition assignment was specified, but replication factor was not set to -1.',
    ],
    ['no partition', { numPartitions: 0 }, 37, 'Number of partitions was set to an invalid non-positive value.'],
    ['-2 partitions', { numPartitions: -2 }, 37, 'Number of partitions was set to an invalid non-positive value.'],
    [
      'replication factor 0',
      { replicationFactor: 0 },
      38,
      'Replication factor must be larger than 0, or -1 to use the default value.',
    ],
    ['an unknown configuration', { configs: [{ name: 'foo', value: '1' }] }, 40, 'Unknown topic config name: foo'],
    [
      'a configuration without value',
      { configs: [{ name: 'retention.ms', value: null }] },
      40,
      'Null value not supported for topic configs: retention.ms',
    ],
    [
      'more partitions than a topic may have',
      { numPartitions: 1_000_000 },
      44,
      "'refused' can have 10000 partitions at most",
    ],
  ])('%s is refused', async (_, topic, errorCode, errorMessage) => {
    expect(await createOne({ name: 'refused', ...topic })).toMatchObject({ errorCode, errorMessage, configs: [] });
    expect(await kafkajs.listTopics()).not.toContain('refused');
  });

  test('a wrong value of a configuration is refused by name', async () => {
    const refused = await createOne({ name: 'refused', configs: [{ name: 'retention.ms', value: 'long' }] });
    expect(refused).toMatchObject({ errorCode: KafkaError.INVALID_CONFIG });
    expect(refused?.errorMessage).toMatch(/^Invalid value long for configuration retention\.ms/);
  });

  test.each([
    ['nothing', ''],
    ['a dot', '.'],
    ['two dots', '..'],
    ['a space', 'a b'],
    ['a letter that is not ASCII', 'ä'],
    ['250 letters', 'x'.repeat(250)],
  ])('%s is no name of a topic', async (_, name) => {
    expect(await createOne({ name })).toMatchObject({ errorCode: KafkaError.INVALID_TOPIC_EXCEPTION });
  });

  test('names that differ in dots and underscores only collide', async () => {
    await createOne({ name: 'col.li_de' });
    expect(await createOne({ name: 'col_li.de' })).toMatchObject({
      errorCode: KafkaError.INVALID_TOPIC_EXCEPTION,
      errorMessage: "Topic 'col_li.de' collides with existing topic: col.li_de",
    });
  });
});

describe('DeleteTopics', () => {
  function remove(topics: readonly { name: string | null; topicId: string }[]) {
    return client.request(deleteTopics, { topics, timeoutMs: 5_000 }).then(({ responses }) => responses);
  }

  test('both clients delete by name, and are told of what is not there', async () => {
    await create([{ name: 'gone-1' }, { name: 'gone-2' }]);
    await kafkajs.deleteTopics({ topics: ['gone-1'] });
    await platformatic.deleteTopics({ topics: ['gone-2'] });
    expect(await kafkajs.listTopics()).not.toEqual(expect.arrayContaining([expect.stringMatching(/^gone-/)]));
    expect(await refusal(kafkajs.deleteTopics({ topics: ['gone-1'] }))).toContain('UNKNOWN_TOPIC_OR_PARTITION');
    expect(await refusal(platformatic.deleteTopics({ topics: ['gone-2'] }))).toContain('UNKNOWN_TOPIC_OR_PARTITION');
  });

  test('by id: the one of that id goes, a later one of the same name does not', async () => {
    const first = await createOne({ name: 'by-id' });
    const topicId = first?.topicId ?? '';
    expect(await remove([{ name: null, topicId }])).toMatchObject([{ name: 'by-id', topicId, errorCode: 0 }]);
    await createOne({ name: 'by-id' });
    expect(await remove([{ name: null, topicId }])).toMatchObject([
      { name: null, topicId, errorCode: KafkaError.UNKNOWN_TOPIC_ID },
    ]);
    expect(await kafkajs.listTopics()).toContain('by-id');
  });

  test('what is named more than once, or in two ways, is not deleted', async () => {
    const made = await create([{ name: 'named-1' }, { name: 'named-2' }]);
    const topicId = made[1]?.topicId ?? '';
    const responses = await remove([
      { name: 'named-1', topicId: ZERO_UUID },
      { name: 'named-1', topicId: ZERO_UUID },
      { name: 'named-2', topicId: ZERO_UUID },
      { name: null, topicId },
      { name: null, topicId: ZERO_UUID },
      { name: 'named-2', topicId },
    ]);
    expect(responses.map(({ errorCode }) => errorCode)).toEqual(Array(4).fill(KafkaError.INVALID_REQUEST));
    expect(new Set(responses.map(({ errorMessage }) => errorMessage))).toEqual(
      new Set([
        'Duplicate topic name.',
        'The provided topic name maps to an ID that was already supplied.',
        'Neither topic name nor id were specified.',
        'You may not specify both topic name and topic id.',
      ]),
    );
    expect(await kafkajs.listTopics()).toEqual(expect.arrayContaining(['named-1', 'named-2']));
  });

  test('one deletion of several that fails leaves the others done', async () => {
    await createOne({ name: 'one-of-several' });
    const body = { topicNames: ['nowhere', 'one-of-several'], timeoutMs: 5_000 };
    const { responses } = await client.request(deleteTopics, body, { maxVersion: 5 });
    expect(responses.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['nowhere', KafkaError.UNKNOWN_TOPIC_OR_PARTITION],
      ['one-of-several', KafkaError.NONE],
    ]);
  });
});

describe('CreatePartitions', () => {
  test('both clients give a topic more partitions, which can be written to at once', async () => {
    await createOne({ name: 'grown', numPartitions: 1 });
    await kafkajs.createPartitions({ topicPartitions: [{ topic: 'grown', count: 2 }] });
    await platformatic.createPartitions({
      topics: [{ name: 'grown', count: 4, assignments: [{ brokerIds: [1] }, { brokerIds: [1] }] }],
    });
    expect(await partitionsOf('grown')).toBe(4);
    const [sent] = await producer.send({ topic: 'grown', messages: [{ partition: 3, value: 'last' }] });
    expect(sent).toMatchObject({ partition: 3, errorCode: 0, baseOffset: '0' });
  });

  test('validateOnly checks, and gives none', async () => {
    await createOne({ name: 'not-grown', numPartitions: 2 });
    expect(await grow('not-grown', 3, { validateOnly: true })).toMatchObject({ errorCode: KafkaError.NONE });
    expect(await grow('not-grown', 2, { validateOnly: true })).toMatchObject({ errorCode: 37 });
    expect(await partitionsOf('not-grown')).toBe(2);
  });

  test('requests at the same time for the same number give it once', async () => {
    await createOne({ name: 'grown-once', numPartitions: 1 });
    const results = await Promise.all([grow('grown-once', 3), grow('grown-once', 3), grow('grown-once', 5)]);
    expect(results.map((result) => result?.errorCode)).toEqual([0, KafkaError.INVALID_PARTITIONS, 0]);
    expect(await partitionsOf('grown-once')).toBe(5);
  });

  test('what is no growth, or not here, or assigned elsewhere, is refused', async () => {
    await createOne({ name: 'fixed', numPartitions: 2 });
    expect(await grow('fixed', 2)).toMatchObject({ errorCode: 37, errorMessage: 'Topic already has 2 partition(s).' });
    expect(await grow('fixed', 1)).toMatchObject({
      errorCode: KafkaError.INVALID_PARTITIONS,
      errorMessage: 'The topic fixed currently has 2 partition(s); 1 would not be an increase.',
    });
    expect(await grow('nowhere', 2)).toMatchObject({ errorCode: KafkaError.UNKNOWN_TOPIC_OR_PARTITION });
    expect(await grow('fixed', 4, { assignments: [{ brokerIds: [1] }] })).toMatchObject({
      errorCode: KafkaError.INVALID_REPLICA_ASSIGNMENT,
      errorMessage: 'Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.',
    });
    expect(await grow('fixed', 3, { assignments: [{ brokerIds: [2] }] })).toMatchObject({ errorCode: 39 });
    const topics = [3, 4].map((count) => ({ name: 'fixed', count, assignments: null }));
    const { results } = await client.request(createPartitions, { topics, timeoutMs: 5_000, validateOnly: false });
    expect(results).toMatchObject([{ errorCode: KafkaError.INVALID_REQUEST, errorMessage: 'Duplicate topic name.' }]);
    expect(await partitionsOf('fixed')).toBe(2);
  });
});

describe('DeleteRecords', () => {
  function removeBefore(name: string, partitionIndex: number, offset: number) {
    const body = { topics: [{ name, partitions: [{ partitionIndex, offset }] }], timeoutMs: 5_000 };
    return client.request(deleteRecords, body).then(({ topics }) => topics[0]?.partitions[0]);
  }

  async function fill(name: string, configs: NewTopic['configs'] = []) {
    await createOne({ name, numPartitions: 1, configs });
    // A batch each: what is removed need not end with a batch.
    for (const value of ['a', 'b', 'c', 'd'])
      await producer.send({
        topic: name,
        messages: [
          { key: value, value },
          { key: value, value },
        ],
      });
  }

  test('both clients remove records before an offset, and -1 removes all', async () => {
    await fill('emptied');
    // kafkajs deletes only from topics whose leaders it has looked up before.
    expect(await kafkajs.fetchTopicOffsets('emptied')).toMatchObject([{ low: '0', high: '8' }]);
    await kafkajs.deleteTopicRecords({ topic: 'emptied', partitions: [{ partition: 0, offset: '3' }] });
    expect(await kafkajs.fetchTopicOffsets('emptied')).toMatchObject([{ low: '3', high: '8' }]);
    const removeAll = { topics: [{ name: 'emptied', partitions: [{ partition: 0, offset: -1n }] }] };
    expect(await platformatic.deleteRecords(removeAll)).toEqual([
      { name: 'emptied', partitions: [{ partition: 0, lowWatermark: 8n }] },
    ]);
    expect(await kafkajs.fetchTopicOffsets('emptied')).toMatchObject([{ low: '8', high: '8' }]);
  });

  test('an offset that is removed already changes nothing; one beyond the end is out of range', async () => {
    await fill('partly');
    expect(await removeBefore('partly', 0, 5)).toMatchObject({ lowWatermark: 5, errorCode: KafkaError.NONE });
    expect(await removeBefore('partly', 0, 2)).toMatchObject({ lowWatermark: 5, errorCode: KafkaError.NONE });
    expect(await removeBefore('partly', 0, 9)).toMatchObject({
      lowWatermark: -1,
      errorCode: KafkaError.OFFSET_OUT_OF_RANGE,
    });
    expect(await removeBefore('partly', 0, -2)).toMatchObject({
      lowWatermark: -1,
      errorCode: KafkaError.OFFSET_OUT_OF_RANGE,
    });
  });

  test('topics and partitions that are not there, and topics that are only compacted, are refused', async () => {
    await fill('compacted', [{ name: 'cleanup.policy', value: 'compact' }]);
    expect(await removeBefore('compacted', 0, 1)).toMatchObject({ errorCode: KafkaError.POLICY_VIOLATION });
    expect(await removeBefore('compacted', 1, 0)).toMatchObject({ errorCode: KafkaError.UNKNOWN_TOPIC_OR_PARTITION });
    expect(await removeBefore('nowhere', 0, 0)).toMatchObject({ errorCode: KafkaError.UNKNOWN_TOPIC_OR_PARTITION });
  });
});
