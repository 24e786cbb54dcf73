import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runNodeTests } from './node-runner.ts';
import type { Suite, SuiteRun } from './suite.ts';

const FOLDER = 'test';
/** Files that only serve the tests. */
const NO_TESTS: ReadonlySet<string> = new Set(['util.ts']);
const TEST_LIMIT_MS = 30_000;
/** Without a broker its connections try again and again. */
const TEST_LIMIT_WITHOUT_BROKER_MS = 3_000;

/** The tests of rabbitmq-client (github.com/cody-greene/node-rabbitmq-client). */
export const rabbitmqClient: Suite = {
  name: 'rabbitmq-client',
  marker: 'src/RPCClient.ts',
  dependencies: { path: 'node_modules/ts-node', command: 'npm install' },
  listeners: ['amqp://localhost:5672'],
  tlsListeners: [],
  settings: {},
  timeLimitMs: 15 * 60_000,
  run,
};

async function run(suiteRun: SuiteRun) {
  const entries = await readdir(join(suiteRun.checkout, FOLDER));
  const files = entries
    .filter((name) => name.endsWith('.ts') && !NO_TESTS.has(name))
    .map((name) => `${FOLDER}/${name}`);
  return runNodeTests(suiteRun, {
    files: files.sort(),
    options: ['-r', 'ts-node/register'],
    env: { RABBITMQ_URL: 'amqp://guest:guest@localhost:5672' },
    testLimitMs: suiteRun.broker ? TEST_LIMIT_MS : TEST_LIMIT_WITHOUT_BROKER_MS,
  });
}
