import type { TraceSettings, TraceSettingsState } from '../../../src/protocols/http/shapes/traces.ts';
import { api } from '../../api/client.ts';
import { bytes, count } from '../../format/index.ts';
import { Button } from '../../kit/button.tsx';
import { wholeNumber } from '../../kit/checks.ts';
import { Dialog, openDialog } from '../../kit/dialog.tsx';
import { Form, SelectField, TextField, useForm } from '../../kit/form.tsx';
import { notify } from '../../kit/toast.tsx';
import { common } from '../../words/common.ts';
import { recordingWords, traceWords } from '../../words/traces.ts';

const HOUR_MS = 3_600_000;
const MIB = 1024 * 1024;
const MODES = ['off', 'sampled', 'all'] as const;

/** Which messages are recorded from now on. */
export async function changeRecording(): Promise<void> {
  const settings = await api.get<TraceSettingsState>('/traces/settings');
  await openDialog((close) => (
    <Dialog title={traceWords.settings} onClose={() => close()}>
      <Recording settings={settings} onDone={() => close()} />
    </Dialog>
  ));
}

function Recording({ settings, onDone }: { readonly settings: TraceSettingsState; onDone(): void }) {
  const done = () => {
    notify(recordingWords.saved);
    onDone();
  };
  const form = useForm({
    initial: {
      mode: settings.mode,
      share: String(settings.sample_share),
      hosts: settings.virtual_hosts.join(', '),
      destinations: settings.destinations.join(', '),
      idHeader: settings.id_header,
      hours: String(Math.round(settings.retention_ms / HOUR_MS)),
      megabytes: String(Math.round(settings.retention_bytes / MIB)),
    },
    validate: ({ share, hours, megabytes }) => ({
      share: Number(share) >= 0 && Number(share) <= 1 && share.trim() !== '' ? undefined : recordingWords.badShare,
      hours: wholeNumber(hours, { min: 1, max: 8760, required: true }),
      megabytes: wholeNumber(megabytes, { min: 8, required: true }),
    }),
    submit: async ({ mode, share, hosts, destinations, idHeader, hours, megabytes }) => {
      const changed: TraceSettings = {
        mode,
        sample_share: Number(share),
        virtual_hosts: names(hosts),
        destinations: names(destinations),
        id_header: idHeader.trim() || 'message-id',
        retention_ms: Number(hours) * HOUR_MS,
        retention_bytes: Number(megabytes) * MIB,
      };
      await api.put('/traces/settings', changed);
      done();
    },
  });
  const reset = async () => {
    await api.remove('/traces/settings');
    done();
  };
  const { overridden, recorded } = settings;
  return (
    <Form
      form={form}
      action={common.save}
      buttons={overridden && <Button onClick={reset}>{recordingWords.reset}</Button>}
    >
      <p class="muted">
        {recordingWords.recorded(count(recorded.events), bytes(recorded.bytes))}
        {overridden && ` · ${recordingWords.overridden}`}
        {recorded.dropped > 0 && ` · ${traceWords.dropped(recorded.dropped, count(recorded.dropped))}`}
      </p>
      <SelectField
        label={recordingWords.mode}
        options={MODES.map((value) => ({ value, label: recordingWords[value] }))}
        {...form.field('mode')}
      />
      {form.values.mode === 'sampled' && (
        <TextField
          label={recordingWords.share}
          hint={recordingWords.shareHint}
          inputMode="decimal"
          {...form.field('share')}
        />
      )}
      <TextField label={recordingWords.hosts} hint={recordingWords.patterns} {...form.field('hosts')} />
      <TextField label={recordingWords.destinations} hint={recordingWords.patterns} {...form.field('destinations')} />
      <TextField label={recordingWords.idHeader} monospace {...form.field('idHeader')} />
      <TextField label={recordingWords.hours} inputMode="numeric" {...form.field('hours')} />
      <TextField label={recordingWords.megabytes} inputMode="numeric" {...form.field('megabytes')} />
    </Form>
  );
}

function names(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
