import type { PartitionProducer } from '../../../src/protocols/http/shapes/streams.ts';
import { api } from '../../api/client.ts';
import { count, time } from '../../format/index.ts';
import { Button } from '../../kit/button.tsx';
import { confirm } from '../../kit/dialog.tsx';
import { Notice } from '../../kit/problem.tsx';
import { ServerTable } from '../../kit/server-table.tsx';
import type { Column } from '../../kit/table.tsx';
import { notify } from '../../kit/toast.tsx';
import { url } from '../../location.ts';
import { producerWords, streamWords } from '../../words/streams.ts';

/** Idempotent producers, and the transactions that they have open. */
export function Producers({ stream }: { readonly stream: string }) {
  return (
    <ServerTable<PartitionProducer>
      label={streamWords.producers}
      name="stream-producers"
      prefix="producers-"
      path={url`/streams/${stream}/producers`}
      columns={columns(stream)}
      rowKey={({ partition, producer_id: id }) => `${partition} ${id}`}
      filter={false}
      empty={<Notice title={producerWords.none} />}
    />
  );
}

function columns(stream: string): Column<PartitionProducer>[] {
  return [
    {
      id: 'partition',
      title: streamWords.partition,
      sort: 'partition',
      align: 'end',
      cell: ({ partition }) => count(partition),
    },
    {
      id: 'id',
      title: producerWords.id,
      sort: 'producer_id',
      align: 'end',
      cell: ({ producer_id: id }) => count(id),
    },
    { id: 'epoch', title: producerWords.epoch, align: 'end', cell: ({ producer_epoch: epoch }) => count(epoch) },
    {
      id: 'sequence',
      title: producerWords.sequence,
      align: 'end',
      cell: ({ last_sequence: sequence }) => (sequence < 0 ? '' : count(sequence)),
    },
    {
      id: 'seen',
      title: producerWords.seen,
      sort: 'last_timestamp',
      cell: ({ last_timestamp: at }) => (at < 0 ? '' : time(at)),
    },
    {
      id: 'transaction',
      title: producerWords.transaction,
      sort: 'transaction_start_offset',
      align: 'end',
      cell: (producer) => {
        const { transaction_start_offset: from } = producer;
        if (from < 0) return null;
        return (
          <>
            {count(from)} <Button onClick={() => end(stream, producer)}>{producerWords.end}</Button>
          </>
        );
      },
    },
  ];
}

async function end(stream: string, { partition, producer_id, producer_epoch }: PartitionProducer): Promise<void> {
  const { endTitle: title, endText: text, end: action } = producerWords;
  if (!(await confirm({ title, text, action }))) return;
  await api.post(url`/streams/${stream}/partitions/${partition}/abort-transaction`, { producer_id, producer_epoch });
  notify(producerWords.ended);
}
