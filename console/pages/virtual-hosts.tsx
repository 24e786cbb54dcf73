import { api } from '../api/client.ts';
import { may } from '../api/session.ts';
import { count } from '../format/index.ts';
import { Button } from '../kit/button.tsx';
import { needed } from '../kit/checks.ts';
import { confirm, Dialog, openDialog } from '../kit/dialog.tsx';
import { Form, SelectField, TextField, useForm } from '../kit/form.tsx';
import { Page } from '../kit/page.tsx';
import { Notice } from '../kit/problem.tsx';
import { ServerTable } from '../kit/server-table.tsx';
import type { Column } from '../kit/table.tsx';
import { notify } from '../kit/toast.tsx';
import { url } from '../location.ts';
import { hostWords } from '../words/administration.ts';
import { common } from '../words/common.ts';

interface HostShape {
  readonly name: string;
  readonly default_queue_type: string;
  readonly messages?: number;
}

const TYPES = ['classic', 'quorum', 'stream'] as const;

/** Name spaces of queues and exchanges. */
export function VirtualHosts() {
  return (
    <Page
      title={hostWords.hosts}
      actions={
        may('administrator') && (
          <Button icon="plus" kind="primary" onClick={() => openDialog<void>((close) => <AddHost close={close} />)}>
            {hostWords.addHost}
          </Button>
        )
      }
    >
      <ServerTable<HostShape>
        label={hostWords.hosts}
        name="vhosts"
        path="/vhosts"
        columns={columns()}
        rowKey={({ name }) => name}
        empty={<Notice icon="host" title={hostWords.noHosts} />}
      />
    </Page>
  );
}

function columns(): readonly Column<HostShape>[] {
  const actions: Column<HostShape> = {
    ...{ id: 'actions', title: common.actions },
    cell: ({ name }) => (
      <Button kind="quiet" icon="trash" label={hostWords.deleteTitle(name)} onClick={() => deleteHost(name)} />
    ),
  };
  return [
    { id: 'name', title: common.name, sort: 'name', cell: ({ name }) => name },
    {
      ...{ id: 'type', title: hostWords.defaultType },
      cell: ({ default_queue_type: type }) => type,
    },
    {
      ...{ id: 'messages', title: hostWords.messages, sort: 'messages', align: 'end' },
      cell: ({ messages }) => count(messages),
    },
    ...(may('administrator') ? [actions] : []),
  ];
}

async function deleteHost(name: string): Promise<void> {
  const [title, text] = [hostWords.deleteTitle(name), hostWords.deleteText];
  if (!(await confirm({ title, text, action: common.delete, typed: name }))) return;
  await api.remove(url`/vhosts/${name}`);
}

function AddHost({ close }: { close(): void }) {
  const form = useForm({
    initial: { name: '', type: 'classic' as (typeof TYPES)[number] },
    validate: ({ name }) => ({ name: needed(name) }),
    submit: async ({ name, type }) => {
      await api.put(url`/vhosts/${name}`, { default_queue_type: type });
      notify(hostWords.added(name));
      close();
    },
  });
  return (
    <Dialog title={hostWords.addHost} onClose={close}>
      <Form form={form} action={common.create} buttons={<Button onClick={close}>{common.cancel}</Button>}>
        <TextField label={common.name} required {...form.field('name')} />
        <SelectField
          label={hostWords.defaultType}
          options={TYPES.map((value) => ({ value, label: value }))}
          {...form.field('type')}
        />
      </Form>
    </Dialog>
  );
}
