import type { Socket } from 'node:net';
import type { FieldTable } from '../messages/index.ts';
import type { MessageCounts } from '../telemetry/message-counts.ts';

export interface ClientAddress {
  readonly host: string;
  readonly port: number;
}

/** A client's connection, for people: read when somebody looks, at no cost before. */
export interface ClientConnection {
  /** As people know it: `AMQP 0-9-1`. */
  readonly protocol: string;
  /** Where the client is, and what it connected to. */
  readonly peer: ClientAddress;
  readonly local: ClientAddress;
  readonly tls: boolean;
  /** Milliseconds since the epoch. */
  readonly connectedAt: number;
  /** Undefined for a client that did not log in. */
  readonly user: string | undefined;
  /** Undefined where the protocol has none. */
  readonly virtualHost: string | undefined;
  /** What the client calls itself. */
  readonly givenName: string | undefined;
  /** What else it says of itself. */
  readonly properties: FieldTable;
  readonly state: 'running' | 'blocked' | 'closing';
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** What both sides agreed upon, where the protocol has such things; 0 for no limit. */
  readonly agreed:
    | { readonly frameMax: number; readonly channelMax: number; readonly heartbeatSeconds: number }
    | undefined;
  /** What exclusive queues belong to. */
  readonly owner: object | undefined;
  readonly channels: readonly ClientChannel[];
  /** Of the channels alone: what they count. */
  readonly channelCounts: Iterable<MessageCounts>;
  /** Ends it; the client is told why, where its protocol can say that. */
  close(reason: string): void;
}

export interface ClientChannel {
  readonly number: number;
  /** The same object as long as the channel is open. */
  readonly counts: MessageCounts;
  /** Of consumers to come, and of all together; 0 for no limit. */
  readonly prefetch: number;
  readonly channelPrefetch: number;
  /** Messages that are out. */
  readonly unacknowledged: number;
  /** Publishes that were not answered yet. */
  readonly unconfirmed: number;
  readonly confirms: boolean;
  readonly transactional: boolean;
  /** Publishes and acknowledgements of the transaction that is open. */
  readonly uncommitted: { readonly messages: number; readonly acknowledgements: number };
  readonly consumers: readonly ClientConsumer[];
  /** The messages of a queue that are out with it. */
  held?(queue: string): Iterable<HeldMessage>;
}

/** A message that is out, by its place in the queue. */
export interface HeldMessage {
  readonly lane: number;
  readonly offset: number;
  /** Tag of the consumer; undefined for one that was got without consuming. */
  readonly consumer: string | undefined;
}

export interface ClientConsumer {
  readonly tag: string;
  readonly queue: string;
  readonly noAck: boolean;
  readonly exclusive: boolean;
  readonly prefetch: number;
  /** The queue delivers to it. */
  readonly active: boolean;
  readonly arguments: FieldTable;
}

/** What a socket says of the connection. */
export function endsOf(socket: Socket): Pick<ClientConnection, 'peer' | 'local' | 'tls'> {
  const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = socket;
  return {
    peer: { host: remoteAddress, port: remotePort },
    local: { host: localAddress, port: localPort },
    tls: 'encrypted' in socket,
  };
}
