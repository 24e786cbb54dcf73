import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createBroker } from '../../src/index.ts';
import { startBroker, temporaryDirectory, until } from '../kafka/fixture.ts';
import { classPath, JavaTools, whatJavaLacks } from './java.ts';
import {
  isShared as areShared,
  type ConsumerEvent,
  consumed,
  happened,
  type Member,
  owned,
} from './verifiable-consumer.ts';

// Kafka's own client and tools, in Java.

const TOOLS = 'org.apache.kafka.tools';
const CURRENT = ['org.apache.kafka:kafka-tools:4.1.0', 'org.apache.kafka:kafka_2.13:4.1.0'];
const OLD = ['org.apache.kafka:kafka_2.13:2.8.2'];

const lack = whatJavaLacks();
if (lack !== undefined) process.stderr.write(`skipped: Kafka's Java client and tools: ${lack}\n`);

/** What a VerifiableProducer tells. */
interface ProducerEvent {
  readonly name: string;
  readonly value?: string;
  readonly acked?: number;
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `k${i}:v${i}`);
const lines = (output: string) => output.split('\n').filter((line) => line !== '');

/** A broker of its own, and a topic on it. */
async function brokerWith(tools: JavaTools, topic: string, partitions: number): Promise<readonly string[]> {
  const { address } = await startBroker();
  const server = ['--bootstrap-server', address];
  await tools.run(`${TOOLS}.TopicCommand`, [...server, '--create', '--topic', topic, '--partitions', `${partitions}`]);
  return server;
}

function produce(tools: JavaTools, server: readonly string[], records: readonly string[], ...more: string[]) {
  const keyed = ['--property', 'parse.key=true', '--property', 'key.separator=:'];
  const args = [...server, '--topic', 't', ...keyed, ...more];
  return tools.run(`${TOOLS}.ConsoleProducer`, args, records.map((record) => `${record}\n`).join(''));
}

async function consume(tools: JavaTools, server: readonly string[], count: number, ...more: string[]) {
  const keyed = ['--property', 'print.key=true', '--property', 'key.separator=:'];
  const options = ['--from-beginning', '--max-messages', `${count}`, '--timeout-ms', '20000'];
  const args = [...server, '--topic', 't', ...options, ...keyed, ...more];
  return lines(await tools.run(`${TOOLS}.consumer.ConsoleConsumer`, args)).sort();
}

function groups(tools: JavaTools, server: readonly string[], ...args: string[]) {
  return tools.run(`${TOOLS}.consumer.group.ConsumerGroupCommand`, [...server, ...args]);
}

/** The columns of a group's description, by partition. */
function description(output: string) {
  return lines(output)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, topic]) => topic === 't')
    .map(([, , partition, current, end, lag]) => [partition, current, end, lag].map(Number))
    .sort(([a = 0], [b = 0]) => a - b);
}

