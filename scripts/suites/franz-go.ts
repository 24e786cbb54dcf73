import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runToEnd } from './child.ts';
import { type Only, SEPARATOR, type Suite, type SuiteRun, type TestOutcome } from './suite.ts';

/** The client's own package; the tests of the others need no broker. */
const PACKAGE = 'pkg/kgo';
const PROGRAM = 'kgo.test';
/** Of each chain of consumers and producers; 500,000 unless told, on a machine of its own. */
const RECORDS = 100_000;
const TEST_LIMIT = '15m';
/** Those that need a broker would wait for it until the end. */
const TEST_LIMIT_WITHOUT_BROKER = '30s';
const AT_ONCE_WITHOUT_BROKER = 8;
const MAX_SHOWN = 4000;

const ENVIRONMENT = {
  KGO_SEEDS: '127.0.0.1:9092',
  KGO_LOG_LEVEL: 'none',
  KGO_TEST_RF: '1',
  KGO_TEST_RECORDS: String(RECORDS),
  // The end of a transaction and the start of the next without waiting in between.
  KGO_TEST_UNSAFE: '1',
  KGO_TEST_STABLE_FETCH: 'true',
  KGO_TEST_SCRAM_SEEDS: '127.0.0.1:9094',
  KGO_TEST_SCRAM: 'testuser:testpass',
};

/** The tests of franz-go (github.com/twmb/franz-go): chains of groups, with and without transactions, by all of its balancers. */
export const franzGo: Suite = {
  name: 'franz-go',
  marker: 'pkg/kgo/txn_test.go',
  dependencies: { path: join(PACKAGE, PROGRAM), command: `go test -c -o ${PACKAGE}/${PROGRAM} ./${PACKAGE}` },
  listeners: ['kafka://127.0.0.1:9092', 'kafka://127.0.0.1:9094'],
  tlsListeners: [],
  settings: { kafka: { sasl: 'optional' } },
  users: [{ name: 'testuser', password: 'testpass' }],
  timeLimitMs: 30 * 60_000,
  run,
};

async function run(order: SuiteRun): Promise<readonly TestOutcome[]> {
  const tests = selected(order.only);
  // Without a broker the first that looks for one ends the program, with all that is in it: each has a program for itself then.
  if (!order.broker && tests !== undefined) return oneByOne(order, tests);
  return runProgram(order, tests === undefined ? [] : [`-test.run=^(${tests.join('|')})$`], 'all');
}

async function oneByOne(order: SuiteRun, tests: readonly string[]): Promise<readonly TestOutcome[]> {
  const found: TestOutcome[] = [];
  const queue = [...tests];
  const worker = async () => {
    for (let test = queue.shift(); test !== undefined; test = queue.shift())
      found.push(...(await runProgram(order, [`-test.run=^${test}$`], test)));
  };
  await Promise.all(Array.from({ length: AT_ONCE_WITHOUT_BROKER }, worker));
  return found;
}

async function runProgram(
  { checkout, directory, broker, signal }: SuiteRun,
  options: readonly string[],
  name: string,
): Promise<readonly TestOutcome[]> {
  const log = join(directory, `${name}.log`);
  const limit = broker ? TEST_LIMIT : TEST_LIMIT_WITHOUT_BROKER;
  const cwd = join(checkout, PACKAGE);
  await runToEnd(join(cwd, PROGRAM), ['-test.v', `-test.timeout=${limit}`, ...options], {
    cwd,
    env: { ...process.env, ...ENVIRONMENT },
    log,
    signal,
  });
  const output = await readFile(log, 'utf8');
  const found = outcomes(output);
  if (found.length === 0) throw new Error(`the tests said nothing of themselves:\n${output.slice(-MAX_SHOWN)}`);
  return found;
}

/**
 * `--- PASS: TEST (SECONDS)`, or `FAIL` or `SKIP`, stands behind what a test said: its parts, which have a slash in their names, are told indented below it.
 * One that was still running when the time was up has `=== RUN TEST` alone.
 */
function outcomes(output: string): TestOutcome[] {
  const results = new Map<string, TestOutcome | undefined>();
  const report = (test: string, passed: boolean, reason: string) =>
    results.set(test, { name: `${PACKAGE}${SEPARATOR}${test}`, passed, reason });
  for (const [, test = ''] of output.matchAll(/^=== RUN +(\S+)/gm)) report(test, false, 'no end');
  for (const [, result, test = ''] of output.matchAll(/^ *--- (PASS|FAIL|SKIP): (\S+)/gm)) {
    if (result === 'SKIP') results.set(test, undefined);
    else report(test, result === 'PASS', result === 'PASS' ? '' : reasonOf(output, test));
  }
  return [...results.values()].filter((outcome) => outcome !== undefined);
}

/** Its first words of its own: `    FILE_test.go:LINE: WORDS`, after `=== NAME  TEST` or `=== RUN   TEST`. */
function reasonOf(output: string, test: string): string {
  const name = test.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return (
    new RegExp(`^=== (?:NAME|RUN|CONT) +${name}\\n +(\\S+_test\\.go:\\d+: .*)`, 'm').exec(output)?.[1] ??
    'it said no reason'
  );
}

/** The tests that are wanted, a part as the whole test; undefined for all. */
function selected(only: Only | undefined): readonly string[] | undefined {
  if (only?.names === undefined) return undefined;
  const tests = Array.from(only.names, (name) => name.slice(name.indexOf(SEPARATOR) + SEPARATOR.length).split('/')[0]);
  return [...new Set(tests.filter((test) => test !== undefined))];
}
