import type { HistoryShape } from '../../src/protocols/http/shapes/statistics.ts';
import { refreshEvery, usePoll } from '../api/poll.ts';
import { compact } from '../format/index.ts';
import { oneOf, preference } from '../preferences.ts';
import { statisticsWords } from '../words/statistics.ts';
import { Chart } from './chart.tsx';
import { Panel } from './facts.tsx';
import { Loaded, Notice } from './problem.tsx';

/** A line: the name of its series in the answer, and what people read. */
export type Line = readonly [series: string, label: string];

export interface HistoryChart {
  readonly title: string;
  /** Those of which nothing is known are left out. */
  readonly lines: readonly Line[];
  readonly format?: (value: number) => string;
  readonly fill?: boolean;
}

export interface HistoryProps {
  readonly of: 'overview' | 'vhost' | 'queue' | 'exchange' | 'stream' | 'group' | 'connection' | 'channel';
  readonly name?: string;
  readonly vhost?: string;
  /** Of a group: one of its topics. */
  readonly topic?: string;
  readonly charts: readonly HistoryChart[] | ((series: HistoryShape['series']) => readonly HistoryChart[]);
}

const MINUTES = 600;
const HOUR = 3600;
const HOURS = 8 * HOUR;
const DAY = 24 * HOUR;
/** Samples do not come more often than that. */
const SAMPLE_MS = 5_000;
/** Charts of hours change slowly. */
const LONG_MS = 60_000;
const SECOND = 1000;

const span = preference<number>(
  'history',
  (text) => Number(oneOf(`${MINUTES}`, `${HOUR}`, `${HOURS}`, `${DAY}`)(text) ?? MINUTES),
  () => MINUTES,
);

/** Charts of what something was like: `GET /api/history`. Single objects are known for an hour, the broker for a day. */
export function History({ of, name, vhost, topic, charts }: HistoryProps) {
  const longest = of === 'overview' ? DAY : HOUR;
  const age = Math.min(span.value, longest);
  const every = refreshEvery.value === 0 ? 0 : Math.max(refreshEvery.value, age > HOUR ? LONG_MS : SAMPLE_MS);
  const poll = usePoll<HistoryShape>('/history', { query: { of, name, vhost, topic, age }, every });
  return (
    <>
      <Spans age={age} longest={longest} />
      <Loaded of={poll}>
        {({ timestamps, series }) => {
          const times = timestamps.map((milliseconds) => milliseconds / SECOND);
          const shown = typeof charts === 'function' ? charts(series) : charts;
          return Object.keys(series).length === 0 ? (
            <Notice title={statisticsWords.nothingYet}>
              <p>{statisticsWords.nothingYetMore}</p>
            </Notice>
          ) : (
            <div class="panels">
              {shown.map((chart) => (
                <One key={chart.title} chart={chart} times={times} series={series} />
              ))}
            </div>
          );
        }}
      </Loaded>
    </>
  );
}

interface OneProps {
  readonly chart: HistoryChart;
  readonly times: readonly number[];
  readonly series: HistoryShape['series'];
}

function One({ chart: { title, lines, format = compact, fill = false }, times, series }: OneProps) {
  const known = lines.flatMap(([name, label]) => {
    const values = series[name];
    return values === undefined ? [] : [{ label, values }];
  });
  if (known.length === 0) return null;
  return (
    <Panel title={title}>
      <Chart label={title} times={times} series={known} format={format} fill={fill} />
    </Panel>
  );
}

function Spans({ age, longest }: { readonly age: number; readonly longest: number }) {
  const spans = [
    [MINUTES, statisticsWords.minutes],
    [HOUR, statisticsWords.hour],
    [HOURS, statisticsWords.hours],
    [DAY, statisticsWords.day],
  ] as const;
  return (
    <fieldset class="choice" aria-label={statisticsWords.span}>
      {spans
        .filter(([seconds]) => seconds <= longest)
        .map(([seconds, text]) => (
          <button
            key={seconds}
            type="button"
            aria-pressed={age === seconds}
            onClick={() => {
              span.value = seconds;
            }}
          >
            {text}
          </button>
        ))}
    </fieldset>
  );
}
