import type { ChannelShape } from '../../src/protocols/http/shapes/clients.ts';
import { Page } from '../kit/page.tsx';
import { Notice } from '../kit/problem.tsx';
import { ServerTable } from '../kit/server-table.tsx';
import { url } from '../location.ts';
import { virtualHost } from '../virtual-host.ts';
import { clientWords } from '../words/clients.ts';
import { navigationWords } from '../words/navigation.ts';
import { channelColumns } from './clients/columns.tsx';

/** Channels of AMQP's clients. */
export function Channels() {
  const host = virtualHost.value;
  return (
    <Page title={navigationWords.channels}>
      <ServerTable<ChannelShape>
        label={navigationWords.channels}
        name="channels"
        path={host === '' ? '/channels' : url`/vhosts/${host}/channels`}
        columns={channelColumns()}
        rowKey={({ name }) => name}
        empty={<Notice icon="channel" title={clientWords.noChannels} />}
      />
    </Page>
  );
}
