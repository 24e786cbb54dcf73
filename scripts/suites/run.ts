/*
 * Runs somebody else's test suite against the broker, and holds the outcome against the list of the tests that are to pass:
 *
 *     node scripts/suites/run.ts SUITE CHECKOUT [--update] [--file TEXT]
 *
 * Only tests that need a broker are listed. A test that passes and is not listed is therefore run once more with nothing to
 * connect to; if it passes then too, it says nothing of the broker and does not count.
 */
import { existsSync, realpathSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseEndpoint } from '../../src/config/index.ts';
import { byName, type Comparison, compare, readAllowList, writePassing } from './allow-list.ts';
import { amqplib } from './amqplib.ts';
import { SuiteBroker } from './broker.ts';
import { makeCertificate } from './certificate.ts';
import { franzGo } from './franz-go.ts';
import { kafkaPython } from './kafka-python.ts';
import { kafkajs } from './kafkajs.ts';
import { librdkafka } from './librdkafka.ts';
import { busyPorts, runInNamespace } from './namespace.ts';
import { pika } from './pika.ts';
import { rabbitmqClient } from './rabbitmq-client.ts';
import { type Only, SEPARATOR, type Suite, type TestOutcome } from './suite.ts';
import { setScramPasswords, writeUsers } from './users.ts';

const SUITES: readonly Suite[] = [kafkajs, librdkafka, franzGo, kafkaPython, amqplib, rabbitmqClient, pika];
const LISTS = new URL('../../test/suites/', import.meta.url);

/** So many of the broker's own errors are shown. */
const MAX_ERRORS = 5;

const USAGE = `node scripts/suites/run.ts SUITE CHECKOUT [--update] [--file TEXT]

SUITE     ${SUITES.map(({ name }) => name).join(', ')}
CHECKOUT  folder of the suite's repository, with its dependencies installed
--update  rewrite the list of tests that are to pass
--file    only tests in files whose path contains this
`;

interface Order {
  readonly suite: Suite;
  readonly checkout: string;
  readonly update: boolean;
  readonly file: string | undefined;
}

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      update: { type: 'boolean', default: false },
      file: { type: 'string' },
      // Set by the process that made the namespace.
      'in-namespace': { type: 'boolean', default: false },
    },
  });
  const [name, folder, ...more] = positionals;
  const suite = SUITES.find((each) => each.name === name);
  if (suite === undefined || folder === undefined || more.length > 0 || (values.update && values.file !== undefined)) {
    console.error(USAGE);
    return 2;
  }
  const checkout = resolve(folder);
  const obstacle = whatIsMissing(suite, checkout);
  if (obstacle !== undefined) {
    console.log(`${suite.name}: skipped: ${obstacle}`);
    return 0;
  }
  if (!values['in-namespace']) {
    const code = await runInNamespace(fileURLToPath(import.meta.url), [...args, '--in-namespace']);
    if (code !== undefined) return code;
    console.log(`${suite.name}: no network namespace to be had here: using the machine's own loopback`);
    const endpoints = [...suite.listeners, ...suite.tlsListeners].map(parseEndpoint);
    const busy = await busyPorts(endpoints.map(({ port }) => port));
    if (busy.length > 0) {
      console.error(`${suite.name}: its tests want ports ${busy.join(', ')}, which are in use: free them`);
      return 1;
    }
  }
  // Suites name their files by where they really are.
  const order = { suite, checkout: realpathSync(checkout), update: values.update, file: values.file };
  try {
    return await inTemporaryDirectory((directory) => hold(order, directory));
  } catch (error) {
    console.error(`${suite.name}: ${error instanceof Error ? error.message : error}`);
    return 1;
  }
}

function whatIsMissing({ marker, dependencies, name }: Suite, checkout: string): string | undefined {
  if (!existsSync(join(checkout, marker))) return `there is no checkout of ${name} at ${checkout}`;
  if (!existsSync(join(checkout, dependencies.path))) return `run '${dependencies.command}' in ${checkout} first`;
  return undefined;
}

