import { z } from 'zod';
import {
  type ClientQuotaKey,
  configValue,
  type Partition,
  STREAM_CONFIG_DEFINITIONS,
  type Stream,
} from '../../../broker/index.ts';
import { BrokerError } from '../../../errors.ts';
import { wholeNumber } from '../body-types.ts';
import { badRequest, HttpError } from '../errors.ts';
import type { Listed, Shown } from '../listing.ts';
import { checkQuota, useQuota } from '../quotas.ts';
import { type Call, DONE, found, get, getList, made, ok, post, put, type Route, remove } from '../route.ts';
import type { ConfigEntry, PartitionProducer, PartitionSummary, StreamSummary } from '../shapes/streams.ts';
import { checkChangeable, demand, isInternal, mayCluster, refused, streamOf } from '../stream-access.ts';

const MUTATIONS: ClientQuotaKey = 'controller_mutation_rate';
/** Partitions trimmed by one request. */
const MAX_TRIMMED = 10_000;

const settings = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String));

const creation = z.object({ partitions: wholeNumber().optional(), config: settings.default({}) });
const changes = z.object({
  config: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String).nullable()),
});
const growth = z.object({ count: wholeNumber() });
const trimming = z.object({
  /** All of them unless given. */
  partitions: z.array(z.int().min(0)).max(MAX_TRIMMED).optional(),
  before_offset: z.union([wholeNumber(), z.literal('end')]).optional(),
  before_timestamp: wholeNumber().optional(),
});

export const streamRoutes: readonly Route[] = [
  getList('/streams', { access: 'user', summary: 'Streams that the user may describe' }, (call) => {
    const { access } = call;
    return listed([...call.broker.streams.all()].filter(({ name }) => access.may('describe', 'topic', name)));
  }),
  get('/streams/:stream', { access: 'user', summary: 'One stream' }, (call) => summaryOf(streamOf(call, 'describe'))),
  put('/streams/:stream', { access: 'user', summary: 'Makes a stream' }, creation, create),
  remove('/streams/:stream', { access: 'user', summary: 'Deletes a stream with everything in it' }, async (call) => {
    if (!mayCluster(call, 'delete')) demand(call, 'delete', 'topic', call.param('stream'));
    const stream = found(call.broker.streams.get(call.param('stream')));
    checkChangeable(stream);
    checkQuota(call, MUTATIONS);
    useQuota(call, MUTATIONS, stream.partitions.length);
    await call.broker.streams.delete(stream.name, stream.id);
    return DONE;
  }),
  getList('/streams/:stream/partitions', { access: 'user', summary: 'Partitions of a stream' }, (call) =>
    listedPartitions(streamOf(call, 'describe')),
  ),
  post(
    '/streams/:stream/partitions',
    { access: 'user', summary: 'Gives a stream more partitions: `count` in all' },
    growth,
    async (call, { count }) => {
      const stream = streamOf(call, 'alter');
      checkChangeable(stream);
      const { streams } = call.broker;
      streams.checkPartitions(stream.name, count);
      checkQuota(call, MUTATIONS);
      useQuota(call, MUTATIONS, count - stream.partitions.length);
      await streams.addPartitions(stream.name, count);
      return ok(summaryOf(stream));
    },
  ),
  getList('/streams/:stream/config', { access: 'user', summary: 'Settings of a stream' }, (call) => {
    const stream = streamOf(call, 'describe-configs');
    return { items: configOf(stream, call), basics: shown, show: shown, order: ['name'], paged: true };
  }),
  put(
    '/streams/:stream/config',
    { access: 'user', summary: 'Changes some settings of a stream; null takes back what was set for it' },
    changes,
    async (call, { config }) => {
      const stream = streamOf(call, 'alter-configs');
      checkChangeable(stream);
      await call.broker.streams.configure(stream.name, (own) => {
        const left = Object.entries({ ...own, ...config });
        return Object.fromEntries(left.filter((entry): entry is [string, string] => entry[1] !== null));
      });
      return DONE;
    },
  ),
  getList('/streams/:stream/producers', { access: 'user', summary: 'Producers that a stream remembers' }, (call) => {
    const stream = streamOf(call, 'read');
    const items = stream.partitions.flatMap(producersOf);
    return { items, basics: shown, show: shown, order: ['partition', 'producer_id'], paged: true };
  }),
  post(
    '/streams/:stream/trim',
    { access: 'user', summary: 'Removes the records of a stream before an offset, before a time, or all of them' },
    trimming,
    trim,
  ),
];

function listed(streams: readonly Stream[]): Listed<Stream> {
  return {
    items: streams,
    basics: ({ name, partitions }) => ({ name, partitions: partitions.length }),
    show: (stream) => ({ ...summaryOf(stream) }),
    order: ['name'],
    paged: true,
  };
}

