import type { BindingShape } from '../../../src/protocols/http/shapes/topology.ts';
import { api } from '../../api/client.ts';
import { usePoll } from '../../api/poll.ts';
import { type Argument, ArgumentsField, argumentsOf, checkArguments } from '../../kit/arguments-field.tsx';
import { Button } from '../../kit/button.tsx';
import { needed } from '../../kit/checks.ts';
import { confirm, Dialog, openDialog } from '../../kit/dialog.tsx';
import { Form, SelectField, TextField, useForm } from '../../kit/form.tsx';
import { LocalTable } from '../../kit/local-table.tsx';
import { Loaded, Notice } from '../../kit/problem.tsx';
import type { Column } from '../../kit/table.tsx';
import { notify } from '../../kit/toast.tsx';
import { url } from '../../location.ts';
import { common } from '../../words/common.ts';
import { exchangeWords, messageWords } from '../../words/queues.ts';
import { useNames } from '../messages/move-dialog.tsx';

interface BindingsProps {
  readonly label: string;
  readonly vhost: string;
  /** A list of bindings. */
  readonly path: string;
  /** What is at all of their ends is not shown. */
  readonly hide: 'source' | 'destination';
  /** Opens the dialog for a new one. */
  readonly add?: () => Promise<void>;
}

/** The most that are shown: more are no use to people. */
const MOST = 500;

/** Bindings of a queue or an exchange; they can be taken away and added. */
export function Bindings({ label, vhost, path, hide, add }: BindingsProps) {
  const poll = usePoll<readonly BindingShape[]>(path);
  return (
    <>
      {add && (
        <div class="bar">
          <Button icon="plus" onClick={add}>
            {exchangeWords.bind}
          </Button>
        </div>
      )}
      <Loaded of={poll}>
        {(bindings) => (
          <LocalTable<BindingShape>
            label={label}
            columns={columns(vhost).filter(({ id }) => id !== hide)}
            rows={bindings.slice(0, MOST)}
            rowKey={(each) => `${each.source} ${each.destination_type} ${each.destination} ${each.properties_key}`}
            empty={<Notice title={exchangeWords.noBindings} />}
          />
        )}
      </Loaded>
    </>
  );
}

function columns(vhost: string): readonly Column<BindingShape>[] {
  return [
    {
      ...{ id: 'source', title: exchangeWords.source, sort: 'source' },
      cell: ({ source }) => <ExchangeLink vhost={vhost} name={source} />,
    },
    {
      ...{ id: 'destination', title: exchangeWords.destination, sort: 'destination' },
      cell: ({ destination, destination_type: type }) =>
        type === 'queue' ? (
          <a href={url`/queues/${vhost}/${destination}`}>{destination}</a>
        ) : (
          <ExchangeLink vhost={vhost} name={destination} />
        ),
    },
    {
      ...{ id: 'key', title: messageWords.routingKey, sort: 'routing_key' },
      cell: ({ routing_key: key }) => <span class="mono">{key}</span>,
    },
    {
      ...{ id: 'arguments', title: common.arguments },
      cell: ({ arguments: args }) => (Object.keys(args).length > 0 ? <code>{JSON.stringify(args)}</code> : null),
    },
    {
      ...{ id: 'unbind', title: common.actions },
      cell: (binding) =>
        binding.source !== '' && (
          <Button kind="quiet" icon="trash" label={exchangeWords.unbind} onClick={() => unbind(binding)} />
        ),
    },
  ];
}

export function ExchangeLink({ vhost, name }: { readonly vhost: string; readonly name: string }) {
  return (
    <a href={url`/exchanges/${vhost}/${name === '' ? 'amq.default' : name}`}>
      {name === '' ? exchangeWords.default : name}
    </a>
  );
}

async function unbind(binding: BindingShape): Promise<void> {
  const { vhost, source, destination, destination_type: type, properties_key: key } = binding;
  const text = (
    <>
      <p>{exchangeWords.unbindText}</p>
      <p class="mono">{`${source} → ${destination} ${binding.routing_key}`}</p>
    </>
  );
  if (!(await confirm({ title: exchangeWords.unbind, text, action: exchangeWords.unbind }))) return;
  await api.remove(url`/bindings/${vhost}/e/${source}/${type === 'queue' ? 'q' : 'e'}/${destination}/${key}`);
  notify(exchangeWords.unbound);
}

interface Ends {
  readonly vhost: string;
  readonly source?: string;
  /** A queue. */
  readonly queue?: string;
}

/** Asks for what is not given of a binding, and makes it. */
export async function addBinding(ends: Ends): Promise<void> {
  await openDialog<void>((close) => <BindDialog ends={ends} close={close} />);
}

function BindDialog({ ends, close }: { readonly ends: Ends; close(): void }) {
  const { vhost } = ends;
  const names = useNames(vhost);
  const form = useForm({
    initial: {
      ...{ source: ends.source ?? '', kind: 'q' as 'q' | 'e', destination: ends.queue ?? '', key: '' },
      args: [] as readonly Argument[],
    },
    validate: ({ source, destination, args }) => ({
      ...{ source: needed(source), destination: needed(destination), args: checkArguments(args) },
    }),
    submit: async ({ source, kind, destination, key, args }) => {
      await api.post(url`/bindings/${vhost}/e/${source}/${kind}/${destination}`, {
        ...{ routing_key: key, arguments: argumentsOf(args) },
      });
      notify(exchangeWords.bound);
      close();
    },
  });
  const suggestions = form.values.kind === 'q' ? names.queues : names.exchanges;
  return (
    <Dialog title={exchangeWords.bind} onClose={close}>
      <Form form={form} action={exchangeWords.bind} buttons={<Button onClick={close}>{common.cancel}</Button>}>
        {ends.source === undefined && (
          <TextField label={exchangeWords.source} required suggestions={names.exchanges} {...form.field('source')} />
        )}
        {ends.queue === undefined && (
          <>
            <SelectField
              label={common.type}
              options={[
                { value: 'q', label: exchangeWords.toQueue },
                { value: 'e', label: exchangeWords.toExchange },
              ]}
              {...form.field('kind')}
            />
            <TextField
              label={exchangeWords.destination}
              required
              suggestions={suggestions}
              {...form.field('destination')}
            />
          </>
        )}
        <TextField label={messageWords.routingKey} monospace {...form.field('key')} />
        <ArgumentsField label={common.arguments} known={{ 'x-match': 'string' }} {...form.field('args')} />
      </Form>
    </Dialog>
  );
}
