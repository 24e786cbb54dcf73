import type { ListenerShape, NodeShape, OverviewShape } from '../../src/protocols/http/shapes/overview.ts';
import type { DetailsShape, MessageStatsShape } from '../../src/protocols/http/shapes/statistics.ts';
import { usePoll } from '../api/poll.ts';
import { may } from '../api/session.ts';
import { bytes, count, duration, rate } from '../format/index.ts';
import { Badge, Facts, Figure, Figures, Panel } from '../kit/facts.tsx';
import { History } from '../kit/history.tsx';
import { LocalTable } from '../kit/local-table.tsx';
import { Page } from '../kit/page.tsx';
import { Loaded, Notice } from '../kit/problem.tsx';
import { virtualHost } from '../virtual-host.ts';
import { overviewWords } from '../words/overview.ts';
import { statisticsWords } from '../words/statistics.ts';
import { overviewCharts } from './overview/charts.ts';

/** How the broker does: what is done with messages now and was lately, what it takes of the machine, and whether anything is wrong. */
export function Overview() {
  const poll = usePoll<OverviewShape>('/overview');
  // Of the machine and the process those are told who may watch it.
  const nodes = usePoll<readonly NodeShape[]>(may('monitoring') ? '/nodes' : undefined);
  const node = nodes.data?.[0];
  const charts = overviewCharts(node?.type === 'disc');
  const host = virtualHost.value;
  return (
    <Page title={overviewWords.title} notes={node && <Alarms node={node} />}>
      {node?.mem_alarm && (
        <Notice icon="warning" role="alert" title={overviewWords.memoryAlarm}>
          <p>{overviewWords.memoryAlarmMore}</p>
        </Notice>
      )}
      {node?.disk_free_alarm && (
        <Notice icon="warning" role="alert" title={overviewWords.diskAlarm}>
          <p>{overviewWords.diskAlarmMore}</p>
        </Notice>
      )}
      <Loaded of={poll}>
        {(overview) => (
          <>
            <MessageFigures overview={overview} />
            <ObjectFigures overview={overview} />
            {node && <NodeFigures node={node} />}
          </>
        )}
      </Loaded>
      {host === '' ? <History of="overview" charts={charts} /> : <History of="vhost" vhost={host} charts={charts} />}
      <div class="panels">
        {poll.data && node && <BrokerFacts overview={poll.data} node={node} />}
        {poll.data?.listeners && <Listeners listeners={poll.data.listeners} />}
      </div>
    </Page>
  );
}

function Alarms({ node: { mem_alarm: memory, disk_free_alarm: disk } }: { readonly node: NodeShape }) {
  return memory || disk ? (
    <Badge tone="bad">{overviewWords.alarm}</Badge>
  ) : (
    <Badge tone="good">{overviewWords.noAlarms}</Badge>
  );
}

function MessageFigures({
  overview: { message_stats: stats, queue_totals: totals },
}: {
  readonly overview: OverviewShape;
}) {
  const figures = [
    ['publish', statisticsWords.published],
    ['confirm', statisticsWords.confirmed],
    ['deliver_get', statisticsWords.delivered],
    ['ack', statisticsWords.acknowledged],
  ] as const;
  return (
    <Figures>
      {figures.map(([name, label]) => (
        <Figure
          key={name}
          name={label}
          value={rate(rateOf(stats, name))}
          more={overviewWords.inAll(count(countOf(stats, name)))}
        />
      ))}
      <Figure name={statisticsWords.ready} value={count(totals?.messages_ready)} />
      <Figure name={statisticsWords.unacknowledged} value={count(totals?.messages_unacknowledged)} />
    </Figures>
  );
}

/** What was never done is not told of. */
function countOf(stats: MessageStatsShape | undefined, name: string): number {
  const value = stats?.[name];
  return typeof value === 'number' ? value : 0;
}

function rateOf(stats: MessageStatsShape | undefined, name: string): number {
  const details = stats?.[`${name}_details`] as DetailsShape | undefined;
  return details?.rate ?? 0;
}

function ObjectFigures({ overview: { object_totals: totals } }: { readonly overview: OverviewShape }) {
  return (
    <Figures>
      <Figure name={overviewWords.connections} value={<a href="/connections">{count(totals.connections)}</a>} />
      <Figure name={overviewWords.channels} value={<a href="/channels">{count(totals.channels)}</a>} />
      <Figure name={overviewWords.consumers} value={count(totals.consumers)} />
      <Figure name={overviewWords.queues} value={<a href="/queues">{count(totals.queues)}</a>} />
      <Figure name={overviewWords.exchanges} value={<a href="/exchanges">{count(totals.exchanges)}</a>} />
      {totals.streams !== undefined && (
        <Figure name={overviewWords.streams} value={<a href="/streams">{count(totals.streams)}</a>} />
      )}
    </Figures>
  );
}

function NodeFigures({ node }: { readonly node: NodeShape }) {
  const { mem_used: memory, mem_limit: limit, disk_free: free, disk_free_limit: least } = node;
  return (
    <Figures>
      <Figure
        name={overviewWords.memory}
        value={bytes(memory)}
        more={overviewWords.ofLimit(bytes(limit))}
        tone={node.mem_alarm ? 'bad' : 'plain'}
      />
      {free === undefined ? (
        <Figure name={overviewWords.disk} value="–" more={overviewWords.inMemoryOnly} />
      ) : (
        <Figure
          name={overviewWords.disk}
          value={bytes(free)}
          more={overviewWords.limitAt(bytes(least))}
          tone={node.disk_free_alarm ? 'bad' : 'plain'}
        />
      )}
      <Figure name={overviewWords.uptime} value={duration(node.uptime)} />
    </Figures>
  );
}

function BrokerFacts({ overview, node }: { readonly overview: OverviewShape; readonly node: NodeShape }) {
  return (
    <Panel title={overviewWords.broker}>
      <Facts
        of={[
          [overviewWords.version, `${overview.product_name} ${overview.product_version}`],
          [overviewWords.node, <span class="mono">{node.name}</span>],
          [overviewWords.cluster, <span class="mono">{overview.cluster_name}</span>],
          [overviewWords.process, node.os_pid],
          [overviewWords.directory, node.db_dir && <span class="mono">{node.db_dir}</span>],
          [overviewWords.files, node.fd_used === undefined ? undefined : count(node.fd_used)],
          [overviewWords.flushTime, node.io_sync_avg_time ? `${node.io_sync_avg_time.toFixed(2)} ms` : undefined],
        ]}
      />
    </Panel>
  );
}

function Listeners({ listeners }: { readonly listeners: readonly ListenerShape[] }) {
  return (
    <Panel title={overviewWords.listeners}>
      <LocalTable<ListenerShape>
        label={overviewWords.listeners}
        rows={listeners}
        rowKey={({ protocol, ip_address: address, port }) => `${protocol} ${address} ${port}`}
        columns={[
          { id: 'protocol', title: overviewWords.protocol, sort: 'protocol', cell: ({ protocol }) => protocol },
          {
            ...{ id: 'address', title: overviewWords.address, sort: 'ip_address' },
            cell: ({ ip_address: address }) => <span class="mono">{address}</span>,
          },
          { id: 'port', title: overviewWords.port, sort: 'port', cell: ({ port }) => port },
        ]}
      />
    </Panel>
  );
}
