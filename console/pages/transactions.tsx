import type { TransactionSummary } from '../../src/protocols/http/shapes/transactions.ts';
import { api } from '../api/client.ts';
import { count, duration, relative } from '../format/index.ts';
import { Button } from '../kit/button.tsx';
import { confirm } from '../kit/dialog.tsx';
import { Badge, type Tone } from '../kit/facts.tsx';
import { Page } from '../kit/page.tsx';
import { Notice } from '../kit/problem.tsx';
import { ServerTable } from '../kit/server-table.tsx';
import type { Column } from '../kit/table.tsx';
import { notify } from '../kit/toast.tsx';
import { place, setQuery, url } from '../location.ts';
import { common } from '../words/common.ts';
import { transactionWords } from '../words/groups.ts';
import { navigationWords } from '../words/navigation.ts';

/** Transactional ids of Kafka's producers, those with a transaction under way first. */
export function Transactions() {
  const openOnly = place.value.query.get('open') === '1';
  return (
    <Page title={navigationWords.transactions}>
      <ServerTable<TransactionSummary>
        label={navigationWords.transactions}
        name="transactions"
        path="/transactions"
        query={openOnly ? { open: true } : {}}
        columns={columns()}
        rowKey={({ name }) => name}
        empty={<Notice icon="transaction" title={transactionWords.none} />}
        tools={
          <label>
            <input
              type="checkbox"
              checked={openOnly}
              onChange={({ currentTarget }) =>
                setQuery({ open: currentTarget.checked ? '1' : undefined, page: undefined })
              }
            />{' '}
            {transactionWords.openOnly}
          </label>
        }
      />
    </Page>
  );
}

function columns(): Column<TransactionSummary>[] {
  return [
    {
      id: 'name',
      title: transactionWords.id,
      sort: 'name',
      cell: ({ name }) => <a href={url`/transactions/${name}`}>{name}</a>,
    },
    { id: 'state', title: common.state, sort: 'state', cell: ({ state }) => <TransactionState of={state} /> },
    {
      id: 'age',
      title: transactionWords.age,
      sort: 'age_ms',
      align: 'end',
      cell: ({ age_ms: age }) => (age === null ? '' : duration(age)),
    },
    {
      id: 'timeout',
      title: transactionWords.timeout,
      sort: 'timeout_ms',
      align: 'end',
      cell: ({ timeout_ms: ms }) => duration(ms),
    },
    {
      id: 'partitions',
      title: transactionWords.partitions,
      sort: 'partitions',
      align: 'end',
      cell: ({ partitions }) => count(partitions),
    },
    {
      id: 'producer',
      title: transactionWords.producer,
      sort: 'producer_id',
      align: 'end',
      cell: ({ producer_id: id }) => count(id),
    },
    {
      id: 'epoch',
      title: transactionWords.epoch,
      sort: 'producer_epoch',
      align: 'end',
      cell: ({ producer_epoch: epoch }) => count(epoch),
    },
    {
      id: 'updated',
      title: transactionWords.updated,
      sort: 'updated_at',
      cell: ({ updated_at: at }) => relative(at),
    },
    {
      id: 'actions',
      title: common.actions,
      cell: (transaction) =>
        transaction.state === 'Ongoing' && (
          <Button onClick={() => abortTransaction(transaction.name)}>{transactionWords.abort}</Button>
        ),
    },
  ];
}

export async function abortTransaction(name: string): Promise<void> {
  const { abortTitle: title, abortText, abort: action } = transactionWords;
  if (!(await confirm({ title, text: abortText(name), action }))) return;
  await api.post(url`/transactions/${name}/abort`, {});
  notify(transactionWords.aborted(name));
}

const TONES: Readonly<Record<string, Tone>> = {
  ...{ Ongoing: 'info', PrepareCommit: 'warn', PrepareAbort: 'warn' },
  ...{ CompleteCommit: 'good', CompleteAbort: 'plain' },
};

/** As Kafka's tools name it. */
export function TransactionState({ of }: { readonly of: string }) {
  return <Badge tone={TONES[of] ?? 'plain'}>{of}</Badge>;
}
