import { expect, onTestFinished, test } from 'vitest';
import { createBroker } from '../../src/index.ts';
import type { AuditPageShape } from '../../src/protocols/http/shapes/audit.ts';
import { alterClientQuotas } from '../../src/protocols/kafka/codec/apis/alter-client-quotas.ts';
import { alterUserScramCredentials } from '../../src/protocols/kafka/codec/apis/alter-user-scram-credentials.ts';
import { createAcls } from '../../src/protocols/kafka/codec/apis/create-acls.ts';
import { createPartitions } from '../../src/protocols/kafka/codec/apis/create-partitions.ts';
import { createTopics } from '../../src/protocols/kafka/codec/apis/create-topics.ts';
import { deleteAcls } from '../../src/protocols/kafka/codec/apis/delete-acls.ts';
import { deleteGroups } from '../../src/protocols/kafka/codec/apis/delete-groups.ts';
import { deleteRecords } from '../../src/protocols/kafka/codec/apis/delete-records.ts';
import { deleteTopics } from '../../src/protocols/kafka/codec/apis/delete-topics.ts';
import { incrementalAlterConfigs } from '../../src/protocols/kafka/codec/apis/incremental-alter-configs.ts';
import { offsetCommit } from '../../src/protocols/kafka/codec/apis/offset-commit.ts';
import { offsetDelete } from '../../src/protocols/kafka/codec/apis/offset-delete.ts';
import { asking } from '../http/fixture.ts';
import { ask, RawClient } from './raw-client.ts';
import { logIn, PASSWORDS, rawAs } from './secured.ts';

const GUEST = 'guest';

async function start() {
  const sluice = await createBroker({
    listeners: ['kafka://127.0.0.1:0', 'http://127.0.0.1:0'],
    settings: { kafka: { sasl: 'required', authorizer: 'acl', superUsers: ['User:root'] } },
  });
  onTestFinished(() => sluice.close());
  const [kafka, http] = sluice.listeners;
  const api = asking(http?.url ?? '');
  for (const name of ['root', 'anna']) await api('PUT', `/api/users/${name}`, { password: PASSWORDS[name], tags: '' });
  const audit = async (query: string) => {
    await sluice.idle();
    const { body } = await api('GET', `/api/audit?protocol=kafka&${query}`, undefined, { as: `${GUEST}:${GUEST}` });
    return (body as AuditPageShape).items.toReversed();
  };
  const clientAs = async (name: string) => {
    const client = await rawAs(kafka?.port ?? 0, name);
    onTestFinished(() => client.destroy());
    return client;
  };
  return { audit, clientAs, port: kafka?.port ?? 0 };
}

const acl = { resourceType: 2, resourceName: 't', principal: 'User:anna', host: '*', operation: 3, permissionType: 3 };
const topic = { name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] };
const partition = { partitionIndex: 0, committedOffset: 0, committedMetadata: null };

