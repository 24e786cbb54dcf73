import { describe, expect, it, onTestFinished } from 'vitest';
import { consumerGroupDescribe } from '../../src/protocols/kafka/codec/apis/consumer-group-describe.ts';
import {
  type ConsumerGroupHeartbeatRequest,
  consumerGroupHeartbeat,
} from '../../src/protocols/kafka/codec/apis/consumer-group-heartbeat.ts';
import { describeGroups } from '../../src/protocols/kafka/codec/apis/describe-groups.ts';
import { listGroups } from '../../src/protocols/kafka/codec/apis/list-groups.ts';
import { offsetCommit } from '../../src/protocols/kafka/codec/apis/offset-commit.ts';
import { offsetFetch } from '../../src/protocols/kafka/codec/apis/offset-fetch.ts';
import { KafkaError } from '../../src/protocols/kafka/codec/error-codes.ts';
import { kafkajs, startBroker, temporaryDirectory, until } from './fixture.ts';
import { joinByPlatformatic, TOPIC } from './group-members.ts';
import { ask, RawClient } from './raw-client.ts';

// The new group protocol (KIP-848), as a client meets it.

const PARTITIONS = 4;

async function createTopics(address: string, ...topics: string[]): Promise<void> {
  const admin = kafkajs(address).admin();
  await admin.createTopics({ topics: topics.map((topic) => ({ topic, numPartitions: PARTITIONS })) });
  await admin.disconnect();
}

async function connect(address: string): Promise<RawClient> {
  const client = await RawClient.connect(Number(address.split(':')[1]));
  onTestFinished(() => client.destroy());
  return client;
}

const joining = {
  groupId: 'g',
  memberId: 'm',
  memberEpoch: 0,
  rebalanceTimeoutMs: 1_000,
  subscribedTopicNames: [TOPIC],
  topicPartitions: [],
};

function heartbeat(client: RawClient, request: Partial<ConsumerGroupHeartbeatRequest>, version = 1) {
  return ask(client, consumerGroupHeartbeat, version, { ...joining, ...request });
}

describe('members of @platformatic/kafka', () => {
  const join = (address: string) => joinByPlatformatic(address, 'team', 'consumer');

  async function send(address: string, name: string): Promise<string[]> {
    const producer = kafkajs(address).producer();
    await producer.connect();
    const values = Array.from({ length: 40 }, (_, i) => `${name}-${i}`);
    await producer.send({ topic: TOPIC, messages: values.map((value, i) => ({ value, partition: i % PARTITIONS })) });
    await producer.disconnect();
    return values;
  }

  it('share the partitions, come and go, and miss nothing', async () => {
    const { address } = await startBroker({ settings: { groups: { consumerHeartbeatIntervalMs: 50 } } });
    await createTopics(address, TOPIC);
    const raw = await connect(address);
    const settled = (members: number) =>
      until(async () => {
        const { groups } = await ask(raw, consumerGroupDescribe, 1, {
          groupIds: ['team'],
          includeAuthorizedOperations: false,
        });
        return groups[0]?.groupState === 'Stable' && groups[0].members.length === members;
      });
    const first = await join(address);
    await settled(1);
    const alone = await send(address, 'alone');
    await until(() => new Set(first.got.map(({ value }) => value)).size === alone.length);
    const second = await join(address);
    await settled(2);
    const before = second.got.length;
    const shared = await send(address, 'shared');
    const values = () => new Set([...first.got, ...second.got].map(({ value }) => value));
    await until(() => shared.every((value) => values().has(value)));
    expect(new Set(second.got.slice(before).map(({ partition }) => partition)).size).toBe(PARTITIONS / 2);
    await first.leave();
    await settled(1);
    const left = await send(address, 'left');
    await until(() => left.every((value) => values().has(value)));
    await second.leave();
    expect(values()).toEqual(new Set([...alone, ...shared, ...left]));
  });
});

it('what is wrong with a heartbeat is told', async () => {
  const { address } = await startBroker();
  await createTopics(address, TOPIC);
  const client = await connect(address);
  const refused = async (request: Partial<ConsumerGroupHeartbeatRequest>, version = 1) => {
    const { errorCode, errorMessage } = await heartbeat(client, request, version);
    if (errorCode !== 0) expect(errorMessage).toBeTruthy();
    return errorCode;
  };
  const invalid: Partial<ConsumerGroupHeartbeatRequest>[] = [
    { groupId: '' },
    { instanceId: '' },
    { rackId: '' },
    { memberId: '' },
    { rebalanceTimeoutMs: -1 },
    { topicPartitions: null },
    { subscribedTopicNames: null },
    { memberEpoch: -3 },
    { memberEpoch: -2 },
    { memberId: 'x'.repeat(1_025) },
  ];
  for (const request of invalid) expect(await refused(request)).toBe(KafkaError.INVALID_REQUEST);
  expect(await refused({ serverAssignor: 'sticky' })).toBe(KafkaError.UNSUPPORTED_ASSIGNOR);
  expect(await refused({ subscribedTopicRegex: '(' })).toBe(KafkaError.INVALID_REGULAR_EXPRESSION);
  expect(await refused({ memberEpoch: 3 })).toBe(KafkaError.GROUP_ID_NOT_FOUND);
  expect(await refused({ rackId: 'here' })).toBe(0);
  expect(await refused({ memberEpoch: 3 })).toBe(KafkaError.FENCED_MEMBER_EPOCH);
  expect(await refused({ memberId: 'n', memberEpoch: 3 })).toBe(KafkaError.UNKNOWN_MEMBER_ID);
  expect(await refused({ memberId: 's', instanceId: 'i' })).toBe(0);
  expect(await refused({ memberId: 't', instanceId: 'i' })).toBe(KafkaError.UNRELEASED_INSTANCE_ID);
  expect(await refused({ memberId: 't', instanceId: 'i', memberEpoch: 1 })).toBe(KafkaError.FENCED_INSTANCE_ID);
  // In version 0 the broker makes up the ids.
  const { memberId, errorCode } = await heartbeat(client, { memberId: '', groupId: 'h' }, 0);
  expect({ errorCode, made: memberId !== null && memberId.length > 0 }).toEqual({ errorCode: 0, made: true });
});

