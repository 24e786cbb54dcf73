import { cpus, totalmem } from 'node:os';
import type { Latency } from '../src/cli/bench/histogram.ts';
import type { Figure, Measurement, Stages } from './measurement.ts';

const NOT_AVAILABLE = 'not available';

/** What the figures were measured on. */
export function machine() {
  return {
    cpus: cpus().length,
    model: cpus()[0]?.model ?? 'unknown',
    memoryBytes: totalmem(),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
  };
}

/** How results of one kind are shown: to people, as JSON, and for comparing. */
export interface Reporting<Result> {
  describe(result: Result): string;
  json(result: Result): unknown;
  figures(result: Result): readonly Figure[];
}

/** A measurement with what follows from it; what `--json` prints. */
function withRates(measurement: Measurement) {
  const { seconds, records, bytes, brokerCpuSeconds } = measurement;
  return {
    ...measurement,
    recordsPerSecond: records / seconds,
    megabytesPerSecond: bytes / 1e6 / seconds,
    brokerCpuSecondsPerMillionRecords: brokerCpuSeconds && brokerCpuSeconds / (records / 1e6),
    brokerCpuSecondsPerGigabyte: brokerCpuSeconds && brokerCpuSeconds / (bytes / 1e9),
  };
}

type WithRates = ReturnType<typeof withRates>;

export const measurementReporting: Reporting<Measurement> = {
  describe(measurement) {
    const all = withRates(measurement);
    return [
      `${all.bench}: ${all.broker}`,
      `  throughput   ${all.megabytesPerSecond.toFixed(1)} MB/s, ${Math.round(all.recordsPerSecond).toLocaleString('en')} ${all.unit}/s`,
      `  latency      ${latencyText(all.latency)}`,
      ...(all.confirmLatency === undefined ? [] : [`  to confirm   ${latencyText(all.confirmLatency)}`]),
      `  broker CPU   ${cpuText(all)}`,
      `  peak memory  ${memoryText(all.peakMemoryBytes)}`,
      ...(all.retried === undefined ? [] : [`  retried      ${all.retried.toLocaleString('en')} requests`]),
      ...(all.waiting === undefined ? [] : [`  waiting      ${all.waiting.toLocaleString('en')} at the end`]),
      `  client       busy ${Math.round(all.clientCpuShare * 100)} % of one core`,
    ].join('\n');
  },

  json: withRates,

  figures(measurement) {
    const all = withRates(measurement);
    const { latency, confirmLatency, unit } = all;
    const byBytes = unit === 'records';
    return [
      byBytes ? { name: 'MB/s', value: all.megabytesPerSecond } : { name: `${unit}/s`, value: all.recordsPerSecond },
      ...latencyFigures('latency', latency),
      ...(confirmLatency === undefined ? [] : latencyFigures('to confirm', confirmLatency)),
      ...(byBytes
        ? [
            { name: 'broker CPU, s per million records', value: all.brokerCpuSecondsPerMillionRecords },
            { name: 'broker CPU, s per GB', value: all.brokerCpuSecondsPerGigabyte },
          ]
        : [{ name: `broker CPU, µs per ${singular(unit)}`, value: all.brokerCpuSecondsPerMillionRecords }]),
      { name: 'peak memory, MB', value: all.peakMemoryBytes && all.peakMemoryBytes / 1e6 },
    ];
  },
};

export const stagesReporting: Reporting<Stages> = {
  describe({ bench, broker, figures }) {
    const width = Math.max(...figures.map(({ name }) => name.length));
    const line = ({ name, value }: Figure) =>
      `  ${name.padEnd(width)}  ${value === undefined ? NOT_AVAILABLE : significant(value).padStart(9)}`;
    return [`${bench}: ${broker}`, ...figures.map(line)].join('\n');
  },
  json: (stages) => stages,
  figures: ({ figures }) => figures,
};

function latencyFigures(what: string, { p50, p99, p999 }: Latency): Figure[] {
  return [
    { name: `${what} p50, ms`, value: p50 },
    { name: `${what} p99, ms`, value: p99 },
    { name: `${what} p99.9, ms`, value: p999 },
  ];
}

function latencyText({ p50, p99, p999, max }: Latency): string {
  return `p50 ${msText(p50)}, p99 ${msText(p99)}, p99.9 ${msText(p999)}, max ${msText(max)}`;
}

function cpuText({
  unit,
  brokerCpuSecondsPerMillionRecords: perMillion,
  brokerCpuSecondsPerGigabyte: perGigabyte,
}: WithRates) {
  if (perMillion === undefined || perGigabyte === undefined) return NOT_AVAILABLE;
  // So many seconds per million are so many microseconds each.
  if (unit !== 'records') return `${perMillion.toFixed(2)} µs per ${singular(unit)}`;
  return `${perMillion.toFixed(3)} s per million records, ${perGigabyte.toFixed(2)} s per GB`;
}

function singular(unit: Measurement['unit']): string {
  return unit.slice(0, -1);
}

export function msText(ms: number): string {
  return `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`;
}

export function memoryText(bytes: number | undefined): string {
  return bytes === undefined ? NOT_AVAILABLE : `${(bytes / 1e6).toFixed(0)} MB`;
}

/** A figure of two brokers that did the same work, as the medians of their rounds. */
export interface Ratio {
  readonly figure: string;
  readonly ours: number;
  readonly theirs: number;
  /** Above 1 where ours is the larger figure. */
  readonly ratio: number;
}

/** Of the figures of each round; leaves out what the operating system does not tell. */
export function ratios(ours: readonly (readonly Figure[])[], theirs: readonly (readonly Figure[])[]): Ratio[] {
  const names = ours[0]?.map(({ name }) => name) ?? [];
  return names.flatMap((figure) => {
    const [our, their] = [medianOf(figure, ours), medianOf(figure, theirs)];
    return our === undefined || their === undefined ? [] : [{ figure, ours: our, theirs: their, ratio: our / their }];
  });
}

function medianOf(name: string, rounds: readonly (readonly Figure[])[]): number | undefined {
  const values = rounds.map((figures) => figures.find((figure) => figure.name === name)?.value);
  return values.every((value) => value !== undefined) ? median(values) : undefined;
}

export function describeRatios(ourName: string, theirName: string, all: readonly Ratio[]): string {
  const width = Math.max(...all.map(({ figure }) => figure.length));
  const columns = [ourName, theirName, 'ratio'].map((title) => Math.max(title.length, 9));
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, index) => (index === 0 ? cell.padEnd(width) : cell.padStart(columns[index - 1] ?? 0))).join('  ')}`;
  return [
    line(['', ourName, theirName, 'ratio']),
    ...all.map(({ figure, ours, theirs, ratio }) =>
      line([figure, significant(ours), significant(theirs), `${significant(ratio)}x`]),
    ),
  ].join('\n');
}

function significant(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value.toPrecision(3);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) throw new Error('nothing has no median');
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
