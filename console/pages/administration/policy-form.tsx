import type { PolicyShape } from '../../../src/protocols/http/shapes/access.ts';
import { api } from '../../api/client.ts';
import { type Argument, ArgumentsField, argumentsOf, checkArguments } from '../../kit/arguments-field.tsx';
import { Button } from '../../kit/button.tsx';
import { needed, wholeNumber } from '../../kit/checks.ts';
import { Dialog } from '../../kit/dialog.tsx';
import { Form, SelectField, TextField, useForm } from '../../kit/form.tsx';
import { notify } from '../../kit/toast.tsx';
import { url } from '../../location.ts';
import { virtualHost } from '../../virtual-host.ts';
import { hostWords } from '../../words/administration.ts';
import { common } from '../../words/common.ts';

const APPLY_TO = ['all', 'queues', 'classic_queues', 'quorum_queues', 'streams', 'exchanges'] as const;
/** What policies mostly say. */
const KNOWN: Readonly<Record<string, Argument['type']>> = {
  'max-length': 'number',
  'max-length-bytes': 'number',
  overflow: 'string',
  'message-ttl': 'number',
  expires: 'number',
  'dead-letter-exchange': 'string',
  'dead-letter-routing-key': 'string',
  'delivery-limit': 'number',
  'alternate-exchange': 'string',
  'max-age': 'string',
};

interface PolicyFormProps {
  /** To be changed; a new one unless given. */
  readonly policy: PolicyShape | undefined;
  close(): void;
}

export function PolicyForm({ policy, close }: PolicyFormProps) {
  const form = useForm({
    initial: {
      vhost: policy?.vhost ?? (virtualHost.value === '' ? '/' : virtualHost.value),
      ...{ name: policy?.name ?? '', pattern: policy?.pattern ?? '', priority: String(policy?.priority ?? 0) },
      applyTo: policy?.['apply-to'] ?? 'all',
      definition: Object.entries(policy?.definition ?? {}).map(
        ([key, value]): Argument => ({
          key,
          type: typeof value as 'string' | 'number' | 'boolean',
          value: String(value),
        }),
      ) as readonly Argument[],
    },
    validate: ({ vhost, name, priority, definition }) => ({
      ...{ vhost: needed(vhost), name: needed(name) },
      priority: wholeNumber(priority, { min: Number.MIN_SAFE_INTEGER, required: true }),
      definition: definition.length === 0 ? hostWords.needsDefinition : checkArguments(definition),
    }),
    submit: async ({ vhost, name, pattern, priority, applyTo, definition }) => {
      await api.put(url`/policies/${vhost}/${name}`, {
        ...{ pattern, priority: Number(priority), 'apply-to': applyTo, definition: argumentsOf(definition) },
      });
      notify(hostWords.policySaved(name));
      close();
    },
  });
  const isThere = policy !== undefined;
  return (
    <Dialog title={isThere ? hostWords.editPolicy : hostWords.addPolicy} onClose={close}>
      <Form form={form} action={common.save} buttons={<Button onClick={close}>{common.cancel}</Button>}>
        <TextField label={common.virtualHost} required disabled={isThere} {...form.field('vhost')} />
        <TextField label={common.name} required disabled={isThere} {...form.field('name')} />
        <TextField label={hostWords.pattern} hint={hostWords.patternHint} monospace {...form.field('pattern')} />
        <SelectField
          label={hostWords.applyTo}
          options={APPLY_TO.map((value) => ({ value: value as string, label: value }))}
          {...form.field('applyTo')}
        />
        <TextField
          label={hostWords.priority}
          hint={hostWords.priorityHint}
          inputMode="numeric"
          {...form.field('priority')}
        />
        <ArgumentsField label={hostWords.definition} known={KNOWN} {...form.field('definition')} />
      </Form>
    </Dialog>
  );
}
