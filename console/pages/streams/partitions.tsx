import type { PartitionSummary } from '../../../src/protocols/http/shapes/streams.ts';
import { bytes, count } from '../../format/index.ts';
import { ServerTable } from '../../kit/server-table.tsx';
import type { Column } from '../../kit/table.tsx';
import { url } from '../../location.ts';
import { streamWords } from '../../words/streams.ts';

export function Partitions({ stream }: { readonly stream: string }) {
  return (
    <ServerTable<PartitionSummary>
      label={streamWords.partitions}
      name="stream-partitions"
      prefix="partitions-"
      path={url`/streams/${stream}/partitions`}
      columns={columns(stream)}
      rowKey={({ partition }) => String(partition)}
      filter={false}
    />
  );
}

function columns(stream: string): Column<PartitionSummary>[] {
  return [
    {
      id: 'partition',
      title: streamWords.partition,
      sort: 'partition',
      align: 'end',
      cell: ({ partition }) => <a href={`${url`/streams/${stream}`}?partition=${partition}`}>{count(partition)}</a>,
    },
    ...numbers(['records', 'records', streamWords.records], ['start', 'start_offset', streamWords.start]),
    ...numbers(['end', 'high_watermark', streamWords.end], ['stable', 'last_stable_offset', streamWords.stable]),
    { id: 'bytes', title: streamWords.bytes, sort: 'bytes', align: 'end', cell: (each) => bytes(each.bytes) },
    ...numbers(['segments', 'segments', streamWords.segments], ['producers', 'producers', streamWords.producers]),
    ...numbers(['transactions', 'open_transactions', streamWords.openTransactions]),
    { ...numberColumn(['epoch', 'leader_epoch', streamWords.epoch]), hidden: true },
  ];
}

type NumberColumn = readonly [id: string, field: keyof PartitionSummary, title: string];

function numbers(...wanted: readonly NumberColumn[]): Column<PartitionSummary>[] {
  return wanted.map(numberColumn);
}

function numberColumn([id, field, title]: NumberColumn): Column<PartitionSummary> {
  return { id, title, sort: field, align: 'end', cell: (partition) => count(partition[field]) };
}
