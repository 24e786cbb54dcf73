import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SettingsInput } from '../../src/config/index.ts';
import { SuiteBroker } from './broker.ts';
import { runToEnd } from './child.ts';
import { writeKafkaScripts } from './kafka-scripts.ts';
import type { Only, Suite, SuiteRun, TestOutcome } from './suite.ts';

/** One run of the test runner: the tests of one number, or a part of the only test that has it. */
interface Program {
  readonly number: string;
  readonly tests: readonly string[];
  /** What the tests take for granted of the cluster; the runner skips those of other scenarios. */
  readonly scenario: string;
  /** The function that is the part. */
  readonly part?: string;
  /** How it is run beside the usual way. */
  readonly variant?: Variant;
}

/** Tests that are run a second time in another way. */
interface Variant {
  /** Stands in the names of its tests. */
  readonly name: string;
  readonly numbers: ReadonlySet<string>;
  /** Lines of `test.conf`, by the folder in which the certificate is. */
  readonly conf?: (directory: string) => readonly string[];
  readonly address?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Where a program finds its broker and what it may take. */
interface Conditions {
  readonly checkout: string;
  readonly directory: string;
  readonly address: string;
  readonly timeLimitMs: number;
  readonly signal: AbortSignal;
}

const SEPARATOR = ' › ';
const ADDRESS = '127.0.0.1:9092';
const ADDRESS_WITHOUT_AUTO_CREATION = '127.0.0.1:9093';
const ADDRESS_WITH_LOGIN = '127.0.0.1:9094';
const USER = { name: 'testuser', password: 'testpass' };
const DEFAULT_SCENARIO = 'default';
const WITHOUT_AUTO_CREATION = 'noautocreate';

/** With this version tests leave out what Kafka 4 has given up (message formats 0 and 1), and have share groups, which came with it. */
const KAFKA_VERSION = '4.2.0';

/** The tests wait more than they work; more at once, and those that measure time fail. */
const AT_ONCE = 3;
const AT_ONCE_WITHOUT_BROKER = 16;
/** Two of share groups take three minutes where nothing else is done. */
const PROGRAM_LIMIT_MS = 8 * 60_000;
/** Those that need a broker would wait for it until the runner's own time is up. */
const PROGRAM_LIMIT_WITHOUT_BROKER_MS = 45_000;

/** A test of everything that an administrator can do would be one failure: its parts are tests of their own. */
const IN_PARTS: ReadonlyMap<string, { readonly file: string; readonly parts: RegExp }> = new Map([
  ['0081', { file: '0081-admin.c', parts: /^(?:static void )?(do_test_(?!apis)\w+)\(/gm }],
]);
/** In full, 0113 takes longer than a program may, and the others end in transactions. */
const QUICK: ReadonlySet<string> = new Set(['0055', '0113', '0137']);
const VARIANTS: readonly Variant[] = [
  {
    name: 'group.protocol=consumer',
    // Those with groups.
    numbers: new Set(
      (
        '0018 0026 0029 0030 0033 0040 0042 0045 0050 0051 0054 0056 0059 0060 0061 0064 0069 0070 0081 0083 0084 0085 0089 0091 0093 ' +
        '0099 0102 0103 0112 0113 0118 0122 0127 0129 0130 0132 0137 0140'
      ).split(' '),
    ),
    env: { TEST_CONSUMER_GROUP_PROTOCOL: 'consumer' },
  },
  {
    name: 'SASL_SSL',
    numbers: new Set(['0002', '0012', '0017', '0061', '0081', '0090', '0103', '0135', '0142']),
    address: ADDRESS_WITH_LOGIN,
    conf: (directory) => [
      'security.protocol=sasl_ssl',
      `ssl.ca.location=${join(directory, 'cert.pem')}`,
      'sasl.mechanism=SCRAM-SHA-512',
      `sasl.username=${USER.name}`,
      `sasl.password=${USER.password}`,
    ],
  },
];
/** Files that tests look for in the folder in which they are run. */
const BESIDE = ['fixtures', 'interceptor_test'];

// As scenarios/default.json and its cluster have it. Who logs in does so again every ten seconds, for the tests of that.
const settings = {
  kafka: {
    ...{ numPartitions: 4, sasl: 'optional', maxReauthMs: 10_000 },
    ...{ authorizer: 'acl', allowEveryoneIfNoAclFound: true },
    groupBounds: { 'share.min.record.lock.duration.ms': 3000 },
  },
} satisfies SettingsInput;

/** The C and C++ tests of librdkafka (github.com/confluentinc/librdkafka) but for those against its own mock of a broker. */
export const librdkafka: Suite = {
  name: 'librdkafka',
  marker: 'tests/0011-produce_batch.c',
  dependencies: { path: 'tests/test-runner', command: './configure && make && make -C tests build' },
  listeners: [`kafka://${ADDRESS}`],
  tlsListeners: [`kafka+tls://${ADDRESS_WITH_LOGIN}`],
  settings,
  users: [USER],
  timeLimitMs: 45 * 60_000,
  run,
};

async function run({ checkout, directory, broker, only, signal }: SuiteRun): Promise<readonly TestOutcome[]> {
  const programs = (await programsOf(checkout)).filter((program) => isWanted(program, only));
  const isPlain = ({ scenario }: Program) => scenario !== WITHOUT_AUTO_CREATION;
  const conditions = { checkout, directory, signal };
  await writeKafkaScripts(directory);
  // Where one looks for the schema of its statistics.
  await symlink(join(checkout, 'src'), join(directory, 'src'));
  if (!broker) {
    const timeLimitMs = PROGRAM_LIMIT_WITHOUT_BROKER_MS;
    return runAll(programs, { ...conditions, address: ADDRESS, timeLimitMs }, AT_ONCE_WITHOUT_BROKER);
  }
  const timeLimitMs = PROGRAM_LIMIT_MS;
  const plain = programs.filter(isPlain);
  const rest = programs.filter((program) => !isPlain(program));
  const outcomes = await runAll(plain, { ...conditions, address: ADDRESS, timeLimitMs }, AT_ONCE);
  const more = await withoutAutoCreation(directory, () =>
    runAll(rest, { ...conditions, address: ADDRESS_WITHOUT_AUTO_CREATION, timeLimitMs }, AT_ONCE),
  );
  return [...outcomes, ...more];
}

/** The tests that may talk to a broker, as the runner's own table has them. */
async function programsOf(checkout: string): Promise<readonly Program[]> {
  const source = await readFile(join(checkout, 'tests/test.c'), 'utf8');
  const table = source.slice(source.indexOf('struct test tests[]'));
  const tests = table
    .split('_TEST(')
    .slice(1)
    .map((entry) => ({
      name: /^\w+/.exec(entry)?.[0] ?? '',
      // Local tests have a broker's mock or none at all, manual ones have no end.
      needsBroker: !/^\w+,\s*[^,)]*TEST_F_(LOCAL|MANUAL)/.test(entry),
      scenario: (/\.scenario = "([^"]*)"/.exec(entry)?.[1] ?? DEFAULT_SCENARIO).split(',')[0] ?? '',
    }))
    .filter(({ needsBroker }) => needsBroker);
  const byRun = Map.groupBy(tests, ({ name, scenario }) => `${numberOf(name)} ${scenario}`);
  const plain = Array.from(byRun.values(), (together): Program => {
    const names = together.map(({ name }) => name);
    return { number: numberOf(names[0] ?? ''), tests: names, scenario: together[0]?.scenario ?? '' };
  });
  const varied = VARIANTS.flatMap((variant) =>
    plain
      .filter(({ number, scenario }) => scenario === DEFAULT_SCENARIO && variant.numbers.has(number))
      .map((program): Program => ({ ...program, variant })),
  );
  const programs = await Promise.all(
    [...plain, ...varied].map(async (program): Promise<Program[]> => {
      const { number } = program;
      const split = IN_PARTS.get(number);
      if (split === undefined) return [program];
      const text = await readFile(join(checkout, 'tests', split.file), 'utf8');
      return Array.from(text.matchAll(split.parts), ([, part = '']) => ({ ...program, part }));
    }),
  );
  return programs.flat();
}

