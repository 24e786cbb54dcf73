import type { ConnectionShape } from '../../../src/protocols/http/shapes/clients.ts';
import { api } from '../../api/client.ts';
import { toApiError } from '../../api/errors.ts';
import { may, user } from '../../api/session.ts';
import { count } from '../../format/index.ts';
import { Button } from '../../kit/button.tsx';
import { Dialog, openDialog } from '../../kit/dialog.tsx';
import { Form, TextField, useForm } from '../../kit/form.tsx';
import { notify } from '../../kit/toast.tsx';
import { url } from '../../location.ts';
import { clientWords } from '../../words/clients.ts';
import { common } from '../../words/common.ts';

type Closable = Pick<ConnectionShape, 'name' | 'user'>;

/** Administrators close all connections, others their own. */
export function mayClose(connection: Closable): boolean {
  return may('administrator') || connection.user === user.value?.name;
}

/** Asks for a reason, then closes them. True when that was done. */
export async function closeConnections(connections: readonly Closable[]): Promise<boolean> {
  return (await openDialog<boolean>((close) => <CloseDialog connections={connections} close={close} />)) === true;
}

interface CloseDialogProps {
  readonly connections: readonly Closable[];
  close(done?: boolean): void;
}

function CloseDialog({ connections, close }: CloseDialogProps) {
  const [first] = connections;
  const total = count(connections.length);
  const form = useForm({
    initial: { reason: '' },
    submit: async ({ reason }) => {
      for (const { name } of connections) await closeOne(name, reason.trim());
      notify(connections.length === 1 ? clientWords.closed : clientWords.closedMany(connections.length, total));
      close(true);
    },
  });
  return (
    <Dialog
      title={connections.length === 1 ? clientWords.close : clientWords.closeMany(connections.length, total)}
      onClose={() => close(false)}
    >
      {connections.length === 1 && first && <p class="mono">{first.name}</p>}
      <p class="dialog-text">{clientWords.closeText}</p>
      <Form
        form={form}
        harm
        action={common.close}
        buttons={<Button onClick={() => close(false)}>{common.cancel}</Button>}
      >
        <TextField label={clientWords.reason} hint={clientWords.reasonHint} {...form.field('reason')} />
      </Form>
    </Dialog>
  );
}

async function closeOne(name: string, reason: string): Promise<void> {
  try {
    // A header has bytes, which fetch takes one by a character: those of UTF-8.
    const bytes = String.fromCharCode(...new TextEncoder().encode(reason));
    const headers = reason === '' ? {} : { 'x-reason': bytes };
    await api.remove(url`/connections/${name}`, { headers });
  } catch (error) {
    // It has gone by itself meanwhile.
    if (toApiError(error).failure !== 'not-found') throw error;
  }
}
