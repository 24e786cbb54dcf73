import { api } from '../../api/client.ts';
import { type Argument, ArgumentsField, argumentsOf, checkArguments } from '../../kit/arguments-field.tsx';
import { Button } from '../../kit/button.tsx';
import { needed } from '../../kit/checks.ts';
import { Dialog, openDialog } from '../../kit/dialog.tsx';
import { CheckField, Form, SelectField, TextField, useForm } from '../../kit/form.tsx';
import { notify } from '../../kit/toast.tsx';
import { navigate, url } from '../../location.ts';
import { virtualHost } from '../../virtual-host.ts';
import { common } from '../../words/common.ts';
import { queueWords } from '../../words/queues.ts';

/** Arguments that queues know, with what each is. */
const KNOWN: Readonly<Record<string, Argument['type']>> = {
  'x-message-ttl': 'number',
  'x-expires': 'number',
  'x-max-length': 'number',
  'x-max-length-bytes': 'number',
  'x-overflow': 'string',
  'x-dead-letter-exchange': 'string',
  'x-dead-letter-routing-key': 'string',
  'x-max-priority': 'number',
  'x-single-active-consumer': 'boolean',
  'x-delivery-limit': 'number',
  'x-max-age': 'string',
};

export async function declareQueue(): Promise<void> {
  await openDialog<void>((close) => <DeclareQueue close={close} />);
}

function DeclareQueue({ close }: { close(): void }) {
  const form = useForm({
    initial: {
      ...{ vhost: virtualHost.value === '' ? '/' : virtualHost.value, name: '', durable: true, autoDelete: false },
      ...{ type: 'classic' as 'classic' | 'quorum' | 'stream', args: [] as readonly Argument[] },
    },
    validate: ({ name, args }) => ({ name: needed(name), args: checkArguments(args) }),
    submit: async ({ vhost, name, type, durable, autoDelete, args }) => {
      await api.put(url`/queues/${vhost}/${name}`, {
        durable: durable || type !== 'classic',
        auto_delete: autoDelete && type === 'classic',
        arguments: { 'x-queue-type': type, ...argumentsOf(args) },
      });
      notify(queueWords.declared(name));
      close();
      navigate(url`/queues/${vhost}/${name}`);
    },
  });
  return (
    <Dialog title={queueWords.declare} onClose={close}>
      <Form form={form} action={common.create} buttons={<Button onClick={close}>{common.cancel}</Button>}>
        <TextField label={common.virtualHost} required {...form.field('vhost')} />
        <TextField label={common.name} required {...form.field('name')} />
        <SelectField
          label={common.type}
          options={(['classic', 'quorum', 'stream'] as const).map((value) => ({ value, label: queueWords[value] }))}
          {...form.field('type')}
        />
        {form.values.type === 'classic' && (
          <>
            <CheckField label={queueWords.durable} hint={queueWords.durableHint} {...form.field('durable')} />
            <CheckField label={queueWords.autoDelete} hint={queueWords.autoDeleteHint} {...form.field('autoDelete')} />
          </>
        )}
        <ArgumentsField label={common.arguments} known={KNOWN} {...form.field('args')} />
      </Form>
    </Dialog>
  );
}
