import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { BrokerError, toBrokerError } from '../errors.ts';
import { guardOutput } from './output.ts';
import { SUMMARIES } from './summaries.ts';
import { UsageError } from './usage-error.ts';

interface CommandModule {
  /** `everything` makes the program with all its commands. */
  register(program: Command, everything: () => Promise<Command>): void;
}

/** What registers each command; loaded when it is asked for, so that `sluice start` does not wait for the others. */
const COMMANDS: Readonly<Record<string, () => Promise<CommandModule>>> = {
  start: () => import('./start.ts'),
  topic: () => import('./topic.ts'),
  group: () => import('./group.ts'),
  produce: () => import('./produce.ts'),
  consume: () => import('./consume.ts'),
  status: () => import('./management/status.ts'),
  top: () => import('./top/top.ts'),
  queue: () => import('./management/queue.ts'),
  exchange: () => import('./management/exchange.ts'),
  binding: () => import('./management/binding.ts'),
  policy: () => import('./management/policy.ts'),
  vhost: () => import('./management/virtual-host.ts'),
  user: () => import('./management/user.ts'),
  permission: () => import('./management/permission.ts'),
  definitions: () => import('./management/definitions.ts'),
  dlq: () => import('./management/dead-letters.ts'),
  timer: () => import('./management/timer.ts'),
  trace: () => import('./management/trace.ts'),
  connection: () => import('./management/connection.ts'),
  channel: () => import('./management/channel.ts'),
  consumer: () => import('./management/consumer.ts'),
  audit: () => import('./management/audit.ts'),
  'log-level': () => import('./management/log-level.ts'),
  'support-bundle': () => import('./management/support-bundle.ts'),
  demo: () => import('./demo/demo.ts'),
  bench: () => import('./bench/bench.ts'),
  backup: () => import('./backup/backup.ts'),
  restore: () => import('./backup/restore.ts'),
  repair: () => import('./repair.ts'),
  'hash-password': () => import('./hash-password.ts'),
  completion: () => import('./completion/completion.ts'),
};

/** What the summaries of all commands are enough for. */
const ABOUT_ALL: readonly string[] = ['--help', '-h', '--version', '-V'];

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

const EXAMPLES = `
Examples:
  sluice start                                   a broker on 127.0.0.1:9092 (Kafka), :5672 (AMQP) and :15672 (HTTP), its data in ./data
  sluice topic create orders --partitions 3
  echo 'hello' | sluice produce orders
  sluice consume orders --from earliest --exit
  sluice topic list --broker broker.example.com:9093 --tls --user anna        asks for the password
  sluice queue list --filter 'ready>0' --sort -ready
  sluice status                                  how the broker is; sluice top watches it
  sluice demo                                    see what it can do

Each command has examples in its own help: sluice topic create --help
`;

/** The command line. Resolves when all is done; the exit code is then set: 0, 1 for a failure, 2 for a usage error. */
export async function main(argv: string[]): Promise<void> {
  guardOutput();
  const program = await commandFor(argv);
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    process.exitCode = report(error, commandIn(program, argv));
  }
}

async function commandFor(argv: readonly string[]): Promise<Command> {
  const program = new Command('sluice')
    .description('A message broker that clients of Kafka and RabbitMQ connect to unchanged.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .addHelpText('after', EXAMPLES)
    // Errors are thrown, and printed in one place: report().
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  const names = Object.keys(COMMANDS);
  const [first = '--help'] = argv;
  if (ABOUT_ALL.includes(first) && names.every((name) => name in SUMMARIES)) {
    for (const name of names) program.command(name).description(SUMMARIES[name] ?? '');
    return program;
  }
  const only = COMMANDS[first];
  const loading = only === undefined ? Object.values(COMMANDS) : [only];
  for (const command of await Promise.all(loading.map((load) => load()))) command.register(program, wholeProgram);
  return program;
}

/** With all commands there are. */
export function wholeProgram(): Promise<Command> {
  return commandFor(['help']);
}

function version(): string {
  const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
  return version;
}

/** The command that the arguments name, as far as they name one. */
function commandIn(program: Command, argv: readonly string[]): string {
  const names = [program.name()];
  let at = program;
  for (const word of argv) {
    const next = at.commands.find((command) => command.name() === word || command.aliases().includes(word));
    if (next === undefined) break;
    names.push(next.name());
    at = next;
  }
  return names.join(' ');
}

/** Prints what went wrong as `sluice: <what>; <how to mend>`, in one line, and answers the exit code. */
function report(error: unknown, command: string): number {
  if (error instanceof CommanderError) {
    // Help and version were asked for, or help was printed because a command was missing.
    if (error.exitCode === 0) return 0;
    const message = error.message.replace(/^error: |\.$/g, '');
    if (error.code !== 'commander.help') complain(`${message}; see: ${command} --help`);
    return EXIT_USAGE;
  }
  // Nobody has thought of it: whoever is to mend it needs to see where it came from.
  if (!(error instanceof BrokerError)) process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  const { message } = toBrokerError(error);
  if (error instanceof UsageError) {
    complain(`${message}; see: ${command} --help`);
    return EXIT_USAGE;
  }
  complain(message);
  return EXIT_FAILURE;
}

function complain(message: string): void {
  process.stderr.write(`sluice: ${message.replace(/\s*\n\s*/g, ' ')}\n`);
}
