import type { Broker, ClientAccess, Participant } from '../../broker/index.ts';
import type { Logger } from '../../environment/logger.ts';
import type { Authentication } from './authentication/index.ts';
import type { Api } from './codec/api.ts';
import type { Decoded, Fields, Input } from './codec/schema.ts';
import type { ConnectedClient } from './connected-client.ts';
import type { FetchSessions } from './fetch-sessions.ts';
import type { ShareSessions } from './share-sessions.ts';

/** What clients are told to connect to. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Where clients of Kafka come in. */
export interface ListenerView {
  /** Kafka's name for what everybody has to do there: encrypt, log in, both or neither. */
  readonly securityProtocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
  /** Where it listens. */
  readonly address: Endpoint;
  /** What its clients are told. */
  readonly endpoint: Endpoint;
}

/** Everything that a handler may use beside its request. */
export interface RequestContext {
  readonly broker: Broker;
  readonly logger: Logger;
  readonly version: number;
  readonly clientId: string | null;
  readonly clientHost: string;
  readonly client: ConnectedClient;
  /** Who the client is. */
  readonly authentication: Authentication;
  /** What it may do. */
  readonly access: ClientAccess;
  /** Who it is, for traces. */
  readonly participant: () => Participant;
  /** This broker, as clients of this listener reach it. */
  readonly endpoint: Endpoint;
  /** All that there are in this broker. */
  readonly listeners: () => readonly ListenerView[];
  readonly fetchSessions: FetchSessions;
  readonly shareSessions: ShareSessions;
  /** Calls back when the connection ends, until the answered function is called: for those who wait. */
  onClose(callback: () => void): () => void;
  /** Likewise, for what lasts as long as the connection: nobody waits for it. */
  onDisconnect(callback: () => void): () => void;
  /** Ends the connection when what is under way is answered; the log says why. */
  endSoon(reason: string): void;
}

/** An answer, or `undefined` for a request that gets none (Produce with acks=0). */
export type Answer<Response extends Fields> = Input<Response> | undefined;

/** One API's work. What is thrown closes the connection: an error that the response can carry is put there. */
export interface Handler<Request extends Fields = Fields, Response extends Fields = Fields> {
  readonly api: Api<Request, Response>;
  /** Its answer may be large: a connection has one such request worked on at a time, so that it holds one such answer. */
  readonly answersMuch: boolean;
  readonly handle: (request: Decoded<Request>, context: RequestContext) => Answer<Response> | Promise<Answer<Response>>;
}

export function handler<Request extends Fields, Response extends Fields>(
  api: Api<Request, Response>,
  handle: Handler<Request, Response>['handle'],
  { answersMuch = false }: { readonly answersMuch?: boolean } = {},
): Handler<Request, Response> {
  return { api, handle, answersMuch };
}
