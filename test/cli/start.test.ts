import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { KafkaClient } from '../../src/client/index.ts';
import { metadata } from '../../src/protocols/kafka/codec/apis/metadata.ts';
import { BrokerProcess, SluiceProcess, sluice, temporaryDirectory } from './sluice.ts';

async function connect(address: string): Promise<KafkaClient> {
  const [host = '', port] = address.split(':');
  const client = await KafkaClient.connect({ host, port: Number(port) });
  onTestFinished(() => client.close());
  return client;
}

describe('starting', () => {
  test('one line on standard output says where it listens; logs are JSON on standard error', async () => {
    const broker = await BrokerProcess.start([
      '--storage',
      'memory',
      '--listen',
      'kafka://127.0.0.1:0',
      '--log-level',
      'debug',
    ]);
    const { code, stdout, stderr } = await broker.stop();
    expect(stdout).toMatch(/^sluice ready kafka:\/\/127\.0\.0\.1:\d+ kafka:\/\/127\.0\.0\.1:\d+\n$/);
    expect(code).toBe(0);
    for (const line of stderr.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('msg');
  });

  test('the data directory is made where --data says, and what is in it is there again after a restart', async () => {
    const data = join(await temporaryDirectory(), 'deep', 'data');
    const first = await BrokerProcess.start(['--data', data]);
    expect((await first.run(['produce', 'orders', '--value', 'kept'])).code).toBe(0);
    expect((await first.stop()).code).toBe(0);
    const second = await BrokerProcess.start(['--data', data]);
    expect(await second.json(['consume', 'orders', '--from', 'earliest', '--exit'])).toMatchObject({
      value: 'kept',
      offset: 0,
    });
    expect((await second.stop()).code).toBe(0);
  });

  test('memory storage leaves nothing on the disk', async () => {
    const cwd = await temporaryDirectory();
    const broker = await BrokerProcess.start(['--storage', 'memory'], { cwd });
    await broker.run(['produce', 'orders', '--value', 'gone']);
    await broker.stop();
    expect(existsSync(join(cwd, 'data'))).toBe(false);
  });

  test('the file and the environment configure it, and flags win', async () => {
    const directory = await temporaryDirectory();
    const config = join(directory, 'sluice.yaml');
    await writeFile(
      config,
      'storage: { kind: memory }\nkafka: { autoCreateTopics: true, numPartitions: 4 }\nlogLevel: error\n',
    );
    const env = { SLUICE_KAFKA_NUM_PARTITIONS: '3', SLUICE_LOG_LEVEL: 'warn' };
    const broker = await BrokerProcess.start(['--config', config, '--log-level', 'info'], { env, cwd: directory });
    await broker.run(['produce', 'orders', '--value', 'x']);
    const client = await connect(broker.address);
    const { topics } = await client.request(metadata, { topics: [{ name: 'orders' }] });
    expect(topics[0]?.partitions).toHaveLength(3);
    expect((await broker.stop()).stderr).toContain('stopped');
  });

  test('--advertise is what clients are told', async () => {
    const broker = await BrokerProcess.start([
      '--storage',
      'memory',
      '--advertise',
      'kafka://broker.example.com:19092',
    ]);
    const client = await connect(broker.address);
    const { brokers } = await client.request(metadata, { topics: [] });
    expect(brokers).toMatchObject([{ host: 'broker.example.com', port: 19092 }]);
  });
});

describe('stopping', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it with code 0, also with a client connected', async (signal) => {
    const broker = await BrokerProcess.start();
    const client = await connect(broker.address);
    await client.request(metadata, { topics: [] });
    expect((await broker.stop(signal)).code).toBe(0);
  });

  test('what was acknowledged before the signal is there after a restart', async () => {
    const data = await temporaryDirectory();
    const first = await BrokerProcess.start(['--data', data]);
    const lines = Array.from({ length: 20_000 }, (_, i) => `record ${i}`);
    const written = await first.json(['produce', 'orders'], { stdin: `${lines.join('\n')}\n` });
    expect(written).toMatchObject({ records: lines.length });
    await first.stop();
    const second = await BrokerProcess.start(['--data', data]);
    const { stdout } = await second.run(['consume', 'orders', '--from', 'earliest', '--exit']);
    expect(stdout.trimEnd().split('\n')).toEqual(lines);
  });

  test('one Ctrl-C that npm has doubled is one signal', async () => {
    const broker = await BrokerProcess.start();
    broker.child.kill('SIGINT');
    expect((await broker.stop('SIGINT')).code).toBe(0);
  });
});