it('a group is described and listed by what it is', async () => {
  const { address } = await startBroker();
  await createTopics(address, TOPIC, 'work-2');
  const client = await connect(address);
  await heartbeat(client, {
    rackId: 'r',
    subscribedTopicRegex: 'work-\\d',
    subscribedTopicNames: null,
    instanceId: 'i',
  });
  const { groups } = await ask(client, consumerGroupDescribe, 1, {
    groupIds: ['g', 'none', 'g'],
    includeAuthorizedOperations: true,
  });
  const admin = kafkajs(address).admin();
  const { topics } = await admin.fetchTopicMetadata({ topics: ['work-2'] });
  expect(topics[0]?.partitions).toHaveLength(PARTITIONS);
  await admin.disconnect();
  const assignment = {
    topicPartitions: [{ topicId: expect.any(String), topicName: 'work-2', partitions: [0, 1, 2, 3] }],
  };
  expect(groups).toMatchObject([
    {
      errorCode: 0,
      groupId: 'g',
      groupState: 'Stable',
      groupEpoch: 1,
      assignmentEpoch: 1,
      assignorName: 'uniform',
      members: [
        {
          ...{ memberId: 'm', instanceId: 'i', rackId: 'r', memberEpoch: 1, clientId: 'raw', memberType: 1 },
          ...{ subscribedTopicNames: [], subscribedTopicRegex: 'work-\\d', assignment, targetAssignment: assignment },
        },
      ],
    },
    { errorCode: KafkaError.GROUP_ID_NOT_FOUND, groupId: 'none', members: [] },
  ]);
  const classic = await ask(client, describeGroups, 6, { groups: ['g'] });
  expect(classic.groups).toMatchObject([
    { errorCode: KafkaError.GROUP_ID_NOT_FOUND, errorMessage: 'Group g is not a classic group.', groupState: 'Dead' },
  ]);
  const list = async (typesFilter: string[]) => (await ask(client, listGroups, 5, { typesFilter })).groups;
  expect(await list(['consumer'])).toEqual([
    { groupId: 'g', protocolType: 'consumer', groupState: 'Stable', groupType: 'Consumer' },
  ]);
  expect(await list(['classic'])).toEqual([]);
});

it('members commit and fetch in their epoch, and go on in it when the broker is started again', async () => {
  const directory = await temporaryDirectory();
  const started = await startBroker({ storage: 'disk', directory });
  const { address } = started;
  await createTopics(address, TOPIC);
  const first = await connect(address);
  const joined = await heartbeat(first, {});
  expect(joined.memberEpoch).toBe(1);
  const commit = async (client: RawClient, epoch: number, version = 9) => {
    const partitions = [{ partitionIndex: 0, committedOffset: 5, committedMetadata: null }];
    const topics = [{ name: TOPIC, partitions }];
    const request = { groupId: 'g', generationIdOrMemberEpoch: epoch, memberId: 'm', topics };
    return (await ask(client, offsetCommit, version, request)).topics[0]?.partitions[0]?.errorCode;
  };
  expect(await commit(first, 1)).toBe(0);
  expect(await commit(first, 2)).toBe(KafkaError.STALE_MEMBER_EPOCH);
  expect(await commit(first, 1, 8)).toBe(KafkaError.UNSUPPORTED_VERSION);
  await started.close();
  await startBroker({ storage: 'disk', directory, listeners: [`kafka://${address}`] });
  const client = await connect(address);
  const beat = { memberEpoch: 1, rebalanceTimeoutMs: -1, subscribedTopicNames: null, topicPartitions: null };
  expect(await heartbeat(client, beat)).toMatchObject({ errorCode: 0, memberEpoch: 1, assignment: null });
  const fetch = async (memberEpoch: number) => {
    const groups = [{ groupId: 'g', memberId: 'm', memberEpoch, topics: null }];
    return (await ask(client, offsetFetch, 9, { groups, requireStable: true })).groups[0];
  };
  expect(await fetch(1)).toMatchObject({
    errorCode: 0,
    topics: [{ name: TOPIC, partitions: [{ committedOffset: 5 }] }],
  });
  expect(await fetch(2)).toMatchObject({ errorCode: KafkaError.STALE_MEMBER_EPOCH, topics: [] });
});
