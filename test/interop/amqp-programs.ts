import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TutorialClient } from '../amqp/clients/client.ts';
import { programClient } from '../amqp/clients/program.ts';
import { classPath, whatJavaLacks } from './java.ts';

/** Outside version control. */
const BUILT = fileURLToPath(new URL('../../node_modules/.cache/amqp-programs/', import.meta.url));
const PROGRAMS = fileURLToPath(new URL('programs/', import.meta.url));
/** The client itself, and a place for its log to go. */
const JARS = ['com.rabbitmq:amqp-client:5.22.0', 'org.slf4j:slf4j-nop:1.7.36'];

/** RabbitMQ's Java client; undefined, and said so, where it cannot be built. */
export async function javaClient(): Promise<TutorialClient | undefined> {
  const lack = whatJavaLacks();
  if (lack !== undefined) return skipped('Java', lack);
  const jars = await classPath(JARS);
  await mkdir(BUILT, { recursive: true });
  const built = build('javac', ['-cp', jars, '-d', BUILT, `${PROGRAMS}Tutorials.java`], PROGRAMS);
  if (built !== undefined) return skipped('Java', built);
  // Short runs are over before the second compiler has earned what it costs.
  return programClient('Java', 'java', ['-XX:TieredStopAtLevel=1', '-cp', [jars, BUILT].join(delimiter), 'Tutorials']);
}

/** RabbitMQ's Go client; undefined, and said so, where it cannot be built. */
export async function goClient(): Promise<TutorialClient | undefined> {
  await mkdir(BUILT, { recursive: true });
  const program = `${BUILT}tutorials`;
  const lack = build('go', ['build', '-o', program, '.'], `${PROGRAMS}go`);
  return lack === undefined ? programClient('Go', program, []) : skipped('Go', lack);
}

/** Answers what is in the way; undefined when it is built. */
function build(command: string, args: readonly string[], cwd: string): string | undefined {
  const { error, status, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (error !== undefined) return `there is no ${command}`;
  return status === 0 ? undefined : `${command} says: ${stderr}`;
}

function skipped(language: string, why: string): undefined {
  process.stderr.write(`skipped: RabbitMQ's ${language} client: ${why}\n`);
  return undefined;
}
