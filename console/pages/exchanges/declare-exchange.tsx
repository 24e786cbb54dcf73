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
import { exchangeWords, queueWords } from '../../words/queues.ts';

const TYPES = ['direct', 'fanout', 'topic', 'headers', 'x-consistent-hash', 'x-delayed-message'] as const;
const KNOWN: Readonly<Record<string, Argument['type']>> = {
  'alternate-exchange': 'string',
  'x-delayed-type': 'string',
  'hash-header': 'string',
  'hash-property': 'string',
};

export async function declareExchange(): Promise<void> {
  await openDialog<void>((close) => <DeclareExchange close={close} />);
}

function DeclareExchange({ close }: { close(): void }) {
  const form = useForm({
    initial: {
      ...{ vhost: virtualHost.value === '' ? '/' : virtualHost.value, name: '', type: 'direct' as string },
      ...{ durable: true, autoDelete: false, internal: false, args: [] as readonly Argument[] },
    },
    validate: ({ name, args }) => ({ name: needed(name), args: checkArguments(args) }),
    submit: async ({ vhost, name, type, durable, autoDelete, internal, args }) => {
      await api.put(url`/exchanges/${vhost}/${name}`, {
        ...{ type, durable, auto_delete: autoDelete, internal, arguments: argumentsOf(args) },
      });
      notify(exchangeWords.declared(name));
      close();
      navigate(url`/exchanges/${vhost}/${name}`);
    },
  });
  return (
    <Dialog title={exchangeWords.declare} onClose={close}>
      <Form form={form} action={common.create} buttons={<Button onClick={close}>{common.cancel}</Button>}>
        <TextField label={common.virtualHost} required {...form.field('vhost')} />
        <TextField label={common.name} required {...form.field('name')} />
        <SelectField
          label={common.type}
          options={TYPES.map((value) => ({ value: value as string, label: value }))}
          {...form.field('type')}
        />
        <CheckField label={queueWords.durable} hint={queueWords.durableHint} {...form.field('durable')} />
        <CheckField label={queueWords.autoDelete} {...form.field('autoDelete')} />
        <CheckField label={exchangeWords.internal} hint={exchangeWords.internalHint} {...form.field('internal')} />
        <ArgumentsField label={common.arguments} known={KNOWN} {...form.field('args')} />
      </Form>
    </Dialog>
  );
}
