import { describe, expect, it } from 'vitest';
import type { CreateBrokerOptions } from '../../src/index.ts';
import { alterShareGroupOffsets } from '../../src/protocols/kafka/codec/apis/alter-share-group-offsets.ts';
import { deleteGroups } from '../../src/protocols/kafka/codec/apis/delete-groups.ts';
import { deleteShareGroupOffsets } from '../../src/protocols/kafka/codec/apis/delete-share-group-offsets.ts';
import { deleteTopics } from '../../src/protocols/kafka/codec/apis/delete-topics.ts';
import { describeShareGroupOffsets } from '../../src/protocols/kafka/codec/apis/describe-share-group-offsets.ts';
import { listGroups } from '../../src/protocols/kafka/codec/apis/list-groups.ts';
import { shareGroupDescribe } from '../../src/protocols/kafka/codec/apis/share-group-describe.ts';
import { KafkaError } from '../../src/protocols/kafka/codec/error-codes.ts';
import { startBroker, temporaryDirectory, until } from './fixture.ts';
import type { RawClient } from './raw-client.ts';
import { ask } from './raw-client.ts';
import {
  ACCEPT,
  append,
  configureGroup,
  connectTo,
  deliveriesOf,
  errorsOf,
  makeTopic,
  REJECT,
  RELEASE,
  RENEW,
  ShareConsumer,
} from './share-consumer.ts';

// Share groups (KIP-932), request by request.

const LOCK_MS = 30_000;
const T = 'work';

/** A broker, a topic with these records, and a group that begins with the first of them. */
async function start(values: readonly string[] = [], options: CreateBrokerOptions = {}, partitions = 1) {
  const broker = await startBroker(options);
  const { address } = broker;
  const admin = await connectTo(address);
  const topicId = await makeTopic(admin, T, partitions);
  await append(admin, T, values);
  await configureGroup(admin, 'g', { 'share.auto.offset.reset': 'earliest' });
  const join = (memberId: string) => ShareConsumer.join(address, { name: T, topicId }, memberId);
  return { broker, address, admin, topicId, join };
}

const offsetsOf = async (client: RawClient, topics: { topicName: string; partitions: number[] }[] | null = null) => {
  const { groups } = await ask(client, describeShareGroupOffsets, 1, { groups: [{ groupId: 'g', topics }] });
  return groups[0]?.topics.flatMap(({ topicName, partitions }) =>
    partitions.map(({ partitionIndex, startOffset, lag, errorCode }) => ({
      ...{ topicName, partitionIndex, startOffset, lag, errorCode },
    })),
  );
};

