import type { ChannelDetailsShape } from '../../src/protocols/http/shapes/clients.ts';
import { usePoll } from '../api/poll.ts';
import { count, rate } from '../format/index.ts';
import { Facts, Figure, Figures, Panel } from '../kit/facts.tsx';
import { History } from '../kit/history.tsx';
import { LocalTable } from '../kit/local-table.tsx';
import { messageRates } from '../kit/message-charts.ts';
import { Page } from '../kit/page.tsx';
import { Loaded, Notice } from '../kit/problem.tsx';
import { url } from '../location.ts';
import type { PageParameters } from '../registry.ts';
import { clientWords } from '../words/clients.ts';
import { common } from '../words/common.ts';
import { navigationWords } from '../words/navigation.ts';
import { consumerColumns, Modes, statRate } from './clients/columns.tsx';
import { ClientState } from './clients/state.tsx';

/** One channel with its consumers. */
export function Channel({ params: { channel: name = '' } }: PageParameters) {
  const poll = usePoll<ChannelDetailsShape>(url`/channels/${name}`);
  const { data: channel } = poll;
  return (
    <Page
      title={name}
      within={[{ title: navigationWords.channels, href: '/channels' }]}
      notes={
        channel && (
          <>
            <ClientState state={channel.state} /> <Modes of={channel} />
          </>
        )
      }
    >
      <Loaded of={poll}>{(loaded) => <Details channel={loaded} />}</Loaded>
    </Page>
  );
}

function Details({ channel }: { readonly channel: ChannelDetailsShape }) {
  const limit = (prefetch: number) => (prefetch === 0 ? clientWords.unlimited : count(prefetch));
  const { name } = channel.connection_details;
  const { message_stats: stats } = channel;
  return (
    <>
      <Figures>
        <Figure name={clientWords.publishRate} value={rate(statRate(stats, 'publish') ?? 0)} />
        <Figure name={clientWords.deliverRate} value={rate(statRate(stats, 'deliver_get') ?? 0)} />
        <Figure name={clientWords.ackRate} value={rate(statRate(stats, 'ack') ?? 0)} />
        <Figure name={clientWords.unacknowledged} value={count(channel.messages_unacknowledged)} />
        <Figure name={clientWords.unconfirmed} value={count(channel.messages_unconfirmed)} />
        {channel.transactional && (
          <>
            <Figure name={clientWords.uncommitted} value={count(channel.messages_uncommitted)} />
            <Figure name={clientWords.uncommittedAcks} value={count(channel.acks_uncommitted)} />
          </>
        )}
        <Figure name={clientWords.consumers} value={count(channel.consumer_count)} />
      </Figures>
      <History of="channel" name={channel.name} charts={[messageRates()]} />
      <Panel title={common.details}>
        <Facts
          of={[
            [clientWords.connection, <a href={url`/connections/${name}`}>{name}</a>],
            [clientWords.number, count(channel.number)],
            [common.user, channel.user],
            [common.virtualHost, channel.vhost],
            [clientWords.prefetchConsumer, limit(channel.prefetch_count)],
            [clientWords.prefetchChannel, limit(channel.global_prefetch_count)],
          ]}
        />
      </Panel>
      <Panel title={clientWords.consumers}>
        <LocalTable
          label={clientWords.consumers}
          columns={consumerColumns().filter(({ id }) => id !== 'channel')}
          rows={channel.consumer_details}
          rowKey={(consumer) => consumer.consumer_tag}
          empty={<Notice title={clientWords.noConsumers} />}
        />
      </Panel>
    </>
  );
}
