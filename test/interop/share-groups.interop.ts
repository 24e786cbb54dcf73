import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { startBroker, until } from '../kafka/fixture.ts';
import { classPath, type JavaProcess, JavaTools, whatJavaLacks } from './java.ts';
import { pythonWith, runPython, whatPythonLacks } from './python.ts';

// Share groups (KIP-932) with Kafka's own client and tools, the newest whose tools are there as well, and with librdkafka's share consumer.

const TOOLS = 'org.apache.kafka.tools';
const CURRENT = ['org.apache.kafka:kafka-tools:4.3.1', 'org.apache.kafka:kafka_2.13:4.3.1'];
const SCENARIOS = fileURLToPath(new URL('java/ShareScenarios.java', import.meta.url));
const PYTHON_SCENARIOS = fileURLToPath(new URL('python/share_scenarios.py', import.meta.url));
const LOCK_MS = 4_000;

const lack = whatJavaLacks();
if (lack !== undefined) process.stderr.write(`skipped: Kafka's share consumer and its tools: ${lack}\n`);

const pythonLack = whatPythonLacks();
if (pythonLack !== undefined) process.stderr.write(`skipped: librdkafka's share consumer: ${pythonLack}\n`);

const groupDefaults = { 'share.auto.offset.reset': 'earliest', 'share.record.lock.duration.ms': LOCK_MS } as const;
const numbered = (deliveryCount: number, ...values: number[]) => values.map((i) => `v${i}/${deliveryCount}`);

/** What a VerifiableShareConsumer tells. */
interface ShareEvent {
  readonly name: string;
  readonly count?: number;
  readonly acknowledged?: boolean;
  readonly partitions?: readonly { readonly partition: number; readonly offsets?: readonly number[] }[];
}

const lines = (output: string) => output.split('\n').filter((line) => line !== '');

