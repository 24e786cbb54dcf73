import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'amqplib';
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, type Kafka, ResourcePatternTypes } from 'kafkajs';
import { expect, it, onTestFinished } from 'vitest';
import { createBroker, type RunningBroker } from '../../src/index.ts';
import type { AuditPageShape } from '../../src/protocols/http/shapes/audit.ts';
import type { BackupShown, BackupStatusShown, BackupTaskShown } from '../../src/protocols/http/shapes/backups.ts';
import { sluice } from '../cli/sluice.ts';
import { asking } from '../http/fixture.ts';
import { kafkajs, temporaryDirectory, until } from '../kafka/fixture.ts';

const ORDERS_OF_ANNA = {
  resourceType: AclResourceTypes.TOPIC,
  resourceName: 'orders',
  resourcePatternType: ResourcePatternTypes.LITERAL,
  principal: 'User:anna',
  host: '*',
  operation: AclOperationTypes.READ,
  permissionType: AclPermissionTypes.ALLOW,
};

interface Running {
  readonly broker: RunningBroker;
  readonly kafka: Kafka;
  readonly amqp: string;
  readonly ask: ReturnType<typeof asking>;
}

async function start(home: string, archive = false): Promise<Running> {
  const broker = await createBroker({
    storage: 'disk',
    directory: join(home, 'data'),
    listeners: ['kafka://127.0.0.1:0', 'amqp://127.0.0.1:0', 'http://127.0.0.1:0'],
    settings: {
      storage: { shards: 2 },
      kafka: { authorizer: 'acl', superUsers: ['User:guest', 'User:ANONYMOUS'] },
      backup: { directory: join(home, 'backups'), archive, archiveIntervalMs: 20 },
    },
  });
  onTestFinished(() => broker.close());
  const [kafka, amqp, http] = broker.listeners.map(({ port }) => port);
  return {
    broker,
    kafka: kafkajs(`127.0.0.1:${kafka}`),
    amqp: `amqp://guest:guest@127.0.0.1:${amqp}`,
    ask: asking(`http://127.0.0.1:${http}`),
  };
}

async function produce(kafka: Kafka, topic: string, values: readonly string[], key?: string): Promise<void> {
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  await producer.send({ topic, messages: values.map((value) => ({ key: key ?? value, value, partition: 0 })) });
  await producer.disconnect();
}

/** What a reader of committed records finds from the beginning, or from where its group is. */
async function consume(kafka: Kafka, topic: string, groupId: string, last: string): Promise<string[]> {
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 20 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const values: string[] = [];
  await consumer.run({ eachMessage: async ({ message }) => void values.push(`${message.value}`) });
  await until(() => values.includes(last));
  await consumer.disconnect();
  return values;
}

/** All that waits in a queue, in the order in which it is given out. */
async function drain(url: string, queue: string): Promise<string[]> {
  const connection = await connect(url);
  const channel = await connection.createChannel();
  const values: string[] = [];
  for (let got = await channel.get(queue); got !== false; got = await channel.get(queue)) {
    values.push(got.content.toString());
    channel.ack(got);
  }
  await connection.close();
  return values;
}

async function publish(url: string, queue: string, values: readonly string[]): Promise<void> {
  const connection = await connect(url);
  const channel = await connection.createConfirmChannel();
  for (const value of values) channel.sendToQueue(queue, Buffer.from(value), { persistent: true });
  await channel.waitForConfirms();
  await connection.close();
}

async function backUp({ ask }: Running): Promise<BackupShown> {
  const begun = await ask('POST', '/api/backups', {});
  expect(begun.status).toBe(202);
  let task = begun.body as BackupTaskShown;
  await until(async () => {
    task = ((await ask('GET', '/api/backups/status')).body as BackupStatusShown).task as BackupTaskShown;
    return task.state !== 'running';
  });
  expect(task).toMatchObject({ state: 'done', error: null });
  return task.backup as BackupShown;
}

