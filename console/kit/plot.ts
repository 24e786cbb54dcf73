import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { byteRate, bytes } from '../format/numbers.ts';
import { tick, time } from '../format/times.ts';
import { common } from '../words/common.ts';

export interface PlotOptions {
  readonly labels: readonly string[];
  readonly format: (value: number) => string;
  readonly height: number;
  readonly fill: boolean;
  readonly data: uPlot.AlignedData;
}

/** Colours of lines in the theme: --line-1 and so on. */
const COLOURS = 8;
const SECOND = 1000;
/** Steps of an axis of bytes: 1, 2, 4 … */
const BINARY_STEPS = Array.from({ length: 50 }, (_, power) => 2 ** power);

export function makePlot(element: HTMLElement, { labels, format, height, fill, data }: PlotOptions): uPlot {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis: uPlot.Axis = {
    stroke: colour('--text-soft'),
    grid: { stroke: colour('--border'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  };
  const lines = labels.map((label, index): uPlot.Series => {
    const stroke = colour(`--line-${(index % COLOURS) + 1}`);
    return {
      label,
      stroke,
      width: 1.5,
      points: { show: false },
      value: (_plot, value) => (value === null || value === undefined ? '–' : format(value)),
      ...(fill && { fill: `color-mix(in srgb, ${stroke} 15%, transparent)` }),
    };
  });
  return new uPlot(
    {
      width: element.clientWidth,
      height,
      cursor: { y: false },
      legend: { live: true },
      hooks: { ready: [showNewest], setData: [showNewest], setLegend: [showNewest] },
      scales: { y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.05 : 1] } },
      series: [
        {
          label: common.time,
          value: (_plot, seconds) => (seconds === null || seconds === undefined ? '–' : time(seconds * SECOND)),
        },
        ...lines,
      ],
      axes: [
        {
          ...axis,
          space: 70,
          values: (_plot, at, _axis, _space, apart) => at.map((each) => tick(each * SECOND, apart * SECOND)),
        },
        {
          ...axis,
          size: 64,
          values: (_plot, values) => values.map(format),
          ...((format === bytes || format === byteRate) && { incrs: BINARY_STEPS }),
        },
      ],
    },
    data,
    element,
  );
}

/** The legend has the newest values while nobody points at others. */
function showNewest(plot: uPlot): void {
  if (plot.cursor.idx === null || plot.cursor.idx === undefined)
    plot.setLegend({ idx: plot.data[0].length - 1 }, false);
}