describe('a share consumer', () => {
  it('gets records, each with how often it was delivered, and not again what it accepted', async () => {
    const { join, admin } = await start(['a', 'b', 'c']);
    const consumer = await join('m');
    const first = await consumer.fetch();
    expect(first).toMatchObject({ errorCode: 0, acquisitionLockTimeoutMs: LOCK_MS });
    expect(deliveriesOf(first).map(({ value, deliveryCount }) => [value, deliveryCount])).toEqual([
      ['a', 1],
      ['b', 1],
      ['c', 1],
    ]);
    const { responses } = await consumer.acknowledge([
      [0, 0, 0, ACCEPT],
      [0, 1, 1, RELEASE],
      [0, 2, 2, REJECT],
    ]);
    expect(responses[0]?.partitions[0]?.errorCode).toBe(0);
    expect(await consumer.deliveries()).toEqual([{ partition: 0, offset: 1, value: 'b', deliveryCount: 2 }]);
    expect(await consumer.deliveries({ verdicts: [[0, 1, 1, ACCEPT]] })).toEqual([]);
    expect(await offsetsOf(admin)).toEqual([{ topicName: T, partitionIndex: 0, startOffset: 3, lag: 0, errorCode: 0 }]);
  });

  it('begins at the end where nothing else is set for the group', async () => {
    const { admin, address, topicId } = await start(['before']);
    const consumer = await ShareConsumer.join(address, { name: T, topicId }, 'm', 'other');
    expect(await consumer.deliveries()).toEqual([]);
    await append(admin, T, ['after']);
    expect((await consumer.deliveries()).map(({ value }) => value)).toEqual(['after']);
  });

  it('shares a partition with another, and neither gets what the other has', async () => {
    const { join } = await start(['a', 'b', 'c', 'd']);
    const [one, two] = await Promise.all([join('one'), join('two')]);
    const got = await one.deliveries({ maxRecords: 2, shareAcquireMode: 1 });
    const others = await two.deliveries();
    expect([...got, ...others].map(({ value }) => value).sort()).toEqual(['a', 'b', 'c', 'd']);
    expect(got).toHaveLength(2);
    const stolen = await two.acknowledge([[0, 0, 1, ACCEPT]]);
    expect(stolen.responses[0]?.partitions[0]?.errorCode).toBe(KafkaError.INVALID_RECORD_STATE);
  });

  it('waits for records, and for those that another gives back', async () => {
    const { join, admin } = await start();
    const [one, two] = await Promise.all([join('one'), join('two')]);
    const waiting = one.deliveries({ maxWaitMs: 60_000 });
    await append(admin, T, ['a']);
    expect(await waiting).toHaveLength(1);
    const again = two.deliveries({ maxWaitMs: 60_000 });
    await one.acknowledge([[0, 0, 0, RELEASE]]);
    expect(await again).toEqual([{ partition: 0, offset: 0, value: 'a', deliveryCount: 2 }]);
  });

  it('loses what it does not acknowledge in time, unless it renews its lock', async () => {
    const { join, broker } = await start(['a', 'b'], { clock: 'virtual' });
    const [one, two] = await Promise.all([join('one'), join('two')]);
    expect(await one.deliveries()).toHaveLength(2);
    await broker.clock.advance(LOCK_MS - 1);
    const renewed = await one.acknowledge([[0, 0, 0, RENEW]], { isRenewAck: true });
    expect(renewed).toMatchObject({ errorCode: 0, acquisitionLockTimeoutMs: LOCK_MS });
    await broker.clock.advance(LOCK_MS - 1);
    expect(await two.deliveries()).toEqual([{ partition: 0, offset: 1, value: 'b', deliveryCount: 2 }]);
    await broker.clock.advance(1);
    expect(await two.deliveries()).toEqual([{ partition: 0, offset: 0, value: 'a', deliveryCount: 2 }]);
    const late = await one.acknowledge([[0, 0, 0, ACCEPT]]);
    expect(late.responses[0]?.partitions[0]?.errorCode).toBe(KafkaError.INVALID_RECORD_STATE);
  });

  it('gets nothing with a request that renews, and one that fetches cannot renew', async () => {
    const { join } = await start(['a']);
    const consumer = await join('m');
    await consumer.fetch();
    const none = { isRenewAck: true, maxBytes: 0, minBytes: 0, maxRecords: 0, maxWaitMs: 0 };
    expect(errorsOf(await consumer.fetch({ ...none, verdicts: [[0, 0, 0, RENEW]] }))).toEqual([[0, 0]]);
    expect((await consumer.fetch({ isRenewAck: true })).errorCode).toBe(KafkaError.INVALID_REQUEST);
    expect(errorsOf(await consumer.fetch({ verdicts: [[0, 0, 0, RENEW]] }))).toEqual([[0, KafkaError.INVALID_REQUEST]]);
    // A client that does not know renewing knows nothing of that type either.
    expect(errorsOf(await consumer.fetch({ verdicts: [[0, 0, 0, RENEW]] }, 1))).toEqual([
      [0, KafkaError.INVALID_REQUEST],
    ]);
  });

  it('is given a record so often at most', async () => {
    const { join, admin } = await start(['a', 'b']);
    await configureGroup(admin, 'g', { 'share.delivery.count.limit': '2' });
    const consumer = await join('m');
    expect(await consumer.deliveries()).toHaveLength(2);
    expect(
      await consumer.deliveries({
        maxWaitMs: 60_000,
        verdicts: [
          [0, 0, 0, RELEASE],
          [0, 1, 1, ACCEPT],
        ],
      }),
    ).toMatchObject([{ value: 'a', deliveryCount: 2 }]);
    await consumer.acknowledge([[0, 0, 0, RELEASE]]);
    expect(await consumer.deliveries()).toEqual([]);
  });

  it('sends what it rejects to the topic for dead letters that its group has', async () => {
    const { join, admin, address } = await start(['a', 'b']);
    const configs = [{ name: 'errors.deadletterqueue.group.enable', value: 'true' }];
    const letters = await makeTopic(admin, 'dlq.work', 1, configs);
    await configureGroup(admin, 'g', {
      'errors.deadletterqueue.topic.name': 'dlq.work',
      'errors.deadletterqueue.copy.record.enable': 'true',
    });
    const consumer = await join('m');
    await consumer.fetch();
    await consumer.acknowledge([
      [0, 0, 0, REJECT],
      [0, 1, 1, ACCEPT],
    ]);
    await configureGroup(admin, 'undertakers', { 'share.auto.offset.reset': 'earliest' });
    const topic = { name: 'dlq.work', topicId: letters };
    const undertaker = await ShareConsumer.join(address, topic, 'u', 'undertakers');
    expect((await undertaker.deliveries()).map(({ value }) => value)).toEqual(['a']);
  });

  it('has several partitions in one session, and none that it forgot', async () => {
    const { join, admin, topicId } = await start([], {}, 3);
    for (const partition of [0, 1, 2]) await append(admin, T, [`p${partition}`], partition);
    const consumer = await join('m');
    const all = await consumer.deliveries({ partitions: [0, 1, 2] });
    expect(all.map(({ value }) => value).sort()).toEqual(['p0', 'p1', 'p2']);
    for (const partition of [0, 1, 2]) await append(admin, T, [`q${partition}`], partition);
    const forgottenTopicsData = [{ topicId, partitions: [0, 1] }];
    expect((await consumer.deliveries({ forgottenTopicsData })).map(({ value }) => value)).toEqual(['q2']);
    // What it had of them is still its own.
    expect(errorsOf(await consumer.fetch({ verdicts: [[0, 0, 0, ACCEPT]] }))).toContainEqual([0, 0]);
  });
});