function basicsOf(stream: Stream) {
  const { name, id, partitions, config } = stream;
  return {
    ...{ name, id, partitions: partitions.length, cleanup_policy: config.cleanupPolicy.join(',') },
    ...{ retention_ms: config.retentionMs, retention_bytes: config.retentionBytes, internal: isInternal(stream) },
  };
}

function summaryOf(stream: Stream): StreamSummary {
  let [records, bytes] = [0, 0];
  for (const { log } of stream.partitions) {
    records += log.highWatermark - log.startOffset;
    bytes += log.sizeBytes;
  }
  return { ...basicsOf(stream), records, bytes };
}

function listedPartitions({ partitions }: Stream): Listed<Partition> {
  return {
    items: partitions,
    basics: ({ index }) => ({ partition: index, name: String(index) }),
    show: (partition) => ({ ...partitionSummary(partition) }),
    order: ['partition'],
    paged: true,
  };
}

function partitionSummary({ index, log, producers, leaderEpoch, lastStableOffset }: Partition): PartitionSummary {
  const { startOffset, highWatermark } = log;
  return {
    partition: index,
    ...{ start_offset: startOffset, high_watermark: highWatermark, last_stable_offset: lastStableOffset },
    records: highWatermark - startOffset,
    bytes: log.sizeBytes,
    segments: log.segments.length,
    leader_epoch: leaderEpoch,
    producers: producers.size,
    open_transactions: producers.transactions.open.size,
  };
}

function producersOf({ index, producers }: Partition): PartitionProducer[] {
  return producers.describe().map((producer) => ({
    partition: index,
    producer_id: producer.producerId,
    producer_epoch: producer.epoch,
    last_sequence: producer.lastSequence,
    last_timestamp: producer.lastTimestamp,
    coordinator_epoch: producer.coordinatorEpoch,
    transaction_start_offset: producer.transactionStartOffset,
  }));
}

function configOf({ ownConfig }: Stream, { broker }: Call): ConfigEntry[] {
  const { defaults } = broker.streams;
  return [...STREAM_CONFIG_DEFINITIONS.values()]
    .filter(({ name, former }) => !former || ownConfig[name] !== undefined)
    .map(({ name, type, doc, ignored, default: fallback }) => ({
      name,
      value: configValue(name, ownConfig, defaults),
      default: configValue(name, {}, defaults),
      source:
        ownConfig[name] !== undefined ? 'stream' : (defaults[name] ?? fallback) !== fallback ? 'broker' : 'default',
      type,
      description: doc,
      in_force: ignored !== true,
    }));
}

function shown(item: object): Shown {
  return { ...item };
}

async function create(call: Call, given: z.output<typeof creation>) {
  const { broker } = call;
  const name = call.param('stream');
  if (!mayCluster(call, 'create') && !call.access.may('create', 'topic', name))
    throw refused(call, 'create', 'topic', name);
  const { partitions = broker.settings.defaultPartitions, config } = given;
  const there = broker.streams.get(name);
  if (there !== undefined) {
    demand(call, 'describe', 'topic', name);
    const same = given.partitions === undefined || there.partitions.length === partitions;
    const differs = Object.entries(config).some(([key, value]) => there.ownConfig[key] !== value);
    if (same && !differs) return made(false);
    throw badRequest(`stream '${name}' is there already, with other partitions or settings`);
  }
  if (isInternal({ name })) throw new HttpError(403, 'forbidden', `'${name}' is a name of the broker's own`);
  broker.streams.check({ name, partitions, config });
  checkQuota(call, MUTATIONS);
  useQuota(call, MUTATIONS, partitions);
  await broker.streams.create({ name, partitions, config });
  return made(true);
}

async function trim(call: Call, given: z.output<typeof trimming>) {
  const stream = streamOf(call, 'delete');
  checkChangeable(stream);
  const { before_offset: offset, before_timestamp: timestamp } = given;
  if ((offset === undefined) === (timestamp === undefined))
    throw badRequest('one of before_offset and before_timestamp is wanted');
  // As in Kafka: what keeps the last record of each key loses none by somebody's wish.
  if (!stream.config.cleanupPolicy.includes('delete'))
    throw new BrokerError('precondition-failed', `stream '${stream.name}' is compacted only: nothing of it is trimmed`);
  const results = [];
  for (const index of given.partitions ?? stream.partitions.keys()) {
    const partition = stream.partitions[index];
    if (partition === undefined) throw badRequest(`stream '${stream.name}' has no partition ${index}`);
    const before = timestamp === undefined ? (offset ?? 'end') : await offsetAt(partition, timestamp);
    const { startOffset, highWatermark } = partition.log;
    const end = before === 'end' ? -1 : Math.min(Math.max(before, startOffset), highWatermark);
    results.push({ partition: index, start_offset: await partition.deleteRecords(end) });
  }
  return ok({ partitions: results });
}

async function offsetAt(partition: Partition, timestamp: number): Promise<number | 'end'> {
  return (await partition.offsetForTimestamp(timestamp))?.offset ?? 'end';
}
