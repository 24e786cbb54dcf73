import type { Socket } from 'node:net';
import { type ClientChannel, type ClientConnection, endsOf, type FieldTable, stringOf } from '../../broker/index.ts';
import type { Channel } from './channel.ts';
import { PROTOCOL } from './channel-meter.ts';
import type { Opened } from './handshake.ts';
import type { Session } from './session.ts';

export interface ClientViewOptions {
  readonly socket: Socket;
  readonly session: Session;
  readonly opened: Opened;
  readonly properties: FieldTable;
  readonly connectedAt: number;
  state(): ClientConnection['state'];
  close(reason: string): void;
}

/** A connection as people see it. */
export function clientView({
  socket,
  session,
  opened,
  properties,
  connectedAt,
  ...live
}: ClientViewOptions): ClientConnection {
  return {
    protocol: PROTOCOL,
    ...endsOf(socket),
    connectedAt,
    user: session.user.name,
    virtualHost: session.virtualHost.name,
    givenName: stringOf(properties.get('connection_name')),
    properties,
    agreed: opened,
    owner: session,
    get state() {
      return live.state();
    },
    get bytesReceived() {
      return socket.bytesRead;
    },
    get bytesSent() {
      return socket.bytesWritten;
    },
    get channels() {
      return Array.from(session.channels, channelView);
    },
    get channelCounts() {
      return channelCounts(session);
    },
    close: (reason) => live.close(reason),
  };
}

function* channelCounts({ channels }: Session) {
  for (const { meter } of channels) yield meter.counts;
}

function channelView({ number, consumers, publishing, meter }: Channel): ClientChannel {
  const { transaction } = publishing;
  return {
    number,
    counts: meter.counts,
    prefetch: consumers.prefetch,
    channelPrefetch: consumers.channelPrefetch,
    unacknowledged: consumers.unacknowledgedCount,
    unconfirmed: publishing.unconfirmed,
    confirms: publishing.confirms,
    transactional: transaction !== undefined,
    uncommitted: {
      messages: transaction?.publishes.length ?? 0,
      acknowledgements: transaction?.settlements.reduce((count, { taken }) => count + taken.length, 0) ?? 0,
    },
    consumers: Array.from(consumers.all(), (consumer) => ({
      tag: consumer.tag,
      queue: consumer.queue,
      noAck: consumer.noAck,
      exclusive: consumer.exclusive,
      prefetch: consumer.prefetch,
      active: consumer.subscription?.active ?? true,
      arguments: consumer.arguments,
    })),
    held: (queue) => consumers.held(queue),
  };
}
