import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { LevelledLogger } from '../../src/environment/logger.ts';
import { startBroker, temporaryDirectory } from '../kafka/fixture.ts';
import { recordingLogger } from '../kafka/raw-client.ts';
import { classPath, JavaTools, whatJavaLacks } from './java.ts';

// Kafka's tools for administrators, in Java. 4.3.1 is the newest version that they are all there of in Maven's repository.

const TOOLS = 'org.apache.kafka.tools';
const NEWEST = ['org.apache.kafka:kafka-tools:4.3.1', 'org.apache.kafka:kafka_2.13:4.3.1'];
const CONFIGS = 'kafka.admin.ConfigCommand';
const CALLS = fileURLToPath(new URL('java/AdminCalls.java', import.meta.url));

const lack = whatJavaLacks();
if (lack !== undefined) process.stderr.write(`skipped: Kafka's Java tools for administrators: ${lack}\n`);

describe.skipIf(lack !== undefined)("Kafka's tools for administrators", () => {
  let tools: JavaTools;
  let address: string;
  let server: readonly string[];
  let logger: LevelledLogger & ReturnType<typeof recordingLogger>;

  beforeAll(async () => {
    tools = new JavaTools(await classPath(NEWEST));
  }, 300_000);

  beforeEach(async () => {
    logger = { ...recordingLogger(), level: 'info' };
    ({ address } = await startBroker({ logger }));
    server = ['--bootstrap-server', address];
  });

  const run = (tool: string, ...args: string[]) => tools.run(tool, [...server, ...args]);
  const topic = (...args: string[]) => run(`${TOOLS}.TopicCommand`, '--create', '--topic', 't', ...args);
  const produce = (text: string) => tools.run(`${TOOLS}.ConsoleProducer`, [...server, '--topic', 't', '--sync'], text);

  async function jsonFile(value: unknown): Promise<string> {
    const path = join(await temporaryDirectory(), 'input.json');
    await writeFile(path, JSON.stringify(value));
    return path;
  }

  test('kafka-configs sets what brokers have, this one and all, and takes it back', async () => {
    const one = ['--entity-type', 'brokers', '--entity-name', '1'];
    const all = ['--entity-type', 'brokers', '--entity-default'];
    await run(CONFIGS, '--alter', ...one, '--add-config', 'log.retention.ms=1000');
    await run(CONFIGS, '--alter', ...all, '--add-config', 'log.retention.ms=2000');
    expect(await run(CONFIGS, '--describe', ...one)).toContain(
      'log.retention.ms=1000 sensitive=false synonyms={DYNAMIC_BROKER_CONFIG:log.retention.ms=1000, ' +
        'DYNAMIC_DEFAULT_BROKER_CONFIG:log.retention.ms=2000, DEFAULT_CONFIG:log.retention.hours=168}',
    );
    expect(await run(CONFIGS, '--describe', ...all)).toContain('log.retention.ms=2000');
    await run(CONFIGS, '--alter', ...one, '--delete-config', 'log.retention.ms');
    expect(await run(CONFIGS, '--describe', ...one)).not.toContain('DYNAMIC_BROKER_CONFIG');
    await expect(run(CONFIGS, '--alter', ...one, '--add-config', 'num.partitions=3')).rejects.toThrow(
      'Cannot update these configs dynamically: Set(num.partitions)',
    );
  }, 120_000);

  test('kafka-configs sets the level of the log', async () => {
    const entity = ['--entity-type', 'broker-loggers', '--entity-name', '1'];
    await run(CONFIGS, '--alter', ...entity, '--add-config', 'root=DEBUG');
    expect(logger.level).toBe('debug');
    expect(await run(CONFIGS, '--describe', ...entity)).toContain('root=DEBUG');
  }, 60_000);

  test('kafka-configs sets what groups have', async () => {
    const entity = ['--entity-type', 'groups', '--entity-name', 'g'];
    await run(CONFIGS, '--alter', ...entity, '--add-config', 'consumer.session.timeout.ms=50000');
    expect(await run(CONFIGS, '--describe', '--entity-type', 'groups')).toContain(
      'consumer.session.timeout.ms=50000 sensitive=false synonyms={DYNAMIC_GROUP_CONFIG:consumer.session.timeout.ms=50000',
    );
    await expect(run(CONFIGS, '--alter', ...entity, '--add-config', 'share.delivery.count.limit=11')).rejects.toThrow(
      'share.delivery.count.limit must be less than or equal to 10',
    );
  }, 60_000);

  test('kafka-client-metrics subscribes to what clients measure, and a Java client says it', async () => {
    const subscription = ['--name', 's', '--metrics', 'org.apache.kafka.producer.', '--interval', '100'];
    const match = ['--match', 'client_software_name=apache-kafka-java'];
    const loggers = ['--entity-type', 'broker-loggers', '--entity-name', '1'];
    await run(CONFIGS, '--alter', ...loggers, '--add-config', 'root=DEBUG');
    await run(`${TOOLS}.ClientMetricsCommand`, '--alter', ...subscription, ...match);
    expect(await run(`${TOOLS}.ClientMetricsCommand`, '--list')).toContain('s');
    expect(await run(`${TOOLS}.ClientMetricsCommand`, '--describe', '--name', 's')).toContain('interval.ms=100');
    await topic();
    await produce('one\ntwo\n');
    const said = logger.lines.filter(({ message }) => message === 'a client has said what it measures');
    const byProducer = said.filter(({ facts }) => facts['clientId'] === 'console-producer');
    expect(byProducer.some(({ facts }) => Number(facts['values']) > 0)).toBe(true);
  }, 120_000);

  test('kafka-metadata-quorum, kafka-features and kafka-cluster describe a cluster of one broker', async () => {
    const quorum = (...args: string[]) => run(`${TOOLS}.MetadataQuorumCommand`, 'describe', ...args);
    expect(await quorum('--status')).toMatch(/^LeaderId: +1$/m);
    expect(await quorum('--replication')).toMatch(/^1 .*Leader/m);
    const features = (...args: string[]) => run(`${TOOLS}.FeatureCommand`, ...args);
    expect(await features('describe')).toMatch(/transaction\.version.*FinalizedVersionLevel: 2/);
    expect(await features('upgrade', '--feature', 'transaction.version=2')).toContain('was upgraded to 2');
    await expect(features('downgrade', '--feature', 'transaction.version=1')).rejects.toThrow('supports level 2 only');
    const cluster = (verb: string, ...args: string[]) => tools.run(`${TOOLS}.ClusterTool`, [verb, ...server, ...args]);
    expect(await cluster('cluster-id')).toContain('Cluster ID: ');
    expect(await cluster('list-endpoints')).toMatch(/^1 +127\.0\.0\.1/m);
    await expect(cluster('unregister', '--id', '9')).rejects.toThrow('BrokerIdNotRegisteredException');
  }, 120_000);

  test('kafka-leader-election, kafka-reassign-partitions and kafka-log-dirs find all where it can be', async () => {
    await topic('--partitions', '2');
    const elect = (...args: string[]) => run(`${TOOLS}.LeaderElectionCommand`, '--election-type', 'preferred', ...args);
    expect(await elect('--topic', 't', '--partition', '0')).toContain('Valid replica already elected');
    await elect('--all-topic-partitions');
    expect(await run(`${TOOLS}.LogDirsCommand`, '--describe', '--topic-list', 't')).toContain('"logDir":"sluice"');
    const partitions = [{ topic: 't', partition: 0, replicas: [1], log_dirs: ['sluice'] }];
    const plan = ['--reassignment-json-file', await jsonFile({ version: 1, partitions })];
    const reassign = (...args: string[]) => run(`${TOOLS}.reassign.ReassignPartitionsCommand`, ...args);
    expect(await reassign('--execute', ...plan)).toContain('Successfully started');
    expect(await reassign('--verify', ...plan)).toContain('Reassignment of partition t-0 is completed');
    expect(await reassign('--list')).toContain('No partition reassignments found');
  }, 120_000);

  test('kafka-get-offsets and kafka-delete-records', async () => {
    await topic();
    await produce('one\ntwo\nthree\n');
    const offsets = (time: string) => run(`${TOOLS}.GetOffsetShell`, '--topic', 't', '--time', time);
    expect(await offsets('latest')).toContain('t:0:3');
    const partitions = [{ topic: 't', partition: 0, offset: 2 }];
    const deleted = await run(
      `${TOOLS}.DeleteRecordsCommand`,
      ...['--offset-json-file', await jsonFile({ version: 1, partitions })],
    );
    expect(deleted).toContain('low_watermark: 2');
    expect(await offsets('earliest')).toContain('t:0:2');
  }, 120_000);

  test('kafka-broker-api-versions, kafka-groups and kafka-delegation-tokens', async () => {
    const versions = await run(`${TOOLS}.BrokerApiVersionsCommand`);
    expect(versions).toContain('ListConfigResources(74): 0 to 1 [usable: 1]');
    expect(await run(`${TOOLS}.GroupsCommand`, '--list')).toContain('GROUP');
    const options = ['--describe', '--command-config', '/dev/null'];
    await expect(run(`${TOOLS}.DelegationTokenCommand`, ...options)).rejects.toThrow(
      'DelegationTokenDisabledException',
    );
  }, 120_000);

  test('all calls of the AdminClient with which consoles show a cluster and change it', async () => {
    // Java's source is compiled first, and the logger says that there is none.
    const said = (await tools.run(CALLS, [address])).split('\n').filter((line) => line !== '');
    expect(said).toEqual([expect.stringMatching(/^\d+ checks, 0 wrong$/)]);
    expect(logger.lines.filter(({ level }) => level === 'error')).toEqual([]);
  }, 120_000);
});
