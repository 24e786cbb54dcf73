import type { ChannelShape, ConnectionShape, ConsumerShape } from '../../../src/protocols/http/shapes/clients.ts';
import type { MessageStatsShape } from '../../../src/protocols/http/shapes/statistics.ts';
import { byteRate, bytes, count, rate, time } from '../../format/index.ts';
import { Badge, YesNo } from '../../kit/facts.tsx';
import type { Column } from '../../kit/table.tsx';
import { url } from '../../location.ts';
import { clientWords } from '../../words/clients.ts';
import { common } from '../../words/common.ts';
import { ClientState } from './state.tsx';

export function connectionColumns(): readonly Column<ConnectionShape>[] {
  return [
    {
      ...{ id: 'name', title: common.name, sort: 'name' },
      cell: ({ name, user_provided_name: given }) => (
        <>
          <a href={url`/connections/${name}`}>{given ?? name}</a>
          {given !== undefined && <span class="sub">{name}</span>}
        </>
      ),
    },
    {
      id: 'protocol',
      title: clientWords.protocol,
      sort: 'protocol',
      cell: ({ protocol }) => <span class="line">{protocol}</span>,
    },
    { id: 'vhost', title: common.virtualHost, sort: 'vhost', cell: ({ vhost = '' }) => vhost },
    { id: 'user', title: common.user, sort: 'user', cell: ({ user = '' }) => user },
    { id: 'state', title: common.state, sort: 'state', cell: ({ state }) => <ClientState state={state} /> },
    { id: 'tls', title: clientWords.tls, sort: 'ssl', hidden: true, cell: ({ ssl }) => <YesNo value={ssl} /> },
    {
      ...{ id: 'channels', title: clientWords.channels, sort: 'channels', align: 'end' },
      cell: ({ channels }) => count(channels),
    },
    {
      ...{ id: 'received-rate', title: clientWords.receivedRate, sort: 'recv_oct_details.rate', align: 'end' },
      cell: ({ recv_oct_details }) => byteRate(recv_oct_details?.rate),
    },
    {
      ...{ id: 'sent-rate', title: clientWords.sentRate, sort: 'send_oct_details.rate', align: 'end' },
      cell: ({ send_oct_details }) => byteRate(send_oct_details?.rate),
    },
    {
      ...{ id: 'received', title: clientWords.received, sort: 'recv_oct', align: 'end' },
      cell: ({ recv_oct }) => bytes(recv_oct),
    },
    {
      ...{ id: 'sent', title: clientWords.sent, sort: 'send_oct', align: 'end' },
      cell: ({ send_oct }) => bytes(send_oct),
    },
    {
      ...{ id: 'connected', title: clientWords.connectedAt, sort: 'connected_at', hidden: true },
      cell: ({ connected_at }) => time(connected_at),
    },
    {
      ...{ id: 'client', title: clientWords.client, hidden: true },
      cell: ({ client_properties: { product = '', version = '' } }) => `${String(product)} ${String(version)}`,
    },
  ];
}

