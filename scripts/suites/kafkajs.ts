import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join, relative } from 'node:path';
import { SLUICE } from './broker.ts';
import { runToEnd } from './child.ts';
import { type Only, SEPARATOR, type Suite, type SuiteRun, type TestOutcome } from './suite.ts';

/** What jest writes with --json, as far as it is read here. */
interface JestReport {
  readonly testResults: readonly {
    /** Absolute. */
    readonly name: string;
    readonly status: 'passed' | 'failed';
    /** Why the file could not be run, when it has no tests. */
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: 'passed' | 'failed' | 'pending' | 'todo' | 'disabled';
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** The longest argument that Linux hands to a process is 128 KiB; longer lists of names are not narrowed down. */
const MAX_PATTERN_BYTES = 100 * 1024;
const WORKERS_WITHOUT_BROKER = 8;
/** Characters of jest's own words that are shown when it fails. */
const MAX_SHOWN = 4000;

/** The tests of kafkajs (github.com/tulios/kafkajs), by jest, in plain text, over TLS, and over TLS with logins. */
export const kafkajs: Suite = {
  name: 'kafkajs',
  marker: 'src/broker/__tests__/connect.spec.js',
  dependencies: { path: 'node_modules/jest/bin/jest.js', command: 'npm install' },
  // Its three brokers: here one, which tells each client the address that it came by.
  listeners: [9092, 9095, 9098].map((port) => `kafka://localhost:${port}`),
  // Of each two, the first is for clients that do not log in, the second for those that do.
  tlsListeners: [9093, 9094, 9096, 9097, 9099, 9100].map((port) => `kafka+tls://localhost:${port}`),
  // As its docker-compose.2_4.yml has them: brokers count from 0, topics that come into being have two partitions, groups do not wait,
  // and there are access-control lists, which hold for what they are about.
  settings: {
    kafka: { brokerId: 0, numPartitions: 2, sasl: 'optional', authorizer: 'acl', allowEveryoneIfNoAclFound: true },
    groups: { initialRebalanceDelayMs: 0 },
  },
  users: [
    { name: 'test', password: 'testtest' },
    { name: 'bob', password: 'bobbob' },
    { name: 'alice', password: 'alicealice' },
    {
      name: 'testscram',
      password: 'x',
      scram: { 'SCRAM-SHA-256': 'testtestscram=256', 'SCRAM-SHA-512': 'testtestscram=512' },
    },
  ],
  timeLimitMs: 45 * 60_000,
  run,
};

async function run({ checkout, directory, broker, only, signal }: SuiteRun): Promise<readonly TestOutcome[]> {
  const report = join(directory, 'report.json');
  const log = join(directory, 'jest.log');
  const options = ['--ci', '--no-watchman', '--forceExit', '--reporters=default', '--json', `--outputFile=${report}`];
  // With a broker one file after the other, for their time-outs are tight; without one they mostly wait to try again.
  const workers = `--maxWorkers=${broker ? 1 : WORKERS_WITHOUT_BROKER}`;
  await runToEnd(process.execPath, [kafkajs.dependencies.path, ...options, workers, ...selection(checkout, only)], {
    cwd: checkout,
    env: {
      ...process.env,
      KAFKA_VERSION: '2.4',
      // As its own scripts set them.
      NODE_ENV: 'test',
      KAFKAJS_DEBUG_PROTOCOL_BUFFERS: '1',
      PATH: [await dockerShim(directory), process.env['PATH']].join(delimiter),
    },
    log,
    signal,
  });
  // jest's exit code says no more than the report does, as long as there is one.
  if (!existsSync(report)) throw new Error(`jest wrote no report:\n${(await readFile(log, 'utf8')).slice(-MAX_SHOWN)}`);
  return outcomes(JSON.parse(await readFile(report, 'utf8')) as JestReport, checkout);
}

function outcomes({ testResults }: JestReport, checkout: string): TestOutcome[] {
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(checkout, name);
    if (assertionResults.length === 0 && status === 'failed')
      return [{ name: `${file}${SEPARATOR}(file)`, passed: false, reason: oneLine(message) }];
    return assertionResults
      .filter((test) => test.status === 'passed' || test.status === 'failed')
      .map((test) => ({
        name: `${file}${SEPARATOR}${oneLine(test.fullName)}`,
        passed: test.status === 'passed',
        reason: oneLine(test.failureMessages[0]?.split('\n')[0] ?? ''),
      }));
  });
}

/** As jest's arguments. */
function selection(checkout: string, only: Only | undefined): string[] {
  if (only?.file !== undefined) return [`--testPathPattern=${literally(only.file)}`];
  if (only?.names === undefined) return [];
  const parts = Array.from(only.names, (name) => {
    const at = name.indexOf(SEPARATOR);
    return { file: name.slice(0, at), test: name.slice(at + SEPARATOR.length) };
  });
  const files = [...new Set(parts.map(({ file }) => join(checkout, file)))];
  const pattern = `^(${parts.map(({ test }) => literally(test)).join('|')})$`;
  const narrow = Buffer.byteLength(pattern) < MAX_PATTERN_BYTES ? [`--testNamePattern=${pattern}`] : [];
  return [...narrow, '--runTestsByPath', ...files];
}

/**
 * One test adds partitions by the tool in Kafka's container: `docker exec CONTAINER bash -c "kafka-topics … --alter --topic T
 * --partitions N"`. Answers the folder of a `docker` that says the same to the broker.
 */
async function dockerShim(directory: string): Promise<string> {
  const bin = join(directory, 'bin');
  await mkdir(bin, { recursive: true });
  const script = `#!/bin/sh
[ "$1" = ps ] && { echo sluice; exit; }
for last; do :; done
set -- $last
while [ $# -gt 0 ]; do
  case "$1" in
    --topic) topic=$2 ;;
    --partitions) partitions=$2 ;;
  esac
  shift
done
exec '${process.execPath}' '${SLUICE}' topic alter "$topic" --partitions "$partitions"
`;
  await writeFile(join(bin, 'docker'), script, { mode: 0o755 });
  return bin;
}

function literally(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

// Terminal colours are not for lists.
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character begins them
const COLOURS = /\u001b\[\d+m/g;

function oneLine(text: string): string {
  return text.replaceAll(COLOURS, '').replaceAll(/\s+/g, ' ').trim();
}