describe.skipIf(lack !== undefined)('Kafka 4.3, share groups', () => {
  let tools: JavaTools;
  beforeAll(async () => {
    tools = new JavaTools(await classPath(CURRENT));
  }, 300_000);

  async function start(partitions: number): Promise<readonly string[]> {
    const { address } = await startBroker({ settings: { kafka: { groupDefaults } } });
    const server = ['--bootstrap-server', address];
    await tools.run(`${TOOLS}.TopicCommand`, [...server, '--create', '--topic', 't', '--partitions', `${partitions}`]);
    return server;
  }

  const produce = (server: readonly string[], count: number) =>
    tools.run(
      `${TOOLS}.ConsoleProducer`,
      [...server, '--topic', 't'],
      Array.from({ length: count }, (_, i) => `v${i}\n`).join(''),
    );

  const groups = (server: readonly string[], ...args: string[]) =>
    tools.run(`${TOOLS}.consumer.group.ShareGroupCommand`, [...server, ...args]);

  test('a share consumer accepts, releases, rejects, renews, and shares a partition', async () => {
    const [, address = ''] = await start(1);
    const answer = lines(await tools.run(SCENARIOS, [address])).find((line) => line.startsWith('{')) ?? '';
    expect(JSON.parse(answer)).toEqual({
      implicit: [...numbered(1, 0, 1, 2, 3, 4), 'v0/1'],
      explicit: [...numbered(1, 0, 1, 2), ...numbered(2, 0, 1, 2), 'v0/1'],
      renewed: [`lock ${LOCK_MS}`, 'v1/2'],
      shared: ['both true', 'different 200', 'once true'],
    });
  });

  test('the console’s share consumer shows what it gets, and how often it was delivered', async () => {
    const server = await start(1);
    await produce(server, 3);
    const options = ['--topic', 't', '--group', 'g', '--max-messages', '3', '--timeout-ms', '20000'];
    const consume = (...more: string[]) =>
      tools.run(`${TOOLS}.consumer.ConsoleShareConsumer`, [...server, ...options, ...more]);
    const shown = ['--formatter-property', 'print.delivery=true', '--formatter-property', 'print.offset=true'];
    expect(lines(await consume('--release', ...shown)).filter((line) => line.includes('v'))).toEqual([
      'Offset:0\tDelivery:1\tv0',
      'Offset:1\tDelivery:1\tv1',
      'Offset:2\tDelivery:1\tv2',
    ]);
    expect(await consume(...shown)).toContain('Delivery:2\tv0');
  });

  test('verifiable share consumers of one partition get each record once, though one of them is killed', async () => {
    const server = await start(1);
    const member = (): JavaProcess<ShareEvent> => {
      const group = ['--topic', 't', '--group-id', 'g', '--acknowledgement-mode', 'sync'];
      return tools.start(`${TOOLS}.VerifiableShareConsumer`, [...server, ...group]);
    };
    const members = [member(), member()];
    const offsetsOf = (told: 'records_consumed' | 'offsets_acknowledged', { events }: JavaProcess<ShareEvent>) =>
      events
        .filter(({ name, acknowledged: good }) => name === told && good !== false)
        .flatMap(({ partitions = [] }) => partitions.flatMap(({ offsets = [] }) => offsets));
    const acknowledged = () => members.flatMap((each) => offsetsOf('offsets_acknowledged', each));
    const load = ['--topic', 't', '--max-messages', '3000', '--throughput', '1000'];
    const producer = tools.start(`${TOOLS}.VerifiableProducer`, [...server, ...load]);
    await until(() => members.every(({ events }) => events.some(({ name }) => name === 'offsets_acknowledged')));
    const [killed, other] = members as [JavaProcess<ShareEvent>, JavaProcess<ShareEvent>];
    await killed.kill();
    await producer.ended();
    // What it had acknowledged when it was killed it may not have told.
    const done = () => new Set([...acknowledged(), ...offsetsOf('records_consumed', killed)]);
    await until(() => done().size === 3_000);
    await until(async () => /\s3000\s+0\s/.test(await groups(server, '--describe', '--group', 'g')));
    const told = acknowledged();
    expect(new Set(told).size).toBe(told.length);
    await other.stop();
  });

  test('groups are listed, described with their lag, set back, and deleted', async () => {
    const server = await start(2);
    await produce(server, 100);
    const group = ['--group', 'g'];
    const consume = (count: number) =>
      tools.run(`${TOOLS}.consumer.ConsoleShareConsumer`, [
        ...[...server, '--topic', 't', ...group],
        ...['--max-messages', `${count}`, '--timeout-ms', '20000'],
      ]);
    await consume(100);
    expect(lines(await groups(server, '--list'))).toEqual(['g']);
    expect(await groups(server, '--list', '--state')).toMatch(/g +Empty/);
    expect(await groups(server, '--describe', ...group, '--state')).toMatch(/g +.*Empty +0/);
    const offsets = async () =>
      lines(await groups(server, '--describe', ...group))
        .map((line) => line.trim().split(/\s+/))
        .filter(([, topic]) => topic === 't')
        .map(([, , partition, startOffset, lag]) => [partition, startOffset, lag].map(Number))
        .reduce((sum, [, startOffset = 0, lag = 0]) => [(sum[0] ?? 0) + startOffset, (sum[1] ?? 0) + lag], [0, 0]);
    expect(await offsets()).toEqual([100, 0]);
    await groups(server, '--reset-offsets', ...group, '--topic', 't', '--to-earliest', '--execute');
    expect(await offsets()).toEqual([0, 100]);
    expect(lines(await consume(100)).filter((line) => line.startsWith('v'))).toHaveLength(100);
    await groups(server, '--reset-offsets', ...group, '--all-topics', '--to-earliest', '--execute');
    expect(await offsets()).toEqual([0, 100]);
    await groups(server, '--delete-offsets', ...group, '--topic', 't');
    await groups(server, '--delete', ...group);
    expect(lines(await groups(server, '--list'))).toEqual([]);
  });
});

describe.skipIf(pythonLack !== undefined)('librdkafka 2.16, a share consumer', () => {
  test('accepts, releases, rejects, and gives back what it has when it is closed', async () => {
    const python = await pythonWith(['confluent-kafka==2.16.1']);
    const { address } = await startBroker({ settings: { kafka: { groupDefaults } } });
    expect(JSON.parse(await runPython(python, [PYTHON_SCENARIOS, address]))).toEqual({
      implicit: [...numbered(1, 0, 1, 2, 3, 4), 'v0/1'],
      explicit: [...numbered(1, 0, 1, 2), ...numbered(2, 0, 1, 2), 'v0/1'],
      left: [...numbered(1, 0, 1), ...numbered(2, 0, 1)],
    });
  }, 300_000);
});
