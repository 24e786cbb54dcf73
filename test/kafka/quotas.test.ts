import { describe, expect, it, onTestFinished } from 'vitest';
import { alterClientQuotas } from '../../src/protocols/kafka/codec/apis/alter-client-quotas.ts';
import { createPartitions } from '../../src/protocols/kafka/codec/apis/create-partitions.ts';
import { createTopics } from '../../src/protocols/kafka/codec/apis/create-topics.ts';
import { deleteTopics } from '../../src/protocols/kafka/codec/apis/delete-topics.ts';
import { describeClientQuotas } from '../../src/protocols/kafka/codec/apis/describe-client-quotas.ts';
import { fetch } from '../../src/protocols/kafka/codec/apis/fetch.ts';
import { metadata } from '../../src/protocols/kafka/codec/apis/metadata.ts';
import { produce } from '../../src/protocols/kafka/codec/apis/produce.ts';
import { KafkaError } from '../../src/protocols/kafka/codec/error-codes.ts';
import { ZERO_UUID } from '../../src/protocols/kafka/codec/uuid.ts';
import { encodeBatch } from '../../src/records/index.ts';
import { startBroker, until } from './fixture.ts';
import { ask, frameOf, RawClient } from './raw-client.ts';

type Entity = Record<string, string | null>;

const entityOf = (entity: Entity) =>
  Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName }));

async function start() {
  const broker = await startBroker({ clock: 'virtual' });
  const connect = async () => {
    const client = await RawClient.connect(broker.listeners[0]?.port ?? 0);
    onTestFinished(() => client.destroy());
    return client;
  };
  const client = await connect();
  const topic = { name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] };
  await ask(client, createTopics, 5, { topics: [topic] });
  return { client, connect, clock: broker.clock };
}

async function alter(client: RawClient, entity: Entity, values: Record<string, number | null>, validateOnly = false) {
  const ops = Object.entries(values).map(([key, value]) => ({ key, value: value ?? 0, remove: value === null }));
  const { entries } = await ask(client, alterClientQuotas, 1, {
    entries: [{ entity: entityOf(entity), ops }],
    validateOnly,
  });
  return entries[0]?.errorCode;
}

function produceBytes(acks: number, bytes: number) {
  const records = encodeBatch({ records: [{ timestamp: 1, key: null, value: Buffer.alloc(bytes) }] });
  return { acks, timeoutMs: 1000, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] };
}