describe('what cannot be, in one line that says how to mend it', () => {
  async function refusal(
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<{ code: number | null; line: string }> {
    const cwd = await temporaryDirectory();
    const { code, stdout, stderr } = await sluice(['start', ...args], { env, cwd });
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^sluice: .*\n$/);
    return { code, line: stderr.trim() };
  }

  test('a data directory in use: exit 1', async () => {
    const data = await temporaryDirectory();
    const broker = await BrokerProcess.start(['--data', data]);
    const { code, line } = await refusal(['--data', data, '--listen', 'kafka://127.0.0.1:0']);
    expect(code).toBe(1);
    expect(line).toContain(data);
    expect(line).toContain(String(broker.child.pid));
  });

  test('a port in use: exit 1', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const { code, line } = await refusal(['--storage', 'memory', '--listen', `kafka://127.0.0.1:${port}`]);
    expect(code).toBe(1);
    expect(line).toContain(`127.0.0.1:${port} is in use`);
  });

  test('a bad setting: exit 1', async () => {
    expect(await refusal([], { SLUICE_STORAGE_KIND: 'disc' })).toEqual({
      code: 1,
      line: 'sluice: storage.kind (SLUICE_STORAGE_KIND): "disc" is not one of disk, memory; did you mean disk?',
    });
    const { code, line } = await refusal(['--listen', 'mqtt://127.0.0.1:0']);
    expect(code).toBe(1);
    expect(line).toContain("'mqtt' is not supported yet: this version speaks kafka, amqp");
  });

  test('a file that is not there: exit 1', async () => {
    const { code, line } = await refusal(['--config', 'none.yaml']);
    expect(code).toBe(1);
    expect(line).toContain('cannot read none.yaml: there is no such file');
  });

  test('a bad option: exit 2', async () => {
    const unknown = await refusal(['--dta', 'x']);
    expect(unknown.code).toBe(2);
    expect(unknown.line).toContain("unknown option '--dta' (Did you mean --data?); see: sluice start --help");
    expect((await refusal(['--storage', 'tape'])).code).toBe(2);
  });
});

describe('help', () => {
  const topic = ['create', 'list', 'describe', 'alter', 'delete'].map((each) => `topic ${each}`);
  const group = ['list', 'describe', 'reset', 'delete'].map((each) => `group ${each}`);

  test.each(['start', 'produce', 'consume', ...topic, ...group])('%s has examples', async (command) => {
    const { code, stdout } = await sluice([...command.split(' '), '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Examples:\n {2}\S/);
  });

  test('an unknown command is refused with the nearest: exit 2', async () => {
    const { code, stderr } = await sluice(['strat']);
    expect(code).toBe(2);
    expect(stderr).toBe("sluice: unknown command 'strat' (Did you mean start?); see: sluice --help\n");
  });

  test('the version is printed', async () => {
    expect((await sluice(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+/);
  });
});

test('a reader that has seen enough ends the writer without complaint', async () => {
  const broker = await BrokerProcess.start();
  const value = 'x'.repeat(1000);
  await broker.run(['produce', 'orders'], { stdin: `${value}\n`.repeat(2000) });
  const consumer = new SluiceProcess(['consume', 'orders', '--from', 'earliest', '--exit', '--broker', broker.address]);
  await consumer.says(/x\n/);
  consumer.child.stdout?.destroy();
  expect(await consumer.finished).toMatchObject({ code: 0, stderr: '' });
});
