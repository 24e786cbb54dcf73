import type { TraceSearch, TraceSummary } from '../../src/protocols/http/shapes/traces.ts';
import { usePoll } from '../api/poll.ts';
import { may } from '../api/session.ts';
import { bytes, count, exactTime } from '../format/index.ts';
import { Button } from '../kit/button.tsx';
import { Form, TextField, useForm } from '../kit/form.tsx';
import { Page } from '../kit/page.tsx';
import { Loaded, Notice } from '../kit/problem.tsx';
import { type Column, Table } from '../kit/table.tsx';
import { place, setQuery, url } from '../location.ts';
import { virtualHost } from '../virtual-host.ts';
import { common } from '../words/common.ts';
import { recordingWords, stepWords, traceWords } from '../words/traces.ts';
import { By, exchangeName, PlaceLink } from './traces/parts.tsx';
import { changeRecording } from './traces/recording.tsx';

const FIELDS = ['message_id', 'key', 'destination', 'from', 'to'] as const;
const COUNT = '50';

/** Messages by id, key, destination and time. */
export function Traces() {
  const { query } = place.value;
  const asked = Object.fromEntries(FIELDS.map((name) => [name, query.get(name) ?? undefined]));
  const cursor = query.get('cursor') ?? undefined;
  const poll = usePoll<TraceSearch>('/traces', {
    query: {
      ...asked,
      from: timeOf(asked['from']),
      to: timeOf(asked['to']),
      vhost: virtualHost.value || undefined,
      count: COUNT,
      cursor,
    },
    // A search is not asked again by itself: it may look through much.
    every: 0,
  });
  return (
    <Page
      title={traceWords.title}
      notes={poll.data && <span class="badge">{recordingWords[poll.data.mode]}</span>}
      actions={
        <>
          <Button icon="refresh" onClick={() => poll.refresh()}>
            {common.refresh}
          </Button>
          {may('administrator') && (
            <Button icon="settings" onClick={() => changeRecording()}>
              {traceWords.settings}
            </Button>
          )}
        </>
      }
    >
      <Search key={FIELDS.map((name) => query.get(name) ?? '').join('\n')} />
      <Loaded of={poll}>{(found) => <Found found={found} cursor={cursor} />}</Loaded>
    </Page>
  );
}

function Search() {
  const { query } = place.value;
  const value = (name: (typeof FIELDS)[number]) => query.get(name) ?? '';
  const form = useForm({
    initial: {
      message_id: value('message_id'),
      key: value('key'),
      destination: value('destination'),
      from: value('from'),
      to: value('to'),
    },
    submit: async (values) => setQuery({ ...values, cursor: undefined }, { replace: false }),
  });
  const clear = () => setQuery(Object.fromEntries([...FIELDS, 'cursor'].map((name) => [name, undefined])));
  return (
    <search class="panel trace-search">
      <Form form={form} action={common.search} buttons={<Button onClick={clear}>{traceWords.clear}</Button>}>
        <TextField label={traceWords.messageId} monospace {...form.field('message_id')} />
        <TextField label={traceWords.key} monospace {...form.field('key')} />
        <TextField label={traceWords.destination} {...form.field('destination')} />
        <TextField label={traceWords.from} type="datetime-local" {...form.field('from')} />
        <TextField label={traceWords.to} type="datetime-local" {...form.field('to')} />
      </Form>
    </search>
  );
}

function Found({ found, cursor }: { readonly found: TraceSearch; readonly cursor: string | undefined }) {
  const { traces, dropped, mode, cursor: next } = found;
  return (
    <>
      {dropped > 0 && <p class="muted">{traceWords.dropped(dropped, count(dropped))}</p>}
      <Table
        label={traceWords.title}
        columns={columns()}
        rows={traces}
        rowKey={({ trace }) => trace}
        empty={
          <Notice icon="search" title={traceWords.nothing}>
            {mode === 'off' && <p>{traceWords.nothingRecorded}</p>}
          </Notice>
        }
      />
      <div class="buttons">
        {cursor !== undefined && <Button onClick={() => setQuery({ cursor: undefined })}>{traceWords.newest}</Button>}
        {next !== undefined && (
          <Button onClick={() => setQuery({ cursor: next }, { replace: false })}>{traceWords.older}</Button>
        )}
      </div>
    </>
  );
}

function columns(): Column<TraceSummary>[] {
  return [
    {
      ...{ id: 'time', title: traceWords.time },
      cell: ({ trace, time }) => (
        <a class="line" href={url`/traces/${trace}`}>
          {exactTime(time)}
        </a>
      ),
    },
    {
      ...{ id: 'id', title: traceWords.messageId },
      cell: ({ message_id: id }) => <span class="mono">{id ?? '–'}</span>,
    },
    { ...{ id: 'key', title: common.key }, cell: ({ key }) => <span class="mono">{key ?? '–'}</span> },
    {
      ...{ id: 'exchange', title: traceWords.exchange },
      cell: ({ exchange }) => (exchange === undefined ? '–' : exchangeName(exchange)),
    },
    {
      ...{ id: 'places', title: traceWords.cameTo },
      cell: ({ places, outcome }) =>
        places.length === 0
          ? outcome && stepWords[outcome]
          : places.map((each) => (
              <div key={`${each.name}/${each.partition}/${each.offset}`}>
                <PlaceLink place={each} />
              </div>
            )),
    },
    { ...{ id: 'by', title: traceWords.publishedBy }, cell: ({ by }) => (by ? <By actor={by} /> : '–') },
    {
      ...{ id: 'size', title: traceWords.size, align: 'end' },
      cell: ({ bytes: size }) => (size === undefined ? '–' : bytes(size)),
    },
  ];
}

/** Of a field for dates, in the time of whoever looks. */
function timeOf(text: string | undefined): string | undefined {
  const time = text === undefined ? Number.NaN : new Date(text).getTime();
  return Number.isNaN(time) ? undefined : String(time);
}
