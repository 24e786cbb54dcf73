import type { Command } from 'commander';
import {
  alterTopic,
  createTopic,
  earliestOffsets,
  findTopic,
  growTopic,
  type KafkaClient,
  latestOffsets,
  listTopics,
  removeTopics,
  topicConfigs,
  topicSizes,
} from '../client/index.ts';
import { pairs, remote, several, whole } from './arguments.ts';
import { type RemoteOptions, withClient } from './connection.ts';
import { plural, print, printJson, size, table } from './output.ts';
import { agreed } from './terminal/confirm.ts';
import { UsageError } from './usage-error.ts';

const MAX_PARTITIONS = 1_000_000;

export function register(program: Command): void {
  const topic = program.command('topic').description('create, look at, change and delete topics');

  remote(topic.command('create').argument('<name>', 'of the topic'), 'print what was created as JSON')
    .description('create a topic')
    .option(
      '--partitions <n>',
      "how many partitions (default: the broker's kafka.numPartitions)",
      whole(1, MAX_PARTITIONS),
    )
    .option('--config <name=value>', 'a setting of the topic, by its Kafka name; may be repeated', pairs)
    .addHelpText(
      'after',
      `
Examples:
  sluice topic create orders
  sluice topic create orders --partitions 6 --config retention.ms=86400000
`,
    )
    .action(create);

  remote(topic.command('list'), 'print as JSON')
    .description('list the topics')
    .option('--internal', 'also those that the broker keeps for itself')
    .addHelpText(
      'after',
      `
Examples:
  sluice topic list
  sluice topic list --internal --json --broker broker.example.com:9092
`,
    )
    .action(list);

  remote(topic.command('describe').alias('show').argument('<name>', 'of the topic'), 'print as JSON')
    .description('show the partitions of a topic with their offsets, its size, and settings that are not the default')
    .addHelpText(
      'after',
      `
Examples:
  sluice topic describe orders
  sluice topic describe orders --json | jq '.partitions[].latest'

'earliest' is the offset of the first record that is kept, 'latest' the one that the next record will have.
`,
    )
    .action(describe);

  remote(topic.command('alter').argument('<name>', 'of the topic'), 'print what was changed as JSON')
    .description('change the settings of a topic, or give it more partitions')
    .option('--config <name=value>', 'set a setting, by its Kafka name; may be repeated', pairs)
    .option('--delete-config <name>', "make a setting the broker's default again; may be repeated", several)
    .option('--partitions <n>', 'give it so many partitions in all', whole(1, MAX_PARTITIONS))
    .addHelpText(
      'after',
      `
Examples:
  sluice topic alter orders --config retention.ms=3600000
  sluice topic alter orders --delete-config retention.ms
  sluice topic alter orders --partitions 12

More partitions change which partition a key belongs to: records of one key are then in two of them.
`,
    )
    .action(alter);

  remote(topic.command('delete').argument('<name...>', 'of the topics'), 'print what was deleted as JSON')
    .description('delete topics with all their records')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      `
Examples:
  sluice topic delete orders
  sluice topic delete orders payments --yes

On a terminal you are asked first; in a script you are not.
`,
    )
    .action(remove);
}

interface CreateOptions extends RemoteOptions {
  readonly partitions?: number;
  readonly config?: Readonly<Record<string, string>>;
}

async function create(name: string, options: CreateOptions): Promise<void> {
  const { partitions, config: configs = {}, json } = options;
  const made = await withClient(options, (client) => createTopic(client, { name, partitions, configs }));
  if (json) return printJson({ name, partitions: made, configs });
  await print(`created ${name}: ${plural(made, 'partition')}`);
}

async function list(options: RemoteOptions & { readonly internal?: true }): Promise<void> {
  const topics = (await withClient(options, listTopics)).filter(({ internal }) => options.internal || !internal);
  if (options.json) {
    return printJson(
      topics.map(({ name, id, internal, partitions }) => ({ name, id, internal, partitions: partitions.length })),
    );
  }
  if (topics.length === 0) return print('no topics; create one: sluice topic create NAME');
  await print(
    table(
      ['name', 'partitions'],
      topics.map(({ name, partitions }) => [name, partitions.length]),
    ),
  );
}

async function describe(name: string, options: RemoteOptions): Promise<void> {
  const { partitions, configs, ...topic } = await withClient(options, (client) => description(client, name));
  if (options.json) return printJson({ ...topic, partitions, configs });
  const offsets = partitions.reduce((sum, { earliest, latest }) => sum + latest - earliest, 0);
  const facts = [`${name}: ${plural(partitions.length, 'partition')}`, `${plural(offsets, 'offset')}`];
  if (topic.bytes !== null) facts.push(size(topic.bytes));
  await print(facts.join(', '));
  await print('');
  const sized = topic.bytes !== null;
  await print(
    table(
      ['partition', 'leader', 'earliest', 'latest', ...(sized ? ['size'] : [])],
      partitions.map((each) => [
        each.partition,
        each.leader,
        each.earliest,
        each.latest,
        ...(sized ? [size(each.bytes ?? 0)] : []),
      ]),
    ),
  );
  if (configs.length === 0) return;
  await print('');
  await print(
    table(
      ['setting', 'value', 'set by'],
      configs.map((each) => [each.name, each.value ?? '', each.source]),
    ),
  );
}

async function description(client: KafkaClient, name: string) {
  const topic = await findTopic(client, name);
  const numbers = topic.partitions.map(({ partition }) => partition);
  const [earliest, latest, sizes, configs] = await Promise.all([
    earliestOffsets(client, name, numbers),
    latestOffsets(client, name, numbers),
    topicSizes(client, topic),
    topicConfigs(client, name),
  ]);
  return {
    name,
    id: topic.id,
    internal: topic.internal,
    bytes: sizes === undefined ? null : [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0),
    partitions: topic.partitions.map((each) => ({
      ...each,
      earliest: earliest.get(each.partition) ?? 0,
      latest: latest.get(each.partition) ?? 0,
      bytes: sizes?.get(each.partition) ?? null,
    })),
    configs: configs.filter(({ source }) => source !== 'default'),
  };
}

interface AlterOptions extends RemoteOptions {
  readonly config?: Readonly<Record<string, string>>;
  readonly deleteConfig?: readonly string[];
  readonly partitions?: number;
}

async function alter(name: string, options: AlterOptions): Promise<void> {
  const { config: set = {}, deleteConfig: unset = [], partitions, json } = options;
  const hasSettings = Object.keys(set).length + unset.length > 0;
  if (!hasSettings && partitions === undefined)
    throw new UsageError('nothing to change: give --config, --delete-config or --partitions');
  await withClient(options, async (client) => {
    if (hasSettings) await alterTopic(client, name, { set, unset });
    if (partitions !== undefined) await growTopic(client, name, partitions);
  });
  if (json) return printJson({ name, set, unset, partitions: partitions ?? null });
  await print(`changed ${name}`);
}

async function remove(names: readonly string[], options: RemoteOptions & { readonly yes?: true }): Promise<void> {
  if (!(await agreed(`delete ${names.join(', ')} with all records?`, options.yes))) return print('nothing was deleted');
  await withClient(options, (client) => removeTopics(client, names));
  if (options.json) return printJson(names);
  await print(`deleted ${names.join(', ')}`);
}
