import { createRequire } from 'node:module';
import * as platformatic from '@platformatic/kafka';
import { describe, expect, it } from 'vitest';
import type { Api } from './api.ts';
import { createTopics } from './apis/create-topics.ts';
import { fetch } from './apis/fetch.ts';
import { joinGroup } from './apis/join-group.ts';
import { listOffsets } from './apis/list-offsets.ts';
import { metadata } from './apis/metadata.ts';
import { offsetFetch } from './apis/offset-fetch.ts';
import { produce } from './apis/produce.ts';
import { APIS, apiOf } from './apis.ts';
import { decodeRequestHeader, encodeRequest, encodeResponse } from './frames.ts';
import { Reader } from './reader.ts';
import type { Fields, Input } from './schema.ts';

// The tables against two codecs that others wrote: kafkajs for the versions without tagged fields, @platformatic/kafka
// for those with them. What a client wrote must mean what it meant, and be the same bytes when it is written again.

const require = createRequire(import.meta.url);

interface KafkajsRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
}
type Values = Readonly<Record<string, unknown>>;

function kafkajsRequest(name: string, version: number, values: Values): KafkajsRequest {
  return require(`kafkajs/src/protocol/requests/${name}/v${version}/request`)(values);
}

async function kafkajsFrame(request: KafkajsRequest): Promise<Buffer> {
  const encode = require('kafkajs/src/protocol/request');
  return (await encode({ correlationId: 7, clientId: 'kafkajs', request })).buffer;
}

function kafkajsDecode(name: string, version: number, body: Buffer): Promise<Values> {
  return require(`kafkajs/src/protocol/requests/${name}/v${version}/response`).decode(body);
}

/** A response's body, without size and header. */
function bodyOf<Request extends Fields, Response extends Fields>(
  api: Api<Request, Response>,
  version: number,
  body: Input<Response>,
): Buffer {
  const headerBytes = version >= api.flexible ? 5 : 4;
  return Buffer.concat(encodeResponse(api, version, 1, body)).subarray(4 + headerBytes);
}

const topic = 'orders';
const topicId = '01234567-89ab-cdef-0123-456789abcdef';
const metadataBytes = Buffer.from('0003', 'hex');

