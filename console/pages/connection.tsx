import type { ChannelShape, ConnectionShape } from '../../src/protocols/http/shapes/clients.ts';
import { usePoll } from '../api/poll.ts';
import { byteRate, bytes, count, duration, time } from '../format/index.ts';
import { Button } from '../kit/button.tsx';
import { CopyButton } from '../kit/copy.tsx';
import { Facts, Figure, Figures, JsonFacts, Panel } from '../kit/facts.tsx';
import { History } from '../kit/history.tsx';
import { traffic } from '../kit/message-charts.ts';
import { Page } from '../kit/page.tsx';
import { Loaded, Notice } from '../kit/problem.tsx';
import { ServerTable } from '../kit/server-table.tsx';
import { navigate, url } from '../location.ts';
import type { PageParameters } from '../registry.ts';
import { clientWords } from '../words/clients.ts';
import { common } from '../words/common.ts';
import { navigationWords } from '../words/navigation.ts';
import { closeConnections, mayClose } from './clients/close-connection.tsx';
import { channelColumns } from './clients/columns.tsx';
import { ClientState } from './clients/state.tsx';

/** One client, with its channels and what it said of itself. */
export function Connection({ params: { connection: name = '' } }: PageParameters) {
  const poll = usePoll<ConnectionShape>(url`/connections/${name}`);
  const { data: connection } = poll;
  const allowed = connection !== undefined && mayClose(connection);
  return (
    <Page
      title={connection?.user_provided_name ?? name}
      within={[{ title: navigationWords.connections, href: '/connections' }]}
      notes={connection && <ClientState state={connection.state} />}
      actions={
        connection && (
          <Button
            kind="harm"
            disabled={!allowed}
            title={allowed ? undefined : clientWords.notYours}
            onClick={async () => {
              if (await closeConnections([connection])) navigate('/connections');
            }}
          >
            {clientWords.close}
          </Button>
        )
      }
    >
      <Loaded of={poll}>{(loaded) => <Details connection={loaded} />}</Loaded>
    </Page>
  );
}

function Details({ connection }: { readonly connection: ConnectionShape }) {
  const { name, client_properties: properties, timeout } = connection;
  return (
    <>
      <Figures>
        <Figure
          name={clientWords.receivedRate}
          value={byteRate(connection.recv_oct_details?.rate)}
          more={bytes(connection.recv_oct)}
        />
        <Figure
          name={clientWords.sentRate}
          value={byteRate(connection.send_oct_details?.rate)}
          more={bytes(connection.send_oct)}
        />
        <Figure name={clientWords.channels} value={count(connection.channels)} />
      </Figures>
      <History of="connection" name={name} charts={[traffic()]} />
      <div class="panels">
        <Panel title={common.details} actions={<CopyButton text={name} />}>
          <Facts
            of={[
              [common.name, <span class="mono">{name}</span>],
              [clientWords.protocol, connection.protocol],
              [common.user, connection.user],
              [common.virtualHost, connection.vhost],
              [clientWords.connectedAt, time(connection.connected_at)],
              [clientWords.peer, `${connection.peer_host}:${connection.peer_port}`],
              [clientWords.local, `${connection.host}:${connection.port}`],
              [clientWords.tls, connection.ssl],
              [clientWords.heartbeat, timeout === undefined ? undefined : duration(timeout * 1000)],
              [clientWords.frameMax, connection.frame_max === undefined ? undefined : bytes(connection.frame_max)],
              [
                clientWords.channelMax,
                connection.channel_max === undefined ? undefined : count(connection.channel_max),
              ],
            ]}
          />
        </Panel>
        <Panel title={clientWords.properties}>
          <JsonFacts value={properties} />
        </Panel>
      </div>
      <Panel title={clientWords.channels}>
        <ServerTable<ChannelShape>
          label={clientWords.channels}
          name="connection-channels"
          path={url`/connections/${name}/channels`}
          columns={channelColumns().filter(({ id }) => id !== 'vhost' && id !== 'user')}
          rowKey={(channel) => channel.name}
          filter={false}
          empty={
            <Notice title={connection.protocol === 'Kafka' ? clientWords.kafkaNoChannels : clientWords.noChannels} />
          }
        />
      </Panel>
    </>
  );
}
