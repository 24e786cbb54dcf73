import { describe, expect, test } from 'vitest';
import { BrokerProcess, SluiceProcess } from './sluice.ts';

const THREE_PARTITIONS = { env: { SLUICE_KAFKA_NUM_PARTITIONS: '3' } };

interface PrintedRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly value: string;
}

async function recordsOf(broker: BrokerProcess, topic: string, ...args: string[]): Promise<PrintedRecord[]> {
  const { code, stdout, stderr } = await broker.run([
    'consume',
    topic,
    '--from',
    'earliest',
    '--exit',
    '--json',
    ...args,
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as PrintedRecord);
}

describe('produce', () => {
  test('each line is a record, in order', async () => {
    const broker = await BrokerProcess.start();
    const { code, stdout } = await broker.run(['produce', 'orders'], { stdin: 'one\ntwo\n\nfour' });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'wrote 4 records to orders, partition 0 from offset 0\n' });
    expect((await recordsOf(broker, 'orders')).map(({ value }) => value)).toEqual(['one', 'two', '', 'four']);
  });

  test("a key's records go to the partition that Kafka's own clients choose", async () => {
    const broker = await BrokerProcess.start(undefined, THREE_PARTITIONS);
    await broker.run(['produce', 'orders', '--key-separator', ':'], { stdin: '21:a\nfoobar:b\nabc:c\n21:d:e\n' });
    const records = await recordsOf(broker, 'orders');
    // The low 31 bits of murmur2, modulo 3: see murmur2.test.ts.
    const partitions = Object.fromEntries(records.map(({ key, partition }) => [key, partition]));
    expect(partitions).toEqual({
      '21': (-973932308 & 0x7fffffff) % 3,
      foobar: (-790332482 & 0x7fffffff) % 3,
      abc: 479470107 % 3,
    });
    expect(records.filter(({ key }) => key === '21').map(({ value }) => value)).toEqual(['a', 'd:e']);
  });

  test('one value with key, headers, partition and compression', async () => {
    const broker = await BrokerProcess.start(undefined, THREE_PARTITIONS);
    const args = [
      '--value',
      'hello',
      '--key',
      'k',
      '--header',
      'a=1',
      '--header',
      'b=2',
      '--partition',
      '2',
      '--compression',
      'zstd',
    ];
    expect(await broker.json(['produce', 'orders', ...args])).toEqual({
      topic: 'orders',
      records: 1,
      partitions: [{ partition: 2, records: 1, firstOffset: 0 }],
    });
    expect(await recordsOf(broker, 'orders')).toMatchObject([
      {
        partition: 2,
        key: 'k',
        value: 'hello',
        headers: [
          { name: 'a', value: '1' },
          { name: 'b', value: '2' },
        ],
      },
    ]);
  });

  test.each(['0', '1'])('with --acks %s the records arrive', async (acks) => {
    const broker = await BrokerProcess.start();
    expect((await broker.run(['produce', 'orders', '--acks', acks], { stdin: 'a\nb\n' })).code).toBe(0);
    const consumer = new SluiceProcess([
      'consume',
      'orders',
      '--from',
      'earliest',
      '--count',
      '2',
      '--broker',
      broker.address,
    ]);
    expect(await consumer.finished).toMatchObject({ code: 0, stdout: 'a\nb\n' });
  });

  test('a line without the separator ends it; those before it are there', async () => {
    const broker = await BrokerProcess.start();
    const { code, stderr } = await broker.run(['produce', 'orders', '--key-separator', ':'], {
      stdin: 'a:1\nb\nc:3\n',
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^sluice: line 2 has no ':' between key and value/);
    expect((await recordsOf(broker, 'orders')).map(({ key }) => key)).toEqual(['a']);
  });

  test('batches are no larger than the topic allows', async () => {
    const broker = await BrokerProcess.start();
    await broker.run(['topic', 'create', 'orders', '--config', 'max.message.bytes=300']);
    const lines = Array.from({ length: 200 }, (_, i) => `record ${i}`);
    expect((await broker.run(['produce', 'orders', '--header', 'a=b'], { stdin: `${lines.join('\n')}\n` })).code).toBe(
      0,
    );
    expect((await recordsOf(broker, 'orders')).map(({ value }) => value)).toEqual(lines);
  });

  test('a record that is too large is refused', async () => {
    const broker = await BrokerProcess.start();
    const { code, stderr } = await broker.run(['produce', 'orders'], { stdin: 'x'.repeat(2 * 1024 * 1024) });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^sluice: orders partition 0: .+\n$/);
  });

  test('a partition that is not there is refused', async () => {
    const broker = await BrokerProcess.start();
    expect(await broker.run(['produce', 'orders', '--value', 'x', '--partition', '7'])).toMatchObject({
      code: 1,
      stderr: 'sluice: orders has no partition 7; it has 0 to 0\n',
    });
  });
});

