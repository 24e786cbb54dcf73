import { api } from '../../api/client.ts';
import { type Argument, ArgumentsField, argumentsOf, checkArguments } from '../../kit/arguments-field.tsx';
import { CheckField, Form, TextArea, TextField, useForm } from '../../kit/form.tsx';
import { notify } from '../../kit/toast.tsx';
import { url } from '../../location.ts';
import { messageWords } from '../../words/queues.ts';

interface PublishFormProps {
  readonly vhost: string;
  /** `amq.default` for the default exchange. */
  readonly exchange: string;
  /** The routing key, where it is given. */
  readonly routingKey?: string;
}

/** Publishes a message, and says whether it went anywhere. */
export function PublishForm({ vhost, exchange, routingKey }: PublishFormProps) {
  const form = useForm({
    initial: { key: '', body: '', contentType: '', persistent: true, headers: [] as readonly Argument[] },
    validate: ({ headers }) => ({ headers: checkArguments(headers) }),
    submit: async ({ key, body, contentType, persistent, headers }) => {
      const { routed } = await api.post<{ routed: boolean }>(url`/exchanges/${vhost}/${exchange}/publish`, {
        routing_key: routingKey ?? key,
        properties: {
          delivery_mode: persistent ? 2 : 1,
          ...(contentType !== '' && { content_type: contentType }),
          ...(headers.length > 0 && { headers: argumentsOf(headers) }),
        },
        payload: body,
        payload_encoding: 'string',
      });
      notify(routed ? messageWords.routed : messageWords.notRouted);
    },
  });
  return (
    <Form form={form} action={messageWords.publish}>
      {routingKey === undefined && <TextField label={messageWords.routingKey} monospace {...form.field('key')} />}
      <TextArea label={messageWords.body} monospace {...form.field('body')} />
      <TextField
        label={messageWords.contentType}
        suggestions={['application/json', 'text/plain', 'application/octet-stream']}
        {...form.field('contentType')}
      />
      <CheckField label={messageWords.persistent} hint={messageWords.persistentHint} {...form.field('persistent')} />
      <ArgumentsField label={messageWords.headers} {...form.field('headers')} />
    </Form>
  );
}
