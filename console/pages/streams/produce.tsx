import type { ProduceAnswer } from '../../../src/protocols/http/shapes/streams.ts';
import { api } from '../../api/client.ts';
import { count } from '../../format/index.ts';
import { Button } from '../../kit/button.tsx';
import { json, numberOf, wholeNumber } from '../../kit/checks.ts';
import { Dialog, openDialog } from '../../kit/dialog.tsx';
import { CheckField, Form, SelectField, TextArea, TextField, useForm } from '../../kit/form.tsx';
import { notify } from '../../kit/toast.tsx';
import { url } from '../../location.ts';
import { common } from '../../words/common.ts';
import { produceWords, recordWords, streamWords } from '../../words/streams.ts';

export function openProduce(stream: string): Promise<unknown> {
  return openDialog<void>((close) => <Produce stream={stream} close={close} />);
}

function Produce({ stream, close }: { readonly stream: string; close(): void }) {
  const form = useForm({
    initial: {
      ...{ key: '', value: '', encoding: 'text' as 'text' | 'json' | 'base64', tombstone: false },
      ...{ headers: '', partition: '', again: false },
    },
    validate: ({ value, encoding, partition, headers }) => ({
      value: encoding === 'json' ? json(value) : undefined,
      partition: wholeNumber(partition),
      headers: headersOf(headers) === undefined ? produceWords.wrongHeader : undefined,
    }),
    submit: async ({ key, value, encoding, tombstone, headers, partition, again }) => {
      const asked = {
        ...(key !== '' && { key }),
        ...(tombstone
          ? { value: null }
          : { value: encoding === 'json' ? JSON.parse(value || 'null') : value, value_encoding: encoding }),
        ...{ headers: headersOf(headers), partition: numberOf(partition) },
      };
      const { results } = await api.post<ProduceAnswer>(url`/streams/${stream}/produce`, asked);
      const [result] = results;
      if (result !== undefined && 'offset' in result)
        notify(produceWords.produced(result.partition, count(result.offset)));
      if (!again) close();
    },
  });
  return (
    <Dialog title={produceWords.title} wide onClose={close}>
      <Form form={form} action={produceWords.title} buttons={<Button onClick={close}>{common.cancel}</Button>}>
        <div class="columns">
          <TextField label={recordWords.key} monospace {...form.field('key')} />
          <TextField
            label={streamWords.partition}
            hint={produceWords.partitionHint}
            inputMode="numeric"
            {...form.field('partition')}
          />
          <SelectField
            label={produceWords.encoding}
            options={(['text', 'json', 'base64'] as const).map((value) => ({ value, label: produceWords[value] }))}
            {...form.field('encoding')}
          />
        </div>
        <TextArea
          label={recordWords.value}
          rows={8}
          monospace
          disabled={form.values.tombstone}
          {...form.field('value')}
        />
        <CheckField label={produceWords.tombstone} {...form.field('tombstone')} />
        <TextArea
          label={recordWords.headers}
          hint={produceWords.headersHint}
          rows={3}
          monospace
          {...form.field('headers')}
        />
        <CheckField label={produceWords.again} {...form.field('again')} />
      </Form>
    </Dialog>
  );
}

/** Undefined when a line is no header. */
function headersOf(text: string): { readonly name: string; readonly value: string }[] | undefined {
  const headers = [];
  for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
    const [, name, value] = /^\s*([^:]+?)\s*:\s?(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    headers.push({ name, value });
  }
  return headers;
}