describe('quotas', () => {
  it('make a producer wait that sends too much, whether it listens or not', async () => {
    const { client, clock } = await start();
    expect(await alter(client, { 'client-id': 'raw' }, { producer_byte_rate: 1000 })).toBe(0);
    expect((await ask(client, produce, 9, produceBytes(-1, 5000))).throttleTimeMs).toBe(0);
    const { throttleTimeMs } = await ask(client, produce, 9, produceBytes(-1, 10_000));
    // Ten seconds' worth may come at once.
    expect(throttleTimeMs).toBeGreaterThan(5000);
    expect(throttleTimeMs).toBeLessThan(6000);
    const before = client.frames.length;
    client.send(frameOf(metadata, 9, 1, { topics: [] }));
    await clock.advance(throttleTimeMs - 100);
    expect(client.frames).toHaveLength(before);
    await clock.advance(100);
    await client.received(before + 1);
    // Nothing is answered, and the next request waits all the same.
    client.send(frameOf(produce, 9, 2, produceBytes(0, 30_000)));
    client.send(frameOf(metadata, 9, 3, { topics: [] }));
    await until(async () => {
      await clock.advance(1000);
      return client.frames.length === before + 2;
    });
    expect(clock.monotonic()).toBeGreaterThan(throttleTimeMs + 25_000);
  });

  it('make a consumer wait that reads too much, and nobody else', async () => {
    const { client, connect, clock } = await start();
    await ask(client, produce, 9, produceBytes(-1, 50_000));
    expect(await alter(client, { user: 'ANONYMOUS' }, { consumer_byte_rate: 1000 })).toBe(0);
    const partition = { partition: 0, fetchOffset: 0, partitionMaxBytes: 1e6, replicaDirectoryId: undefined };
    const request = { maxWaitMs: 0, minBytes: 0, topics: [{ topic: 't', partitions: [partition] }] };
    const answer = await ask(client, fetch, 12, request);
    expect(answer.throttleTimeMs).toBeGreaterThan(39_000);
    expect(answer.responses[0]?.partitions[0]?.records?.length).toBeGreaterThan(50_000);
    // What it shares with others of its user it uses up together with them.
    const other = await connect();
    expect((await ask(other, metadata, 9, { topics: null })).throttleTimeMs).toBe(0);
    expect((await ask(other, fetch, 12, request)).throttleTimeMs).toBeGreaterThan(80_000);
    await clock.advance(200_000);
    expect(await alter(client, { user: 'ANONYMOUS' }, { consumer_byte_rate: null })).toBe(0);
    expect((await ask(client, fetch, 12, request)).throttleTimeMs).toBe(0);
  });

  it('of connections make new ones of the address wait', async () => {
    const { client, connect, clock } = await start();
    expect(await alter(client, { ip: null }, { connection_creation_rate: 0.1 })).toBe(KafkaError.INVALID_REQUEST);
    expect(await alter(client, { ip: '127.0.0.1' }, { connection_creation_rate: 1 })).toBe(0);
    for (let i = 0; i < 10; i++) await ask(await connect(), metadata, 9, { topics: [] });
    const late = await connect();
    late.send(frameOf(metadata, 9, 1, { topics: [] }));
    await until(async () => {
      await clock.advance(100);
      return late.frames.length === 1;
    });
    expect(clock.monotonic()).toBeGreaterThan(900);
  });

  it('of partitions made and deleted refuse what goes beyond, where the client knows of it', async () => {
    const { client, clock } = await start();
    expect(await alter(client, { 'client-id': 'raw' }, { controller_mutation_rate: 1 })).toBe(0);
    const make = async (version: number, ...topics: [name: string, partitions: number][]) => {
      const wanted = topics.map(([name, numPartitions]) => ({ name, numPartitions }));
      const rest = { replicationFactor: 1, assignments: [], configs: [] };
      const answer = await ask(client, createTopics, version, {
        topics: wanted.map((topic) => ({ ...topic, ...rest })),
        timeoutMs: 1000,
      });
      return { codes: answer.topics.map(({ errorCode }) => errorCode), throttleTimeMs: answer.throttleTimeMs };
    };
    const { THROTTLING_QUOTA_EXCEEDED: EXCEEDED } = KafkaError;
    // Ten at once may be, and what brings it above that.
    const made = await make(7, ['a', 15], ['b', 1]);
    expect(made.codes).toEqual([0, EXCEEDED]);
    expect(made.throttleTimeMs).toBeGreaterThan(4_000);
    await clock.advance(made.throttleTimeMs);
    const count = 16;
    const topics = [{ name: 'a', count, assignments: null }];
    const grown = await ask(client, createPartitions, 3, { topics, timeoutMs: 1000, validateOnly: false });
    expect(grown.results).toMatchObject([{ errorCode: 0 }]);
    const names = ['a', 'b'].map((name) => ({ name, topicId: ZERO_UUID }));
    const refused = await ask(client, deleteTopics, 6, { topics: names, timeoutMs: 1000 });
    expect(refused.responses.find(({ name }) => name === 'a')?.errorCode).toBe(EXCEEDED);
    await clock.advance(refused.throttleTimeMs);
    const older = await make(5, ['c', 15], ['d', 1]);
    expect(older.codes).toEqual([0, 0]);
    expect(older.throttleTimeMs).toBeGreaterThan(4_000);
  });

  it('are described by filter, and refused when they mean nothing', async () => {
    const { client } = await start();
    await alter(client, { user: 'anna' }, { producer_byte_rate: 1000, request_percentage: 50 });
    await alter(client, { user: 'anna', 'client-id': null }, { consumer_byte_rate: 2000 });
    await alter(client, { user: null }, { controller_mutation_rate: 3 });
    expect(await alter(client, { user: 'berta' }, { producer_byte_rate: 1 }, true)).toBe(0);
    const describe = async (strict: boolean, ...components: [string, number, string | null][]) => {
      const { entries, errorCode } = await ask(client, describeClientQuotas, 1, {
        components: components.map(([entityType, matchType, match]) => ({ entityType, matchType, match })),
        strict,
      });
      return entries?.map(({ values }) => values.map(({ key }) => key).join(' ')).sort() ?? errorCode;
    };
    expect(await describe(false)).toHaveLength(3);
    expect(await describe(true, ['user', 0, 'anna'])).toEqual(['producer_byte_rate request_percentage']);
    expect(await describe(false, ['user', 0, 'anna'])).toHaveLength(2);
    expect(await describe(true, ['user', 1, null])).toEqual(['controller_mutation_rate']);
    expect(await describe(true, ['user', 2, null], ['client-id', 2, null])).toEqual(['consumer_byte_rate']);
    expect(await describe(false, ['user', 0, null])).toBe(KafkaError.INVALID_REQUEST);
    expect(await describe(false, ['ip', 2, null], ['user', 2, null])).toBe(KafkaError.INVALID_REQUEST);
    expect(await describe(false, ['group', 2, null])).toBe(KafkaError.UNSUPPORTED_VERSION);
    expect(await alter(client, { group: 'g' }, { producer_byte_rate: 1 })).toBe(KafkaError.INVALID_REQUEST);
    expect(await alter(client, { user: 'a' }, { producer_byte_rate: -1 })).toBe(KafkaError.INVALID_REQUEST);
  });
});
