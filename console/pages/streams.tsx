import type { StreamSummary } from '../../src/protocols/http/shapes/streams.ts';
import { bytes, count, duration } from '../format/index.ts';
import { Button } from '../kit/button.tsx';
import { Badge } from '../kit/facts.tsx';
import { Page } from '../kit/page.tsx';
import { Notice } from '../kit/problem.tsx';
import { ServerTable } from '../kit/server-table.tsx';
import type { Column } from '../kit/table.tsx';
import { url } from '../location.ts';
import { common } from '../words/common.ts';
import { navigationWords } from '../words/navigation.ts';
import { streamWords } from '../words/streams.ts';
import { openCreate } from './streams/actions.tsx';

/** Kafka's topics, and stream queues. */
export function Streams() {
  return (
    <Page
      title={navigationWords.streams}
      actions={
        <Button kind="primary" icon="plus" onClick={openCreate}>
          {streamWords.create}
        </Button>
      }
    >
      <ServerTable<StreamSummary>
        label={navigationWords.streams}
        name="streams"
        path="/streams"
        columns={columns()}
        rowKey={({ name }) => name}
        empty={<Notice icon="stream" title={streamWords.noStreams} />}
      />
    </Page>
  );
}

function columns(): Column<StreamSummary>[] {
  return [
    {
      id: 'name',
      title: common.name,
      sort: 'name',
      cell: ({ name, internal }) => (
        <>
          <a href={url`/streams/${name}`}>{name}</a>
          {internal && <Badge>{streamWords.internal}</Badge>}
        </>
      ),
    },
    {
      id: 'partitions',
      title: streamWords.partitions,
      sort: 'partitions',
      align: 'end',
      cell: ({ partitions }) => count(partitions),
    },
    {
      id: 'records',
      title: streamWords.records,
      sort: 'records',
      align: 'end',
      cell: ({ records }) => count(records),
    },
    { id: 'bytes', title: streamWords.bytes, sort: 'bytes', align: 'end', cell: (stream) => bytes(stream.bytes) },
    { id: 'cleanup', title: streamWords.cleanup, sort: 'cleanup_policy', cell: (stream) => stream.cleanup_policy },
    { id: 'retention', title: streamWords.retention, sort: 'retention_ms', cell: retentionOf },
    { id: 'id', title: streamWords.id, cell: ({ id }) => <span class="mono">{id}</span>, hidden: true },
  ];
}

export function retentionOf({ retention_ms: ms, retention_bytes: size }: StreamSummary): string {
  const parts = [ms < 0 ? undefined : duration(ms), size < 0 ? undefined : bytes(size)];
  return parts.filter((part) => part !== undefined).join(', ') || streamWords.unlimited;
}
