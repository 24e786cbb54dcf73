import { beforeAll, describe, expect, test } from 'vitest';
import { startBroker, until } from '../kafka/fixture.ts';
import { classPath, JavaTools, whatJavaLacks } from './java.ts';
import { isShared as areShared, consumed, happened, type Member } from './verifiable-consumer.ts';

// Consumers that go over from one group protocol to the other one by one, with Kafka's own client.

const TOOLS = 'org.apache.kafka.tools';
const CURRENT = ['org.apache.kafka:kafka-tools:4.1.0', 'org.apache.kafka:kafka_2.13:4.1.0'];
const PARTITIONS = 4;
const ASSIGNORS = {
  eager: 'org.apache.kafka.clients.consumer.RangeAssignor',
  cooperative: 'org.apache.kafka.clients.consumer.CooperativeStickyAssignor',
} as const;

const lack = whatJavaLacks();
if (lack !== undefined) process.stderr.write(`skipped: Kafka's Java client and tools: ${lack}\n`);

const isShared = (...members: Member[]) => areShared(PARTITIONS, ...members);

describe.skipIf(lack !== undefined)('Kafka 4.1, group.protocol=classic and consumer', () => {
  let tools: JavaTools;
  beforeAll(async () => {
    tools = new JavaTools(await classPath(CURRENT));
  }, 300_000);

  test.each(['eager', 'cooperative'] as const)(
    'a group of %s members goes over to the new protocol and back, member by member, and every record is read',
    async (flavour) => {
      const { address } = await startBroker({
        settings: { groups: { consumerHeartbeatIntervalMs: 200, initialRebalanceDelayMs: 0 } },
      });
      const server = ['--bootstrap-server', address];
      await tools.run(`${TOOLS}.TopicCommand`, [
        ...[...server, '--create', '--topic', 't', '--partitions', `${PARTITIONS}`],
      ]);
      const all: Member[] = [];
      const member = (protocol: 'classic' | 'consumer') => {
        const how =
          protocol === 'consumer'
            ? ['--group-protocol', 'consumer']
            : ['--group-protocol', 'classic', '--assignment-strategy', ASSIGNORS[flavour]];
        const group = ['--topic', 't', '--group-id', 'g', '--session-timeout', '6000'];
        const started: Member = tools.start(`${TOOLS}.VerifiableConsumer`, [
          ...[...server, ...(protocol === 'consumer' ? group.slice(0, 4) : group), ...how],
        ]);
        all.push(started);
        return started;
      };
      const isListed = async (protocol: string) => {
        const filter = ['--list', '--type', protocol, '--state', 'stable'];
        const listed = await tools.run(`${TOOLS}.consumer.group.ConsumerGroupCommand`, [...server, ...filter]);
        return new RegExp(`^g +${protocol} +stable`, 'im').test(listed);
      };
      let members = [member('classic'), member('classic')];
      await until(() => isShared(...members));
      const load = ['--topic', 't', '--throughput', '200', '--repeating-keys', '97'];
      const producer = tools.start<{ name: string; sent?: number }>(`${TOOLS}.VerifiableProducer`, [
        ...server,
        ...load,
      ]);
      for (const protocol of ['consumer', 'classic'] as const) {
        for (let i = 0; i < 2; i++) {
          const [leaving, staying] = members as [Member, Member];
          const before = consumed(staying);
          await leaving.stop();
          await until(() => isShared(staying) && consumed(staying) > before);
          const coming = member(protocol);
          members = [staying, coming];
          await until(() => isShared(...members) && consumed(coming) > 0);
        }
        await until(() => isListed(protocol));
      }
      await producer.stop();
      const sent = producer.events.filter(({ name }) => name === 'producer_send_success').length;
      expect(sent).toBeGreaterThan(0);
      await until(() => consumed(...all) >= sent);
      // Each goes on where the one before had committed.
      const ranges = all.flatMap((each) =>
        happened('records_consumed', each).flatMap(({ partitions = [] }) => partitions),
      );
      for (let partition = 0; partition < PARTITIONS; partition++) {
        let next = 0;
        const own = ranges.filter((range) => range.partition === partition);
        for (const { minOffset = 0, maxOffset = -1 } of own.sort((x, y) => (x.minOffset ?? 0) - (y.minOffset ?? 0))) {
          expect(minOffset).toBeLessThanOrEqual(next);
          next = Math.max(next, maxOffset + 1);
        }
      }
    },
  );
});