/** Folder of kafkajs, version, what it is given, what it means. */
const kafkajsCases: readonly [name: string, version: number, given: Values, means: Values][] = [
  ['apiVersions', 2, {}, {}],
  ['metadata', 0, { topics: [topic] }, { topics: [{ name: topic }] }],
  ['metadata', 1, { topics: [] }, { topics: null }],
  ['metadata', 6, { topics: ['ä', topic] }, { topics: [{ name: 'ä' }, { name: topic }], allowAutoTopicCreation: true }],
  ['findCoordinator', 0, { groupId: 'g' }, { key: 'g', keyType: 0 }],
  ['findCoordinator', 2, { coordinatorKey: 'tx', coordinatorType: 1 }, { key: 'tx', keyType: 1 }],
  [
    'joinGroup',
    5,
    {
      groupId: 'g',
      sessionTimeout: 30000,
      rebalanceTimeout: 60000,
      memberId: '',
      groupInstanceId: 'i-1',
      protocolType: 'consumer',
      groupProtocols: [{ name: 'range', metadata: metadataBytes }],
    },
    {
      groupId: 'g',
      sessionTimeoutMs: 30000,
      rebalanceTimeoutMs: 60000,
      groupInstanceId: 'i-1',
      protocols: [{ name: 'range', metadata: metadataBytes }],
      reason: null,
    },
  ],
  [
    'syncGroup',
    3,
    {
      groupId: 'g',
      generationId: 2,
      memberId: 'm',
      groupAssignment: [{ memberId: 'm', memberAssignment: metadataBytes }],
    },
    { generationId: 2, groupInstanceId: null, assignments: [{ memberId: 'm', assignment: metadataBytes }] },
  ],
  ['heartbeat', 3, { groupId: 'g', groupGenerationId: 5, memberId: 'm', groupInstanceId: 'i' }, { generationId: 5 }],
  ['leaveGroup', 0, { groupId: 'g', memberId: 'm' }, { groupId: 'g', memberId: 'm' }],
  ['leaveGroup', 3, { groupId: 'g', members: [{ memberId: 'm' }] }, { members: [{ memberId: 'm', reason: null }] }],
  [
    'offsetCommit',
    2,
    {
      groupId: 'g',
      groupGenerationId: 1,
      memberId: 'm',
      retentionTime: -1,
      topics: [{ topic, partitions: [{ partition: 1, offset: '42', metadata: 'x' }] }],
    },
    {
      retentionTimeMs: -1,
      topics: [{ name: topic, partitions: [{ partitionIndex: 1, committedOffset: 42, committedMetadata: 'x' }] }],
    },
  ],
  [
    'offsetCommit',
    5,
    {
      groupId: 'g',
      groupGenerationId: 1,
      memberId: 'm',
      topics: [{ topic, partitions: [{ partition: 1, offset: '9007199254740991' }] }],
    },
    { topics: [{ partitions: [{ committedOffset: Number.MAX_SAFE_INTEGER, committedMetadata: null }] }] },
  ],
  [
    'offsetFetch',
    4,
    { groupId: 'g', topics: [{ topic, partitions: [{ partition: 3 }] }] },
    { groupId: 'g', topics: [{ name: topic, partitionIndexes: [3] }] },
  ],
  [
    'listOffsets',
    3,
    { replicaId: -1, isolationLevel: 1, topics: [{ topic, partitions: [{ partition: 0, timestamp: -2 }] }] },
    { isolationLevel: 1, topics: [{ name: topic, partitions: [{ timestamp: -2, currentLeaderEpoch: -1 }] }] },
  ],
  [
    'fetch',
    11,
    {
      replicaId: -1,
      maxWaitTime: 500,
      minBytes: 1,
      maxBytes: 1000,
      rackId: 'r',
      topics: [{ topic, partitions: [{ partition: 4, fetchOffset: '77', maxBytes: 100 }] }],
    },
    {
      maxWaitMs: 500,
      rackId: 'r',
      isolationLevel: 1,
      topics: [{ topic, partitions: [{ partition: 4, fetchOffset: 77, partitionMaxBytes: 100 }] }],
    },
  ],
  [
    'produce',
    7,
    {
      acks: -1,
      timeout: 1000,
      topicData: [{ topic, partitions: [{ partition: 2, firstSequence: 0, messages: [{ key: 'k', value: 'v' }] }] }],
    },
    { acks: -1, timeoutMs: 1000, transactionalId: null, topicData: [{ name: topic, partitionData: [{ index: 2 }] }] },
  ],
  [
    'createTopics',
    3,
    { topics: [{ topic, numPartitions: 3, replicationFactor: 1, configEntries: [] }], validateOnly: true, timeout: 9 },
    { validateOnly: true, timeoutMs: 9, topics: [{ name: topic, numPartitions: 3, assignments: [], configs: [] }] },
  ],
  ['deleteTopics', 1, { topics: [topic], timeout: 5 }, { topicNames: [topic], timeoutMs: 5 }],
  [
    'deleteRecords',
    1,
    { topics: [{ topic, partitions: [{ partition: 0, offset: '8' }] }], timeout: 5 },
    { topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset: 8 }] }] },
  ],
  ['initProducerId', 1, { transactionalId: 'tx', transactionTimeout: 60 }, { transactionalId: 'tx', producerId: -1 }],
  [
    'addPartitionsToTxn',
    1,
    { transactionalId: 'tx', producerId: '5', producerEpoch: 1, topics: [{ topic, partitions: [0, 1] }] },
    { v3AndBelowProducerId: 5, v3AndBelowTopics: [{ name: topic, partitions: [0, 1] }], transactions: [] },
  ],
  [
    'endTxn',
    1,
    { transactionalId: 'tx', producerId: '5', producerEpoch: 1, transactionResult: true },
    { producerId: 5, committed: true },
  ],
  [
    'describeConfigs',
    2,
    { resources: [{ type: 2, name: topic, configNames: ['retention.ms'] }], includeSynonyms: true },
    {
      resources: [{ resourceType: 2, resourceName: topic, configurationKeys: ['retention.ms'] }],
      includeSynonyms: true,
    },
  ],
  ['describeGroups', 2, { groupIds: ['g'] }, { groups: ['g'] }],
  ['saslHandshake', 1, { mechanism: 'PLAIN' }, { mechanism: 'PLAIN' }],
];

