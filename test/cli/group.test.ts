import { Consumer, GroupProtocols } from '@platformatic/kafka';
import { Kafka, logLevel } from 'kafkajs';
import { expect, onTestFinished, test } from 'vitest';
import { BrokerProcess } from './sluice.ts';

interface PartitionLag {
  readonly topic: string;
  readonly partition: number;
  readonly committed: number | null;
  readonly end: number | null;
  readonly lag: number | null;
  readonly member: string | null;
}

interface DescribedGroup {
  readonly name: string;
  readonly state: string;
  readonly members: readonly { readonly id: string; readonly clientId: string }[];
  readonly offsets: readonly PartitionLag[];
}

async function brokerWithRecords(): Promise<BrokerProcess> {
  const broker = await BrokerProcess.start(undefined, { env: { SLUICE_KAFKA_NUM_PARTITIONS: '2' } });
  await broker.run(['produce', 'orders', '--partition', '0'], { stdin: 'a\nb\nc\n' });
  await broker.run(['produce', 'orders', '--partition', '1'], { stdin: 'd\n' });
  return broker;
}

async function described(broker: BrokerProcess, name: string): Promise<DescribedGroup> {
  return (await broker.json(['group', 'describe', name])) as DescribedGroup;
}

test('a group is given offsets, listed, described with its lag, moved and deleted', async () => {
  const broker = await brokerWithRecords();
  const dry = await broker.json(['group', 'reset', 'billing', '--topic', 'orders', '--to-earliest', '--dry-run']);
  expect(dry).toMatchObject({
    dryRun: true,
    offsets: [
      { from: null, to: 0 },
      { from: null, to: 0 },
    ],
  });
  expect(await broker.json(['group', 'list'])).toEqual([]);

  await broker.run(['group', 'reset', 'billing', '--topic', 'orders', '--to-earliest']);
  expect(await broker.json(['group', 'list'])).toMatchObject([{ name: 'billing', state: 'Empty' }]);
  expect((await described(broker, 'billing')).offsets).toEqual([
    { topic: 'orders', partition: 0, committed: 0, end: 3, lag: 3, member: null },
    { topic: 'orders', partition: 1, committed: 0, end: 1, lag: 1, member: null },
  ]);

  const moved = async (...args: string[]) => {
    const { offsets } = (await broker.json(['group', 'reset', 'billing', ...args])) as {
      offsets: { partition: number; to: number }[];
    };
    return offsets.map(({ partition, to }) => [partition, to]);
  };
  expect(await moved('--topic', 'orders:0', '--to-offset', '2')).toEqual([[0, 2]]);
  expect(await moved('--topic', 'orders', '--by', '-1')).toEqual([
    [0, 1],
    [1, 0],
  ]);
  expect(await moved('--topic', 'orders', '--by', '100')).toEqual([
    [0, 3],
    [1, 1],
  ]);
  expect(await moved('--topic', 'orders', '--to-time', '2000-01-01')).toEqual([
    [0, 0],
    [1, 0],
  ]);
  expect(await moved('--topic', 'orders', '--to-latest')).toEqual([
    [0, 3],
    [1, 1],
  ]);
  expect((await described(broker, 'billing')).offsets.map(({ lag }) => lag)).toEqual([0, 0]);

  expect((await broker.run(['group', 'delete', 'billing'])).stdout).toBe('deleted billing\n');
  expect(await broker.json(['group', 'list'])).toEqual([]);
});

test('a group with a member shows who has what, and is neither moved nor deleted', async () => {
  const broker = await brokerWithRecords();
  const kafka = new Kafka({ clientId: 'biller', brokers: [broker.address], logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: 'billing' });
  onTestFinished(() => consumer.disconnect());
  let received = 0;
  await consumer.connect();
  await consumer.subscribe({ topics: ['orders'], fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    consumer.run({ eachMessage: async () => void (++received === 4 && resolve()) }).catch(reject);
  });

  const group = await described(broker, 'billing');
  expect(group).toMatchObject({ name: 'billing', state: 'Stable', members: [{ clientId: 'biller' }] });
  expect(group.offsets.map(({ partition, member }) => [partition, member])).toEqual([
    [0, group.members[0]?.id],
    [1, group.members[0]?.id],
  ]);
  expect((await broker.run(['group', 'describe', 'billing'])).stdout).toContain('orders:0,1');

  const reset = await broker.run(['group', 'reset', 'billing', '--topic', 'orders', '--to-earliest']);
  expect(reset).toMatchObject({ code: 1, stderr: 'sluice: group billing has 1 member; stop its consumers first\n' });
  const removed = await broker.run(['group', 'delete', 'billing']);
  expect(removed).toMatchObject({
    code: 1,
    stderr: 'sluice: group billing: the group has members; stop its consumers first\n',
  });
});

test('a group of the new protocol shows its type, and who has what', async () => {
  const broker = await brokerWithRecords();
  const consumer = new Consumer({
    clientId: 'biller',
    groupId: 'billing',
    groupProtocol: GroupProtocols.CONSUMER,
    bootstrapBrokers: [broker.address],
  });
  onTestFinished(() => consumer.close(true));
  await consumer.consume({ topics: ['orders'] });
  const group = await described(broker, 'billing');
  expect(group).toMatchObject({ type: 'consumer', state: 'Stable', members: [{ clientId: 'biller' }] });
  expect(await broker.json(['group', 'list'])).toMatchObject([{ name: 'billing', type: 'Consumer', state: 'Stable' }]);
  const { stdout } = await broker.run(['group', 'describe', 'billing']);
  expect(stdout).toContain('billing: Stable, consumer group, shares partitions out by uniform');
  expect(stdout).toContain('orders:0,1');
});

test('what cannot be is told in one line', async () => {
  const broker = await brokerWithRecords();
  const refusals: [string[], number, RegExp][] = [
    [['describe', 'nothing'], 1, /there is no group nothing/],
    [['delete', 'nothing'], 1, /there is no such group/],
    [['reset', 'billing', '--topic', 'nothing', '--to-latest'], 1, /there is no topic nothing/],
    [['reset', 'billing', '--topic', 'orders:5', '--to-latest'], 1, /orders has no partition 5; it has 0 to 1/],
    [['reset', 'billing', '--topic', 'orders'], 2, /say once where to/],
    [['reset', 'billing', '--topic', 'orders', '--to-latest', '--to-earliest'], 2, /say once where to/],
    [['reset', 'billing', '--to-latest'], 2, /--topic/],
  ];
  for (const [args, expected, message] of refusals) {
    const { code, stderr } = await broker.run(['group', ...args]);
    expect(code, args.join(' ')).toBe(expected);
    expect(stderr).toMatch(/^sluice: .+\n$/);
    expect(stderr).toMatch(message);
  }
});
