import { type Command, Option } from 'commander';
import { common, count, profiled, timed } from '../options.ts';
import { type AmqpOptions, runAmqp } from './run.ts';

/** What a publishing or a consuming connection has under way, unless told otherwise. */
const UNDER_WAY = 500;

export function addAmqpCommands(program: Command): void {
  const confirm = acknowledged(
    timed(bench(program, 'amqp-confirm', 'persistent messages, confirmed to publishers, acknowledged by consumers', 4)),
  );
  const transient = timed(
    bench(program, 'amqp-transient', 'transient messages, neither confirmed nor acknowledged', 4),
  );
  const fanout = acknowledged(
    timed(bench(program, 'amqp-fanout', 'one fanout exchange to many queues, confirmed and acknowledged', 10)),
  );
  for (const command of [confirm, transient, fanout])
    command
      .option('--rate <messages>', 'messages per second in all (default: as many as go)', count)
      .option('--messages <count>', 'stop after so many, if that is before --seconds are over', count);
  const backlog = acknowledged(
    profiled(bench(program, 'amqp-backlog', 'publish before anybody consumes; drain, with a restart half way', 1)),
  ).option('--messages <count>', 'how many wait', count, 1_000_000);
  const queues = acknowledged(
    profiled(bench(program, 'amqp-queues', 'declare many queues, use each, and restart with them', 10_000)),
  );
  const connections = acknowledged(
    timed(bench(program, 'amqp-connections', 'many connections with a consumer each, and messages to them', 100)),
  )
    .option('--consumers <count>', 'connections that consume', count, 5_000)
    .option('--rate <messages>', 'messages per second in all (default: as many as go)', count);
  for (const command of [confirm, transient, fanout, backlog, queues, connections])
    command.action((options: AmqpOptions) => runAmqp(command.name(), options));
}

function bench(program: Command, name: string, description: string, queues: number): Command {
  return common(program.command(name).description(description), ['rabbitmq'])
    .option('--size <bytes>', "bytes of each message's body", count, 200)
    .option('--connections <count>', 'connections, of each kind', count, Math.min(queues, 4))
    .option('--queues <count>', 'queues, which are dealt out to the connections', count, queues)
    .addOption(new Option('--queue-type <type>', 'of the queues').choices(['classic', 'quorum']).default('classic'))
    .option('--window <messages>', 'messages that a publishing connection has under way', count, UNDER_WAY)
    .option('--prefetch <messages>', 'unacknowledged messages that a consumer may have', count, UNDER_WAY);
}

function acknowledged(command: Command): Command {
  return command.option('--ack-every <messages>', 'acknowledge every so many with one acknowledgement', count, 1);
}