async function restored(home: string, args: readonly string[] = []): Promise<Record<string, unknown>> {
  const set = join(home, 'backups', 'main');
  const { code, stdout, stderr } = await sluice(['restore', set, '--to', join(home, 'data'), '--json', ...args]);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

it('clients find everything again after the data are gone: messages, offsets, transactions, users, permissions, what was done', {
  timeout: 240_000,
}, async () => {
  const home = await temporaryDirectory();
  const first = await start(home);
  const { kafka, amqp, ask } = first;
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({
    topics: [
      { topic: 'orders', numPartitions: 3 },
      { topic: 'paid', numPartitions: 1 },
      { topic: 'prices', numPartitions: 1, configEntries: [{ name: 'cleanup.policy', value: 'compact' }] },
    ],
  });
  await produce(kafka, 'orders', ['order-0', 'order-1', 'order-2']);
  await produce(kafka, 'prices', ['1', '2', '3'], 'apple');
  const payer = kafka.producer({ transactionalId: 'payer', maxInFlightRequests: 1, idempotent: true });
  await payer.connect();
  for (const [value, commits] of [
    ['paid-0', true],
    ['aborted', false],
    ['paid-1', true],
  ] as const) {
    const transaction = await payer.transaction();
    await transaction.send({ topic: 'paid', messages: [{ value, partition: 0 }] });
    await (commits ? transaction.commit() : transaction.abort());
  }
  const open = await payer.transaction();
  await open.send({ topic: 'paid', messages: [{ value: 'open', partition: 0 }] });
  expect(await consume(kafka, 'orders', 'shipping', 'order-2')).toHaveLength(3);
  const connection = await connect(amqp);
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue('jobs', { durable: true, arguments: { 'x-max-priority': 5 } });
  for (const [value, priority] of [
    ['low', 1],
    ['high', 5],
    ['done', 4],
  ] as const)
    channel.sendToQueue('jobs', Buffer.from(value), { persistent: true, priority });
  await channel.assertQueue('dead', { durable: true });
  await channel.assertQueue('retried', {
    durable: true,
    arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead' },
  });
  channel.sendToQueue('retried', Buffer.from('rejected'), { persistent: true });
  await channel.assertExchange('later', 'x-delayed-message', { arguments: { 'x-delayed-type': 'direct' } });
  await channel.assertQueue('delayed', { durable: true });
  await channel.bindQueue('delayed', 'later', 'k');
  channel.publish('later', 'k', Buffer.from('in time'), { persistent: true, headers: { 'x-delay': 1500 } });
  await channel.waitForConfirms();
  const high = await channel.get('jobs');
  if (high !== false) channel.ack(high);
  const bad = await channel.get('retried');
  if (bad !== false) channel.nack(bad, false, false);
  await until(async () => (await channel.checkQueue('dead')).messageCount === 1);
  await connection.close();
  await ask('PUT', '/api/users/anna', { password: 'secret', tags: 'monitoring' });
  await ask('PUT', '/api/permissions/%2F/anna', { configure: '', write: '', read: 'jobs' });
  await admin.createAcls({ acl: [ORDERS_OF_ANNA] });
  const backup = await backUp(first);
  expect(backup).toMatchObject({ set: 'main', full: true, shards: 2, damages: [] });
  await produce(kafka, 'orders', ['later']);
  await publish(amqp, 'jobs', ['later']);
  await admin.disconnect();
  await payer.disconnect().catch(() => {});
  await first.broker.close();

  await rm(join(home, 'data'), { recursive: true });
  expect(await restored(home)).toMatchObject({ backup: backup.name, time: backup.time, damages: [] });
  const second = await start(home);
  expect(await consume(second.kafka, 'orders', 'reader', 'order-2')).toEqual(['order-0', 'order-1', 'order-2']);
  await produce(second.kafka, 'orders', ['order-3']);
  expect(await consume(second.kafka, 'orders', 'shipping', 'order-3')).toEqual(['order-3']);
  expect(await consume(second.kafka, 'prices', 'reader', '3')).toContain('3');
  const again = second.kafka.producer({ transactionalId: 'payer', maxInFlightRequests: 1, idempotent: true });
  await again.connect();
  const transaction = await again.transaction();
  await transaction.send({ topic: 'paid', messages: [{ value: 'paid-2', partition: 0 }] });
  await transaction.commit();
  await again.disconnect();
  expect(await consume(second.kafka, 'paid', 'reader', 'paid-2')).toEqual(['paid-0', 'paid-1', 'paid-2']);
  expect(await drain(second.amqp, 'jobs')).toEqual(['done', 'low']);
  expect(await drain(second.amqp, 'dead')).toEqual(['rejected']);
  expect(await drain(second.amqp, 'retried')).toEqual([]);
  const delayed: string[] = [];
  await until(async () => {
    delayed.push(...(await drain(second.amqp, 'delayed')));
    return delayed.length > 0;
  });
  expect(delayed).toEqual(['in time']);
  const { body } = await second.ask('GET', '/api/permissions/%2F/anna');
  expect(body).toMatchObject({ user: 'anna', read: 'jobs' });
  expect((await second.ask('GET', '/api/whoami', undefined, { as: 'anna:secret' })).status).toBe(200);
  const administrator = second.kafka.admin();
  await administrator.connect();
  const { resources } = await administrator.describeAcls({
    ...ORDERS_OF_ANNA,
    resourcePatternType: ResourcePatternTypes.ANY,
  });
  expect(resources).toMatchObject([
    { resourceName: 'orders', acls: [{ principal: 'User:anna', operation: AclOperationTypes.READ }] },
  ]);
  await administrator.createTopics({ topics: [{ topic: 'refunds', numPartitions: 1 }] });
  await administrator.disconnect();
  const audit = (await second.ask('GET', '/api/audit?limit=500')).body as AuditPageShape;
  const acts = audit.items.map(({ act, object }) => `${act} ${object}`);
  for (const act of ['user.change anna', 'stream.create orders', 'stream.create refunds']) expect(acts).toContain(act);
  const next = await backUp(second);
  expect(next.damages).toEqual([]);
  await second.broker.close();
});

it('any moment comes back from the archive, to all protocols at once', { timeout: 240_000 }, async () => {
  const home = await temporaryDirectory();
  const first = await start(home, true);
  const admin = first.kafka.admin();
  await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 1 }] });
  await admin.disconnect();
  const connection = await connect(first.amqp);
  await (await connection.createChannel()).assertQueue('jobs', { durable: true });
  await connection.close();
  await backUp(first);
  const moments: number[] = [];
  for (let i = 0; i < 3; i++) {
    await produce(first.kafka, 'orders', [`order-${i}`]);
    await publish(first.amqp, 'jobs', [`job-${i}`]);
    moments.push(Date.now());
    // What comes next is acknowledged later than that.
    const now = Date.now();
    await until(() => Date.now() > now + 1);
  }
  await first.broker.close();
  const report = await restored(home, ['--force', '--yes', '--at', new Date(moments[1] ?? 0).toISOString()]);
  expect(report).toMatchObject({ time: moments[1], stopped_by: null });
  const second = await start(home, true);
  expect(await consume(second.kafka, 'orders', 'reader', 'order-1')).toEqual(['order-0', 'order-1']);
  expect(await drain(second.amqp, 'jobs')).toEqual(['job-0', 'job-1']);
  await second.broker.close();
});

