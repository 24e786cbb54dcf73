import { expect, test } from 'vitest';
import { HANDLERS } from '../handlers/index.ts';
import { AUDIT_RULES } from './index.ts';
import { actOf } from './rule.ts';

/** What reads, what clients do as long as they work, and what changes nothing here. */
const NO_ACTS = [
  ...['ApiVersions', 'Metadata', 'DescribeCluster', 'DescribeTopicPartitions', 'DescribeConfigs', 'DescribeLogDirs'],
  ...['DescribeGroups', 'ConsumerGroupDescribe', 'ShareGroupDescribe', 'DescribeShareGroupOffsets', 'ListGroups'],
  ...['DescribeAcls', 'DescribeClientQuotas', 'DescribeUserScramCredentials', 'DescribeProducers', 'DescribeQuorum'],
  ...['DescribeTransactions', 'ListTransactions', 'ListConfigResources', 'ListOffsets', 'ListPartitionReassignments'],
  ...['OffsetFetch', 'OffsetForLeaderEpoch', 'FindCoordinator', 'GetTelemetrySubscriptions', 'PushTelemetry'],
  ...['Produce', 'Fetch', 'ShareFetch', 'ShareAcknowledge', 'InitProducerId', 'AddPartitionsToTxn', 'AddOffsetsToTxn'],
  ...['EndTxn', 'TxnOffsetCommit', 'JoinGroup', 'SyncGroup', 'Heartbeat', 'LeaveGroup', 'ConsumerGroupHeartbeat'],
  'ShareGroupHeartbeat',
  // Recorded where passwords are looked at.
  ...['SaslHandshake', 'SaslAuthenticate'],
  // Answered that there is nothing to do, or that it cannot be done.
  ...['AlterPartitionReassignments', 'AlterReplicaLogDirs', 'ElectLeaders', 'UnregisterBroker', 'UpdateFeatures'],
  ...['CreateDelegationToken', 'RenewDelegationToken', 'ExpireDelegationToken', 'DescribeDelegationToken'],
];

test('every API is an administrative act, or is said to be none', () => {
  const others = [...HANDLERS.values()].filter(({ api }) => !AUDIT_RULES.has(api.key)).map(({ api }) => api.name);
  expect(new Set(others)).toEqual(new Set(NO_ACTS));
  for (const key of AUDIT_RULES.keys()) expect(HANDLERS.has(key)).toBe(true);
});

test('an error tells whether the client may not, or whether it could not be done; what is there already is no act', () => {
  const told = { act: 'stream.create', object: 't' };
  expect(actOf({ ...told, errorCode: 0 })).toEqual({ ...told, outcome: 'done' });
  expect(actOf({ ...told, errorCode: 29 })).toEqual({
    ...told,
    outcome: 'refused',
    reason: 'TOPIC_AUTHORIZATION_FAILED',
  });
  expect(actOf({ ...told, errorCode: 17, errorMessage: 'no' })).toEqual({ ...told, outcome: 'failed', reason: 'no' });
  expect(actOf({ ...told, errorCode: 36 })).toBeUndefined();
});
