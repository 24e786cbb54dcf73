import { useState } from 'preact/hooks';
import type { LogLevelShape, LogLineShape, LogPageShape } from '../../src/protocols/http/shapes/logs.ts';
import { api } from '../api/client.ts';
import { useEvents } from '../api/events.ts';
import { usePoll } from '../api/poll.ts';
import { may } from '../api/session.ts';
import { exactTime } from '../format/index.ts';
import { Button } from '../kit/button.tsx';
import { Badge, JsonFacts, type Tone } from '../kit/facts.tsx';
import { Choice } from '../kit/form.tsx';
import { Page } from '../kit/page.tsx';
import { Loaded, Notice, Problem } from '../kit/problem.tsx';
import { Table } from '../kit/table.tsx';
import { notify } from '../kit/toast.tsx';
import { place, setQuery } from '../location.ts';
import { operationWords } from '../words/administration.ts';
import { common } from '../words/common.ts';

/** Lines on the page; older ones go. */
const MAX_LINES = 500;
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const TONES: Readonly<Record<string, Tone>> = { warn: 'warn', error: 'bad', info: 'info' };

/** The log of the broker, as it is written. */
export function Logs() {
  const get = (name: string) => place.value.query.get(name) ?? '';
  const query = { level: get('level') || 'info', part: get('part'), text: get('text') };
  const levels = usePoll<LogLevelShape>('/log-level');
  return (
    <Page title={operationWords.logs}>
      <div class="bar">
        <Choice
          label={operationWords.leastLevel}
          value={query.level}
          options={LEVELS.map((value) => ({ value: value as string, label: value }))}
          onChange={(level) => setQuery({ level })}
        />
        <Choice
          label={operationWords.part}
          value={query.part}
          options={[
            { value: '', label: common.all },
            ...Object.keys(levels.data?.parts ?? {}).map((value) => ({ value, label: value })),
          ]}
          onChange={(part) => setQuery({ part })}
        />
        <input
          type="search"
          aria-label={operationWords.text}
          placeholder={operationWords.text}
          value={query.text}
          onChange={({ currentTarget }) => setQuery({ text: currentTarget.value })}
        />
      </div>
      <Loaded of={levels}>{(data) => <Levels of={data} />}</Loaded>
      <Lines key={JSON.stringify(query)} query={query} />
    </Page>
  );
}

/** Those that are there, and those that come. */
function Lines({ query }: { readonly query: Readonly<Record<string, string>> }) {
  const [paused, setPaused] = useState(false);
  const [come, setCome] = useState<readonly LogLineShape[]>([]);
  const past = usePoll<LogPageShape>('/logs', { query: { ...query, limit: 200 }, every: 0 });
  const [newest] = past.data?.items ?? [];
  const tail = useEvents(paused || past.data === undefined ? undefined : '/logs/tail', {
    query: { ...query, after: newest?.id ?? 0 },
    onEvents: (events) => {
      const lines = events.map(({ data }) => JSON.parse(data) as LogLineShape).reverse();
      setCome((before) => [...lines, ...before].slice(0, MAX_LINES));
    },
  });
  const last = come.at(-1)?.id ?? Number.POSITIVE_INFINITY;
  const lines = [...come, ...(past.data?.items ?? []).filter(({ id }) => id < last)].slice(0, MAX_LINES);
  const state = paused
    ? operationWords.paused
    : tail.state === 'open'
      ? operationWords.live
      : operationWords.connecting;
  return (
    <>
      <div class="bar">
        <Badge tone={tail.state === 'open' && !paused ? 'good' : 'plain'}>{state}</Badge>
        <Button icon={paused ? 'play' : 'pause'} onClick={() => setPaused(!paused)}>
          {paused ? operationWords.resume : operationWords.pause}
        </Button>
      </div>
      {past.error && past.data === undefined && <Problem error={past.error} onRetry={past.refresh} />}
      <Table<LogLineShape>
        label={operationWords.logs}
        rows={lines}
        rowKey={({ id }) => String(id)}
        empty={<Notice icon="log" title={operationWords.noLines} />}
        columns={[
          { id: 'time', title: operationWords.when, cell: ({ time }) => <span class="line">{exactTime(time)}</span> },
          {
            ...{ id: 'level', title: operationWords.level },
            cell: ({ level }) => <Badge tone={TONES[level] ?? 'plain'}>{level}</Badge>,
          },
          { id: 'part', title: operationWords.part, cell: ({ part }) => part },
          { id: 'message', title: operationWords.text, cell: ({ message }) => message },
          { id: 'facts', title: common.details, cell: ({ facts }) => <JsonFacts value={facts} /> },
        ]}
      />
    </>
  );
}

function Levels({ of: { level, parts, levels } }: { readonly of: LogLevelShape }) {
  if (!may('administrator')) return null;
  const options = levels.map((value) => ({ value, label: value }));
  const set = async (change: object) => {
    await api.put('/log-level', change);
    notify(operationWords.levelChanged);
  };
  return (
    <details>
      <summary>{operationWords.logLevel}</summary>
      <div class="bar">
        <Choice
          label={operationWords.levelOfAll}
          value={level}
          options={options}
          onChange={(chosen) => void set({ level: chosen })}
        />
        {Object.entries(parts).map(([part, own]) => (
          <Choice
            key={part}
            label={part}
            value={own ?? ''}
            options={[{ value: '', label: operationWords.asAll }, ...options]}
            onChange={(chosen) => void set({ parts: { [part]: chosen === '' ? null : chosen } })}
          />
        ))}
      </div>
    </details>
  );
}