test('what administrators do is recorded, and nothing that is secret', async () => {
  const { audit, clientAs } = await start();
  const root = await clientAs('root');
  const config = { name: 'retention.ms', value: '1000' };
  await ask(root, createTopics, 5, { topics: [{ ...topic, configs: [config] }], timeoutMs: 0 });
  await ask(root, createTopics, 5, { topics: [topic], timeoutMs: 0 });
  await ask(root, createTopics, 5, { topics: [{ ...topic, name: 'dry' }], timeoutMs: 0, validateOnly: true });
  const growth = [{ name: 't', count: 2, assignments: null }];
  await ask(root, createPartitions, 0, { topics: growth, timeoutMs: 0, validateOnly: false });
  await ask(root, deleteRecords, 0, {
    ...{ topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset: 0 }] }], timeoutMs: 0 },
  });
  await ask(root, incrementalAlterConfigs, 0, {
    resources: [
      { resourceType: 2, resourceName: 't', configs: [{ name: 'retention.ms', configOperation: 0, value: '2000' }] },
      { resourceType: 4, resourceName: '', configs: [{ name: 'max.connections', configOperation: 1, value: null }] },
    ],
    validateOnly: false,
  });
  await ask(root, createAcls, 1, { creations: [acl] });
  const filter = { resourceTypeFilter: 2, resourceNameFilter: 't', principalFilter: 'User:anna', hostFilter: null };
  for (let again = 0; again < 2; again++)
    await ask(root, deleteAcls, 1, { filters: [{ ...filter, operation: 1, permissionType: 1 }] });
  await ask(root, alterClientQuotas, 0, {
    entries: [
      {
        entity: [{ entityType: 'user', entityName: 'anna' }],
        ops: [{ key: 'producer_byte_rate', value: 1000, remove: false }],
      },
    ],
    validateOnly: false,
  });
  const salt = Buffer.from('the-salt-of-scram');
  const saltedPassword = Buffer.alloc(32, 'the-salted-password');
  await ask(root, alterUserScramCredentials, 0, {
    ...{ deletions: [], upsertions: [{ name: 'anna', mechanism: 1, iterations: 4096, salt, saltedPassword }] },
  });
  const commit = { groupId: 'g', memberId: '', topics: [{ name: 't', partitions: [partition] }] };
  for (let again = 0; again < 3; again++) await ask(root, offsetCommit, 2, commit);
  await ask(root, offsetDelete, 0, { groupId: 'g', topics: [{ name: 't', partitions: [{ partitionIndex: 0 }] }] });
  await ask(root, deleteGroups, 0, { groupsNames: ['g'] });
  await ask(root, deleteTopics, 1, { topicNames: ['t', 'none'], timeoutMs: 0 });
  const entries = await audit('user=root');
  expect(entries.map(({ act, object, outcome }) => `${act} ${object} ${outcome}`)).toEqual([
    'login  done',
    'stream.create t done',
    'stream.partitions t done',
    'stream.truncate t done',
    'stream.config t done',
    'settings.change  done',
    'acl.create User:anna done',
    'acl.delete User:anna done',
    'quota.change user=anna done',
    'scram.change anna done',
    'offsets.set g done',
    'offsets.delete g done',
    'group.delete g done',
    'stream.delete none failed',
    'stream.delete t done',
  ]);
  expect(entries.map(({ details }) => details)).toMatchObject([
    { mechanism: 'PLAIN' },
    { partitions: 1, config: { 'retention.ms': '1000' } },
    { partitions: 2 },
    { before: { 0: 0 } },
    { 'retention.ms': { set: '2000' } },
    { 'max.connections': { delete: null } },
    { resourceType: 'topic', resourceName: 't', operation: 'read', permission: 'allow' },
    { deleted: 1 },
    { producer_byte_rate: 1000 },
    { set: ['SCRAM-SHA-256'] },
    { streams: ['t'] },
    { streams: ['t'] },
    {},
    {},
    {},
  ]);
  const text = JSON.stringify(entries);
  for (const secret of [salt, saltedPassword])
    for (const encoding of ['base64', 'hex', 'utf8'] as const) expect(text).not.toContain(secret.toString(encoding));
});

test('so is what they may not, and who cannot log in', async () => {
  const { audit, clientAs, port } = await start();
  const anna = await clientAs('anna');
  await ask(anna, createTopics, 5, { topics: [topic], timeoutMs: 0 });
  await ask(anna, createAcls, 1, { creations: [acl] });

  const stranger = await RawClient.connect(port);
  onTestFinished(() => stranger.destroy());
  await logIn(stranger, 'anna', 'not-her-password').catch(() => {});
  const entries = await audit('user=anna');
  expect(entries.map(({ act, object, outcome }) => `${act} ${object} ${outcome}`)).toEqual([
    'login  done',
    'stream.create t refused',
    'acl.create User:anna refused',
    'login  refused',
  ]);
  expect(JSON.stringify(entries)).not.toContain('not-her-password');
});