describe.skipIf(lack !== undefined)('Kafka 4.1', () => {
  let tools: JavaTools;
  beforeAll(async () => {
    tools = new JavaTools(await classPath(CURRENT));
  }, 300_000);

  test('topics are created, listed, described, grown, configured and deleted', async () => {
    const server = await brokerWith(tools, 't', 3);
    const topics = (...args: string[]) => tools.run(`${TOOLS}.TopicCommand`, [...server, ...args]);
    const configs = (...args: string[]) =>
      tools.run('kafka.admin.ConfigCommand', [...server, '--entity-type', 'topics', '--entity-name', 't', ...args]);
    expect(lines(await topics('--list'))).toEqual(['t']);
    await topics('--alter', '--topic', 't', '--partitions', '5');
    await configs('--alter', '--add-config', 'segment.ms=100000,retention.ms=5000');
    await configs('--alter', '--delete-config', 'retention.ms');
    expect(await configs('--describe')).toContain('segment.ms=100000');
    const described = await topics('--describe', '--topic', 't');
    expect(described).toMatch(/PartitionCount: 5\s+ReplicationFactor: 1\s+Configs: segment.ms=100000$/m);
    expect(described).toMatch(/Partition: 4\s+Leader: 1\s+Replicas: 1\s+Isr: 1/);
    await expect(topics('--create', '--topic', 't')).rejects.toThrow("Topic 't' already exists.");
    await topics('--delete', '--topic', 't');
    expect(lines(await topics('--list'))).toEqual([]);
  });

  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    'what an idempotent producer sends with codec %s, a consumer reads',
    async (codec) => {
      const server = await brokerWith(tools, 't', 3);
      const records = numbered(1_000);
      await produce(tools, server, records, '--compression-codec', codec);
      expect(await consume(tools, server, 1_000)).toEqual(records.toSorted());
    },
  );

  test('a group is listed, described with its lag, set back, and goes; a restarted consumer goes on where it was', async () => {
    const server = await brokerWith(tools, 't', 2);
    const records = numbered(1_000);
    await produce(tools, server, records);
    const ofGroup = ['--group', 'g'];
    const first = await consume(tools, server, 600, ...ofGroup);
    expect(lines(await groups(tools, server, '--list'))).toEqual(['g']);
    const inBetween = description(await groups(tools, server, '--describe', ...ofGroup));
    expect(inBetween.map(([partition]) => partition)).toEqual([0, 1]);
    expect(inBetween.reduce((sum, [, current = 0]) => sum + current, 0)).toBe(600);
    expect(inBetween.reduce((sum, [, , , lag = 0]) => sum + lag, 0)).toBe(400);
    const second = await consume(tools, server, 400, ...ofGroup);
    expect([...first, ...second].sort()).toEqual(records.toSorted());

    await groups(tools, server, '--reset-offsets', ...ofGroup, '--topic', 't:1', '--to-offset', '7', '--execute');
    expect(description(await groups(tools, server, '--describe', ...ofGroup))[1]?.[1]).toBe(7);
    await groups(tools, server, '--reset-offsets', ...ofGroup, '--topic', 't', '--to-earliest', '--execute');
    expect(await consume(tools, server, 1_000, ...ofGroup)).toEqual(records.toSorted());
    expect(await groups(tools, server, '--describe', ...ofGroup, '--state')).toMatch(/\sEmpty\s+0$/m);
    await groups(tools, server, '--delete-offsets', ...ofGroup, '--topic', 't');
    await groups(tools, server, '--delete', ...ofGroup);
    expect(lines(await groups(tools, server, '--list'))).toEqual([]);
  });

  test('offsets are told, records deleted, and the space that partitions take', async () => {
    const server = await brokerWith(tools, 't', 1);
    await produce(tools, server, numbered(100));
    const offset = async (...time: string[]) =>
      lines(await tools.run(`${TOOLS}.GetOffsetShell`, [...server, '--topic', 't', ...time]));
    expect(await offset()).toEqual(['t:0:100']);
    expect(await offset('--time', 'earliest')).toEqual(['t:0:0']);
    expect(await offset('--time', `${Date.now() - 3_600_000}`)).toEqual(['t:0:0']);
    const order = join(await temporaryDirectory(), 'order.json');
    await writeFile(order, '{"partitions":[{"topic":"t","partition":0,"offset":10}],"version":1}');
    expect(await tools.run(`${TOOLS}.DeleteRecordsCommand`, [...server, '--offset-json-file', order])).toContain(
      'low_watermark: 10',
    );
    expect(await offset('--time', 'earliest')).toEqual(['t:0:10']);
    expect(await tools.run(`${TOOLS}.LogDirsCommand`, [...server, '--describe'])).toMatch(/"t-0","size":\d{3,}/);
  });

  test('the tools for clusters and for measuring find what they look for', async () => {
    const { address } = await startBroker({ settings: { kafka: { clusterId: 'the-cluster' } } });
    const server = ['--bootstrap-server', address];
    expect(await tools.run(`${TOOLS}.ClusterTool`, ['cluster-id', ...server])).toContain('the-cluster');
    const versions = await tools.run(`${TOOLS}.BrokerApiVersionsCommand`, server);
    expect(versions).toMatch(/Produce\(0\): 0 to 13 \[usable: 13\]/);
    const load = ['--num-records', '20000', '--record-size', '100', '--throughput', '-1'];
    const props = ['--producer-props', `bootstrap.servers=${address}`, 'linger.ms=5'];
    expect(await tools.run(`${TOOLS}.ProducerPerformance`, ['--topic', 'p', ...load, ...props])).toContain(
      '20000 records sent',
    );
    const measured = await tools.run(`${TOOLS}.ConsumerPerformance`, [
      ...server,
      '--topic',
      'p',
      '--messages',
      '20000',
    ]);
    expect(measured).toMatch(/, 20000, /);
    expect(await tools.run(`${TOOLS}.GroupsCommand`, [...server, '--list'])).toMatch(/perf-consumer-\d+ +Classic/);
  });

  describe('groups whose members come and go', () => {
    const PARTITIONS = 4;
    const all = Array.from({ length: PARTITIONS }, (_, partition) => partition);

    function member(server: readonly string[], ...args: string[]): Member {
      const group = ['--topic', 't', '--group-id', 'g'];
      return tools.start(`${TOOLS}.VerifiableConsumer`, [...server, ...group, ...args]);
    }

    const partitionsIn = ({ partitions = [] }: ConsumerEvent) => partitions.map(({ partition }) => partition);

    const isShared = (...members: Member[]) => areShared(PARTITIONS, ...members);

    test('two share the partitions, one leaves and the other has them all, and every record comes once', async () => {
      const server = await brokerWith(tools, 't', PARTITIONS);
      const [a, b] = [member(server), member(server)];
      await until(() => isShared(a, b));
      const load = ['--topic', 't', '--max-messages', '3000', '--throughput', '1000', '--repeating-keys', '97'];
      const producer = tools.start<ProducerEvent>(`${TOOLS}.VerifiableProducer`, [...server, ...load]);
      await until(() => consumed(b) > 0);
      await b.stop();
      expect(happened('shutdown_complete', b)).toHaveLength(1);
      await producer.ended();
      expect(producer.events.at(-1)).toMatchObject({ name: 'tool_data', acked: 3_000 });
      await until(() => consumed(a) + consumed(b) >= 3_000);
      await until(() => isShared(a));
      await a.stop();
      expect(consumed(a) + consumed(b)).toBe(3_000);
      // No offset twice, none left out.
      const ranges = [a, b].flatMap((each) =>
        happened('records_consumed', each).flatMap(({ partitions = [] }) => partitions),
      );
      for (const partition of all) {
        let next = 0;
        const own = ranges.filter((range) => range.partition === partition);
        for (const { minOffset, maxOffset = -1 } of own.sort((x, y) => (x.minOffset ?? 0) - (y.minOffset ?? 0))) {
          expect(minOffset).toBe(next);
          next = maxOffset + 1;
        }
      }
    });

    test('a member that joins a cooperative group is given some partitions, and the others never stop', async () => {
      const server = await brokerWith(tools, 't', PARTITIONS);
      const sticky = ['--assignment-strategy', 'org.apache.kafka.clients.consumer.CooperativeStickyAssignor'];
      const a = member(server, ...sticky);
      await until(() => isShared(a));
      const b = member(server, ...sticky);
      await until(() => isShared(a, b));
      expect(happened('partitions_revoked', a).map(partitionsIn)).toEqual([owned(b)]);
      await b.stop();
      await until(() => isShared(a));
      expect(happened('partitions_revoked', a)).toHaveLength(1);
    });

    test('a static member that comes back in time gets its partitions back, and nobody else notices', async () => {
      const server = await brokerWith(tools, 't', PARTITIONS);
      const a = member(server, '--group-instance-id', 'a', '--session-timeout', '20000');
      const b = member(server, '--group-instance-id', 'b', '--session-timeout', '20000');
      await until(() => isShared(a, b));
      const before = happened('partitions_assigned', a).length;
      await b.stop();
      const again = member(server, '--group-instance-id', 'b', '--session-timeout', '20000');
      await until(() => isShared(a, again));
      expect(happened('partitions_assigned', a)).toHaveLength(before);
    });
  });

  test('an idempotent producer goes on while the broker restarts: every record is there, once, in order', async () => {
    const directory = await temporaryDirectory();
    const first = await createBroker({ storage: 'disk', directory, listeners: ['kafka://127.0.0.1:0'] });
    const { port = 0 } = first.listeners[0] ?? {};
    let running = first;
    onTestFinished(() => running.close());
    const server = ['--bootstrap-server', `127.0.0.1:${port}`];
    await tools.run(`${TOOLS}.TopicCommand`, [...server, '--create', '--topic', 't', '--partitions', '1']);
    // The tool itself asks for no retries, and so for no idempotence.
    const settings = join(directory, 'producer.properties');
    await writeFile(settings, 'retries=2147483647\nenable.idempotence=true\nacks=all\n');
    const load = ['--topic', 't', '--max-messages', '4000', '--throughput', '1000', '--repeating-keys', '10'];
    const options = [...server, ...load, '--producer.config', settings];
    const producer = tools.start<ProducerEvent>(`${TOOLS}.VerifiableProducer`, options);
    await until(() => producer.events.length > 1_000);
    await running.close();
    running = await createBroker({ storage: 'disk', directory, listeners: [`kafka://127.0.0.1:${port}`] });
    await producer.ended();
    expect(producer.events.at(-1)).toMatchObject({ name: 'tool_data', acked: 4_000 });
    const values = lines(
      await tools.run(`${TOOLS}.consumer.ConsoleConsumer`, [
        ...server,
        ...['--topic', 't', '--from-beginning', '--timeout-ms', '3000'],
      ]),
    );
    expect(values).toEqual(Array.from({ length: 4_000 }, (_, i) => `${i}`));
  });
});

