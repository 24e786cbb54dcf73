import { useState } from 'preact/hooks';
import type { ResetAnswer, ResetOffset } from '../../../src/protocols/http/shapes/groups.ts';
import { api } from '../../api/client.ts';
import { count } from '../../format/index.ts';
import { Button } from '../../kit/button.tsx';
import { needed, wholeNumber } from '../../kit/checks.ts';
import { Dialog, openDialog } from '../../kit/dialog.tsx';
import { Form, SelectField, TextField, useForm } from '../../kit/form.tsx';
import { LocalTable } from '../../kit/local-table.tsx';
import type { Column } from '../../kit/table.tsx';
import { notify } from '../../kit/toast.tsx';
import { url } from '../../location.ts';
import { common } from '../../words/common.ts';
import { consumerGroupWords, resetWords } from '../../words/groups.ts';

const PLACES = ['earliest', 'latest', 'offset', 'timestamp', 'shift'] as const;
type Place = (typeof PLACES)[number];

interface Values {
  readonly to: Place;
  readonly value: string;
  readonly time: string;
  readonly stream: string;
  readonly partitions: string;
}

export function openReset(group: string, streams: readonly string[]): Promise<unknown> {
  return openDialog<void>((close) => <Reset group={group} streams={streams} close={close} />);
}

interface ResetProps {
  readonly group: string;
  readonly streams: readonly string[];
  close(): void;
}

/** Where a group goes on: first shown, then done. */
function Reset({ group, streams, close }: ResetProps) {
  const [preview, setPreview] = useState<{ readonly of: Values; readonly offsets: readonly ResetOffset[] }>();
  const ask = (values: Values, dry: boolean) =>
    api.post<ResetAnswer>(url`/groups/${group}/reset`, { ...requestOf(values), dry_run: dry });
  const form = useForm<Values>({
    initial: { to: 'earliest', value: '', time: '', stream: '', partitions: '' },
    validate: ({ to, value, time, partitions }) => ({
      value:
        to === 'offset' || to === 'shift'
          ? wholeNumber(value, { required: true, ...(to === 'shift' && { min: Number.MIN_SAFE_INTEGER }) })
          : undefined,
      time: to === 'timestamp' ? needed(time) : undefined,
      partitions: /^[\d\s,]*$/.test(partitions) ? undefined : resetWords.wrongPartitions,
    }),
    submit: async (values) => setPreview({ of: values, offsets: (await ask(values, true)).offsets }),
  });
  const { to } = form.values;
  const shown = preview?.of === form.values ? preview : undefined;
  return (
    <Dialog title={resetWords.title} wide onClose={close}>
      <Form form={form} action={resetWords.preview} buttons={<Button onClick={close}>{common.cancel}</Button>}>
        <div class="columns">
          <SelectField
            label={resetWords.to}
            options={PLACES.map((value) => ({ value, label: resetWords[value] }))}
            {...form.field('to')}
          />
          {(to === 'offset' || to === 'shift') && (
            <TextField
              label={to === 'offset' ? resetWords.value : resetWords.by}
              required
              inputMode="numeric"
              {...form.field('value')}
            />
          )}
          {to === 'timestamp' && (
            <TextField label={resetWords.time} required type="datetime-local" {...form.field('time')} />
          )}
          <TextField label={resetWords.stream} suggestions={streams} {...form.field('stream')} />
          {form.values.stream.trim() !== '' && (
            <TextField label={resetWords.partitions} {...form.field('partitions')} />
          )}
        </div>
        {shown && (
          <>
            <LocalTable
              label={resetWords.preview}
              columns={columns()}
              rows={shown.offsets}
              rowKey={({ stream, partition }) => `${stream} ${partition}`}
            />
            <Button
              kind="harm"
              onClick={async () => {
                const { offsets } = await ask(shown.of, false);
                notify(resetWords.done(offsets.length, count(offsets.length)));
                close();
              }}
            >
              {resetWords.apply}
            </Button>
          </>
        )}
      </Form>
    </Dialog>
  );
}

function requestOf({ to, value, time, stream, partitions }: Values) {
  const indexes = partitions.split(',').flatMap((text) => (text.trim() === '' ? [] : [Number(text)]));
  return {
    to:
      to === 'offset'
        ? { offset: Number(value) }
        : to === 'shift'
          ? { shift: Number(value) }
          : to === 'timestamp'
            ? { timestamp: new Date(time).getTime() }
            : to,
    ...(stream.trim() !== '' && {
      streams: [{ stream: stream.trim(), ...(indexes.length > 0 && { partitions: indexes }) }],
    }),
  };
}

function columns(): Column<ResetOffset>[] {
  return [
    { id: 'stream', title: consumerGroupWords.stream, sort: 'stream', cell: ({ stream }) => stream },
    {
      id: 'partition',
      title: consumerGroupWords.partition,
      sort: 'partition',
      align: 'end',
      cell: ({ partition }) => count(partition),
    },
    {
      id: 'before',
      title: resetWords.before,
      align: 'end',
      cell: ({ offset }) => (offset < 0 ? common.none : count(offset)),
    },
    { id: 'after', title: resetWords.after, align: 'end', cell: ({ new_offset: offset }) => count(offset) },
    { id: 'lag', title: resetWords.lagThen, align: 'end', cell: ({ new_lag: lag }) => count(lag) },
  ];
}