function numberOf(test: string): string {
  return test.slice(0, test.indexOf('_'));
}

function nameOf(test: string, { part, variant }: Program): string {
  const name = part === undefined ? test : `${test}${SEPARATOR}${part}`;
  return variant === undefined ? name : `${name} (${variant.name})`;
}

function isWanted(program: Program, only: Only | undefined): boolean {
  const names = program.tests.map((test) => nameOf(test, program));
  const { file, names: wanted } = only ?? {};
  return names.some(
    (name) => (file === undefined || name.includes(file)) && (wanted === undefined || wanted.has(name)),
  );
}

async function withoutAutoCreation<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const own = join(directory, WITHOUT_AUTO_CREATION);
  await mkdir(own);
  const broker = await SuiteBroker.start(
    {
      kafka: { ...settings.kafka, autoCreateTopics: false },
      listeners: [`kafka://${ADDRESS_WITHOUT_AUTO_CREATION}`],
      storage: { kind: 'memory' },
    },
    own,
  );
  try {
    const result = await work();
    if (!broker.running) throw new Error('the broker without auto-creation fell over');
    return result;
  } finally {
    await broker.stop();
    for (const line of await broker.errors()) console.error(`broker: ${line}`);
  }
}

async function runAll(
  programs: readonly Program[],
  conditions: Conditions,
  atOnce: number,
): Promise<readonly TestOutcome[]> {
  const outcomes: (readonly TestOutcome[])[] = [];
  const queue = [...programs.entries()];
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, program] = next;
      outcomes[index] = await runProgram(program, conditions);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return outcomes.flat();
}

