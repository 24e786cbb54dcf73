import { useState } from 'preact/hooks';
import type { RecordPage } from '../../../src/protocols/http/shapes/streams.ts';
import { usePoll } from '../../api/poll.ts';
import { bytes, count } from '../../format/index.ts';
import { Button } from '../../kit/button.tsx';
import { wholeNumber } from '../../kit/checks.ts';
import { CheckField, Form, SelectField, TextField, useForm } from '../../kit/form.tsx';
import { Loaded, Notice } from '../../kit/problem.tsx';
import { Table } from '../../kit/table.tsx';
import { place, setQuery, url } from '../../location.ts';
import { common } from '../../words/common.ts';
import { recordWords, streamWords } from '../../words/streams.ts';
import { recordColumns } from './record-view.tsx';

const PAGE = 50;

/** What is looked for; in the address, so that a link shows the same. */
interface Wanted {
  readonly order: 'newest' | 'oldest';
  readonly partition: string;
  readonly offset: string;
  /** As the browser's field has it: local time. */
  readonly since: string;
  readonly key: string;
  readonly filter: string;
  readonly committed: boolean;
  readonly control: boolean;
}

function wantedIn(query: URLSearchParams): Wanted {
  const get = (name: string) => query.get(name) ?? '';
  return {
    order: get('order') === 'oldest' ? 'oldest' : 'newest',
    ...{ partition: get('partition'), offset: get('offset'), since: get('since') },
    ...{ key: get('key'), filter: get('filter'), committed: get('committed') === '1', control: get('control') === '1' },
  };
}

/** Records of a stream: from either end, an offset or a time, by key or text; page after page. */
export function Records({ stream, partitions }: { readonly stream: string; readonly partitions: number }) {
  const wanted = wantedIn(place.value.query);
  const asked = JSON.stringify(wanted);
  const [cursor, setCursor] = useState({ asked, text: '' });
  const at = cursor.asked === asked ? cursor.text : '';
  const { order, partition, offset, since, key, filter } = wanted;
  const poll = usePoll<RecordPage>(url`/streams/${stream}/messages`, {
    query: {
      ...{ order, count: PAGE },
      ...(partition !== '' && { partition }),
      ...(offset !== '' && { offset }),
      ...(since !== '' && offset === '' && { timestamp: new Date(since).getTime() }),
      ...(key !== '' && { key }),
      ...(filter !== '' && { filter }),
      ...(wanted.committed && { isolation: 'read_committed' }),
      ...(wanted.control && { control: true }),
      ...(at !== '' && { cursor: at }),
    },
    every: 0,
  });
  return (
    <div class="server-table">
      <Search key={asked} wanted={wanted} partitions={partitions} />
      <Loaded of={poll}>
        {({ items, more, scanned, cursor: next }) => (
          <>
            <Table
              label={streamWords.records}
              columns={recordColumns(stream)}
              rows={items}
              rowKey={(record) => recordWords.record(record.partition, String(record.offset))}
              busy={poll.loading}
              empty={<Notice icon="search" title={more ? recordWords.noneYet : recordWords.none} />}
            />
            <div class="bar pages">
              <span class="muted" role="status">
                {recordWords.scanned(count(scanned.records), bytes(scanned.bytes))}
              </span>
              <span class="gap" />
              <Button kind="quiet" icon="refresh" onClick={() => poll.refresh()}>
                {common.refresh}
              </Button>
              <Button kind="quiet" icon="firstPage" disabled={at === ''} onClick={() => setCursor({ asked, text: '' })}>
                {recordWords.first}
              </Button>
              <Button kind="quiet" icon="right" disabled={!more} onClick={() => setCursor({ asked, text: next })}>
                {recordWords.next}
              </Button>
            </div>
          </>
        )}
      </Loaded>
    </div>
  );
}

function Search({ wanted, partitions }: { readonly wanted: Wanted; readonly partitions: number }) {
  const form = useForm<Wanted>({
    initial: wanted,
    validate: ({ offset }) => ({ offset: wholeNumber(offset) }),
    submit: async ({ order, committed, control, ...texts }) => {
      const given = Object.entries(texts).map(([name, text]) => [name, text.trim() || undefined]);
      setQuery({
        ...Object.fromEntries(given),
        ...{ order: order === 'oldest' ? order : undefined },
        ...{ committed: committed ? '1' : undefined, control: control ? '1' : undefined },
      });
    },
  });
  return (
    <Form form={form} action={recordWords.show}>
      <div class="columns">
        <SelectField
          label={recordWords.order}
          options={(['newest', 'oldest'] as const).map((value) => ({ value, label: recordWords[value] }))}
          {...form.field('order')}
        />
        <TextField
          label={streamWords.partition}
          placeholder={recordWords.allPartitions}
          inputMode="numeric"
          disabled={partitions === 1}
          {...form.field('partition')}
        />
        <TextField label={recordWords.fromOffset} inputMode="numeric" {...form.field('offset')} />
        <TextField label={recordWords.fromTime} type="datetime-local" {...form.field('since')} />
        <TextField label={recordWords.key} monospace {...form.field('key')} />
        <TextField label={recordWords.contains} monospace {...form.field('filter')} />
        <CheckField label={recordWords.committedOnly} {...form.field('committed')} />
        <CheckField label={recordWords.withMarkers} {...form.field('control')} />
      </div>
    </Form>
  );
}
