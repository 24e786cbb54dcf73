import { expect, it, onTestFinished } from 'vitest';
import { alterShareGroupOffsets } from '../../src/protocols/kafka/codec/apis/alter-share-group-offsets.ts';
import { createAcls } from '../../src/protocols/kafka/codec/apis/create-acls.ts';
import { deleteShareGroupOffsets } from '../../src/protocols/kafka/codec/apis/delete-share-group-offsets.ts';
import { describeShareGroupOffsets } from '../../src/protocols/kafka/codec/apis/describe-share-group-offsets.ts';
import { shareGroupDescribe } from '../../src/protocols/kafka/codec/apis/share-group-describe.ts';
import { KafkaError } from '../../src/protocols/kafka/codec/error-codes.ts';
import { ask, type RawClient } from './raw-client.ts';
import { rawAs, startSecured } from './secured.ts';
import { ACCEPT, append, configureGroup, errorsOf, makeTopic, ShareConsumer } from './share-consumer.ts';

const TOPIC = 2;
const GROUP = 3;
const OPERATION = { read: 3, delete: 6, describe: 8 } as const;
const { TOPIC_AUTHORIZATION_FAILED, GROUP_AUTHORIZATION_FAILED } = KafkaError;

async function grant(root: RawClient, resourceType: number, resourceName: string, operation: number) {
  const acl = { resourceType, resourceName, resourcePatternType: 3, principal: 'User:anna', host: '*' };
  const creations = [{ ...acl, operation, permissionType: 3 }];
  expect((await ask(root, createAcls, 3, { creations })).results[0]?.errorCode).toBe(0);
}

/** What anna is told, request by request. */
async function start() {
  const { port } = await startSecured({ kafka: { authorizer: 'acl' } });
  const [root, anna] = await Promise.all([rawAs(port, 'root'), rawAs(port, 'anna')]);
  onTestFinished(() => {
    root.destroy();
    anna.destroy();
  });
  const topicId = await makeTopic(root, 't');
  await append(root, 't', ['a']);
  await configureGroup(root, 'g', { 'share.auto.offset.reset': 'earliest' });
  const consumer = new ShareConsumer(anna, { memberId: 'm', topicId });
  const join = async () => (await consumer.heartbeat({ subscribedTopicNames: ['t'] })).errorCode;
  return { root, anna, consumer, join };
}

it('a share group that a client may not read is none that it joins, fetches for or acknowledges to', async () => {
  const { root, consumer, join } = await start();
  expect(await join()).toBe(GROUP_AUTHORIZATION_FAILED);
  expect((await consumer.fetch()).errorCode).toBe(GROUP_AUTHORIZATION_FAILED);
  expect((await consumer.acknowledge([[0, 0, 0, ACCEPT]])).errorCode).toBe(GROUP_AUTHORIZATION_FAILED);
  await grant(root, GROUP, 'g', OPERATION.read);
  expect(await join()).toBe(TOPIC_AUTHORIZATION_FAILED);
  await grant(root, TOPIC, 't', OPERATION.describe);
  expect(await join()).toBe(0);
  expect(errorsOf(await consumer.fetch())).toEqual([[TOPIC_AUTHORIZATION_FAILED, 0]]);
  const acknowledged = await consumer.acknowledge([[0, 0, 0, ACCEPT]]);
  expect(acknowledged.responses[0]?.partitions[0]?.errorCode).toBe(TOPIC_AUTHORIZATION_FAILED);
  await grant(root, TOPIC, 't', OPERATION.read);
  expect(await consumer.deliveries()).toHaveLength(1);
});

it('a share group is described, and its offsets told, changed and deleted, as far as a client may', async () => {
  const { root, anna, consumer } = await start();
  const rootsMember = new ShareConsumer(root, { memberId: 'r', topicId: consumer.topicId });
  await rootsMember.heartbeat({ subscribedTopicNames: ['t'] });
  await rootsMember.fetch();
  const describe = async () => {
    const { groups } = await ask(anna, shareGroupDescribe, 1, { groupIds: ['g'], includeAuthorizedOperations: true });
    return groups[0]?.errorCode;
  };
  const topics = [{ topicName: 't', partitions: [0] }];
  const offsets = (all = false) =>
    ask(anna, describeShareGroupOffsets, 1, { groups: [{ groupId: 'g', topics: all ? null : topics }] });
  const altered = [{ topicName: 't', partitions: [{ partitionIndex: 0, startOffset: 0 }] }];
  const alter = () => ask(anna, alterShareGroupOffsets, 0, { groupId: 'g', topics: altered });
  const forget = () => ask(anna, deleteShareGroupOffsets, 0, { groupId: 'g', topics: [{ topicName: 't' }] });

  expect(await describe()).toBe(GROUP_AUTHORIZATION_FAILED);
  expect((await offsets()).groups[0]?.errorCode).toBe(GROUP_AUTHORIZATION_FAILED);
  expect((await alter()).errorCode).toBe(GROUP_AUTHORIZATION_FAILED);
  expect((await forget()).errorCode).toBe(GROUP_AUTHORIZATION_FAILED);
  for (const operation of [OPERATION.read, OPERATION.delete]) await grant(root, GROUP, 'g', operation);
  expect(await describe()).toBe(TOPIC_AUTHORIZATION_FAILED);
  expect((await offsets()).groups[0]?.topics[0]?.partitions[0]?.errorCode).toBe(TOPIC_AUTHORIZATION_FAILED);
  expect((await offsets(true)).groups[0]?.topics).toEqual([]);
  await rootsMember.heartbeat({ memberEpoch: -1 });
  expect((await alter()).responses[0]?.partitions[0]?.errorCode).toBe(TOPIC_AUTHORIZATION_FAILED);
  expect((await forget()).responses[0]?.errorCode).toBe(TOPIC_AUTHORIZATION_FAILED);
  await grant(root, TOPIC, 't', OPERATION.read);
  expect(await describe()).toBe(0);
  expect((await offsets()).groups[0]?.topics[0]?.partitions[0]).toMatchObject({ errorCode: 0, startOffset: 0 });
  expect((await alter()).responses[0]?.partitions[0]?.errorCode).toBe(0);
  expect((await forget()).responses[0]?.errorCode).toBe(0);
});
