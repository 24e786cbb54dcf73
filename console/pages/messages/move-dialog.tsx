import type { ShownTransfer } from '../../../src/protocols/http/shapes/queue-messages.ts';
import { api } from '../../api/client.ts';
import { usePoll } from '../../api/poll.ts';
import { count } from '../../format/index.ts';
import { Button } from '../../kit/button.tsx';
import { needed, numberOf, wholeNumber } from '../../kit/checks.ts';
import { Dialog } from '../../kit/dialog.tsx';
import { CheckField, Form, SelectField, TextField, useForm } from '../../kit/form.tsx';
import { url } from '../../location.ts';
import { common } from '../../words/common.ts';
import { messageWords, transferWords } from '../../words/queues.ts';
import { transferBy } from './transfer-dialog.tsx';

export interface Movable {
  readonly vhost: string;
  readonly queue: string;
  /** These; all that wait where they are left out. */
  readonly ids?: readonly string[];
}

/** Asks where to, moves, and shows how far it is. True when something was begun. */
export function moveMessages(what: Movable): Promise<boolean> {
  return transferBy((close) => <MoveDialog what={what} close={close} />);
}

function MoveDialog({ what, close }: { readonly what: Movable; close(transfer?: ShownTransfer): void }) {
  const { vhost, queue, ids } = what;
  const names = useNames(vhost);
  const form = useForm({
    initial: { to: 'queue' as 'queue' | 'exchange', name: '', key: '', most: '', text: '', rate: '', dryRun: false },
    validate: ({ name, most, rate }) => ({
      name: needed(name),
      most: wholeNumber(most, { min: 1 }),
      rate: wholeNumber(rate, { min: 1 }),
    }),
    submit: async ({ to, name, key, most, text, rate, dryRun }) => {
      const exchange = { exchange: name, ...(key !== '' && { routing_key: key }) };
      const body = {
        to: to === 'queue' ? { queue: name } : exchange,
        ...(ids && { ids }),
        ...(most !== '' && { count: numberOf(most) }),
        ...(text !== '' && { filter: { text } }),
        ...(rate !== '' && { rate: numberOf(rate) }),
        ...{ dry_run: dryRun, wait_ms: 300 },
      };
      close(await api.post<ShownTransfer>(url`/queues/${vhost}/${queue}/move`, body));
    },
  });
  const { to } = form.values;
  return (
    <Dialog
      title={ids === undefined ? transferWords.move : transferWords.moveMany(ids.length, count(ids.length))}
      onClose={() => close()}
    >
      <Form form={form} action={transferWords.start} buttons={<Button onClick={() => close()}>{common.cancel}</Button>}>
        <SelectField
          label={transferWords.destination}
          options={[
            { value: 'queue', label: transferWords.toQueue },
            { value: 'exchange', label: transferWords.toExchange },
          ]}
          {...form.field('to')}
        />
        <TextField
          label={common.name}
          required
          suggestions={to === 'queue' ? names.queues : names.exchanges}
          {...form.field('name')}
        />
        {to === 'exchange' && (
          <TextField label={messageWords.routingKey} hint={transferWords.keyHint} {...form.field('key')} />
        )}
        {ids === undefined && (
          <>
            <TextField
              label={transferWords.most}
              hint={transferWords.mostHint}
              inputMode="numeric"
              {...form.field('most')}
            />
            <TextField label={transferWords.onlyWith} {...form.field('text')} />
          </>
        )}
        <TextField
          label={transferWords.rate}
          hint={transferWords.rateHint}
          inputMode="numeric"
          {...form.field('rate')}
        />
        <CheckField label={transferWords.dryRun} {...form.field('dryRun')} />
      </Form>
    </Dialog>
  );
}

const SUGGESTED = 500;

/** Names of what there is, for suggestions: the first few hundred. */
export function useNames(vhost: string): { readonly queues: readonly string[]; readonly exchanges: readonly string[] } {
  const query = { page: 1, page_size: SUGGESTED, columns: 'name', disable_stats: true };
  const names = ({ data }: { data: { items: readonly { name: string }[] } | undefined }) =>
    (data?.items ?? []).map(({ name }) => name).filter((name) => name !== '');
  const queues = usePoll<{ items: readonly { name: string }[] }>(url`/queues/${vhost}`, { query, every: 0 });
  const exchanges = usePoll<{ items: readonly { name: string }[] }>(url`/exchanges/${vhost}`, { query, every: 0 });
  return { queues: names(queues), exchanges: names(exchanges) };
}