export function channelColumns(): readonly Column<ChannelShape>[] {
  return [
    {
      ...{ id: 'name', title: clientWords.channel, sort: 'name' },
      cell: ({ name }) => (
        <a class="line" href={url`/channels/${name}`}>
          {name}
        </a>
      ),
    },
    { id: 'vhost', title: common.virtualHost, sort: 'vhost', cell: ({ vhost = '' }) => vhost },
    { id: 'user', title: common.user, sort: 'user', cell: ({ user = '' }) => user },
    { id: 'mode', title: clientWords.mode, cell: (channel) => <Modes of={channel} /> },
    { id: 'state', title: common.state, sort: 'state', cell: ({ state }) => <ClientState state={state} /> },
    {
      ...{ id: 'consumers', title: clientWords.consumers, sort: 'consumer_count', align: 'end' },
      cell: ({ consumer_count }) => count(consumer_count),
    },
    {
      ...{ id: 'prefetch', title: clientWords.prefetch, sort: 'prefetch_count', align: 'end' },
      cell: ({ prefetch_count, global_prefetch_count }) => count(global_prefetch_count || prefetch_count),
    },
    {
      ...{ id: 'unacknowledged', title: clientWords.unacknowledged, sort: 'messages_unacknowledged', align: 'end' },
      cell: ({ messages_unacknowledged }) => count(messages_unacknowledged),
    },
    {
      ...{ id: 'unconfirmed', title: clientWords.unconfirmed, sort: 'messages_unconfirmed', align: 'end' },
      cell: ({ messages_unconfirmed }) => count(messages_unconfirmed),
    },
    {
      ...{ id: 'publish', title: clientWords.publishRate, sort: 'message_stats.publish_details.rate', align: 'end' },
      cell: ({ message_stats }) => rate(statRate(message_stats, 'publish')),
    },
    {
      ...{
        id: 'deliver',
        title: clientWords.deliverRate,
        sort: 'message_stats.deliver_get_details.rate',
        align: 'end',
      },
      cell: ({ message_stats }) => rate(statRate(message_stats, 'deliver_get')),
    },
    {
      ...{ id: 'ack', title: clientWords.ackRate, sort: 'message_stats.ack_details.rate', align: 'end' },
      cell: ({ message_stats }) => rate(statRate(message_stats, 'ack')),
    },
    {
      ...{
        id: 'uncommitted',
        title: clientWords.uncommitted,
        sort: 'messages_uncommitted',
        align: 'end',
        hidden: true,
      },
      cell: ({ messages_uncommitted }) => count(messages_uncommitted),
    },
  ];
}

/** Of what is done with messages: `publish`, `deliver_get`, `ack`. */
export function statRate(stats: MessageStatsShape | undefined, name: string): number | undefined {
  const details = stats?.[`${name}_details`];
  return typeof details === 'object' ? details.rate : undefined;
}

/** Confirms or transactions, where there are. */
export function Modes({ of: { confirm, transactional } }: { readonly of: ChannelShape }) {
  return (
    <span class="badges">
      {confirm && <Badge tone="info">{clientWords.confirms}</Badge>}
      {transactional && <Badge tone="info">{clientWords.transactional}</Badge>}
    </span>
  );
}

export function consumerColumns(): readonly Column<ConsumerShape>[] {
  return [
    {
      ...{ id: 'tag', title: clientWords.consumerTag, sort: 'consumer_tag' },
      cell: ({ consumer_tag }) => <span class="mono">{consumer_tag}</span>,
    },
    {
      ...{ id: 'queue', title: clientWords.queue, sort: 'queue.name' },
      cell: ({ queue: { name, vhost = '/' } }) => <a href={url`/queues/${vhost}/${name}`}>{name}</a>,
    },
    {
      ...{ id: 'channel', title: clientWords.channel, sort: 'channel_details.name' },
      cell: ({ channel_details: { name } }) => <a href={url`/channels/${name}`}>{name}</a>,
    },
    {
      ...{ id: 'ack', title: clientWords.acknowledges, sort: 'ack_required' },
      cell: ({ ack_required }) => (ack_required ? clientWords.manual : clientWords.automatic),
    },
    { id: 'exclusive', title: clientWords.exclusive, cell: ({ exclusive }) => <YesNo value={exclusive} /> },
    {
      ...{ id: 'prefetch', title: clientWords.prefetch, sort: 'prefetch_count', align: 'end' },
      cell: ({ prefetch_count }) => (prefetch_count === 0 ? clientWords.unlimited : count(prefetch_count)),
    },
    {
      ...{ id: 'active', title: common.state, sort: 'active' },
      cell: ({ active }) => (
        <Badge tone={active ? 'good' : 'plain'}>{active ? clientWords.active : clientWords.waiting}</Badge>
      ),
    },
  ];
}
