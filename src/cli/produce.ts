import { type Command, Option } from 'commander';
import {
  findTopic,
  type KafkaClient,
  type Produced,
  Producer,
  type ProducerOptions,
  topicConfigs,
} from '../client/index.ts';
import { BrokerError } from '../errors.ts';
import type { Compression, NewRecord } from '../records/index.ts';
import { pairs, remote, whole } from './arguments.ts';
import { type RemoteOptions, withClient } from './connection.ts';
import { linesIn } from './lines.ts';
import { print, printJson } from './output.ts';

const ACKS: Readonly<Record<string, NonNullable<ProducerOptions['acks']>>> = { '0': 0, '1': 1, all: -1 };
const COMPRESSIONS: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
/** Groups of lines that are sent before the first of them is acknowledged; what comes faster waits in the pipe. */
const MAX_IN_FLIGHT = 5;
const MAX_BATCH_BYTES = 512 * 1024;

const EXAMPLES = `
Examples:
  echo 'hello' | sluice produce orders
  sluice produce orders --value 'hello' --key customer-7
  sluice produce orders --key-separator : < keyed.txt      'customer-7:hello' has the key customer-7
  sluice produce orders --header source=import --compression zstd < orders.jsonl

Each line of standard input is a record. Records with a key go to the partition that Kafka's clients choose for it.
`;

export function register(program: Command): void {
  const command = program.command('produce').argument('<topic>', 'to write to').description('write records to a topic');
  remote(command, 'print where the records went as JSON')
    .option('--value <text>', 'write this one record, and do not read standard input')
    .option('--key <text>', 'key of every record')
    .addOption(new Option('--key-separator <text>', 'a line is a key, this, and a value').conflicts(['key', 'value']))
    .option('--header <name=value>', 'header of every record; may be repeated', pairs)
    .option('--partition <n>', 'write to this partition, whatever the key', whole(0))
    .addOption(
      new Option('--acks <acks>', 'wait for nothing, for the write, or until the record is durable')
        .choices(Object.keys(ACKS))
        .default('all'),
    )
    .addOption(new Option('--compression <codec>', 'compress batches').choices(COMPRESSIONS).default('none'))
    .addHelpText('after', EXAMPLES)
    .action(produce);
}

interface Options extends RemoteOptions {
  readonly value?: string;
  readonly key?: string;
  readonly keySeparator?: string;
  readonly header?: Readonly<Record<string, string>>;
  readonly partition?: number;
  readonly acks: string;
  readonly compression: Compression;
}

async function produce(name: string, options: Options): Promise<void> {
  const { partition, compression, acks } = options;
  const written = await withClient(options, async (client) => {
    const topic = await findTopic(client, name, true);
    if (partition !== undefined && partition >= topic.partitions.length) {
      throw new BrokerError(
        'not-found',
        `${name} has no partition ${partition}; it has 0 to ${topic.partitions.length - 1}`,
      );
    }
    const batchBytes = await largestBatch(client, name);
    const producer = new Producer(client, topic, { partition, compression, acks: ACKS[acks] ?? -1, batchBytes });
    const toRecord = recordMaker(options);
    if (options.value !== undefined) return summary(await producer.produce([toRecord(Buffer.from(options.value), 1)]));
    return produceLines(producer, toRecord);
  });
  if (options.json) return printJson({ topic: name, ...written });
  const where = written.partitions.map((each) =>
    each.firstOffset < 0 ? `${each.partition}` : `${each.partition} from offset ${each.firstOffset}`,
  );
  await print(
    `wrote ${written.records} ${written.records === 1 ? 'record' : 'records'} to ${name}${where.length === 0 ? '' : `, partition ${where.join(', ')}`}`,
  );
}

/** What the topic takes, up to a size from which on larger batches gain nothing. */
async function largestBatch(client: KafkaClient, topic: string): Promise<number> {
  const limit = (await topicConfigs(client, topic)).find(({ name }) => name === 'max.message.bytes')?.value;
  return Math.min(Number(limit ?? MAX_BATCH_BYTES), MAX_BATCH_BYTES);
}

type ToRecord = (line: Buffer, number: number) => NewRecord;

function recordMaker({ key, keySeparator, header = {} }: Options): ToRecord {
  const headers = Object.entries(header).map(([name, value]) => [name, Buffer.from(value)] as const);
  const fixedKey = key === undefined ? null : Buffer.from(key);
  if (keySeparator === undefined) return (value) => ({ key: fixedKey, value, headers });
  return (line, number) => {
    const at = line.indexOf(keySeparator);
    if (at === -1) {
      throw new BrokerError(
        'invalid-argument',
        `line ${number} has no '${keySeparator}' between key and value; the lines before it were sent: mend it, and send from there on`,
      );
    }
    return { key: line.subarray(0, at), value: line.subarray(at + Buffer.byteLength(keySeparator)), headers };
  };
}

async function produceLines(producer: Producer, toRecord: ToRecord): Promise<Written> {
  const answers: Produced[] = [];
  const inFlight = new Set<Promise<void>>();
  let failure: unknown;
  const send = (records: readonly NewRecord[]) => {
    const sent: Promise<void> = producer
      .produce(records)
      .then((produced) => {
        answers.push(...produced);
      })
      .catch((error: unknown) => {
        failure ??= error;
      })
      .finally(() => inFlight.delete(sent));
    inFlight.add(sent);
  };
  let number = 0;
  for await (const lines of linesIn(process.stdin)) {
    const records: NewRecord[] = [];
    try {
      for (const line of lines) records.push(toRecord(line, ++number));
    } catch (error) {
      failure ??= error;
    }
    if (records.length > 0) send(records);
    if (inFlight.size >= MAX_IN_FLIGHT) await Promise.race(inFlight);
    if (failure !== undefined) break;
  }
  await Promise.all(inFlight);
  if (failure !== undefined) throw failure;
  return summary(answers);
}

interface Written {
  readonly records: number;
  readonly partitions: readonly {
    readonly partition: number;
    readonly records: number;
    readonly firstOffset: number;
  }[];
}

function summary(answers: readonly Produced[]): Written {
  const partitions = new Map<number, { partition: number; records: number; firstOffset: number }>();
  for (const { partition, baseOffset, count } of answers) {
    const before = partitions.get(partition);
    partitions.set(partition, {
      partition,
      records: (before?.records ?? 0) + count,
      firstOffset: Math.min(before?.firstOffset ?? baseOffset, baseOffset),
    });
  }
  const byPartition = [...partitions.values()].sort((a, b) => a.partition - b.partition);
  return { records: byPartition.reduce((sum, { records }) => sum + records, 0), partitions: byPartition };
}