describe('a share session', () => {
  it('ends with its connection, and others get what its member had', async () => {
    const { join } = await start(['a', 'b']);
    const [one, two] = await Promise.all([join('one'), join('two')]);
    expect(await one.deliveries()).toHaveLength(2);
    const waiting = two.deliveries({ maxWaitMs: 60_000 });
    one.client.destroy();
    expect(await waiting).toMatchObject([{ deliveryCount: 2 }, { deliveryCount: 2 }]);
  });

  it('ends with the member’s word, after its last acknowledgements', async () => {
    const { join } = await start(['a', 'b']);
    const [one, two] = await Promise.all([join('one'), join('two')]);
    await one.fetch();
    one.sessionEpoch = -1;
    expect(errorsOf(await one.fetch({ verdicts: [[0, 0, 0, ACCEPT]] }))).toEqual([[0, 0]]);
    expect(await two.deliveries()).toMatchObject([{ value: 'b', deliveryCount: 2 }]);
    one.sessionEpoch = -1;
    expect((await one.fetch()).errorCode).toBe(KafkaError.SHARE_SESSION_NOT_FOUND);
    await two.acknowledge([[0, 1, 1, RELEASE]], { epoch: -1 });
    one.sessionEpoch = 0;
    expect(await one.deliveries()).toMatchObject([{ value: 'b', deliveryCount: 3 }]);
  });

  it('goes by its epochs', async () => {
    const { join } = await start(['a']);
    const consumer = await join('m');
    const code = async (epoch: number) => {
      consumer.sessionEpoch = epoch;
      return (await consumer.fetch()).errorCode;
    };
    expect(await code(1)).toBe(KafkaError.SHARE_SESSION_NOT_FOUND);
    expect(await code(0)).toBe(0);
    expect(await code(2)).toBe(KafkaError.INVALID_SHARE_SESSION_EPOCH);
    expect(await code(1)).toBe(0);
    const early = await consumer.acknowledge([[0, 0, 0, ACCEPT]], { epoch: 7 });
    expect(early.errorCode).toBe(KafkaError.INVALID_SHARE_SESSION_EPOCH);
    expect((await consumer.acknowledge([], { epoch: 0 })).errorCode).toBe(KafkaError.INVALID_SHARE_SESSION_EPOCH);
    consumer.sessionEpoch = 0;
    const begun = await consumer.fetch({ verdicts: [[0, 0, 0, ACCEPT]] });
    expect(begun.errorCode).toBe(KafkaError.INVALID_REQUEST);
  });

  it('is not for what cannot be', async () => {
    const { address, topicId, join } = await start(['a']);
    const nobody = new ShareConsumer(await connectTo(address), { groupId: 'none', memberId: 'm', topicId });
    expect((await nobody.fetch()).errorCode).toBe(KafkaError.GROUP_ID_NOT_FOUND);
    const consumer = await join('m');
    expect((await consumer.fetch({ memberId: 'x'.repeat(37) })).errorCode).toBe(KafkaError.INVALID_REQUEST);
    expect((await consumer.fetch({ groupId: null })).errorCode).toBe(KafkaError.INVALID_REQUEST);
    expect(errorsOf(await consumer.fetch({ partitions: [0, 9] }))).toContainEqual([
      KafkaError.UNKNOWN_TOPIC_OR_PARTITION,
      0,
    ]);
    const wrong: [number, number][] = [
      [3, 2],
      [-1, 0],
    ];
    for (const [first, last] of wrong) {
      expect(errorsOf(await consumer.fetch({ verdicts: [[0, first, last, ACCEPT]] }))).toContainEqual([
        0,
        KafkaError.INVALID_REQUEST,
      ]);
    }
    const types = await consumer.acknowledge([[0, 0, 0, 5]]);
    expect(types.responses[0]?.partitions[0]?.errorCode).toBe(KafkaError.INVALID_REQUEST);
  });

  it('goes on with a group that was deleted and made again', async () => {
    const { join, admin } = await start(['a']);
    const consumer = await join('m');
    expect(await consumer.deliveries()).toHaveLength(1);
    await consumer.acknowledge([[0, 0, 0, ACCEPT]]);
    await consumer.heartbeat({ memberEpoch: -1 });
    await ask(admin, deleteGroups, 2, { groupsNames: ['g'] });
    expect((await consumer.fetch()).errorCode).toBe(KafkaError.GROUP_ID_NOT_FOUND);
    await consumer.heartbeat({ memberEpoch: 0, subscribedTopicNames: [T] });
    expect(await consumer.deliveries()).toEqual([{ partition: 0, offset: 0, value: 'a', deliveryCount: 1 }]);
  });

  it('that waits makes nothing anew of a group that is deleted meanwhile', async () => {
    const { join, admin } = await start();
    const consumer = await join('m');
    await consumer.fetch();
    await consumer.heartbeat({ memberEpoch: -1 });
    const waiting = consumer.fetch({ maxWaitMs: 60_000 });
    await ask(admin, deleteGroups, 2, { groupsNames: ['g'] });
    expect(errorsOf(await waiting)).toEqual([[KafkaError.UNKNOWN_TOPIC_OR_PARTITION, 0]]);
    await join('n');
    expect(await offsetsOf(admin)).toEqual([]);
  });

  it('acknowledges nothing of a partition that it has fetched nothing of', async () => {
    const { join, admin } = await start([], {}, 2);
    const consumer = await join('m');
    await consumer.fetch();
    const answer = await consumer.acknowledge([[1, 0, 0, ACCEPT]]);
    expect(answer.responses[0]?.partitions[0]?.errorCode).toBe(KafkaError.INVALID_RECORD_STATE);
    expect(await offsetsOf(admin)).toMatchObject([{ partitionIndex: 0 }]);
  });

  it('tells that a topic has gone', async () => {
    const { join, admin } = await start(['a']);
    const consumer = await join('m');
    await consumer.fetch();
    await ask(admin, deleteTopics, 5, { topicNames: [T], timeoutMs: 1000 });
    expect(errorsOf(await consumer.fetch({ maxWaitMs: 60_000, verdicts: [[0, 0, 0, ACCEPT]] }))).toEqual([
      [KafkaError.UNKNOWN_TOPIC_ID, KafkaError.UNKNOWN_TOPIC_ID],
    ]);
  });
});

