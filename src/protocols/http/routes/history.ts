import type { Broker, Samples } from '../../../broker/index.ts';
import { isMonitor, visibleHosts } from '../access.ts';
import { badRequest, notAuthorised, notFound } from '../errors.ts';
import { type Call, get, type Route } from '../route.ts';
import type { HistoryShape } from '../shapes/statistics.ts';
import { checkedRange, together } from '../statistics.ts';
import { channelNamed, connectionNamed } from './clients.ts';
import { exchangeName } from './exchanges.ts';

const DEFAULT_AGE = 600;
/** Points of a chart for which nobody says how far apart they are. */
const USUAL_POINTS = 120;
const SECOND = 1000;
/** Topics of a group that have series of their own. */
const MAX_TOPICS = 20;

export const historyRoutes: readonly Route[] = [
  get(
    '/history',
    {
      access: 'user',
      summary: 'What something was like at regular times: rates of what is counted, and values of the rest',
    },
    (call) => history(call),
  ),
];

type Range = ReturnType<typeof checkedRange>;
type Source = Pick<Samples, 'values' | 'columns'>;
type Series = Record<string, (number | null)[]>;

/** What there can be the history of; undefined where nothing has happened lately. */
const SOURCES: Readonly<Record<string, (call: Call) => Source | undefined>> = {
  overview: ofOverview,
  vhost: (call) => {
    const { messageCounts } = hostOf(call);
    return call.broker.telemetry.hosts.of(messageCounts);
  },
  queue: (call) => {
    const entry = hostOf(call).queue(nameOf(call));
    if (entry === undefined) throw notFound();
    const { telemetry } = call.broker;
    return entry.kind === 'queue'
      ? telemetry.queues.of(entry.queue.counts)
      : telemetry.streams.of(entry.stream.stream.counts);
  },
  exchange: (call) => {
    const host = hostOf(call);
    const name = exchangeName(nameOf(call));
    const counts = name === '' ? host.defaultExchangeCounts : host.exchange(name)?.counts;
    if (counts === undefined) throw notFound();
    return call.broker.telemetry.exchanges.of(counts);
  },
  stream: (call) => {
    const name = nameOf(call);
    if (!call.access.may('describe', 'topic', name)) throw notAuthorised('User not authorised to access object');
    const stream = call.broker.streams.get(name);
    if (stream === undefined) throw notFound();
    return call.broker.telemetry.streams.of(stream.counts);
  },
  connection: (call) => {
    const { telemetry } = call.broker;
    return telemetry.connections.of(telemetry.trafficOf(connectionNamed(call, nameOf(call))));
  },
  channel: (call) => call.broker.telemetry.channels.of(channelNamed(call, nameOf(call)).channel.counts),
};

function history(call: Call): HistoryShape {
  const of = call.query('of') ?? 'overview';
  const range = rangeOf(call);
  const timestamps: number[] = [];
  for (let time = range.first + range.incrementMs; time <= range.last; time += range.incrementMs) timestamps.push(time);
  if (of === 'group') return { timestamps, series: groupSeries(call, range) };
  const find = Object.hasOwn(SOURCES, of) ? SOURCES[of] : undefined;
  if (find === undefined) throw badRequest(`of: one of ${[...Object.keys(SOURCES), 'group'].join(', ')}`);
  const source = find(call);
  return { timestamps, series: source === undefined ? {} : seriesOf(source, range) };
}

/** With one more at its beginning, from which the first rate is. */
function rangeOf({ query, broker }: Call): Range {
  const age = Number(query('age') ?? DEFAULT_AGE);
  const { sampleMs } = broker.telemetry.settings;
  const usual = Math.max(sampleMs / SECOND, Math.ceil(age / USUAL_POINTS));
  const increment = Number(query('increment') ?? usual);
  const range = checkedRange(broker, age, increment);
  return { ...range, first: range.first - range.incrementMs };
}

function seriesOf(source: Source, range: Range): Series {
  return Object.fromEntries(
    source.columns.map(({ name, kind }) => {
      const values = source.values(name, range);
      return [name, kind === 'counter' ? ratesOf(values, range) : values.slice(1).map((value) => value ?? null)];
    }),
  );
}

/** How many a second, from each value to the next. */
function ratesOf(values: readonly (number | undefined)[], { incrementMs }: Range): (number | null)[] {
  return values.slice(1).map((value, i) => {
    const before = values[i];
    return value === undefined || before === undefined ? null : ((value - before) * SECOND) / incrementMs;
  });
}

/** Of the whole for who may watch the broker; for others, of the virtual hosts that they see. */
function ofOverview({ broker, user }: Call): Source | undefined {
  const { telemetry } = broker;
  if (isMonitor(user)) return telemetry.overview;
  const seen = visibleHosts(broker, user).flatMap(({ messageCounts }) => telemetry.hosts.of(messageCounts) ?? []);
  return seen.length === 0 ? undefined : { columns: telemetry.hosts.columns, values: together(seen).values };
}

/** How far behind a group is and what it commits a second, in all its topics, and in each of the first few or the one that is asked for. */
function groupSeries(call: Call, range: Range): Series {
  const { broker, access } = call;
  const groupId = nameOf(call);
  if (!access.may('describe', 'group', groupId)) throw notAuthorised('User not authorised to access object');
  const wanted = call.query('topic');
  const topics = topicsOf(broker, groupId).filter(
    ({ topic }) => (wanted === undefined || topic === wanted) && access.may('describe', 'topic', topic),
  );
  if (topics.length === 0) return {};
  const all = together(topics.map(({ samples }) => samples));
  const series = seriesOf({ columns: broker.telemetry.groups.columns, values: all.values }, range);
  for (const { topic, samples } of topics.slice(0, MAX_TOPICS))
    series[`lag:${topic}`] = samples
      .values('lag', range)
      .slice(1)
      .map((value) => value ?? null);
  return series;
}

function topicsOf({ telemetry }: Broker, groupId: string): { readonly topic: string; readonly samples: Samples }[] {
  return Array.from(telemetry.groupTopics(groupId)).flatMap((groupTopic) => {
    const samples = telemetry.groups.of(groupTopic);
    return samples === undefined ? [] : [{ topic: groupTopic.topic, samples }];
  });
}

function nameOf({ query }: Call): string {
  const name = query('name');
  if (name === undefined || name === '') throw badRequest('name: of what the history is wanted');
  return name;
}

function hostOf({ broker, user, query }: Call) {
  const name = query('vhost') ?? '/';
  const host = visibleHosts(broker, user).find((each) => each.name === name);
  if (host === undefined) throw notFound();
  return host;
}
