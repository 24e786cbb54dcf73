import { expect, test } from 'vitest';
import { BrokerProcess } from './sluice.ts';

interface DescribedTopic {
  readonly name: string;
  readonly partitions: readonly { readonly partition: number; readonly earliest: number; readonly latest: number }[];
  readonly configs: readonly { readonly name: string; readonly value: string; readonly source: string }[];
}

async function described(broker: BrokerProcess, name: string): Promise<DescribedTopic> {
  return (await broker.json(['topic', 'describe', name])) as DescribedTopic;
}

test('a topic is created, listed, described, altered and deleted', async () => {
  const broker = await BrokerProcess.start();
  const created = await broker.run([
    'topic',
    'create',
    'orders',
    '--partitions',
    '3',
    '--config',
    'retention.ms=86400000',
  ]);
  expect(created).toMatchObject({ code: 0, stdout: 'created orders: 3 partitions\n', stderr: '' });
  await broker.run(['topic', 'create', 'payments']);
  expect((await broker.run(['topic', 'list'])).stdout).toBe(
    'NAME      PARTITIONS\norders             3\npayments           1\n',
  );

  await broker.run(['produce', 'orders', '--partition', '1'], { stdin: 'a\nb\n' });
  const before = await described(broker, 'orders');
  expect(before.partitions.map(({ earliest, latest }) => [earliest, latest])).toEqual([
    [0, 0],
    [0, 2],
    [0, 0],
  ]);
  expect(before.configs).toEqual([{ name: 'retention.ms', value: '86400000', source: 'topic' }]);
  const { stdout } = await broker.run(['topic', 'describe', 'orders']);
  expect(stdout).toMatch(/^orders: 3 partitions, 2 offsets/);
  expect(stdout).toMatch(/^retention\.ms +86400000 +topic$/m);

  const altered = await broker.run([
    'topic',
    'alter',
    'orders',
    '--config',
    'max.message.bytes=1000',
    '--delete-config',
    'retention.ms',
    '--partitions',
    '5',
  ]);
  expect(altered).toMatchObject({ code: 0, stdout: 'changed orders\n' });
  const after = await described(broker, 'orders');
  expect(after.partitions).toHaveLength(5);
  expect(after.configs).toEqual([{ name: 'max.message.bytes', value: '1000', source: 'topic' }]);

  expect((await broker.run(['topic', 'delete', 'orders', 'payments'])).stdout).toBe('deleted orders, payments\n');
  expect(await broker.json(['topic', 'list'])).toEqual([]);
});

test('what cannot be is told in one line, with exit code 1', async () => {
  const broker = await BrokerProcess.start();
  await broker.run(['topic', 'create', 'orders', '--partitions', '2']);
  const refusals: [string[], RegExp][] = [
    [['create', 'orders'], /orders.*exist/i],
    [['create', 'no/slashes'], /no\/slashes/],
    [['create', 'other', '--config', 'retention.mss=1'], /retention\.mss/],
    [['describe', 'nothing'], /there is no topic nothing/],
    [['alter', 'orders', '--partitions', '1'], /orders/],
    [['alter', 'orders', '--config', 'retention.ms=soon'], /retention\.ms/],
    [['delete', 'nothing'], /nothing/],
  ];
  for (const [args, message] of refusals) {
    const { code, stdout, stderr } = await broker.run(['topic', ...args]);
    expect({ code, stdout }, args.join(' ')).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^sluice: .+\n$/);
    expect(stderr).toMatch(message);
  }
});

test('nothing to alter is a usage error', async () => {
  const broker = await BrokerProcess.start();
  expect((await broker.run(['topic', 'alter', 'orders'])).code).toBe(2);
});
