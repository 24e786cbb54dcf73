import { beforeAll, describe, expect, test } from 'vitest';
import { startBroker, until } from '../kafka/fixture.ts';
import { classPath, JavaTools, whatJavaLacks } from './java.ts';
import { isShared as areShared, consumed, happened, type Member } from './verifiable-consumer.ts';

// The new group protocol (KIP-848) with Kafka's own client.

const TOOLS = 'org.apache.kafka.tools';
const CURRENT = ['org.apache.kafka:kafka-tools:4.1.0', 'org.apache.kafka:kafka_2.13:4.1.0'];
const PARTITIONS = 4;

const lack = whatJavaLacks();
if (lack !== undefined) process.stderr.write(`skipped: Kafka's Java client and tools: ${lack}\n`);

const isShared = (...members: Member[]) => areShared(PARTITIONS, ...members);

describe.skipIf(lack !== undefined)('Kafka 4.1, group.protocol=consumer', () => {
  let tools: JavaTools;
  beforeAll(async () => {
    tools = new JavaTools(await classPath(CURRENT));
  }, 300_000);

  async function brokerWithTopic(): Promise<readonly string[]> {
    const { address } = await startBroker({ settings: { groups: { consumerHeartbeatIntervalMs: 200 } } });
    const server = ['--bootstrap-server', address];
    await tools.run(`${TOOLS}.TopicCommand`, [...server, '--create', '--topic', 't', '--partitions', `${PARTITIONS}`]);
    return server;
  }

  function member(server: readonly string[], ...more: string[]): Member {
    const group = ['--topic', 't', '--group-id', 'g', '--group-protocol', 'consumer'];
    return tools.start(`${TOOLS}.VerifiableConsumer`, [...server, ...group, ...more]);
  }

  const groups = (server: readonly string[], ...args: string[]) =>
    tools.run(`${TOOLS}.consumer.group.ConsumerGroupCommand`, [...server, ...args]);

  test.each(['uniform', 'range'])(
    'members share the partitions by %s, come and go, and every record comes once',
    async (assignor) => {
      const server = await brokerWithTopic();
      const by = ['--group-remote-assignor', assignor];
      const a = member(server, ...by);
      await until(() => isShared(a));
      const b = member(server, ...by);
      await until(() => isShared(a, b));
      // What stays with a member is not taken from it in between.
      expect(happened('partitions_revoked', a).flatMap(({ partitions = [] }) => partitions)).toHaveLength(
        PARTITIONS / 2,
      );
      const described = await groups(server, '--describe', '--group', 'g', '--state');
      expect(described).toMatch(new RegExp(`${assignor} +Stable +2`));
      expect(await groups(server, '--list', '--type', 'consumer', '--state', 'stable')).toMatch(/g +Consumer +Stable/);
      const load = ['--topic', 't', '--max-messages', '2000', '--throughput', '1000', '--repeating-keys', '97'];
      const producer = tools.start(`${TOOLS}.VerifiableProducer`, [...server, ...load]);
      await until(() => consumed(b) > 0);
      await b.stop();
      await producer.ended();
      await until(() => consumed(a, b) >= 2_000 && isShared(a));
      await a.stop();
      const ranges = [a, b].flatMap((each) =>
        happened('records_consumed', each).flatMap(({ partitions = [] }) => partitions),
      );
      for (let partition = 0; partition < PARTITIONS; partition++) {
        let next = 0;
        const own = ranges.filter((range) => range.partition === partition);
        for (const { minOffset, maxOffset = -1 } of own.sort((x, y) => (x.minOffset ?? 0) - (y.minOffset ?? 0))) {
          expect(minOffset).toBe(next);
          next = maxOffset + 1;
        }
      }
      expect(await groups(server, '--describe', '--group', 'g', '--state')).toMatch(/Empty +0/);
      await groups(server, '--delete', '--group', 'g');
      expect(await groups(server, '--list')).not.toMatch(/^g /m);
    },
  );

  test('a static member that comes back has its partitions again, and nobody else notices', async () => {
    const server = await brokerWithTopic();
    const [a, b] = [member(server, '--group-instance-id', 'a'), member(server, '--group-instance-id', 'b')];
    await until(() => isShared(a, b));
    const before = a.events.filter(({ name }) => name.startsWith('partitions')).length;
    await b.stop();
    const again = member(server, '--group-instance-id', 'b');
    await until(() => isShared(a, again));
    expect(a.events.filter(({ name }) => name.startsWith('partitions'))).toHaveLength(before);
  });

  test('a group goes over to the new protocol while it is empty, and back, and goes on where it was', async () => {
    const server = await brokerWithTopic();
    const consume = async (protocol: string, count: number) => {
      const options = [
        '--topic',
        't',
        '--group',
        'g',
        '--from-beginning',
        '--max-messages',
        `${count}`,
        '--timeout-ms',
        '20000',
      ];
      const how = ['--consumer-property', `group.protocol=${protocol}`];
      const output = await tools.run(`${TOOLS}.consumer.ConsoleConsumer`, [...server, ...options, ...how]);
      return output.split('\n').filter((line) => line !== '');
    };
    const values = Array.from({ length: 60 }, (_, i) => `${i}`);
    await tools.run(
      `${TOOLS}.ConsoleProducer`,
      [...server, '--topic', 't'],
      values.map((value) => `${value}\n`).join(''),
    );
    const got = [
      ...(await consume('classic', 20)),
      ...(await consume('consumer', 20)),
      ...(await consume('classic', 20)),
    ];
    expect(got.map(Number).sort((a, b) => a - b)).toEqual(values.map(Number));
  });

  test('topics are found by expression, also those that come later', async () => {
    const server = await brokerWithTopic();
    const options = [
      '--include',
      't.*',
      '--group',
      'g',
      '--from-beginning',
      '--max-messages',
      '2',
      '--timeout-ms',
      '30000',
    ];
    const consumer = tools.run(`${TOOLS}.consumer.ConsoleConsumer`, [
      ...[...server, ...options],
      ...['--consumer-property', 'group.protocol=consumer', '--consumer-property', 'metadata.max.age.ms=1000'],
    ]);
    await tools.run(`${TOOLS}.ConsoleProducer`, [...server, '--topic', 't'], 'first\n');
    await tools.run(`${TOOLS}.TopicCommand`, [...server, '--create', '--topic', 't2', '--partitions', '1']);
    await tools.run(`${TOOLS}.ConsoleProducer`, [...server, '--topic', 't2'], 'second\n');
    expect(
      (await consumer)
        .split('\n')
        .filter((line) => line !== '')
        .sort(),
    ).toEqual(['first', 'second']);
  });
});