async function inTemporaryDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-suite-'));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Runs the suite and reports; answers the exit code. */
async function hold(order: Order, directory: string): Promise<number> {
  const { suite, update, file } = order;
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
  const only = file === undefined ? undefined : { file };
  const list = await readAllowList(LISTS, suite.name);
  const outcomes = await againstBroker(order, only, directory, stop.signal);
  const mayRun = (name: string) => file === undefined || name.split(SEPARATOR)[0]?.includes(file) === true;
  const comparison = compare(list, outcomes, mayRun);
  const added = await needingBroker(comparison.unlisted, order, stop.signal);
  report(suite.name, comparison, added);
  const { kept, broken, missing } = comparison;
  if (!update) return broken.length + missing.length === 0 ? 0 : 1;
  await writePassing(LISTS, suite.name, [...kept, ...added]);
  return 0;
}

async function againstBroker(
  { suite, checkout }: Order,
  only: Only | undefined,
  directory: string,
  stop: AbortSignal,
): Promise<readonly TestOutcome[]> {
  const certificate = makeCertificate(directory);
  if (certificate === undefined)
    console.log(`${suite.name}: openssl made no certificate: what wants TLS has nothing to connect to`);
  const broker = await SuiteBroker.start(
    {
      ...suite.settings,
      listeners: [...suite.listeners, ...(certificate ? suite.tlsListeners : [])],
      ...(certificate && { tls: certificate }),
      ...(suite.users && { definitions: await writeUsers(suite.users, directory) }),
      storage: { kind: 'memory' },
    },
    directory,
  );
  try {
    await setScramPasswords(suite.users ?? [], suite.listeners[0] ?? '');
    const signal = limited(suite, stop);
    const outcomes = await suite.run({ checkout, directory, broker: true, ...(only && { only }), signal });
    if (!broker.running) throw new Error('the broker fell over');
    return outcomes;
  } finally {
    await broker.stop();
    const errors = await broker.errors();
    for (const line of errors.slice(0, MAX_ERRORS)) console.error(`broker: ${line}`);
    if (errors.length > MAX_ERRORS) console.error(`broker: and ${errors.length - MAX_ERRORS} errors more`);
  }
}

/** Those of the tests that fail when there is nothing to connect to. */
async function needingBroker(names: readonly string[], { suite, checkout }: Order, stop: AbortSignal) {
  if (names.length === 0) return [];
  console.log(`${suite.name}: ${names.length} tests pass that are not listed: trying them without a broker`);
  const only = { names: new Set(names) };
  const signal = limited(suite, stop);
  const outcomes = await inTemporaryDirectory((directory) =>
    suite.run({ checkout, directory, broker: false, only, signal }),
  );
  const without = byName(outcomes);
  return names.filter((name) => without.get(name)?.passed !== true);
}

function limited({ timeLimitMs }: Suite, stop: AbortSignal): AbortSignal {
  return AbortSignal.any([stop, AbortSignal.timeout(timeLimitMs)]);
}

function report(suite: string, comparison: Comparison, added: readonly string[]): void {
  const { kept, broken, missing, failing, uncounted } = comparison;
  const list = (title: string, lines: readonly string[]) => {
    if (lines.length > 0)
      console.log([`\n${title} (${lines.length}):`, ...lines.map((line) => `  ${line}`)].join('\n'));
  };
  const told = ({ name, reason }: TestOutcome) => `${name}\n      ${reason}`;
  list('fails, as before', failing.map(told));
  list(
    'not counted',
    uncounted.map(({ name, passed }) => `${passed ? 'passed' : 'failed'}  ${name}`),
  );
  list('passes now, and is not listed yet: --update', added);
  list('is listed, and was not run', missing);
  list('passed before, and fails', broken.map(told));
  const passed = kept.length + added.length;
  const needing = passed + broken.length + failing.length;
  console.log(`\n${suite}: ${passed} of ${needing} tests that need a broker pass; ${broken.length} that must do not`);
}
