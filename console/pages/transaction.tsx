import type { TransactionDetails } from '../../src/protocols/http/shapes/transactions.ts';
import { usePoll } from '../api/poll.ts';
import { count, duration, time } from '../format/index.ts';
import { Button } from '../kit/button.tsx';
import { Facts, Panel } from '../kit/facts.tsx';
import { LocalTable } from '../kit/local-table.tsx';
import { Page } from '../kit/page.tsx';
import { Loaded, Notice } from '../kit/problem.tsx';
import { url } from '../location.ts';
import type { PageParameters } from '../registry.ts';
import { common } from '../words/common.ts';
import { transactionWords } from '../words/groups.ts';
import { navigationWords } from '../words/navigation.ts';
import { abortTransaction, TransactionState } from './transactions.tsx';

/** What one transactional id has under way. */
export function Transaction({ params: { transaction: name = '' } }: PageParameters) {
  const poll = usePoll<TransactionDetails>(url`/transactions/${name}`);
  const { data } = poll;
  return (
    <Page
      title={name}
      within={[{ title: navigationWords.transactions, href: '/transactions' }]}
      notes={data && <TransactionState of={data.state} />}
      actions={
        data?.state === 'Ongoing' && (
          <Button kind="harm" onClick={() => abortTransaction(name)}>
            {transactionWords.abort}
          </Button>
        )
      }
    >
      <Loaded of={poll}>{(loaded) => <Details of={loaded} />}</Loaded>
    </Page>
  );
}

function Details({ of }: { readonly of: TransactionDetails }) {
  return (
    <div class="panels">
      <Panel title={common.details}>
        <Facts
          of={[
            [transactionWords.producer, count(of.producer_id)],
            [transactionWords.epoch, count(of.producer_epoch)],
            [transactionWords.started, of.started_at === null ? undefined : time(of.started_at)],
            [transactionWords.age, of.age_ms === null ? undefined : duration(of.age_ms)],
            [transactionWords.timeout, duration(of.timeout_ms)],
            [transactionWords.updated, time(of.updated_at)],
          ]}
        />
      </Panel>
      <Panel title={transactionWords.partitions}>
        <LocalTable
          label={transactionWords.partitions}
          rows={of.partition_details}
          rowKey={({ stream }) => stream}
          columns={[
            {
              id: 'stream',
              title: transactionWords.stream,
              sort: 'stream',
              cell: ({ stream }) => <a href={url`/streams/${stream}`}>{stream}</a>,
            },
            {
              id: 'partitions',
              title: transactionWords.partitions,
              cell: ({ partitions }) => partitions.join(', '),
            },
          ]}
          empty={<Notice title={transactionWords.noPartitions} />}
        />
      </Panel>
      <Panel title={transactionWords.groups}>
        <LocalTable
          label={transactionWords.groups}
          rows={of.group_details}
          rowKey={(group) => group}
          columns={[
            {
              id: 'group',
              title: common.name,
              cell: (group) => <a href={url`/groups/${group}`}>{group}</a>,
            },
          ]}
          empty={<Notice title={transactionWords.noGroups} />}
        />
      </Panel>
    </div>
  );
}
