import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runToEnd } from './child.ts';
import { type Only, SEPARATOR, type Suite, type SuiteRun, type TestOutcome } from './suite.ts';

const PYTHON = '.venv/bin/python';
/** Those that connect to a broker; `io_services` and the bounded queue's do not. */
const FILES = [
  'tests/acceptance/async_adapter_tests.py',
  'tests/acceptance/blocking_adapter_test.py',
  'tests/acceptance/thread_safe_connection_test.py',
  'tests/acceptance/twisted_adapter_tests.py',
];
/** Tests end themselves after 15 seconds; those that hang in the client after this. */
const TEST_LIMIT_SECONDS = 60;
const MAX_SHOWN = 4000;

/** The acceptance tests of pika (github.com/pika/pika), with each of its adapters, in plain text. */
export const pika: Suite = {
  name: 'pika',
  marker: 'tests/acceptance/blocking_adapter_test.py',
  dependencies: {
    path: PYTHON,
    command: 'python3 -m venv .venv && .venv/bin/pip install --editable . pytest pytest-timeout tornado gevent twisted',
  },
  // Some of its tests say localhost, some 127.0.0.1.
  listeners: ['amqp://localhost:5672'],
  tlsListeners: [],
  settings: {},
  timeLimitMs: 40 * 60_000,
  run,
};

async function run({ checkout, directory, only, signal }: SuiteRun): Promise<readonly TestOutcome[]> {
  const files = FILES.filter((file) => isWanted(file, only));
  if (files.length === 0) return [];
  const report = join(directory, 'report.xml');
  const log = join(directory, 'pytest.log');
  const options = ['-q', `--timeout=${TEST_LIMIT_SECONDS}`, `--junit-xml=${report}`, '-p', 'no:cacheprovider'];
  await runToEnd(join(checkout, PYTHON), ['-m', 'pytest', ...options, ...files], { cwd: checkout, log, signal });
  if (!existsSync(report))
    throw new Error(`pytest wrote no report:\n${(await readFile(log, 'utf8')).slice(-MAX_SHOWN)}`);
  return outcomes(await readFile(report, 'utf8'));
}

/**
 * What pytest writes for JUnit: `<testcase classname="tests.acceptance.FILE.CLASS" name="TEST" …>` with `<skipped …>`,
 * `<failure message="…">` or `<error message="…">` inside where it did not pass.
 */
function outcomes(xml: string): TestOutcome[] {
  const found: TestOutcome[] = [];
  for (const [, attributes = '', inside = ''] of xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs)) {
    if (inside.includes('<skipped')) continue;
    const classname = attribute(attributes, 'classname').split('.');
    const [file = '', ...rest] = classname.slice(2);
    const failure = /<(?:failure|error)\b([^>]*)>/.exec(inside)?.[1];
    found.push({
      name: `${classname.slice(0, 2).join('/')}/${file}.py${SEPARATOR}${[...rest, attribute(attributes, 'name')].join('.')}`,
      passed: failure === undefined,
      reason: failure === undefined ? '' : attribute(failure, 'message').replaceAll(/\s+/g, ' ').slice(0, 300),
    });
  }
  return found;
}

function attribute(text: string, name: string): string {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(text)?.[1] ?? '';
  const entities: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return value.replaceAll(/&(?:(\w+)|#(\d+));/g, (_all, entity: string | undefined, code: string | undefined) =>
    entity === undefined ? String.fromCodePoint(Number(code)) : (entities[entity] ?? ''),
  );
}

function isWanted(file: string, only: Only | undefined): boolean {
  if (only?.file !== undefined) return file.includes(only.file);
  if (only?.names === undefined) return true;
  return Array.from(only.names).some((name) => name.split(SEPARATOR)[0] === file);
}
