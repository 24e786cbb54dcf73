import {
  type Broker,
  deliveredOrGot,
  type ExchangeCounts,
  MESSAGE_COUNT_NAMES,
  type MessageCounts,
  type SampleRange,
  type Samples,
  type StreamCounts,
  timesOf,
} from '../../broker/index.ts';
import { badRequest } from './errors.ts';
import type { Call } from './route.ts';
import type { DetailsShape, MessageStatsShape } from './shapes/statistics.ts';

/*
 * How much there was of something, and how much a second, in RabbitMQ's shapes: `publish` is the count, `publish_details` has the rate, and
 * the samples of a range where the query asks for one by `msg_rates_age` and `msg_rates_incr` (seconds).
 */

const SECOND = 1000;
/** Samples of one range. */
const MAX_SAMPLES = 500;

/** Samples of one thing, or of several together. */
export type SampleSource = Pick<Samples, 'rate' | 'values'>;

/** What ranges a query can ask for: of lengths of queues, of what is done with messages, of bytes on connections, of the node. */
export type RangeName = 'lengths' | 'msg_rates' | 'data_rates' | 'node_stats';

type Asked = Pick<Call, 'query' | 'broker'>;

/** Nothing of the sort is wanted: lists are shorter and quicker without. */
export function isDisabled(call: Pick<Call, 'query'>): boolean {
  return call.query('disable_stats') === 'true';
}

/** The range that is asked for; undefined for none. Throws 400 for what cannot be. */
export function rangeOf({ query, broker }: Asked, name: RangeName): SampleRange | undefined {
  const age = query(`${name}_age`);
  const increment = query(`${name}_incr`);
  if (age === undefined || increment === undefined) return undefined;
  return checkedRange(broker, Number(age), Number(increment));
}

/** Of seconds; it ends with the newest sample. Throws 400 for what cannot be. */
export function checkedRange(broker: Broker, age: number, increment: number): SampleRange {
  if (!(age > 0 && increment > 0) || age / increment > MAX_SAMPLES)
    throw badRequest(`Invalid range parameters: age ${age}, increment ${increment}; at most ${MAX_SAMPLES} samples`);
  const incrementMs = Math.max(1, Math.round(increment * SECOND));
  const last = broker.telemetry.overview.newestAt ?? broker.environment.clock.now();
  return { first: last - Math.floor((age * SECOND) / incrementMs) * incrementMs, last, incrementMs };
}

/** Several as one. */
export function together(sources: readonly Samples[]): SampleSource {
  return {
    rate: (column) => sources.reduce((sum, source) => sum + source.rate(column), 0),
    values: (column, range) => {
      const all = sources.map((source) => source.values(column, range));
      return timesOf(range).map((_, i) => {
        const known = all.flatMap((values) => values[i] ?? []);
        return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
      });
    },
  };
}

/** `NAME` and `NAME_details`. Of what was not sampled, nothing happened lately. */
export function counted<Name extends string>(
  name: Name,
  total: number,
  samples?: SampleSource,
  range?: SampleRange,
): Counted<Name> {
  return { [name]: total, [`${name}_details`]: detailsOf(name, total, samples, range) } as Counted<Name>;
}

type Counted<Name extends string> = { readonly [Each in Name]: number } & {
  readonly [Each in `${Name}_details`]: DetailsShape;
};

function detailsOf(name: string, total: number, source?: SampleSource, range?: SampleRange): DetailsShape {
  const rate = source?.rate(name) ?? 0;
  if (range === undefined) return { rate };
  const values = source?.values(name, range) ?? [];
  // Before the first sample it is taken to have been as then: nothing came in a moment.
  const first = values.find((value) => value !== undefined) ?? total;
  const samples = timesOf(range)
    .map((timestamp, i) => ({ sample: values[i] ?? first, timestamp }))
    .toReversed();
  const [newest, oldest] = [samples[0], samples.at(-1)];
  if (newest === undefined || oldest === undefined || newest === oldest) return { rate, samples };
  const seconds = (newest.timestamp - oldest.timestamp) / SECOND;
  const sum = samples.reduce((all, { sample }) => all + sample, 0);
  return { rate, samples, avg_rate: (newest.sample - oldest.sample) / seconds, avg: sum / samples.length };
}

type CountName = keyof typeof MESSAGE_COUNT_NAMES;

const DELIVERIES: readonly CountName[] = [
  ...(['delivered', 'deliveredNoAck', 'redelivered', 'got', 'gotNoAck', 'gotEmpty', 'acknowledged'] as const),
];
/** RabbitMQ has none of these. */
const FATES: readonly CountName[] = ['rejected', 'requeued', 'deadLettered', 'expired', 'overflowed'];

/** What is told of queues, and of channels and all that is wider. */
export const QUEUE_COUNTS: readonly CountName[] = ['published', ...DELIVERIES, ...FATES];
export const CLIENT_COUNTS: readonly CountName[] = [
  ...(['published', 'confirmed', 'returned', 'unroutable'] as const),
  ...DELIVERIES,
  ...FATES,
];

/** As `message_stats`, unless nothing ever happened. */
export function messageStats(
  counts: MessageCounts,
  names: readonly CountName[],
  samples: SampleSource | undefined,
  range?: SampleRange,
): { readonly message_stats?: MessageStatsShape } {
  if (counts.activity === 0) return {};
  const stats: Record<string, unknown> = {};
  for (const name of names) Object.assign(stats, counted(MESSAGE_COUNT_NAMES[name], counts[name], samples, range));
  Object.assign(stats, counted('deliver_get', deliveredOrGot(counts), samples, range));
  return { message_stats: stats as MessageStatsShape };
}

/** The same for a stream that stands under a queue's name: whoever wrote to it and read it. */
export function streamStats(
  counts: StreamCounts,
  samples: SampleSource | undefined,
  range?: SampleRange,
): { readonly message_stats?: MessageStatsShape } {
  if (counts.activity === 0) return {};
  const as = (name: string, column: string, total: number) => ({
    [name]: total,
    [`${name}_details`]: detailsOf(column, total, samples, range),
  });
  const { recordsIn, recordsOut } = counts;
  const read = [as('deliver', 'records_out', recordsOut), as('deliver_get', 'records_out', recordsOut)];
  const stats = Object.assign(as('publish', 'records_in', recordsIn), ...read);
  return { message_stats: stats as MessageStatsShape };
}

/** The same for an exchange. */
export function exchangeStats(
  counts: ExchangeCounts,
  samples: SampleSource | undefined,
  range?: SampleRange,
): { readonly message_stats?: MessageStatsShape } {
  if (counts.activity === 0) return {};
  const stats = {
    ...counted('publish_in', counts.in, samples, range),
    ...counted('publish_out', counts.out, samples, range),
  };
  return { message_stats: stats as MessageStatsShape };
}
