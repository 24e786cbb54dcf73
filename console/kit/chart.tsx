import { useEffect, useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import { compact } from '../format/numbers.ts';
import { dark } from '../theme.ts';
import { language } from '../words/language.ts';

export interface Series {
  readonly label: string;
  /** One for each of the times; null where there is none. */
  readonly values: readonly (number | null)[];
}

export interface ChartProps {
  /** What it shows: for readers of screens. */
  readonly label: string;
  /** Seconds since the epoch, ascending. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  /** Of values on the axis and in the legend. */
  readonly format?: (value: number) => string;
  readonly height?: number;
  /** Areas on top of each other. */
  readonly fill?: boolean;
}

/** Lines over time, by uPlot, which comes when the first chart is shown. */
export function Chart({ label, times, series, format = compact, height = 180, fill = false }: ChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const data = [times, ...series.map(({ values }) => values)] as unknown as uPlot.AlignedData;
  const latest = useRef(data);
  latest.current = data;
  const labels = series.map((each) => each.label).join('\n');
  const look = `${dark.value} ${language.value} ${labels} ${height} ${fill}`;

  // Of its dependencies `look` stands for all that it is made of; data come below.
  useEffect(() => {
    let gone = false;
    const element = frame.current;
    if (element === null) return;
    const resized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    void import('./plot.ts').then(({ makePlot }) => {
      if (gone) return;
      plot.current = makePlot(element, { labels: labels.split('\n'), format, height, fill, data: latest.current });
      resized.observe(element);
    });
    return () => {
      gone = true;
      resized.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [look]);

  useEffect(() => plot.current?.setData(latest.current));

  return <div ref={frame} class="chart" role="img" aria-label={label} style={{ minHeight: `${height}px` }} />;
}
