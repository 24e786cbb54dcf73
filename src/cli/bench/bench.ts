import { type Command, InvalidArgumentError, Option } from 'commander';
import { realEnvironment } from '../../environment/real.ts';
import { type Address, address, remote, whole } from '../arguments.ts';
import { KAFKA_ONLY, type LoginOptions, loginOf, loginOptions, passwordOf, tlsOf } from '../login.ts';
import { plural, print, printJson, size, table } from '../output.ts';
import { OwnBroker } from '../own-broker.ts';
import { Load, type Measured, STAMP_BYTES, type Work } from './load.ts';

const MAX_MESSAGES = 1_000_000_000;
const MAX_SIZE = 16 * 1024 * 1024;
const MAX_SECONDS = 3600;
const MAX_CLIENTS = 100;
const AMQP_DEFAULT = 'localhost:5672';

export function register(program: Command): void {
  const bench = program.command('bench').description('put load on a broker, and say what it makes of it');

  common(remote(bench.command('kafka'), 'print the figures as JSON'))
    .description('produce to a topic and consume from it, over Kafka')
    .option('--partitions <n>', 'of the topic', whole(1, 1000), 1)
    .addOption(
      new Option('--acks <n>', 'wait until a message is on the disk (all), or written (1)')
        .choices(['all', '1'])
        .default('all'),
    )
    .option('--batch <n>', 'messages of one request', whole(1, 100_000), 100)
    .addHelpText(
      'after',
      `
Examples:
  sluice bench kafka --memory
  sluice bench kafka --broker localhost:9092 --messages 1000000 --size 1000 --partitions 4
  sluice bench kafka --memory --rate 5000 --duration 30 --json

The topic is made for it, and deleted afterwards. Latency is from sending to the answer, and from sending to the consumer.
`,
    )
    .action(kafka);

  common(bench.command('amqp'))
    .description('publish to a queue with confirms and consume from it, over AMQP')
    .addOption(
      new Option('--broker <host:port>', 'the broker to talk to')
        .argParser(address)
        .default(address(AMQP_DEFAULT), AMQP_DEFAULT),
    )
    .option('--json', 'print the figures as JSON')
    .option('--vhost <name>', 'in this virtual host', '/')
    .addOption(new Option('--type <type>', 'of the queue').choices(['classic', 'quorum']).default('classic'))
    .option('--transient', 'messages may be lost when the broker stops')
    .option('--prefetch <n>', 'messages that a consumer has out', whole(1, 65_535), 1000)
    .addHelpText(
      'after',
      `
Examples:
  sluice bench amqp --memory
  sluice bench amqp --broker localhost:5672 --messages 1000000 --size 200 --producers 2 --consumers 2
  sluice bench amqp --memory --rate 1000 --duration 10 --json

The queue is made for it, and deleted afterwards.
`,
    )
    .action(amqp);
  const amqpCommand = bench.commands.find((command) => command.name() === 'amqp');
  for (const option of loginOptions())
    if (!KAFKA_ONLY.includes(option.attributeName()))
      amqpCommand?.addOption(option.helpGroup('Options for brokers with TLS or logins:'));
}

function common(command: Command): Command {
  return command
    .addOption(new Option('--memory', 'a broker of its own, in memory').conflicts('user'))
    .option('--messages <n>', 'how many', whole(1, MAX_MESSAGES), 100_000)
    .option('--duration <seconds>', 'no longer than this', seconds, 60)
    .option('--size <bytes>', 'of each message', whole(STAMP_BYTES, MAX_SIZE), 200)
    .option('--rate <n>', 'so many a second; as many as go through unless given', whole(1))
    .option('--producers <n>', 'connections that send', whole(1, MAX_CLIENTS), 1)
    .option('--consumers <n>', 'connections that receive; 0 for none', whole(0, MAX_CLIENTS), 1)
    .option(
      '--in-flight <n>',
      'messages that are sent and not answered yet, of each producer',
      whole(1, 1_000_000),
      1000,
    );
}

