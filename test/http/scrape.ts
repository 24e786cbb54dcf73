/** One line of a page of metrics. */
export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Scrape {
  readonly series: readonly Series[];
  /** By family: as its `TYPE` says. */
  readonly types: ReadonlyMap<string, string>;
  readonly help: ReadonlyMap<string, string>;
}

const SERIES = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/gy;

/** Reads Prometheus' text format. Throws for a line that is none. */
export function parseScrape(text: string): Scrape {
  const series: Series[] = [];
  const types = new Map<string, string>();
  const help = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, kind, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind !== undefined) (kind === 'TYPE' ? types : help).set(name, rest);
    else if (line !== '' && line !== '# EOF') series.push(parseLine(line));
  }
  return { series, types, help };
}

function parseLine(line: string): Series {
  const [, name, labels = '', value = ''] = SERIES.exec(line) ?? [];
  if (name === undefined) throw new Error(`not a line of metrics: ${line}`);
  return { name, labels: parseLabels(labels), value: value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value) };
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let end = 0;
  for (const [all, name = '', value = ''] of text.matchAll(LABEL)) {
    labels[name] = value.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
    end += all.length;
  }
  if (end !== text.length) throw new Error(`not labels: ${text}`);
  return labels;
}
