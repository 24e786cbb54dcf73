import { useState } from 'preact/hooks';
import type { ConfigEntry } from '../../../src/protocols/http/shapes/streams.ts';
import { api } from '../../api/client.ts';
import { Button } from '../../kit/button.tsx';
import { Dialog, openDialog } from '../../kit/dialog.tsx';
import { Badge } from '../../kit/facts.tsx';
import { Form, TextField, useForm } from '../../kit/form.tsx';
import { ServerTable } from '../../kit/server-table.tsx';
import type { Column } from '../../kit/table.tsx';
import { notify } from '../../kit/toast.tsx';
import { url } from '../../location.ts';
import { common } from '../../words/common.ts';
import { configWords, streamWords } from '../../words/streams.ts';

/** Settings of a stream, to be changed one by one. */
export function Config({ stream }: { readonly stream: string }) {
  return (
    <ServerTable<ConfigEntry>
      label={streamWords.settings}
      name="stream-config"
      prefix="config-"
      path={url`/streams/${stream}/config`}
      columns={columns(stream)}
      rowKey={({ name }) => name}
    />
  );
}

function columns(stream: string): Column<ConfigEntry>[] {
  return [
    {
      id: 'name',
      title: common.name,
      sort: 'name',
      cell: ({ name, description }) => (
        <>
          <span class="mono">{name}</span>
          <span class="sub muted">{description}</span>
        </>
      ),
    },
    { id: 'value', title: common.value, cell: ({ value }) => <span class="mono">{value}</span> },
    {
      id: 'source',
      title: configWords.source,
      sort: 'source',
      cell: ({ source, in_force: inForce }) => (
        <>
          {source === 'stream' ? (
            <Badge tone="info">{configWords.stream}</Badge>
          ) : (
            <span class="muted">{source === 'broker' ? configWords.broker : configWords.standard}</span>
          )}
          {!inForce && <Badge>{configWords.noEffect}</Badge>}
        </>
      ),
    },
    {
      id: 'default',
      title: configWords.default,
      cell: (entry) => <span class="mono muted">{entry.default}</span>,
    },
    {
      id: 'edit',
      title: common.actions,
      cell: (entry) => (
        <Button
          label={configWords.edit(entry.name)}
          onClick={() => openDialog<void>((close) => <Edit stream={stream} entry={entry} close={close} />)}
        >
          {common.edit}
        </Button>
      ),
    },
  ];
}

interface EditProps {
  readonly stream: string;
  readonly entry: ConfigEntry;
  close(): void;
}

function Edit({ stream, entry, close }: EditProps) {
  const { name, value, source, description } = entry;
  const [busy, setBusy] = useState(false);
  const change = async (to: string | null) => {
    await api.put(url`/streams/${stream}/config`, { config: { [name]: to } });
    notify(configWords.changed(name));
    close();
  };
  const form = useForm({ initial: { value }, submit: ({ value: to }) => change(to.trim()) });
  return (
    <Dialog title={configWords.edit(name)} onClose={close}>
      <Form
        form={form}
        action={common.save}
        buttons={
          <>
            {source === 'stream' && (
              <Button
                busy={busy}
                onClick={async () => {
                  setBusy(true);
                  await change(null).finally(() => setBusy(false));
                }}
              >
                {configWords.takeBack}
              </Button>
            )}
            <Button onClick={close}>{common.cancel}</Button>
          </>
        }
      >
        <TextField label={common.value} hint={description} monospace {...form.field('value')} />
      </Form>
    </Dialog>
  );
}