function seconds(text: string): number {
  const number = Number(text);
  if (number > 0 && number <= MAX_SECONDS) return number;
  throw new InvalidArgumentError(`Seconds are wanted, up to ${MAX_SECONDS}.`);
}

interface BenchOptions extends LoginOptions, Omit<Work, 'durationMs' | 'rate'> {
  readonly broker: Address;
  readonly json?: true;
  readonly memory?: true;
  /** Seconds. */
  readonly duration: number;
  readonly rate?: number;
}

interface KafkaOptions extends BenchOptions {
  readonly partitions: number;
  readonly acks: string;
  readonly batch: number;
}

async function kafka(options: KafkaOptions): Promise<void> {
  const { partitions, batch, acks } = options;
  const { runKafka } = await import('./kafka-load.ts');
  const [tls, login] = options.memory ? [undefined, undefined] : [await tlsOf(options), await loginOf(options)];
  await bench('kafka', options, (load, broker, name) =>
    runKafka(load, {
      ...{ connection: { ...broker, tls, login }, topic: name, partitions, batch },
      acks: acks === 'all' ? -1 : 1,
    }),
  );
}

interface AmqpOptions extends BenchOptions {
  readonly vhost: string;
  readonly type: string;
  readonly transient?: true;
  readonly prefetch: number;
}

async function amqp(options: AmqpOptions): Promise<void> {
  const { vhost: virtualHost, type, prefetch, user, passwordFile, memory } = options;
  const { runAmqp } = await import('./amqp-load.ts');
  const tls = memory ? undefined : await tlsOf(options);
  const login = memory || user === undefined ? {} : { user, password: await passwordOf(user, passwordFile) };
  await bench('amqp', options, (load, broker, queue) =>
    runAmqp(load, {
      ...{ connection: { ...broker, tls, virtualHost, ...login }, queue, type, prefetch },
      durable: options.transient !== true,
    }),
  );
}

async function bench(
  protocol: 'kafka' | 'amqp',
  options: BenchOptions,
  run: (load: Load, broker: Address, name: string) => Promise<void>,
): Promise<void> {
  const { clock, random } = realEnvironment();
  const { messages, size: bytes, producers, consumers, inFlight, rate } = options;
  const own = options.memory ? await OwnBroker.start() : undefined;
  const load = new Load(
    { size: bytes, messages, producers, consumers, inFlight, rate, durationMs: options.duration * 1000 },
    clock,
  );
  const stop = () => load.stop();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    await run(load, own?.addresses[protocol] ?? options.broker, `sluice-bench-${random.uuid().slice(0, 8)}`);
  } finally {
    await own?.stop();
  }
  const { produced, consumed } = load.result;
  const lost = consumers > 0 && consumed.messages < produced.messages;
  if (lost) process.exitCode = 1;
  if (options.json)
    return printJson({
      protocol,
      size: bytes,
      producers,
      consumers,
      in_flight: inFlight,
      rate: rate ?? null,
      produced,
      consumed,
    });
  await print(
    `${protocol}: messages of ${size(bytes)}, ${plural(producers, 'producer')}, ${plural(consumers, 'consumer')}`,
  );
  await print(
    table(
      ['', 'messages', 'seconds', 'per second', 'throughput', 'p50 ms', 'p99 ms', 'p99.9 ms', 'max ms'],
      [row('produced', produced), ...(consumers === 0 ? [] : [row('consumed', consumed)])],
    ),
  );
  if (lost) await print(`${produced.messages - consumed.messages} messages did not come`);
}

function row(what: string, { messages, seconds, per_second: rate, bytes_per_second: bytes, latency }: Measured) {
  const ms = (value: number | undefined) => (value === undefined ? '-' : value.toFixed(2));
  const { p50, p99, p999, max } = latency ?? {};
  return [
    what,
    messages,
    seconds.toFixed(2),
    Math.round(rate),
    `${size(bytes)}/s`,
    ms(p50),
    ms(p99),
    ms(p999),
    ms(max),
  ];
}