describe('kafkajs', () => {
  for (const [name, version, given, means] of kafkajsCases) {
    it(`means the same by ${name} v${version}, byte by byte`, async () => {
      const frame = await kafkajsFrame(kafkajsRequest(name, version, given));
      expect(frame.readInt32BE(0)).toBe(frame.length - 4);
      const header = decodeRequestHeader(frame.subarray(4), apiOf);
      if (header.kind !== 'known') throw new Error(header.kind);
      const request = header.api.request.decode(header.body, header.version);
      expect(request).toMatchObject(means);
      expect(header.body.remaining).toBe(0);
      const again = Buffer.concat(encodeRequest(header.api, header.version, 7, 'kafkajs', request));
      expect(again.toString('hex')).toBe(frame.toString('hex'));
    });
  }

  it('finds a version to speak for every API that it knows and we have', () => {
    const kafkajs: Record<string, { readonly versions: readonly string[] }> =
      require('kafkajs/src/protocol/requests').requests;
    const keys: Record<string, number> = require('kafkajs/src/protocol/requests/apiKeys');
    for (const api of APIS) {
      const name = Object.keys(keys).find((each) => keys[each] === api.key);
      const versions = name === undefined ? [] : (kafkajs[name]?.versions ?? []).map(Number);
      if (versions.length > 0) expect(Math.max(...versions), api.name).toBeGreaterThanOrEqual(api.versions[0]);
    }
  });

  it('reads our Metadata v6, JoinGroup v5 and Fetch v11 responses', async () => {
    const meta = bodyOf(metadata, 6, {
      brokers: [{ nodeId: 1, host: 'localhost', port: 9092, rack: null }],
      clusterId: 'c',
      controllerId: 1,
      topics: [
        {
          errorCode: 0,
          name: topic,
          topicId,
          isInternal: false,
          partitions: [{ errorCode: 0, partitionIndex: 0, leaderId: 1, replicaNodes: [1], isrNodes: [1] }],
        },
      ],
    });
    expect(await kafkajsDecode('metadata', 6, meta)).toMatchObject({
      brokers: [{ nodeId: 1, host: 'localhost', port: 9092 }],
      topicMetadata: [{ topic, partitionMetadata: [{ partitionId: 0, leader: 1, replicas: [1], isr: [1] }] }],
    });
    const joined = bodyOf(joinGroup, 5, {
      errorCode: 0,
      generationId: 3,
      protocolName: 'range',
      leader: 'm',
      memberId: 'm',
      members: [{ memberId: 'm', metadata: metadataBytes }],
    });
    expect(await kafkajsDecode('joinGroup', 5, joined)).toMatchObject({
      generationId: 3,
      groupProtocol: 'range',
      leaderId: 'm',
      members: [{ memberId: 'm', memberMetadata: metadataBytes }],
    });
    const partition = { partitionIndex: 0, errorCode: 0, highWatermark: 12, records: null };
    const fetched = bodyOf(fetch, 11, { responses: [{ topic, topicId, partitions: [partition] }] });
    expect(await kafkajsDecode('fetch', 11, fetched)).toMatchObject({
      responses: [{ topicName: topic, partitions: [{ partition: 0, highWatermark: '12', messages: [] }] }],
    });
  });
});

const { Reader: PlatformaticReader } = platformatic;

/** API, version, what @platformatic/kafka writes, what it means. */
const platformaticCases: readonly [key: number, version: number, body: { readonly buffer: Buffer }, means: Values][] = [
  [18, 4, platformatic.apiVersionsV4.createRequest('js', '1.0'), { clientSoftwareName: 'js' }],
  [
    3,
    12,
    platformatic.metadataV12.createRequest([topic], true, false),
    { topics: [{ name: topic }], allowAutoTopicCreation: true },
  ],
  [10, 6, platformatic.findCoordinatorV6.createRequest(0, ['g', 'h']), { coordinatorKeys: ['g', 'h'], key: '' }],
  [
    11,
    9,
    platformatic.joinGroupV9.createRequest(
      'g',
      1,
      2,
      'm',
      null,
      'consumer',
      [{ name: 'range', metadata: metadataBytes }],
      'why',
    ),
    { groupId: 'g', protocols: [{ name: 'range', metadata: metadataBytes }], reason: 'why' },
  ],
  [
    8,
    9,
    platformatic.offsetCommitV9.createRequest('g', 4, 'm', null, [
      {
        name: topic,
        partitions: [{ partitionIndex: 0, committedOffset: 5n, committedLeaderEpoch: -1, committedMetadata: null }],
      },
    ]),
    { generationIdOrMemberEpoch: 4, topics: [{ name: topic, partitions: [{ committedOffset: 5 }] }] },
  ],
  [
    9,
    9,
    platformatic.offsetFetchV9.createRequest(
      [{ groupId: 'g', memberId: null, memberEpoch: -1, topics: [{ name: topic, partitionIndexes: [0, 1] }] }],
      true,
    ),
    { requireStable: true, groups: [{ groupId: 'g', topics: [{ name: topic, partitionIndexes: [0, 1] }] }] },
  ],
  [
    1,
    17,
    platformatic.fetchV17.createRequest(
      500,
      1,
      1000,
      0,
      0,
      -1,
      [
        {
          topicId,
          partitions: [
            { partition: 1, currentLeaderEpoch: 2, fetchOffset: 99n, lastFetchedEpoch: -1, partitionMaxBytes: 10 },
          ],
        },
      ],
      [],
      'rack',
    ),
    { topics: [{ topicId, partitions: [{ partition: 1, fetchOffset: 99 }] }], rackId: 'rack' },
  ],
  [
    68,
    1,
    platformatic.consumerGroupHeartbeatV1.createRequest('g', 'm', 0, null, null, 1000, [topic], null, null, [
      { topicId, partitions: [1, 2] },
    ]),
    { subscribedTopicNames: [topic], topicPartitions: [{ topicId, partitions: [1, 2] }], serverAssignor: null },
  ],
  [
    75,
    0,
    platformatic.describeTopicPartitionsV0.createRequest([{ name: topic }], 100, {
      topicName: topic,
      partitionIndex: 7,
    }),
    { topics: [{ name: topic }], responsePartitionLimit: 100, cursor: { topicName: topic, partitionIndex: 7 } },
  ],
  [
    0,
    11,
    platformatic.produceV11.createRequest(-1, 100, [{ topic, key: Buffer.from('k'), value: Buffer.alloc(3000) }]),
    { acks: -1, topicData: [{ name: topic, partitionData: [{ index: 0 }] }] },
  ],
];