describe.skipIf(lack !== undefined)('Kafka 2.8', () => {
  let tools: JavaTools;
  beforeAll(async () => {
    tools = new JavaTools(await classPath(OLD));
  }, 300_000);

  test('an old client creates, produces, consumes and describes', async () => {
    const { address } = await startBroker();
    const server = ['--bootstrap-server', address];
    const topics = (...args: string[]) => tools.run('kafka.admin.TopicCommand', [...server, ...args]);
    await topics('--create', '--topic', 't', '--partitions', '3', '--replication-factor', '1');
    const records = numbered(1_000);
    const idempotent = ['--request-required-acks', '-1', '--producer-property', 'enable.idempotence=true'];
    const keyed = ['--property', 'parse.key=true', '--property', 'key.separator=:'];
    const input = records.map((record) => `${record}\n`).join('');
    await tools.run('kafka.tools.ConsoleProducer', [...server, '--topic', 't', ...keyed, ...idempotent], input);
    const printed = ['--property', 'print.key=true', '--property', 'key.separator=:'];
    const options = ['--from-beginning', '--max-messages', '1000', '--timeout-ms', '20000', '--group', 'g'];
    const output = await tools.run('kafka.tools.ConsoleConsumer', [...server, '--topic', 't', ...options, ...printed]);
    expect(lines(output).sort()).toEqual(records.toSorted());
    const described = await tools.run('kafka.admin.ConsumerGroupCommand', [...server, '--describe', '--group', 'g']);
    expect(description(described).map(([, current, end, lag]) => [current === end, lag])).toEqual(
      Array.from({ length: 3 }, () => [true, 0]),
    );
    await topics('--delete', '--topic', 't');
    expect(lines(await topics('--list'))).not.toContain('t');
  });
});
