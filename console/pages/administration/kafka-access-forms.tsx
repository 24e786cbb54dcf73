import type { AclInfoShape, QuotaShape } from '../../../src/protocols/http/shapes/access.ts';
import { api } from '../../api/client.ts';
import { Button } from '../../kit/button.tsx';
import { needed, numberOf, wholeNumber } from '../../kit/checks.ts';
import { Dialog } from '../../kit/dialog.tsx';
import { Form, SelectField, TextField, useForm } from '../../kit/form.tsx';
import { notify } from '../../kit/toast.tsx';
import { kafkaAccessWords } from '../../words/administration.ts';
import { common } from '../../words/common.ts';

const same = (values: readonly string[]) => values.map((value) => ({ value, label: value }));

export function AclForm({ info, close }: { readonly info: AclInfoShape; close(): void }) {
  const form = useForm({
    initial: {
      ...{ principal: 'User:', permission: 'allow', operation: 'read', resource_type: 'topic' },
      ...{ pattern: 'literal', resource_name: '', host: '*' },
    },
    validate: ({ principal, resource_name: name, host }) => ({
      ...{ principal: needed(principal), resource_name: needed(name), host: needed(host) },
    }),
    submit: async (entry) => {
      await api.post('/acls', entry);
      notify(kafkaAccessWords.made);
      close();
    },
  });
  return (
    <Dialog title={kafkaAccessWords.addAcl} onClose={close}>
      <Form form={form} action={common.create} buttons={<Button onClick={close}>{common.cancel}</Button>}>
        <TextField
          label={kafkaAccessWords.principal}
          hint={kafkaAccessWords.principalHint}
          required
          {...form.field('principal')}
        />
        <SelectField
          label={kafkaAccessWords.permission}
          options={same(['allow', 'deny'])}
          {...form.field('permission')}
        />
        <SelectField label={kafkaAccessWords.operation} options={same(info.operations)} {...form.field('operation')} />
        <SelectField
          label={kafkaAccessWords.resourceType}
          options={same(info.resource_types)}
          {...form.field('resource_type')}
        />
        <SelectField
          label={kafkaAccessWords.pattern}
          options={[
            { value: 'literal', label: kafkaAccessWords.literal },
            { value: 'prefixed', label: kafkaAccessWords.prefixed },
          ]}
          {...form.field('pattern')}
        />
        <TextField label={kafkaAccessWords.resourceName} required {...form.field('resource_name')} />
        <TextField label={kafkaAccessWords.host} required {...form.field('host')} />
      </Form>
    </Dialog>
  );
}

const KEYS = [
  ...['producer_byte_rate', 'consumer_byte_rate', 'request_percentage', 'controller_mutation_rate'],
  'connection_creation_rate',
];

/** Empty is not asked for, and `*` is each one without a quota of its own. */
function entityOf(text: string): string | null | undefined {
  if (text === '') return undefined;
  return text === '*' ? null : text;
}

function textOf(entity: string | null | undefined): string {
  return entity === undefined ? '' : (entity ?? '*');
}

export function QuotaForm({ quota, close }: { readonly quota: QuotaShape | undefined; close(): void }) {
  const [first = ['producer_byte_rate', '']] = Object.entries(quota?.values ?? {});
  const form = useForm({
    initial: {
      ...{ user: textOf(quota?.user), client: textOf(quota?.client_id), ip: textOf(quota?.ip) },
      ...{ key: first[0], amount: String(first[1]) },
    },
    validate: ({ amount }) => ({ amount: wholeNumber(amount, { min: 1 }) }),
    submit: async ({ user, client, ip, key, amount }) => {
      await api.put('/quotas', {
        ...{ user: entityOf(user), client_id: entityOf(client), ip: entityOf(ip) },
        values: { [key]: numberOf(amount) ?? null },
      });
      notify(kafkaAccessWords.quotaSet);
      close();
    },
  });
  const isThere = quota !== undefined;
  return (
    <Dialog title={kafkaAccessWords.addQuota} onClose={close}>
      <Form form={form} action={common.save} buttons={<Button onClick={close}>{common.cancel}</Button>}>
        <TextField
          label={kafkaAccessWords.userName}
          hint={kafkaAccessWords.entityHint}
          disabled={isThere}
          {...form.field('user')}
        />
        <TextField label={kafkaAccessWords.clientId} disabled={isThere} {...form.field('client')} />
        <TextField label={kafkaAccessWords.address} disabled={isThere} {...form.field('ip')} />
        <SelectField label={kafkaAccessWords.quotaKey} options={same(KEYS)} {...form.field('key')} />
        <TextField
          label={kafkaAccessWords.amount}
          hint={kafkaAccessWords.amountHint}
          inputMode="numeric"
          {...form.field('amount')}
        />
      </Form>
    </Dialog>
  );
}
