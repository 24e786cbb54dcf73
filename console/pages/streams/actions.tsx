import type { StreamSummary } from '../../../src/protocols/http/shapes/streams.ts';
import { api } from '../../api/client.ts';
import { count } from '../../format/index.ts';
import { Button } from '../../kit/button.tsx';
import { needed, numberOf, wholeNumber } from '../../kit/checks.ts';
import { confirm, Dialog, openDialog } from '../../kit/dialog.tsx';
import { Form, SelectField, TextField, useForm } from '../../kit/form.tsx';
import { notify } from '../../kit/toast.tsx';
import { navigate, url } from '../../location.ts';
import { common } from '../../words/common.ts';
import { recordWords, streamWords } from '../../words/streams.ts';

const HOUR_MS = 3_600_000;

export function openCreate(): Promise<unknown> {
  return openDialog<void>((close) => <Create close={close} />);
}

function Create({ close }: { close(): void }) {
  const form = useForm({
    initial: {
      ...{ name: '', partitions: '1', cleanup: 'delete' as 'delete' | 'compact' | 'compact,delete' },
      ...{ retention: '', retentionBytes: '' },
    },
    validate: ({ name, partitions, retention, retentionBytes }) => ({
      name: needed(name),
      partitions: wholeNumber(partitions, { min: 1, required: true }),
      retention: wholeNumber(retention, { min: -1 }),
      retentionBytes: wholeNumber(retentionBytes, { min: -1 }),
    }),
    submit: async ({ name, partitions, cleanup, retention, retentionBytes }) => {
      const hours = numberOf(retention);
      const size = numberOf(retentionBytes);
      await api.put(url`/streams/${name.trim()}`, {
        partitions: Number(partitions),
        config: {
          ...(cleanup !== 'delete' && { 'cleanup.policy': cleanup }),
          ...(hours !== undefined && { 'retention.ms': hours < 0 ? -1 : hours * HOUR_MS }),
          ...(size !== undefined && { 'retention.bytes': size }),
        },
      });
      notify(streamWords.created(name.trim()));
      close();
      navigate(url`/streams/${name.trim()}`);
    },
  });
  const policies = ['delete', 'compact', 'compact,delete'] as const;
  return (
    <Dialog title={streamWords.create} onClose={close}>
      <Form form={form} action={common.create} buttons={<Button onClick={close}>{common.cancel}</Button>}>
        <TextField label={common.name} required {...form.field('name')} />
        <TextField label={streamWords.partitions} required inputMode="numeric" {...form.field('partitions')} />
        <SelectField
          label={streamWords.cleanup}
          options={policies.map((value) => ({ value, label: value }))}
          {...form.field('cleanup')}
        />
        <TextField
          label={streamWords.retentionHours}
          hint={streamWords.retentionHint}
          inputMode="numeric"
          {...form.field('retention')}
        />
        <TextField
          label={streamWords.retentionBytes}
          hint={streamWords.retentionHint}
          inputMode="numeric"
          {...form.field('retentionBytes')}
        />
      </Form>
    </Dialog>
  );
}

export function openAddPartitions(stream: StreamSummary): Promise<unknown> {
  return openDialog<void>((close) => <AddPartitions stream={stream} close={close} />);
}

function AddPartitions({ stream: { name, partitions }, close }: { readonly stream: StreamSummary; close(): void }) {
  const form = useForm({
    initial: { total: String(partitions + 1) },
    validate: ({ total }) => ({ total: wholeNumber(total, { min: partitions + 1, required: true }) }),
    submit: async ({ total }) => {
      await api.post(url`/streams/${name}/partitions`, { count: Number(total) });
      notify(streamWords.partitionsAdded(Number(total), count(Number(total))));
      close();
    },
  });
  return (
    <Dialog title={streamWords.addPartitions} onClose={close}>
      <Form form={form} action={common.add} buttons={<Button onClick={close}>{common.cancel}</Button>}>
        <TextField
          label={streamWords.partitionsInAll}
          hint={streamWords.addPartitionsHint}
          inputMode="numeric"
          required
          {...form.field('total')}
        />
      </Form>
    </Dialog>
  );
}

export function openTrim(stream: StreamSummary): Promise<unknown> {
  return openDialog<void>((close) => <Trim stream={stream} close={close} />);
}

function Trim({ stream: { name }, close }: { readonly stream: StreamSummary; close(): void }) {
  const form = useForm({
    initial: { before: 'offset' as 'all' | 'offset' | 'time', offset: '', time: '', partition: '' },
    validate: ({ before, offset, time, partition }) => ({
      offset: before === 'offset' ? wholeNumber(offset, { required: true }) : undefined,
      time: before === 'time' ? needed(time) : undefined,
      partition: wholeNumber(partition),
    }),
    submit: async ({ before, offset, time, partition }) => {
      const only = numberOf(partition);
      await api.post(url`/streams/${name}/trim`, {
        ...(before === 'time'
          ? { before_timestamp: new Date(time).getTime() }
          : { before_offset: before === 'all' ? 'end' : Number(offset) }),
        ...(only !== undefined && { partitions: [only] }),
      });
      notify(streamWords.trimmed);
      close();
    },
  });
  const options = [
    { value: 'offset' as const, label: streamWords.trimOffset },
    { value: 'time' as const, label: streamWords.trimTime },
    { value: 'all' as const, label: streamWords.trimAll },
  ];
  return (
    <Dialog title={streamWords.trimTitle} onClose={close}>
      <Form form={form} action={streamWords.trim} harm buttons={<Button onClick={close}>{common.cancel}</Button>}>
        <SelectField label={streamWords.trimBefore} options={options} {...form.field('before')} />
        {form.values.before === 'offset' && (
          <TextField label={recordWords.offset} required inputMode="numeric" {...form.field('offset')} />
        )}
        {form.values.before === 'time' && (
          <TextField label={recordWords.time} required type="datetime-local" {...form.field('time')} />
        )}
        <TextField label={streamWords.trimPartition} inputMode="numeric" {...form.field('partition')} />
      </Form>
    </Dialog>
  );
}

/** True when it is gone. */
export async function deleteStream({ name, records }: StreamSummary): Promise<boolean> {
  const sure = await confirm({
    title: streamWords.deleteTitle,
    text: streamWords.deleteText(name, count(records)),
    action: common.delete,
    ...(records > 0 && { typed: name }),
  });
  if (!sure) return false;
  await api.remove(url`/streams/${name}`);
  notify(streamWords.deleted(name));
  return true;
}
