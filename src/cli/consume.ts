import { type Command, InvalidArgumentError, Option } from 'commander';
import { consume as consumeRecords, findTopic, latestOffsets, offsetsOf, type Position } from '../client/index.ts';
import { BrokerError } from '../errors.ts';
import { position, remote, whole } from './arguments.ts';
import { type RemoteOptions, withClient } from './connection.ts';
import { write } from './output.ts';
import { compileFormat, type Format, jsonFormat, valueFormat } from './record-format.ts';

const EXAMPLES = `
Examples:
  sluice consume orders                                    new records, as they come, until Ctrl-C
  sluice consume orders --from earliest --exit             all there are, then end
  sluice consume orders --from -10 --exit                  the last ten of each partition
  sluice consume orders --from 2026-01-31T12:00:00Z --count 100 --json
  sluice consume orders --partition 2 --from 1500 --format '%p %o %k: %v\\n'

--from takes: earliest, latest, an offset, -N for the last N records of each partition, or a time.
--format knows: %t topic, %p partition, %o offset, %k key, %v value, %h headers, %T time in milliseconds since 1970,
%d time as ISO 8601, %% percent; \\n, \\t, \\r, \\0, \\\\.

Nothing is committed: a group's offsets stay as they are.
`;

export function register(program: Command): void {
  const command = program.command('consume').argument('<topic>', 'to read').description('read records of a topic');
  remote(command, 'print each record as a JSON object in a line of its own')
    .addOption(
      new Option('--from <position>', 'where to begin').argParser(position).default({ kind: 'latest' }, 'latest'),
    )
    .option('--partition <n>', 'read this partition only', whole(0))
    .option('--count <n>', 'end after so many records', whole(1))
    .option('-e, --exit', 'end at the last record there is now')
    .addOption(
      new Option('--format <template>', 'print each record like this (default: value and new line)')
        .argParser(format)
        .conflicts('json'),
    )
    .addHelpText('after', EXAMPLES)
    .action(consume);
}

function format(template: string): Format {
  const compiled = compileFormat(template);
  if (compiled === undefined) throw new InvalidArgumentError('After a % one of t p o k v h T d % is wanted.');
  return compiled;
}

interface Options extends RemoteOptions {
  readonly from: Position;
  readonly partition?: number;
  readonly count?: number;
  readonly exit?: true;
  readonly format?: Format;
}

async function consume(topic: string, options: Options): Promise<void> {
  const { count = Number.POSITIVE_INFINITY } = options;
  const toBytes = options.json ? jsonFormat : (options.format ?? valueFormat);
  await withClient(options, async (client) => {
    const known = (await findTopic(client, topic)).partitions.map(({ partition }) => partition);
    const partitions = known.filter((partition) => options.partition === undefined || partition === options.partition);
    if (partitions.length === 0) {
      throw new BrokerError(
        'not-found',
        `${topic} has no partition ${options.partition}; it has 0 to ${known.length - 1}`,
      );
    }
    const to = options.exit ? await latestOffsets(client, topic, partitions) : undefined;
    const from = await offsetsOf(client, topic, partitions, options.from);
    let left = count;
    for await (const records of consumeRecords(client, { topic, from, to, signal: interruption() })) {
      const wanted = records.slice(0, left);
      await write(Buffer.concat(wanted.map((record) => toBytes(topic, record))));
      left -= wanted.length;
      if (left === 0) return;
    }
  });
}

/** Ctrl-C is how one ends it, not a failure. The second one ends it at once. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  process.once('SIGTERM', () => controller.abort());
  return controller.signal;
}
