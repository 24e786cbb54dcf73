import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runNodeTests } from './node-runner.ts';
import type { Suite, SuiteRun } from './suite.ts';

const FOLDER = 'test';
/** Five times what its own scripts give a test. */
const TEST_LIMIT_MS = 5_000;

/** The tests of amqplib (github.com/amqp-node/amqplib). */
export const amqplib: Suite = {
  name: 'amqplib',
  marker: 'channel_api.js',
  dependencies: { path: 'node_modules/claire', command: 'npm install' },
  // One of its tests wants IPv6.
  listeners: ['amqp://127.0.0.1:5672', ...(existsSync('/proc/net/if_inet6') ? ['amqp://[::1]:5672'] : [])],
  tlsListeners: [],
  // One of them looks who answers.
  settings: { amqp: { product: 'RabbitMQ' } },
  timeLimitMs: 10 * 60_000,
  run,
};

async function run(suiteRun: SuiteRun) {
  const entries = await readdir(join(suiteRun.checkout, FOLDER));
  const files = entries.filter((name) => name.endsWith('.test.js')).map((name) => `${FOLDER}/${name}`);
  return runNodeTests(suiteRun, { files: files.sort(), testLimitMs: TEST_LIMIT_MS });
}
