import { useState } from 'preact/hooks';
import type { AuditEntryShape, AuditPageShape } from '../../src/protocols/http/shapes/audit.ts';
import { api, request } from '../api/client.ts';
import { usePoll } from '../api/poll.ts';
import { exactTime } from '../format/index.ts';
import { Button } from '../kit/button.tsx';
import { Dialog, openDialog } from '../kit/dialog.tsx';
import { Badge, type Tone } from '../kit/facts.tsx';
import { Form, SelectField, TextField, useForm } from '../kit/form.tsx';
import { Page } from '../kit/page.tsx';
import { Loaded, Notice } from '../kit/problem.tsx';
import { Table } from '../kit/table.tsx';
import { download, Json } from '../kit/viewer.tsx';
import { place, setQuery } from '../location.ts';
import { operationWords } from '../words/administration.ts';
import { common } from '../words/common.ts';

const FILTERS = ['user', 'act', 'object', 'outcome', 'since', 'until'] as const;
type Filters = Readonly<Record<(typeof FILTERS)[number], string>>;

const PAGE = 100;
const MAX_LINES = 1_000;
const TONES: Readonly<Record<string, Tone>> = { done: 'good', refused: 'bad', failed: 'warn' };

/** Who did what to the broker. */
export function Audit() {
  const filters = Object.fromEntries(FILTERS.map((name) => [name, place.value.query.get(name) ?? ''])) as Filters;
  const query = { ...filters, since: timeText(filters.since), until: timeText(filters.until) };
  return (
    <Page
      title={operationWords.audit}
      actions={
        <Button icon="download" onClick={() => lines(query)}>
          {operationWords.lines}
        </Button>
      }
    >
      <Filter key={JSON.stringify(filters)} of={filters} />
      <Acts key={JSON.stringify(query)} query={query} />
    </Page>
  );
}

/** Of the time zone of the browser. */
function timeText(text: string): string {
  const time = Date.parse(text);
  return Number.isNaN(time) ? '' : String(time);
}

async function lines(query: Filters): Promise<void> {
  const response = await request('GET', '/audit', { query: { ...query, format: 'jsonl', limit: MAX_LINES } });
  download('sluice-audit.jsonl', await response.blob(), 'application/x-ndjson');
}

function Filter({ of }: { readonly of: Filters }) {
  const form = useForm<Filters>({ initial: of, submit: async (filters) => setQuery(filters) });
  const outcomes = [
    { value: '', label: common.all },
    { value: 'done', label: operationWords.done },
    { value: 'refused', label: operationWords.refused },
    { value: 'failed', label: operationWords.failed },
  ];
  return (
    <details open={Object.values(of).some((text) => text !== '')}>
      <summary>{common.search}</summary>
      <Form form={form} action={common.search}>
        <TextField label={common.user} {...form.field('user')} />
        <TextField label={operationWords.act} {...form.field('act')} />
        <TextField label={operationWords.object} {...form.field('object')} />
        <SelectField label={operationWords.outcome} options={outcomes} {...form.field('outcome')} />
        <TextField label={operationWords.since} type="datetime-local" {...form.field('since')} />
        <TextField label={operationWords.until} type="datetime-local" {...form.field('until')} />
      </Form>
    </details>
  );
}

function Acts({ query }: { readonly query: Filters }) {
  const [older, setOlder] = useState<AuditPageShape>();
  const poll = usePoll<AuditPageShape>('/audit', { query: { ...query, limit: PAGE } });
  return (
    <Loaded of={poll}>
      {(newest) => {
        // What was shown as older stays so when newer ones push in between.
        const last = newest.items.at(-1)?.id ?? 0;
        const items = [...newest.items, ...(older?.items ?? []).filter(({ id }) => id < last)];
        const next = older === undefined ? newest.next : older.next;
        return (
          <>
            <ActTable rows={items} />
            {next !== null && (
              <Button
                onClick={async () => {
                  const page = await api.get<AuditPageShape>('/audit', {
                    query: { ...query, limit: PAGE, before: next },
                  });
                  setOlder((before) => ({ ...page, items: [...(before?.items ?? []), ...page.items] }));
                }}
              >
                {operationWords.moreActs}
              </Button>
            )}
          </>
        );
      }}
    </Loaded>
  );
}

function ActTable({ rows }: { readonly rows: readonly AuditEntryShape[] }) {
  return (
    <Table<AuditEntryShape>
      label={operationWords.audit}
      rows={rows}
      rowKey={({ id }) => String(id)}
      empty={<Notice icon="audit" title={operationWords.noActs} />}
      columns={[
        { id: 'time', title: operationWords.when, cell: ({ time }) => <span class="line">{exactTime(time)}</span> },
        { id: 'user', title: common.user, cell: ({ user }) => user ?? operationWords.nobody },
        { id: 'act', title: operationWords.act, cell: ({ act }) => <span class="mono">{act}</span> },
        {
          ...{ id: 'object', title: operationWords.object },
          cell: ({ object, vhost }) => (
            <>
              {object} {vhost !== null && <span class="sub">{vhost}</span>}
            </>
          ),
        },
        {
          ...{ id: 'outcome', title: operationWords.outcome },
          cell: ({ outcome, reason, repeated }) => (
            <>
              <Badge tone={TONES[outcome] ?? 'plain'}>{operationWords[outcome]}</Badge>
              {reason !== null && <span class="sub">{reason}</span>}
              {repeated > 0 && <span class="sub">{operationWords.repeated(repeated)}</span>}
            </>
          ),
        },
        { id: 'protocol', title: operationWords.protocol, cell: ({ protocol }) => protocol },
        { id: 'address', title: operationWords.address, cell: ({ address }) => address },
        { id: 'details', title: common.details, cell: ({ details }) => <Details of={details} /> },
      ]}
    />
  );
}

/** In a row of their own they would be as long as the page. */
function Details({ of }: { readonly of: AuditEntryShape['details'] }) {
  if (of === null || Object.keys(of).length === 0) return null;
  return (
    <Button
      kind="link"
      onClick={() =>
        void openDialog<void>((close) => (
          <Dialog title={common.details} wide onClose={close}>
            <Json value={of} label={common.details} />
          </Dialog>
        ))
      }
    >
      {common.details}
    </Button>
  );
}
