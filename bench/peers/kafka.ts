import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { KafkaClient } from '../../src/client/index.ts';
import { type Address, BrokerProcess } from '../broker-process.ts';
import { CACHE_DIRECTORY } from '../cache-directory.ts';
import { answering } from './answering.ts';
import { freePort } from './free-port.ts';
import type { Peer } from './peer.ts';

const VERSION = '4.3.1';
const DEPENDENCY_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath';
const HOST = '127.0.0.1';
/** What kafka-server-start.sh and kafka-run-class.sh give the Java machine. */
const JAVA_FLAGS = [
  '-Xms1G',
  '-Xmx1G',
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
  '-Djava.awt.headless=true',
];

const run = promisify(execFile);

export interface KafkaOptions {
  readonly partitions: number;
  /** Whether each batch goes to the disk before it is acknowledged, or when the operating system sees fit (the default). */
  readonly flush: 'always' | 'os';
  /** How often members of groups of the consumer protocol come; as the broker has it, without it. */
  readonly heartbeatMs?: number | undefined;
}

/** Why Apache Kafka cannot be run here; undefined when it can. */
export function kafkaMissing(): string | undefined {
  for (const tool of ['java', 'mvn']) {
    try {
      execFileSync(tool, ['-version'], { stdio: 'ignore' });
    } catch {
      return `'${tool}' is not there: install Java 17 or newer and Maven to run Apache Kafka beside it`;
    }
  }
  return undefined;
}

/** Apache Kafka from Maven Central: one node, broker and controller in one process, on loopback. */
export async function kafka(options: KafkaOptions): Promise<Peer> {
  const classpath = await downloaded();
  const name = `kafka ${VERSION} (flush ${options.flush})`;
  return {
    name,
    durable: true,
    async start(directory) {
      const [port, controllerPort] = [await freePort(HOST), await freePort(HOST)];
      await mkdir(directory, { recursive: true });
      const properties = join(directory, 'server.properties');
      await writeFile(properties, serverProperties({ ...options, directory, port, controllerPort }));
      const logs = join(directory, 'logs');
      if (!existsSync(logs)) {
        const format = ['kafka.tools.StorageTool', 'format', '--cluster-id', 'c2x1aWNlLWJlbmNoLWthZg'];
        await run('java', ['-cp', classpath, ...format, '--config', properties]);
      }
      return BrokerProcess.start({
        name,
        command: 'java',
        args: [...JAVA_FLAGS, '-cp', classpath, 'kafka.Kafka', properties],
        environment: {},
        ready: (output, ended) => {
          output(() => {});
          return answering({ host: HOST, port }, ended, answer);
        },
      });
    },
  };
}

/** The class path, with everything on it in Maven's own repository. */
async function downloaded(): Promise<string> {
  const directory = join(CACHE_DIRECTORY, `kafka-${VERSION}`);
  const file = join(directory, 'classpath');
  if (!existsSync(file)) {
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'pom.xml'), POM);
    console.error(`fetching Apache Kafka ${VERSION} with Maven (once)`);
    await run('mvn', ['-q', '-B', DEPENDENCY_PLUGIN, '-Dmdep.outputFile=classpath.part'], { cwd: directory });
    await rename(join(directory, 'classpath.part'), file);
  }
  return (await readFile(file, 'utf8')).trim();
}

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>bench</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${VERSION}</version></dependency>
  </dependencies>
</project>
`;

interface ServerOptions extends KafkaOptions {
  readonly directory: string;
  readonly port: number;
  readonly controllerPort: number;
}

/** As Kafka's own config/server.properties, but for addresses, places and what one node cannot replicate. */
function serverProperties({ directory, port, controllerPort, partitions, flush, heartbeatMs }: ServerOptions): string {
  const lines = [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@${HOST}:${controllerPort}`,
    `listeners=PLAINTEXT://${HOST}:${port},CONTROLLER://${HOST}:${controllerPort}`,
    `advertised.listeners=PLAINTEXT://${HOST}:${port}`,
    'controller.listener.names=CONTROLLER',
    'inter.broker.listener.name=PLAINTEXT',
    'listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    `log.dirs=${join(directory, 'logs')}`,
    `num.partitions=${partitions}`,
    'offsets.topic.replication.factor=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
  ];
  if (heartbeatMs !== undefined)
    for (const name of ['min.heartbeat', 'heartbeat']) lines.push(`group.consumer.${name}.interval.ms=${heartbeatMs}`);
  if (flush === 'always') lines.push('log.flush.interval.messages=1');
  return `${lines.join('\n')}\n`;
}

async function answer(address: Address): Promise<void> {
  const client = await KafkaClient.connect(address);
  await client.close();
}
