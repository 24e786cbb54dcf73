import { cpus, totalmem } from 'node:os';
import type { Started } from './start.ts';
import type { Measurement } from './work.ts';

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

/** A measurement with what follows from it; what `--json` prints. */
export function withRates(measurement: Measurement) {
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

export function describe(measurement: Measurement): string {
  const all = withRates(measurement);
  return [
    `${all.bench}: ${all.broker}`,
    `  throughput   ${all.megabytesPerSecond.toFixed(1)} MB/s, ${Math.round(all.recordsPerSecond).toLocaleString('en')} records/s`,
    `  latency      ${latencyText(all)}`,
    `  broker CPU   ${cpuText(all)}`,
    `  peak memory  ${memoryText(all.peakMemoryBytes)}`,
    `  client       busy ${Math.round(all.clientCpuShare * 100)} % of one core`,
  ].join('\n');
}

function latencyText({ latency: { p50, p99, p999, max } }: WithRates): string {
  return `p50 ${msText(p50)}, p99 ${msText(p99)}, p99.9 ${msText(p999)}, max ${msText(max)}`;
}

function cpuText({
  brokerCpuSecondsPerMillionRecords: perMillion,
  brokerCpuSecondsPerGigabyte: perGigabyte,
}: WithRates) {
  if (perMillion === undefined || perGigabyte === undefined) return NOT_AVAILABLE;
  return `${perMillion.toFixed(3)} s per million records, ${perGigabyte.toFixed(2)} s per GB`;
}

function msText(ms: number): string {
  return `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`;
}

function memoryText(bytes: number | undefined): string {
  return bytes === undefined ? NOT_AVAILABLE : `${(bytes / 1e6).toFixed(0)} MB`;
}

export function describeStart({ bench, broker, readyMs, idleBytes }: Started): string {
  return [
    `${bench}: ${broker}`,
    `  ready after  ${msText(median(readyMs))} (median of ${readyMs.length}; ${msText(Math.min(...readyMs))} to ${msText(Math.max(...readyMs))})`,
    `  idle memory  ${memoryText(idleBytes)}`,
  ].join('\n');
}

/** A figure of two brokers that did the same work, as the medians of their rounds. */
export interface Ratio {
  readonly figure: string;
  readonly ours: number;
  readonly theirs: number;
  /** Above 1 where ours is the larger figure. */
  readonly ratio: number;
}

const FIGURES: readonly (readonly [string, (all: WithRates) => number | undefined])[] = [
  ['MB/s', (all) => all.megabytesPerSecond],
  ['latency p50, ms', (all) => all.latency.p50],
  ['latency p99, ms', (all) => all.latency.p99],
  ['latency p99.9, ms', (all) => all.latency.p999],
  ['broker CPU, s per million records', (all) => all.brokerCpuSecondsPerMillionRecords],
  ['broker CPU, s per GB', (all) => all.brokerCpuSecondsPerGigabyte],
  ['peak memory, MB', (all) => all.peakMemoryBytes && all.peakMemoryBytes / 1e6],
];

/** Leaves out what the operating system does not tell. */
export function ratios(ours: readonly Measurement[], theirs: readonly Measurement[]): Ratio[] {
  return FIGURES.flatMap(([figure, of]) => {
    const medians = [ours, theirs].map((side) => {
      const values = side.map((each) => of(withRates(each)));
      return values.every((value) => value !== undefined) ? median(values) : undefined;
    });
    const [our, their] = medians;
    return our === undefined || their === undefined ? [] : [{ figure, ours: our, theirs: their, ratio: our / their }];
  });
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
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  if (upper === undefined) throw new Error('nothing has no median');
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