async function runProgram(program: Program, conditions: Conditions): Promise<readonly TestOutcome[]> {
  const { checkout, timeLimitMs, signal } = conditions;
  const { number, part, scenario, variant } = program;
  const address = variant?.address ?? conditions.address;
  const directory = join(conditions.directory, `${number}-${scenario}-${part ?? 'all'}-${variant?.name ?? 'plain'}`);
  await mkdir(directory);
  await Promise.all(BESIDE.map((name) => symlink(join(checkout, 'tests', name), join(directory, name))));
  const conf = join(directory, 'test.conf');
  const lines = [
    `bootstrap.servers=${address}`,
    'test.timeout.multiplier=2',
    ...(variant?.conf?.(conditions.directory) ?? []),
  ];
  await writeFile(conf, lines.map((line) => `${line}\n`).join(''));
  const log = join(directory, 'output.log');
  const options = ['-p1', '-L', '-s', scenario, ...(QUICK.has(number) ? ['-Q'] : [])];
  const limit = AbortSignal.timeout(timeLimitMs);
  let end: string | undefined;
  try {
    const code = await runToEnd(join(checkout, librdkafka.dependencies.path), options, {
      cwd: directory,
      env: {
        ...process.env,
        LD_LIBRARY_PATH: `${join(checkout, 'src')}:${join(checkout, 'src-cpp')}`,
        RDKAFKA_TEST_CONF: conf,
        TEST_KAFKA_VERSION: KAFKA_VERSION,
        TESTS: number,
        // The runner goes by a part of `FUNCTION:LINE`.
        ...(part !== undefined && { SUBTESTS: `${part}:` }),
        BROKERS: address,
        KAFKA_PATH: conditions.directory,
        ...variant?.env,
      },
      log,
      signal: AbortSignal.any([signal, limit]),
    });
    if (code !== 0) end = code === null ? 'the program was ended by a signal' : `the program's exit code is ${code}`;
  } catch (error) {
    if (signal.aborted || !limit.aborted) throw error;
    end = `no end after ${timeLimitMs / 1000} s`;
  }
  return outcomesIn((await readFile(log, 'utf8')).replaceAll(COLOURS, ''), program, end);
}

/** What became of the program's tests, by what it said; `end` is how it ended when not well. */
function outcomesIn(output: string, program: Program, end: string | undefined): readonly TestOutcome[] {
  const said = (test: string, result: string) => output.includes(`Test ${test} ${result}`);
  const isSkipped = (test: string) =>
    said(test, 'SKIPPED') || new RegExp(`^\\[${test} */.*SKIPPING TEST`, 'm').test(output);
  if (program.part !== undefined && end === undefined && !isPartRun(output, program.part)) return [];
  const run = program.tests.filter((test) => !isSkipped(test));
  const isAsItShould = (test: string) => said(test, 'PASSED');
  // One that fails leaves clients behind, over which the whole program then falls: that is not another's fault.
  const someFailed = run.some((test) => !isAsItShould(test));
  return run.map((test) => {
    const passed = isAsItShould(test) && (end === undefined || someFailed);
    return { name: nameOf(test, program), passed, reason: passed ? '' : reasonIn(output, test, end) };
  });
}

/** Parts that skip themselves, or are not spoken of, were not run. */
function isPartRun(output: string, part: string): boolean {
  return output.includes(`[ ${part}:`) && !new RegExp(`\\[ ${part}:.*: SKIP: `).test(output);
}

function reasonIn(output: string, test: string, end: string | undefined): string {
  const told = new RegExp(`^### Test "${test}[^]*? failed at (\\S+?):\\w+\\(\\) at .*###\\n(.*)`, 'm').exec(output);
  if (told === null) return end ?? 'it said no reason';
  const [, place, text] = told;
  return `${place}: ${text}`;
}

// Terminal colours are not for lists.
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character begins them
const COLOURS = /\u001b\[\d*m/g;