describe('@platformatic/kafka', () => {
  for (const [key, version, body, means] of platformaticCases) {
    const api = apiOf(key);
    it(`means the same by ${api?.name} v${version}, byte by byte`, () => {
      if (api === undefined) throw new Error(`no API ${key}`);
      const reader = new Reader(body.buffer);
      const request = api.request.decode(reader, version);
      expect(request).toMatchObject(means);
      expect(reader.remaining).toBe(0);
      const frame = Buffer.concat(encodeRequest(api, version, 1, 'c', request));
      // Size, key, version, correlation id, client id of one byte, tagged fields of the header.
      expect(frame.subarray(4 + 8 + 3 + 1).toString('hex')).toBe(body.buffer.toString('hex'));
    });
  }

  it('reads our Metadata v12, ListOffsets v9, OffsetFetch v9, CreateTopics v7 and Produce v11 responses', () => {
    const partitions = [
      { errorCode: 0, partitionIndex: 0, leaderId: 1, leaderEpoch: 4, replicaNodes: [1], isrNodes: [1] },
    ];
    const meta = bodyOf(metadata, 12, {
      brokers: [{ nodeId: 1, host: 'localhost', port: 9092 }],
      clusterId: 'c',
      controllerId: 1,
      topics: [{ errorCode: 0, name: topic, topicId, isInternal: false, partitions }],
    });
    expect(platformatic.metadataV12.parseResponse(1, 3, 12, PlatformaticReader.from(meta))).toMatchObject({
      brokers: [{ nodeId: 1, host: 'localhost', port: 9092, rack: null }],
      topics: [{ name: topic, topicId, partitions: [{ leaderEpoch: 4, replicaNodes: [1], offlineReplicas: [] }] }],
    });

    const listed = bodyOf(listOffsets, 9, {
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, errorCode: 0, timestamp: -1, offset: 5 }] }],
    });
    expect(platformatic.listOffsetsV9.parseResponse(1, 2, 9, PlatformaticReader.from(listed))).toMatchObject({
      topics: [{ name: topic, partitions: [{ timestamp: -1n, offset: 5n, leaderEpoch: -1 }] }],
    });

    const committed = { partitionIndex: 0, committedOffset: 5, metadata: 'x', errorCode: 0 };
    const offsets = bodyOf(offsetFetch, 9, {
      groups: [{ groupId: 'g', topics: [{ name: topic, partitions: [committed] }] }],
    });
    expect(platformatic.offsetFetchV9.parseResponse(1, 9, 9, PlatformaticReader.from(offsets))).toMatchObject({
      groups: [{ groupId: 'g', topics: [{ partitions: [{ committedOffset: 5n, metadata: 'x' }] }] }],
    });

    const created = bodyOf(createTopics, 7, {
      topics: [{ name: topic, topicId, errorCode: 0, numPartitions: 3, replicationFactor: 1, configs: [] }],
    });
    expect(platformatic.createTopicsV7.parseResponse(1, 19, 7, PlatformaticReader.from(created))).toMatchObject({
      topics: [{ name: topic, topicId, numPartitions: 3 }],
    });

    const produced = bodyOf(produce, 11, {
      responses: [{ name: topic, topicId, partitionResponses: [{ index: 2, errorCode: 0, baseOffset: 10 }] }],
    });
    expect(platformatic.produceV11.parseResponse(1, 0, 11, PlatformaticReader.from(produced))).toMatchObject({
      responses: [{ name: topic, partitionResponses: [{ index: 2, baseOffset: 10n, logAppendTimeMs: -1n }] }],
    });
  });
});
