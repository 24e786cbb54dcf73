import { type Command, InvalidArgumentError } from 'commander';
import {
  type CommittedOffsets,
  commitOffsets,
  committedOffsets,
  describeGroup,
  findTopic,
  type Group,
  type KafkaClient,
  latestOffsets,
  listGroups,
  type Offsets,
  offsetsOf,
  type Position,
  removeGroups,
  within,
} from '../client/index.ts';
import { BrokerError } from '../errors.ts';
import { remote, time, whole } from './arguments.ts';
import { type RemoteOptions, withClient } from './connection.ts';
import { print, printJson, table } from './output.ts';
import { UsageError } from './usage-error.ts';

export function register(program: Command): void {
  const group = program.command('group').description('look at consumer groups, move them, delete them');

  remote(group.command('list'), 'print as JSON')
    .description('list the consumer groups')
    .addHelpText('after', '\nExamples:\n  sluice group list\n  sluice group list --json\n')
    .action(list);

  remote(group.command('describe').alias('show').argument('<name>', 'of the group'), 'print as JSON')
    .description('show who is in a group, what it has committed, and how far behind it is')
    .addHelpText(
      'after',
      `
Examples:
  sluice group describe billing
  sluice group describe billing --json | jq '[.offsets[].lag] | add'

'lag' is how many offsets lie between what was committed and the end of the partition.
`,
    )
    .action(describe);

  remote(group.command('reset').argument('<name>', 'of the group'), 'print the new offsets as JSON')
    .description('set from where a group goes on; it must have no members')
    .requiredOption('--topic <name[:p,p]>', 'the topic, or some of its partitions; may be repeated', topicPartitions)
    .option('--to-earliest', 'to the first record that is kept')
    .option('--to-latest', 'to the end: only new records')
    .option('--to-offset <n>', 'to this offset', whole(0))
    .option('--to-time <time>', 'to the first record of this time or later', time)
    .option('--by <n>', 'by so many records: forwards, or backwards when negative', whole(Number.MIN_SAFE_INTEGER))
    .option('--dry-run', 'say what would be done, and do not do it')
    .addHelpText(
      'after',
      `
Examples:
  sluice group reset billing --topic orders --to-earliest --dry-run
  sluice group reset billing --topic orders:0,2 --to-offset 1500
  sluice group reset billing --topic orders --to-time 2026-01-31T12:00:00Z
  sluice group reset billing --topic orders --by -100

An offset that the partition does not have is moved to the nearest one that it has.
`,
    )
    .action(reset);

  remote(group.command('delete').argument('<name...>', 'of the groups'), 'print what was deleted as JSON')
    .description('delete groups with what they have committed; they must have no members')
    .addHelpText('after', '\nExamples:\n  sluice group delete billing\n')
    .action(remove);
}

async function list(options: RemoteOptions): Promise<void> {
  const groups = await withClient(options, listGroups);
  if (options.json) return printJson(groups);
  if (groups.length === 0) return print('no groups; one comes into being with its first consumer');
  await print(
    table(
      ['name', 'state', 'type'],
      groups.map(({ name, state, type }) => [name, state, type]),
    ),
  );
}

interface PartitionLag {
  readonly topic: string;
  readonly partition: number;
  /** Null when nothing was committed. */
  readonly committed: number | null;
  /** Null when the topic is gone. */
  readonly end: number | null;
  readonly lag: number | null;
  /** Member that has the partition. */
  readonly member: string | null;
}

async function describe(name: string, options: RemoteOptions): Promise<void> {
  const { group, offsets } = await withClient(options, async (client) => {
    const [group, committed] = await Promise.all([describeGroup(client, name), committedOffsets(client, name)]);
    return { group, offsets: await lags(client, group, committed) };
  });
  if (options.json) return printJson({ ...group, offsets });
  const how = group.assignor === '' ? '' : `, shares partitions out by ${group.assignor}`;
  await print(`${name}: ${group.state}, ${group.type} group${how}`);
  if (group.members.length > 0) {
    await print('');
    await print(
      table(
        ['member', 'client', 'host', 'partitions'],
        group.members.map(({ id, clientId, host, assignment }) => [
          id,
          clientId,
          host,
          assignment.map(({ topic, partitions }) => `${topic}:${partitions.join(',')}`).join(' ') || '-',
        ]),
      ),
    );
  }
  if (offsets.length === 0) return;
  await print('');
  await print(
    table(
      ['topic', 'partition', 'committed', 'end', 'lag', 'member'],
      offsets.map((each) => [
        each.topic,
        each.partition,
        each.committed ?? '-',
        each.end ?? '-',
        each.lag ?? '-',
        each.member ?? '-',
      ]),
    ),
  );
}

