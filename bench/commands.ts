import type { Command } from 'commander';
import { addAmqpCommands } from './amqp/commands.ts';
import { runShortAmqp } from './amqp/run.ts';
import { addKafkaCommands } from './kafka/commands.ts';
import { runShortKafka } from './kafka/run.ts';
import { type CommonOptions, common } from './options.ts';

const EXAMPLES = `
Examples:
  npm run bench -- kafka-produce                              128 KiB requests, acks=all, flushed before each answer
  npm run bench -- kafka-produce --batch 16384                as many 100-byte records as go, in batches of 16 KiB
  npm run bench -- kafka-produce --storage memory --profile   and where the broker spends its time
  npm run bench -- kafka-consume --from cold                  from the disk, after a restart
  npm run bench -- kafka-e2e --rate 100000 --batch 4096       latency at a fixed rate
  npm run bench -- kafka-rebalance --protocol consumer        a group that members join and leave
  npm run bench -- start --data-gb 10                         time until ready with 10 GB of data
  npm run bench -- kafka-produce --against kafka --rounds 3   alternating with Apache Kafka (Java and Maven)
  npm run bench -- amqp-confirm                               persistent messages, confirmed and acknowledged
  npm run bench -- amqp-confirm --rate 10000                  latency at a fixed rate
  npm run bench -- amqp-backlog --messages 10000000           memory with ten million messages waiting
  npm run bench -- amqp-fanout --against rabbitmq             alternating with RabbitMQ (Debian's package)
  npm run bench -- short                                      everything for a moment, to see that it runs

Figures count on a machine that does nothing else. docs/benchmarks.md says what each of them means.
`;

export function addBenchCommands(program: Command): void {
  program.addHelpText('after', EXAMPLES);
  addKafkaCommands(program);
  addAmqpCommands(program);
  const short = program.command('short').description('run every bench for a moment, to see that all of them work');
  common(short, ['kafka', 'rabbitmq']).action(runShort);
}

/** Figures of so short a time mean nothing, but what does not work shows. */
async function runShort(options: CommonOptions): Promise<void> {
  const { against, onlyAgainst, ...alone } = options;
  if (!(onlyAgainst && against === 'rabbitmq')) await runShortKafka(against === 'kafka' ? options : alone);
  if (!(onlyAgainst && against === 'kafka')) await runShortAmqp(against === 'rabbitmq' ? options : alone);
}