describe('consume', () => {
  test('follows from the end until Ctrl-C, which is no failure', async () => {
    const broker = await BrokerProcess.start();
    await broker.run(['produce', 'orders', '--value', 'before']);
    const consumer = new SluiceProcess(['consume', 'orders', '--from', '1', '--broker', broker.address]);
    await broker.run(['produce', 'orders', '--value', 'first']);
    await consumer.says(/first\n/);
    await broker.run(['produce', 'orders', '--value', 'second']);
    await consumer.says(/second\n/);
    expect(await consumer.stop('SIGINT')).toMatchObject({ code: 0, stdout: 'first\nsecond\n', stderr: '' });
  });

  test('--from takes an offset, the last N, and a time; --count ends it', async () => {
    const broker = await BrokerProcess.start();
    await broker.run(['produce', 'orders'], { stdin: 'a\nb\nc\nd\n' });
    const values = async (...args: string[]) => (await broker.run(['consume', 'orders', '--exit', ...args])).stdout;
    expect(await values('--from', '2')).toBe('c\nd\n');
    expect(await values('--from', '-1')).toBe('d\n');
    expect(await values('--from', '-100')).toBe('a\nb\nc\nd\n');
    expect(await values('--from', 'earliest', '--count', '2')).toBe('a\nb\n');
    expect(await values('--from', 'latest')).toBe('');
    expect(await values('--from', '2000-01-01')).toBe('a\nb\nc\nd\n');
    expect(await values('--from', '2999-01-01T00:00:00Z')).toBe('');
  });

  test('one partition, in a format', async () => {
    const broker = await BrokerProcess.start(undefined, THREE_PARTITIONS);
    for (const partition of ['0', '1'])
      await broker.run(['produce', 'orders', '--value', partition, '--key', 'k', '--partition', partition]);
    const { stdout } = await broker.run([
      'consume',
      'orders',
      '--from',
      'earliest',
      '-e',
      '--partition',
      '1',
      '--format',
      '%t:%p:%o %k=%v\\n',
    ]);
    expect(stdout).toBe('orders:1:0 k=1\n');
  });

  test('every codec reads back, over many batches', async () => {
    const broker = await BrokerProcess.start();
    const lines = Array.from({ length: 5000 }, (_, i) => `${i} ${'x'.repeat(i % 300)}`);
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
      await broker.run(['produce', codec, '--compression', codec], { stdin: `${lines.join('\n')}\n` });
      expect((await recordsOf(broker, codec)).map(({ value }) => value)).toEqual(lines);
    }
  });

  test('a topic that is not there is not made, and the error says how to', async () => {
    const broker = await BrokerProcess.start();
    const missing = await broker.run(['consume', 'nothing', '--exit']);
    expect(missing).toMatchObject({ code: 1, stdout: '' });
    expect(missing.stderr).toBe(
      "sluice: there is no topic nothing; see 'sluice topic list', or create it: sluice topic create nothing\n",
    );
    expect((await broker.run(['consume', 'nothing', '--exit'])).code).toBe(1);
  });
});
