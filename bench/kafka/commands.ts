import { type Command, Option } from 'commander';
import { common, count, megabytes, oneOf, positive, profiled, size, timed } from '../options.ts';
import {
  type KafkaOptions,
  type RebalanceOptions,
  runLoad,
  runRebalance,
  runStart,
  runTransactions,
  type TransactionOptions,
} from './run.ts';

export function addKafkaCommands(program: Command): void {
  const produce = load(program, 'kafka-produce', 'produce batches, so many under way at a time')
    .option('--acks <acks>', "who must have a batch before it is answered: 'all' or '1'", oneOf('all', '1'), 'all')
    .option('--in-flight <requests>', 'produce requests under way on a connection', count, 8)
    .option('--mb <megabytes>', 'stop after so much, if that is before --seconds are over', megabytes);
  const consume = load(program, 'kafka-consume', 'consume batches that were produced before')
    .addOption(from())
    .option('--fetch <bytes>', 'the most that one fetch brings', count, 4 * 1024 * 1024)
    .option('--no-sessions', 'name all partitions in each fetch, as some clients do')
    .option('--mb <megabytes>', 'how much is there to be consumed', megabytes, 1e9);
  const endToEnd = load(program, 'kafka-e2e', 'produce and consume at once; latency from one to the other')
    .option('--acks <acks>', "who must have a batch before it is answered: 'all' or '1'", oneOf('all', '1'), 'all')
    .option('--in-flight <requests>', 'produce requests under way on a connection', count, 8)
    .option('--fetch <bytes>', 'the most that one fetch brings', count, 4 * 1024 * 1024)
    .option('--no-sessions', 'name all partitions in each fetch, as some clients do')
    .option('--rate <records>', 'records per second in all (default: as many as go)', count);
  for (const command of [produce, consume, endToEnd])
    command.action((options: KafkaOptions) => runLoad(command.name(), options));

  timed(
    common(program.command('kafka-transactions').description('commit transactions, one after the other'), ['kafka'])
      .option('--producers <count>', 'each with a transactional id and a connection of its own', count, 10)
      .option('--records <count>', 'of a transaction, over all partitions', count, 100)
      .option('--size <bytes>', "bytes of each record's value", size, 100)
      .option('--partitions <count>', 'of the topic; all are part of each transaction', count, 3)
      .addOption(
        new Option(
          '--protocol <version>',
          'v1: partitions are added by a request of their own; v2: by producing (KIP-890)',
        )
          .choices(['v1', 'v2'])
          .default('v2'),
      ),
  ).action((options: TransactionOptions) => runTransactions(options));

  profiled(
    common(
      program.command('kafka-rebalance').description('have a group start, gain a member and lose one; no fetching'),
      ['kafka'],
    )
      .option('--members <count>', 'of the group, before one more joins', count, 50)
      .option('--partitions <count>', 'of the topic: more than members', count, 100)
      .addOption(
        new Option('--protocol <protocol>', 'of the group; consumer: that of KIP-848')
          .choices(['classic', 'consumer'])
          .default('classic'),
      )
      .option('--heartbeat <ms>', 'how often members come (default: 3000; consumer: 5000)', count),
  ).action((options: RebalanceOptions) => runRebalance(options));

  common(program.command('start').description('start the broker: time until it is ready, memory when idle'), ['kafka'])
    .option('--data-gb <gigabytes>', 'start on so much data, which the broker has written itself', positive)
    .option('--kill', 'kill the broker before it starts on its data, instead of stopping it')
    .option('--starts <count>', 'how often', count, 5)
    .action(runStart);
}

function from(): Option {
  return new Option('--from <place>', 'the newest records, or all of them after a restart')
    .choices(['tail', 'cold'])
    .default('tail');
}

function load(program: Command, name: string, description: string): Command {
  const command = common(program.command(name).description(description), ['kafka'])
    .option('--size <bytes>', "bytes of each record's value", size, 100)
    .option(
      '--batch <bytes>',
      'the most bytes in a batch, uncompressed; a produce request carries one',
      count,
      128 * 1024,
    )
    .addOption(
      new Option('--compression <codec>', 'of the records, by the client')
        .choices(['none', 'gzip', 'snappy', 'lz4', 'zstd'])
        .default('none'),
    )
    .option('--partitions <count>', 'partitions of the topic', count, 1)
    .option('--connections <count>', 'connections, of each kind; the partitions are dealt out to them', count, 1);
  return timed(command);
}