it('administrators alone ask for backups; where there is no directory for them, that is said', {
  timeout: 60_000,
}, async () => {
  const home = await temporaryDirectory();
  const { ask } = await start(home);
  await ask('PUT', '/api/users/anna', { password: 'anna', tags: 'monitoring' });
  for (const [method, path] of [
    ['GET', '/api/backups'],
    ['POST', '/api/backups'],
    ['DELETE', '/api/backups/main/20260101T000000Z'],
  ] as const)
    expect((await ask(method, path, undefined, { as: 'anna:anna' })).status).toBe(401);
  expect((await ask('POST', '/api/backups', { set: '../elsewhere' })).status).toBe(400);
  expect((await ask('DELETE', '/api/backups/main/20260101T000000Z')).status).toBe(404);
  expect((await ask('POST', '/api/backups/main/20260101T000000Z/verify', {})).status).toBe(202);
  await until(
    async () => ((await ask('GET', '/api/backups/status')).body as BackupStatusShown).task?.state === 'failed',
  );
  const memory = await createBroker({ listeners: ['http://127.0.0.1:0'] });
  onTestFinished(() => memory.close());
  const without = asking(`http://127.0.0.1:${memory.listeners[0]?.port}`);
  const refused = await without('POST', '/api/backups', {});
  expect(refused).toMatchObject({ status: 400, body: { reason: expect.stringContaining('backup.directory') } });
});
