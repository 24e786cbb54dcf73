import type { GroupSummary } from '../../src/protocols/http/shapes/groups.ts';
import type { StreamSummary } from '../../src/protocols/http/shapes/streams.ts';
import { usePoll } from '../api/poll.ts';
import { bytes, count } from '../format/index.ts';
import { Button } from '../kit/button.tsx';
import { Badge, Figure, Figures } from '../kit/facts.tsx';
import { History } from '../kit/history.tsx';
import { recordBytes, recordRates, streamSize } from '../kit/message-charts.ts';
import { Page } from '../kit/page.tsx';
import { Loaded, Notice } from '../kit/problem.tsx';
import { ServerTable } from '../kit/server-table.tsx';
import { Tabs } from '../kit/tabs.tsx';
import { navigate, url } from '../location.ts';
import type { PageParameters } from '../registry.ts';
import { consumerGroupWords } from '../words/groups.ts';
import { navigationWords } from '../words/navigation.ts';
import { queueWords } from '../words/queues.ts';
import { produceWords, streamWords } from '../words/streams.ts';
import { groupColumns } from './groups/columns.tsx';
import { deleteStream, openAddPartitions, openTrim } from './streams/actions.tsx';
import { Config } from './streams/config.tsx';
import { Partitions } from './streams/partitions.tsx';
import { openProduce } from './streams/produce.tsx';
import { Producers } from './streams/producers.tsx';
import { Records } from './streams/records.tsx';
import { Tail } from './streams/tail.tsx';
import { retentionOf } from './streams.tsx';

/** One stream: its records, partitions, settings, and who reads it. */
export function Stream({ params: { stream: name = '' } }: PageParameters) {
  const poll = usePoll<StreamSummary>(url`/streams/${name}`);
  const { data: stream } = poll;
  return (
    <Page
      title={name}
      within={[{ title: navigationWords.streams, href: '/streams' }]}
      notes={stream?.internal && <Badge>{streamWords.internal}</Badge>}
      actions={stream && !stream.internal && <Actions stream={stream} />}
    >
      <Loaded of={poll}>
        {(loaded) => (
          <>
            <Figures>
              <Figure name={streamWords.records} value={count(loaded.records)} />
              <Figure name={streamWords.bytes} value={bytes(loaded.bytes)} />
              <Figure name={streamWords.partitions} value={count(loaded.partitions)} />
              <Figure name={streamWords.retention} value={retentionOf(loaded)} more={loaded.cleanup_policy} />
            </Figures>
            <Tabs label={name} tabs={tabs(loaded)} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Actions({ stream }: { readonly stream: StreamSummary }) {
  return (
    <>
      <Button kind="primary" onClick={() => openProduce(stream.name)}>
        {produceWords.title}
      </Button>
      <Button onClick={() => openAddPartitions(stream)}>{streamWords.addPartitions}</Button>
      <Button kind="harm" onClick={() => openTrim(stream)}>
        {streamWords.trim}
      </Button>
      <Button
        kind="harm"
        icon="trash"
        onClick={async () => {
          if (await deleteStream(stream)) navigate('/streams');
        }}
      >
        {streamWords.deleteTitle}
      </Button>
    </>
  );
}

function tabs({ name, partitions }: StreamSummary) {
  return [
    { id: 'records', title: streamWords.browse, show: () => <Records stream={name} partitions={partitions} /> },
    { id: 'live', title: streamWords.live, show: () => <Tail stream={name} /> },
    {
      id: 'partitions',
      title: streamWords.partitions,
      note: count(partitions),
      show: () => <Partitions stream={name} />,
    },
    {
      ...{ id: 'charts', title: queueWords.charts },
      show: () => <History of="stream" name={name} charts={[recordRates(), recordBytes(), streamSize()]} />,
    },
    { id: 'settings', title: streamWords.settings, show: () => <Config stream={name} /> },
    { id: 'groups', title: streamWords.groups, show: () => <Groups stream={name} /> },
    { id: 'producers', title: streamWords.producers, show: () => <Producers stream={name} /> },
  ];
}

function Groups({ stream }: { readonly stream: string }) {
  return (
    <ServerTable<GroupSummary>
      label={streamWords.groups}
      name="stream-groups"
      prefix="groups-"
      path={url`/streams/${stream}/groups`}
      columns={groupColumns()}
      rowKey={({ name }) => name}
      empty={<Notice icon="group" title={consumerGroupWords.noGroups} />}
    />
  );
}
