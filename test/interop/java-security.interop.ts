import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../kafka/fixture.ts';
import { PASSWORDS, startSecured } from '../kafka/secured.ts';
import { classPath, JavaTools, whatJavaLacks } from './java.ts';

// What administrators of Kafka do about security, by Kafka's own tools.

const TOOLS = 'org.apache.kafka.tools';
const CURRENT = ['org.apache.kafka:kafka-tools:4.1.0', 'org.apache.kafka:kafka_2.13:4.1.0'];

const lack = whatJavaLacks();
if (lack !== undefined) process.stderr.write(`skipped: Kafka's Java client and tools: ${lack}\n`);

/** A broker, and how a tool connects to it as one of its users. */
async function start(mechanism: string) {
  const { address } = await startSecured({ kafka: { authorizer: 'acl' } });
  const directory = await temporaryDirectory();
  const as = async (name: string, password = PASSWORDS[name]) => {
    const login = mechanism === 'PLAIN' ? 'plain.PlainLoginModule' : 'scram.ScramLoginModule';
    const file = join(directory, `${name}.properties`);
    await writeFile(
      file,
      [
        'security.protocol=SASL_PLAINTEXT',
        `sasl.mechanism=${mechanism}`,
        `sasl.jaas.config=org.apache.kafka.common.security.${login} required username="${name}" password="${password}";`,
      ].join('\n'),
    );
    return ['--bootstrap-server', address, '--command-config', file];
  };
  return { as };
}

describe.skipIf(lack !== undefined)('Kafka 4.1', () => {
  let tools: JavaTools;
  beforeAll(async () => {
    tools = new JavaTools(await classPath(CURRENT));
  }, 300_000);

  test.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])(
    'kafka-acls grants and takes back, logged in by %s',
    async (mechanism) => {
      const { as } = await start(mechanism);
      const [root, berta] = [await as('root'), await as('berta')];
      await tools.run(`${TOOLS}.TopicCommand`, [...root, '--create', '--topic', 'orders']);
      const list = () => tools.run(`${TOOLS}.TopicCommand`, [...berta, '--list']);
      expect(await list()).not.toContain('orders');
      const entry = ['--allow-principal', 'User:berta', '--producer', '--topic', 'ord'];
      const acls = (...args: string[]) =>
        tools.run(`${TOOLS}.AclCommand`, [...root, ...args, '--resource-pattern-type', 'prefixed']);
      await acls('--add', ...entry);
      const described = await tools.run(`${TOOLS}.AclCommand`, [
        ...root,
        '--list',
        '--topic',
        'orders',
        '--resource-pattern-type',
        'match',
      ]);
      expect(described).toMatch(/User:berta, host=\*, operation=WRITE, permissionType=ALLOW/);
      expect(await list()).toContain('orders');
      await acls('--remove', '--force', ...entry);
      expect(await list()).not.toContain('orders');
    },
    120_000,
  );

  test('kafka-configs gives users passwords and quotas', async () => {
    const { as } = await start('SCRAM-SHA-512');
    const root = await as('root');
    const configs = (...args: string[]) => tools.run('kafka.admin.ConfigCommand', [...root, ...args]);
    const carla = ['--entity-type', 'users', '--entity-name', 'carla'];
    await configs('--alter', ...carla, '--add-config', 'SCRAM-SHA-512=[iterations=8192,password=carlas]');
    expect(await configs('--describe', ...carla)).toMatch(/SCRAM-SHA-512=iterations=8192/);
    await tools.run(`${TOOLS}.TopicCommand`, [...(await as('carla', 'carlas')), '--list']);
    await configs('--alter', ...carla, '--add-config', 'producer_byte_rate=1024,request_percentage=25');
    await configs('--alter', '--entity-type', 'clients', '--entity-default', '--add-config', 'consumer_byte_rate=2048');
    expect(await configs('--describe', ...carla)).toMatch(/producer_byte_rate=1024\.0/);
    expect(await configs('--describe', '--entity-type', 'clients')).toMatch(/default.*consumer_byte_rate=2048\.0/);
    await configs('--alter', ...carla, '--delete-config', 'SCRAM-SHA-512');
    await expect(tools.run(`${TOOLS}.TopicCommand`, [...(await as('carla', 'carlas')), '--list'])).rejects.toThrow(
      /Authentication failed/,
    );
  }, 120_000);
});
