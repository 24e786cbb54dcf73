import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { kafkajs, startBroker, temporaryDirectory, until } from '../kafka/fixture.ts';
import { committedRecords } from './committed-records.ts';
import { classPath, JavaTools, whatJavaLacks } from './java.ts';
import { RestartableBroker } from './restartable-broker.ts';

// Kafka Connect with its connectors for files, which come without anything else to connect to.

const CONNECT = [
  'org.apache.kafka:connect-runtime:4.3.1',
  'org.apache.kafka:connect-file:4.3.1',
  'org.slf4j:slf4j-nop:1.7.36',
];
const WORKERS = 'org.apache.kafka.connect.cli';

const lack = whatJavaLacks();
if (lack !== undefined) process.stderr.write(`skipped: Kafka Connect: ${lack}\n`);

type Properties = Readonly<Record<string, string>>;

/** What `GET /connectors/NAME/status` answers, as far as it is read here. */
interface ConnectorStatus {
  readonly connector: { readonly state: string };
  readonly tasks: readonly { readonly state: string; readonly trace?: string }[];
}

const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `line ${from + i}`);
const text = (of: readonly string[]) => of.map((line) => `${line}\n`).join('');

const workerProperties = (address: string) => ({
  'bootstrap.servers': address,
  'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
  'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
  'offset.flush.interval.ms': '500',
  // The connectors are on the class path, which is not searched for long.
  'plugin.discovery': 'service_load',
});

const source = (file: string): Properties => ({
  'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
  'tasks.max': '1',
  topic: 'lines',
  // A batch that is full leaves lines in the connector's hands until more come.
  'batch.size': '100000',
  file,
});

const sink = (file: string): Properties => ({
  'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector',
  'tasks.max': '1',
  topics: 'lines',
  file,
});

async function properties(directory: string, name: string, values: Properties): Promise<string> {
  const file = join(directory, `${name}.properties`);
  const written = Object.entries(values).map(([key, value]) => `${key}=${value}`);
  await writeFile(file, text(written));
  return file;
}

async function linesIn(file: string): Promise<readonly string[]> {
  return existsSync(file) ? (await readFile(file, 'utf8')).split('\n').slice(0, -1) : [];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe.skipIf(lack !== undefined)('Kafka Connect', () => {
  let java: JavaTools;
  beforeAll(async () => {
    java = new JavaTools(await classPath(CONNECT));
  }, 300_000);

  test('a standalone worker brings lines from file to file, and goes on where it was', async () => {
    const { address } = await startBroker();
    const directory = await temporaryDirectory();
    const [from, to] = [join(directory, 'from.txt'), join(directory, 'to.txt')];
    const files = [
      await properties(directory, 'worker', {
        ...workerProperties(address),
        listeners: 'http://127.0.0.1:0',
        'offset.storage.file.filename': join(directory, 'offsets'),
      }),
      await properties(directory, 'source', { name: 'source', ...source(from) }),
      await properties(directory, 'sink', { name: 'sink', ...sink(to) }),
    ];
    await writeFile(from, text(lines(0, 1_000)));
    const first = java.start(`${WORKERS}.ConnectStandalone`, files);
    await until(async () => (await linesIn(to)).length >= 1_000);
    await first.stop();
    await appendFile(from, text(lines(1_000, 2_000)));
    const second = java.start(`${WORKERS}.ConnectStandalone`, files);
    await until(async () => (await linesIn(to)).length >= 2_000);
    await second.stop();
    expect(await linesIn(to)).toEqual(lines(0, 2_000));
  });

  test('distributed workers keep all they know in three compacted topics, and bring each line once, whoever is killed', async () => {
    const broker = await RestartableBroker.start();
    const directory = await temporaryDirectory();
    const [from, to] = [join(directory, 'from.txt'), join(directory, 'to.txt')];
    const startWorker = async (name: string) => {
      const port = await freePort();
      const file = await properties(directory, name, {
        ...workerProperties(broker.address),
        'group.id': 'workers',
        listeners: `http://127.0.0.1:${port}`,
        'config.storage.topic': 'connect-configs',
        'offset.storage.topic': 'connect-offsets',
        'status.storage.topic': 'connect-status',
        // What production has; there is one broker, whose answer is yes.
        'config.storage.replication.factor': '3',
        'offset.storage.replication.factor': '3',
        'status.storage.replication.factor': '3',
        'exactly.once.source.support': 'enabled',
        'session.timeout.ms': '6000',
        'heartbeat.interval.ms': '1000',
        'scheduled.rebalance.max.delay.ms': '0',
      });
      const process = java.start(`${WORKERS}.ConnectDistributed`, [file]);
      return { process, url: `http://127.0.0.1:${port}` };
    };
    const first = await startWorker('first');
    await until(() => isThere(first.url));
    await writeFile(from, text(lines(0, 1_000)));
    await configure(first.url, 'source', { ...source(from), 'exactly.once.support': 'required' });
    await configure(first.url, 'sink', sink(to));
    await until(async () => (await linesIn(to)).length >= 1_000);
    expect(await linesIn(to)).toEqual(lines(0, 1_000));

    // The other one takes over, in the middle of the lines.
    const second = await startWorker('second');
    await until(() => isThere(second.url));
    await appendFile(from, text(lines(1_000, 3_000)));
    await until(async () => (await linesIn(to)).length >= 3_000);
    await appendFile(from, text(lines(3_000, 6_000)));
    await first.process.kill();
    await until(async () => (await linesIn(to)).at(-1) === 'line 5999');

    // The broker goes and comes back.
    await appendFile(from, text(lines(6_000, 9_000)));
    await broker.killAndStartAgain();
    await until(async () => (await linesIn(to)).at(-1) === 'line 8999');
    await until(async () => {
      const status = await statusOf(second.url, 'source');
      return status?.connector.state === 'RUNNING' && status.tasks[0]?.state === 'RUNNING';
    });
    await second.process.stop();

    // What the sink wrote twice when its worker was killed was in the topic once.
    const values = (await committedRecords(broker.address, 'lines')).map(({ value }) => value);
    expect(values).toEqual(lines(0, 9_000));
    expect(await policiesOf(broker.address, ['connect-configs', 'connect-offsets', 'connect-status'])).toEqual([
      'compact',
      'compact',
      'compact',
    ]);
    expect(broker.log).not.toMatch(/internal|unhandled/i);
  });
});

async function isThere(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/connectors`).catch(() => undefined);
  return answer?.ok === true;
}

/** Rejects unless the worker takes the connector; one that is joining its group says that it cannot yet. */
async function configure(url: string, name: string, config: Properties): Promise<void> {
  const order = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(config) };
  for (;;) {
    const answer = await fetch(`${url}/connectors/${name}/config`, order);
    const said = await answer.text();
    if (answer.ok) return;
    if (answer.status !== 409 && answer.status !== 503) throw new Error(`${name}: ${answer.status} ${said}`);
  }
}

async function statusOf(url: string, name: string): Promise<ConnectorStatus | undefined> {
  const answer = await fetch(`${url}/connectors/${name}/status`).catch(() => undefined);
  return answer?.ok === true ? ((await answer.json()) as ConnectorStatus) : undefined;
}

async function policiesOf(address: string, topics: readonly string[]) {
  const admin = kafkajs(address).admin();
  await admin.connect();
  const resources = topics.map((name) => ({ type: 2, name, configNames: ['cleanup.policy'] }));
  const described = await admin.describeConfigs({ resources, includeSynonyms: false });
  await admin.disconnect();
  return described.resources.map(({ configEntries }) => configEntries[0]?.configValue);
}