/** Of each partition that the group has committed for or that a member has. */
async function lags(client: KafkaClient, group: Group, committed: CommittedOffsets): Promise<PartitionLag[]> {
  const owners = new Map<string, Map<number, string>>();
  for (const { id, assignment } of group.members) {
    for (const { topic, partitions } of assignment) {
      const owned = owners.get(topic) ?? new Map<number, string>();
      for (const partition of partitions) owned.set(partition, id);
      owners.set(topic, owned);
    }
  }
  const topics = [...new Set([...committed.keys(), ...owners.keys()])].sort();
  const found = await Promise.all(
    topics.map(async (topic) => {
      const offsets: Offsets = committed.get(topic) ?? new Map();
      const owned = owners.get(topic) ?? new Map<number, string>();
      const partitions = [...new Set([...offsets.keys(), ...owned.keys()])].sort((a, b) => a - b);
      const ends = await latestOffsets(client, topic, partitions).catch(gone);
      return partitions.map((partition): PartitionLag => {
        const at = offsets.get(partition) ?? null;
        const end = ends.get(partition) ?? null;
        const lag = at === null || end === null ? null : Math.max(0, end - at);
        return { topic, partition, committed: at, end, lag, member: owned.get(partition) ?? null };
      });
    }),
  );
  return found.flat();
}

/** What was committed outlives its topic. */
function gone(error: unknown): Offsets {
  if (error instanceof BrokerError && error.code === 'not-found') return new Map();
  throw error;
}

interface TopicPartitions {
  readonly topic: string;
  /** All, without them. */
  readonly partitions?: readonly number[];
}

function topicPartitions(text: string, before: readonly TopicPartitions[] = []): TopicPartitions[] {
  const [, topic, partitions] = /^([^:]+)(?::(\d+(?:,\d+)*))?$/.exec(text) ?? [];
  if (topic === undefined) throw new InvalidArgumentError('TOPIC or TOPIC:0,1,2 is wanted.');
  return [...before, { topic, ...(partitions && { partitions: partitions.split(',').map(Number) }) }];
}

interface ResetOptions extends RemoteOptions {
  readonly topic: readonly TopicPartitions[];
  readonly toEarliest?: true;
  readonly toLatest?: true;
  readonly toOffset?: number;
  readonly toTime?: number;
  readonly by?: number;
  readonly dryRun?: true;
}

type Target = Position | { readonly kind: 'by'; readonly records: number };

async function reset(name: string, options: ResetOptions): Promise<void> {
  const target = targetOf(options);
  const moves = await withClient(options, async (client) => {
    await refuseMembers(client, name);
    const committed = await committedOffsets(client, name);
    const moves = await Promise.all(options.topic.map((wanted) => newOffsets(client, wanted, committed, target)));
    if (!options.dryRun) {
      for (const { topic, offsets } of moves) await commitOffsets(client, name, topic, offsets);
    }
    return moves.flatMap(({ topic, offsets }) =>
      [...offsets].map(([partition, to]) => ({
        topic,
        partition,
        from: committed.get(topic)?.get(partition) ?? null,
        to,
      })),
    );
  });
  if (options.json) return printJson({ group: name, dryRun: options.dryRun === true, offsets: moves });
  await print(options.dryRun ? `${name} would go on from:` : `${name} goes on from:`);
  await print(
    table(
      ['topic', 'partition', 'before', 'now'],
      moves.map((each) => [each.topic, each.partition, each.from ?? '-', each.to]),
    ),
  );
}

function targetOf({ toEarliest, toLatest, toOffset, toTime, by }: ResetOptions): Target {
  const targets: Target[] = [];
  if (toEarliest) targets.push({ kind: 'earliest' });
  if (toLatest) targets.push({ kind: 'latest' });
  if (toOffset !== undefined) targets.push({ kind: 'offset', offset: toOffset });
  if (toTime !== undefined) targets.push({ kind: 'time', timestamp: toTime });
  if (by !== undefined) targets.push({ kind: 'by', records: by });
  const [target] = targets;
  if (target !== undefined && targets.length === 1) return target;
  throw new UsageError('say once where to: --to-earliest, --to-latest, --to-offset, --to-time or --by');
}

/** A member would go on committing where it is. A group that is not there can be given offsets to begin with. */
async function refuseMembers(client: KafkaClient, name: string): Promise<void> {
  const group = await describeGroup(client, name).catch((error: unknown) => {
    if (error instanceof BrokerError && error.code === 'not-found') return undefined;
    throw error;
  });
  const count = group?.members.length ?? 0;
  if (count > 0)
    throw new BrokerError(
      'group-not-empty',
      `group ${name} has ${count} ${count === 1 ? 'member' : 'members'}; stop its consumers first`,
    );
}

async function newOffsets(
  client: KafkaClient,
  { topic, partitions: wanted }: TopicPartitions,
  committed: CommittedOffsets,
  target: Target,
): Promise<{ topic: string; offsets: Offsets }> {
  const known = (await findTopic(client, topic)).partitions.map(({ partition }) => partition);
  const missing = wanted?.find((partition) => !known.includes(partition));
  if (missing !== undefined)
    throw new BrokerError('not-found', `${topic} has no partition ${missing}; it has 0 to ${known.length - 1}`);
  const partitions = wanted ?? known;
  if (target.kind !== 'by') return { topic, offsets: await offsetsOf(client, topic, partitions, target) };
  const from = (partition: number, end: number) => committed.get(topic)?.get(partition) ?? end;
  return {
    topic,
    offsets: await within(client, topic, partitions, (partition, end) => from(partition, end) + target.records),
  };
}

async function remove(names: readonly string[], options: RemoteOptions): Promise<void> {
  await withClient(options, (client) => removeGroups(client, names));
  if (options.json) return printJson(names);
  await print(`deleted ${names.join(', ')}`);
}
