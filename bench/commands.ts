import { type Command, InvalidArgumentError, Option } from 'commander';
import { type BenchOptions, runLoad, runShort, runStart } from './run.ts';

const EXAMPLES = `
Examples:
  npm run bench -- kafka-produce                              128 KiB requests, acks=all, flushed before each answer
  npm run bench -- kafka-produce --batch 16384                as many 100-byte records as go, in batches of 16 KiB
  npm run bench -- kafka-produce --storage memory --profile   and where the broker spends its time
  npm run bench -- kafka-consume --from cold                  from the disk, after a restart
  npm run bench -- kafka-e2e --rate 100000 --batch 4096       latency at a fixed rate
  npm run bench -- start --data-gb 10                         time until ready with 10 GB of data
  npm run bench -- kafka-produce --against kafka --rounds 3   alternating with Apache Kafka (Java and Maven)
  npm run bench -- short                                      everything for a moment, to see that it runs

Figures count on a machine that does nothing else. docs/benchmarks.md says what each of them means.
`;

export function addBenchCommands(program: Command): void {
  program.addHelpText('after', EXAMPLES);
  const produce = load(program, 'kafka-produce', 'produce batches, so many under way at a time')
    .option('--acks <acks>', "who must have a batch before it is answered: 'all' or '1'", oneOf('all', '1'), 'all')
    .option('--in-flight <requests>', 'produce requests under way on a connection', count, 8)
    .option('--mb <megabytes>', 'stop after so much, if that is before --seconds are over', megabytes);
  const consume = load(program, 'kafka-consume', 'consume batches that were produced before')
    .addOption(from())
    .option('--fetch <bytes>', 'the most that one fetch brings', count, 4 * 1024 * 1024)
    .option('--mb <megabytes>', 'how much is there to be consumed', megabytes, 1e9);
  const endToEnd = load(program, 'kafka-e2e', 'produce and consume at once; latency from one to the other')
    .option('--acks <acks>', "who must have a batch before it is answered: 'all' or '1'", oneOf('all', '1'), 'all')
    .option('--in-flight <requests>', 'produce requests under way on a connection', count, 8)
    .option('--fetch <bytes>', 'the most that one fetch brings', count, 4 * 1024 * 1024)
    .option('--rate <records>', 'records per second in all (default: as many as go)', count);
  for (const command of [produce, consume, endToEnd])
    command.action((options: BenchOptions) => runLoad(command.name(), options));

  common(program.command('start').description('start the broker: time until it is ready, memory when idle'))
    .option('--data-gb <gigabytes>', 'start on so much data, which the broker has written itself', positive)
    .option('--kill', 'kill the broker before it starts on its data, instead of stopping it')
    .option('--starts <count>', 'how often', count, 5)
    .action(runStart);
  common(program.command('short').description('run every bench for a moment, to see that all of them work')).action(
    runShort,
  );
}

function from(): Option {
  return new Option('--from <place>', 'the newest records, or all of them after a restart')
    .choices(['tail', 'cold'])
    .default('tail');
}

function load(program: Command, name: string, description: string): Command {
  return common(program.command(name).description(description))
    .option('--size <bytes>', "bytes of each record's value", size, 100)
    .option('--batch <bytes>', 'the most bytes in a batch; a produce request carries one', count, 128 * 1024)
    .option('--partitions <count>', 'partitions of the topic', count, 1)
    .option('--connections <count>', 'connections, of each kind; the partitions are dealt out to them', count, 1)
    .option('--seconds <seconds>', 'length of the measured window', positive, 5)
    .option('--warm-up <seconds>', 'what is not measured, before it (default: 2; with --against 10)', positive)
    .option('--rounds <count>', 'how often; brokers that are compared take turns', count, 1)
    .option('--profile', "profile the broker's CPU, and print where its time went");
}

function common(command: Command): Command {
  return command
    .addOption(
      new Option('--storage <kind>', 'where the broker keeps data').choices(['disk', 'memory']).default('disk'),
    )
    .addOption(
      new Option('--flush <when>', 'when data goes to the disk itself')
        .choices(['always', 'interval', 'os'])
        .default('always'),
    )
    .option('--data <directory>', 'where to make data directories, which are removed afterwards')
    .addOption(new Option('--against <broker>', 'measure another broker beside it').choices(['kafka']))
    .option('--json', 'print figures as JSON, one document a bench');
}

function positive(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError('Give a number above 0.');
  return value;
}

function count(text: string): number {
  const value = positive(text);
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('Give a whole number above 0.');
  return value;
}

function size(text: string): number {
  return text === '0' ? 0 : count(text);
}

/** Bytes. */
function megabytes(text: string): number {
  return positive(text) * 1e6;
}

function oneOf(...choices: readonly string[]): (text: string) => string {
  return (text) => {
    if (!choices.includes(text)) throw new InvalidArgumentError(`Give one of ${choices.join(', ')}.`);
    return text;
  };
}