describe('a share group', () => {
  it('is listed and described', async () => {
    const { join, admin } = await start(['a']);
    const consumer = await join('m');
    const { groups } = await ask(admin, listGroups, 5, { statesFilter: [], typesFilter: ['share'] });
    expect(groups).toEqual([{ groupId: 'g', protocolType: 'share', groupState: 'Stable', groupType: 'Share' }]);
    const ids = { groupIds: ['g', 'none'], includeAuthorizedOperations: true };
    const described = await ask(admin, shareGroupDescribe, 1, ids);
    expect(described.groups).toMatchObject([
      {
        ...{ errorCode: 0, groupId: 'g', groupState: 'Stable', assignorName: 'simple' },
        members: [
          {
            memberId: 'm',
            subscribedTopicNames: [T],
            assignment: { topicPartitions: [{ topicName: T, partitions: [0] }] },
          },
        ],
      },
      { errorCode: KafkaError.GROUP_ID_NOT_FOUND, groupId: 'none' },
    ]);
    const { memberEpoch, heartbeatIntervalMs } = await consumer.heartbeat({ memberEpoch: -1 });
    expect([memberEpoch, heartbeatIntervalMs]).toEqual([-1, 5_000]);
  });

  it('refuses heartbeats that make no sense', async () => {
    const { join } = await start();
    const consumer = await join('m');
    const code = async (request: Parameters<ShareConsumer['heartbeat']>[0]) =>
      (await consumer.heartbeat(request)).errorCode;
    expect(await code({ memberId: '' })).toBe(KafkaError.INVALID_REQUEST);
    expect(await code({ groupId: '' })).toBe(KafkaError.INVALID_REQUEST);
    expect(await code({ memberEpoch: 0 })).toBe(KafkaError.INVALID_REQUEST);
    expect(await code({ memberEpoch: -2 })).toBe(KafkaError.INVALID_REQUEST);
    expect(await code({ memberEpoch: 77 })).toBe(KafkaError.FENCED_MEMBER_EPOCH);
    expect(await code({ memberId: 'x', memberEpoch: 1 })).toBe(KafkaError.UNKNOWN_MEMBER_ID);
    expect(await code({ groupId: 'none', memberEpoch: 1 })).toBe(KafkaError.GROUP_ID_NOT_FOUND);
  });

  it('is set to other offsets, forgets topics, and is deleted, when it has no members', async () => {
    const { join, admin } = await start(['a', 'b', 'c']);
    const consumer = await join('m');
    await consumer.fetch();
    const alter = (startOffset: number, partitionIndex = 0) =>
      ask(admin, alterShareGroupOffsets, 0, {
        groupId: 'g',
        topics: [{ topicName: T, partitions: [{ partitionIndex, startOffset }] }],
      });
    const forget = (topicName: string) =>
      ask(admin, deleteShareGroupOffsets, 0, { groupId: 'g', topics: [{ topicName }] });
    const remove = async () => (await ask(admin, deleteGroups, 2, { groupsNames: ['g'] })).results[0]?.errorCode;
    expect((await alter(2)).errorCode).toBe(KafkaError.NON_EMPTY_GROUP);
    expect((await forget(T)).errorCode).toBe(KafkaError.NON_EMPTY_GROUP);
    expect(await remove()).toBe(KafkaError.NON_EMPTY_GROUP);
    await consumer.heartbeat({ memberEpoch: -1 });
    expect((await alter(2)).responses[0]?.partitions[0]?.errorCode).toBe(0);
    expect((await alter(2, 7)).responses[0]?.partitions[0]?.errorCode).toBe(KafkaError.UNKNOWN_TOPIC_OR_PARTITION);
    expect(await offsetsOf(admin)).toMatchObject([{ startOffset: 2, lag: 1 }]);
    const again = await join('m');
    expect(await again.deliveries()).toEqual([{ partition: 0, offset: 2, value: 'c', deliveryCount: 1 }]);
    await again.heartbeat({ memberEpoch: -1 });
    expect((await forget('other')).responses[0]?.errorCode).toBe(KafkaError.UNKNOWN_TOPIC_OR_PARTITION);
    expect((await forget(T)).responses[0]?.errorCode).toBe(0);
    expect(await offsetsOf(admin)).toEqual([]);
    expect(await offsetsOf(admin, [{ topicName: T, partitions: [0] }])).toMatchObject([{ startOffset: -1, lag: -1 }]);
    expect(await remove()).toBe(0);
    expect(await remove()).toBe(KafkaError.GROUP_ID_NOT_FOUND);
    expect((await alter(1)).errorCode).toBe(0);
    const third = await join('m');
    expect((await third.deliveries()).map(({ value }) => value)).toEqual(['b', 'c']);
    await third.heartbeat({ memberEpoch: -1 });
    expect(await remove()).toBe(0);
    // Nothing is left of the former group.
    const fourth = await join('m');
    expect((await fourth.deliveries()).map(({ value }) => value)).toEqual(['a', 'b', 'c']);
  });

  it('goes on after a restart: what was accepted is done with, the rest is there with its counts', async () => {
    const directory = await temporaryDirectory();
    const before = await start(['a', 'b', 'c'], { storage: 'disk', directory });
    const consumer = await before.join('m');
    await consumer.fetch();
    await consumer.acknowledge([
      [0, 0, 0, ACCEPT],
      [0, 1, 1, RELEASE],
    ]);
    await before.broker.close();
    const { address } = await startBroker({ storage: 'disk', directory });
    const { topicId } = before;
    const again = new ShareConsumer(await connectTo(address), { memberId: 'm', topicId });
    // It is a member yet.
    expect((await again.heartbeat({ memberEpoch: 1 })).errorCode).toBe(0);
    const got = await again.deliveries();
    expect(got.map(({ value }) => value)).toEqual(['b', 'c']);
    expect(got[0]?.deliveryCount).toBe(2);
  });

  it('has a member no more that is silent', async () => {
    const { join, broker, admin } = await start([], { clock: 'virtual' });
    await join('m');
    await broker.clock.advance(45_000);
    const state = async () =>
      (await ask(admin, shareGroupDescribe, 1, { groupIds: ['g'], includeAuthorizedOperations: false })).groups[0]
        ?.groupState;
    await until(async () => (await state()) === 'Empty');
  });
});
