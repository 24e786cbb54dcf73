import type { ShownTransfer } from '../../../src/protocols/http/shapes/queue-messages.ts';
import { api } from '../../api/client.ts';
import { count } from '../../format/index.ts';
import { Button } from '../../kit/button.tsx';
import { needed, numberOf, wholeNumber } from '../../kit/checks.ts';
import { Dialog } from '../../kit/dialog.tsx';
import { CheckField, Form, SelectField, TextField, useForm } from '../../kit/form.tsx';
import { url } from '../../location.ts';
import { common } from '../../words/common.ts';
import { deadLetterWords, transferWords } from '../../words/queues.ts';
import { useNames } from '../messages/move-dialog.tsx';
import { transferBy } from '../messages/transfer-dialog.tsx';

export interface Redrivable {
  readonly vhost: string;
  readonly queue: string;
  /** These; all where they are left out. */
  readonly ids?: readonly string[];
  /** Of those only such that match. */
  readonly filter?: Readonly<Record<string, string>>;
}

const WHERE = ['source', 'first-source', 'publication', 'queue'] as const;

/** Asks where to, brings dead letters back, and shows how far it is. True when something was begun. */
export function redrive(what: Redrivable): Promise<boolean> {
  return transferBy((close) => <RedriveDialog what={what} close={close} />);
}

function RedriveDialog({ what, close }: { readonly what: Redrivable; close(transfer?: ShownTransfer): void }) {
  const { vhost, queue, ids, filter = {} } = what;
  const { queues } = useNames(vhost);
  const form = useForm({
    initial: { to: 'source' as (typeof WHERE)[number], name: '', most: '', rate: '', keepTrail: true, dryRun: false },
    validate: ({ to, name, most, rate }) => ({
      ...(to === 'queue' && { name: needed(name) }),
      most: wholeNumber(most, { min: 1 }),
      rate: wholeNumber(rate, { min: 1 }),
    }),
    submit: async ({ to, name, most, rate, keepTrail, dryRun }) => {
      const body = {
        to: to === 'queue' ? { queue: name } : to,
        ...(ids && { ids }),
        ...(Object.keys(filter).length > 0 && { filter }),
        ...(most !== '' && { count: numberOf(most) }),
        ...(rate !== '' && { rate: numberOf(rate) }),
        ...{ keep_trail: keepTrail, dry_run: dryRun, wait_ms: 300 },
      };
      close(await api.post<ShownTransfer>(url`/dead-letters/${vhost}/${queue}/redrive`, body));
    },
  });
  return (
    <Dialog
      title={ids === undefined ? deadLetterWords.redrive : deadLetterWords.redriveMany(ids.length, count(ids.length))}
      onClose={() => close()}
    >
      <Form form={form} action={transferWords.start} buttons={<Button onClick={() => close()}>{common.cancel}</Button>}>
        <SelectField
          label={deadLetterWords.to}
          options={WHERE.map((value) => ({ value, label: deadLetterWords[`to-${value}`] }))}
          {...form.field('to')}
        />
        {form.values.to === 'queue' && (
          <TextField label={transferWords.toQueue} required suggestions={queues} {...form.field('name')} />
        )}
        {ids === undefined && (
          <TextField
            label={transferWords.most}
            hint={transferWords.mostHint}
            inputMode="numeric"
            {...form.field('most')}
          />
        )}
        <TextField
          label={transferWords.rate}
          hint={transferWords.rateHint}
          inputMode="numeric"
          {...form.field('rate')}
        />
        <CheckField label={deadLetterWords.keepTrail} {...form.field('keepTrail')} />
        <CheckField label={transferWords.dryRun} {...form.field('dryRun')} />
      </Form>
    </Dialog>
  );
}
