import type { DetailsShape, MessageStatsShape } from '../../../src/protocols/http/shapes/statistics.ts';
import type { QueueShape } from '../../../src/protocols/http/shapes/topology.ts';
import { bytes, count, rate } from '../../format/index.ts';
import { Badge } from '../../kit/facts.tsx';
import type { Column } from '../../kit/table.tsx';
import { url } from '../../location.ts';
import { common } from '../../words/common.ts';
import { queueWords } from '../../words/queues.ts';

/** What is done a second; undefined where nothing was ever done. */
export function rateOf(stats: MessageStatsShape | undefined, name: string): number | undefined {
  const details = stats?.[`${name}_details`] as DetailsShape | undefined;
  return details?.rate;
}

export function queueColumns(): readonly Column<QueueShape>[] {
  return [
    {
      ...{ id: 'name', title: common.name, sort: 'name' },
      cell: ({ name, vhost }) => <a href={url`/queues/${vhost}/${name}`}>{name}</a>,
    },
    { id: 'vhost', title: common.virtualHost, sort: 'vhost', cell: ({ vhost }) => vhost },
    { id: 'type', title: common.type, sort: 'type', cell: ({ type }) => queueWords[type] },
    { id: 'features', title: queueWords.features, cell: (queue) => <Features of={queue} /> },
    { id: 'policy', title: queueWords.policy, sort: 'policy', hidden: true, cell: ({ policy }) => policy },
    number('ready', queueWords.ready, 'messages_ready'),
    number('unacknowledged', queueWords.unacknowledged, 'messages_unacknowledged'),
    number('total', queueWords.total, 'messages'),
    number('consumers', queueWords.consumers, 'consumers'),
    {
      ...{ id: 'bytes', title: queueWords.readyBytes, sort: 'message_bytes_ready', align: 'end', hidden: true },
      cell: ({ message_bytes_ready: ready }) => bytes(ready),
    },
    rateColumn('incoming', queueWords.incoming, 'publish'),
    rateColumn('deliver', queueWords.deliver, 'deliver_get'),
    rateColumn('acknowledged', queueWords.acknowledged, 'ack'),
  ];
}

function number(
  id: string,
  title: string,
  field: 'messages_ready' | 'messages_unacknowledged' | 'messages' | 'consumers',
) {
  return { id, title, sort: field, align: 'end', cell: (queue: QueueShape) => count(queue[field]) } as const;
}

function rateColumn(id: string, title: string, stat: string) {
  const sort = `message_stats.${stat}_details.rate`;
  const cell = ({ message_stats: stats }: QueueShape) => rate(rateOf(stats, stat));
  return { id, title, sort, align: 'end', cell } as const;
}

type Featured = Pick<QueueShape, 'durable' | 'auto_delete' | 'exclusive' | 'arguments' | 'policy'>;

/** What is special about a queue, in a word each. */
export function Features({ of }: { readonly of: Featured }) {
  const args = Object.keys(of.arguments).filter((name) => name !== 'x-queue-type');
  return (
    <span class="badges">
      {!of.durable && <Badge tone="warn">{queueWords.transient}</Badge>}
      {of.auto_delete && <Badge>{queueWords.autoDelete}</Badge>}
      {of.exclusive && <Badge>{queueWords.exclusive}</Badge>}
      {args.map((name) => (
        <Badge key={name} tone="info" title={`${name}: ${JSON.stringify(of.arguments[name])}`}>
          {name.replace(/^x-/, '')}
        </Badge>
      ))}
      {of.policy !== null && <Badge tone="good">{of.policy}</Badge>}
    </span>
  );
}
