import type { Socket } from 'node:net';
import { type Broker, connectionName, endsOf, Participant, type User } from '../../broker/index.ts';
import type { Timer } from '../../environment/environment.ts';
import type { Logger } from '../../environment/logger.ts';
import { BrokerError } from '../../errors.ts';
import { AnswerQueue, type Pending } from './answer-queue.ts';
import { audited } from './audit/index.ts';
import { Authentication, type AuthenticationSettings, type LoginStep } from './authentication/index.ts';
import type { Api } from './codec/api.ts';
import { apiVersions } from './codec/apis/api-versions.ts';
import { saslAuthenticate } from './codec/apis/sasl-authenticate.ts';
import { CodecError } from './codec/codec-error.ts';
import { KafkaError } from './codec/error-codes.ts';
import { decodeRequestHeader, encodeResponse, type KnownRequest, type RequestHeader } from './codec/frames.ts';
import type { Reader } from './codec/reader.ts';
import { type ConnectedClient, UNKNOWN_SOFTWARE } from './connected-client.ts';
import type { FetchSessions } from './fetch-sessions.ts';
import { FrameReader } from './frame-reader.ts';
import type { Endpoint, Handler, RequestContext } from './handler.ts';
import { HANDLERS, SUPPORTED_APIS } from './handlers/index.ts';
import { PROTOCOL } from './protocol.ts';
import type { ShareSessions } from './share-sessions.ts';
import { Throttle } from './throttle.ts';

export interface ConnectionLimits {
  /** The largest request, in bytes; Kafka's socket.request.max.bytes. */
  readonly maxFrameBytes: number;
  /** Requests of one connection that are worked on at a time; from then on it is not read from. */
  readonly maxPendingRequests: number;
  /** Likewise, the bytes of those requests. */
  readonly maxPendingBytes: number;
  /** Bytes of answers that the client has not taken, from which on its requests wait. */
  readonly maxUnsentBytes: number;
  /** Milliseconds without a byte in either direction after which it is closed, unless a request waits for something; Kafka's connections.max.idle.ms. */
  readonly maxIdleMs: number;
}

export const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = {
  maxFrameBytes: 100 * 1024 * 1024,
  maxPendingRequests: 64,
  maxPendingBytes: 32 * 1024 * 1024,
  maxUnsentBytes: 8 * 1024 * 1024,
  maxIdleMs: 600_000,
};

/** A peer that is gone without a word is noticed by the system's probes; it sends them after this time. */
const KEEP_ALIVE_MS = 60_000;
/** A client chooses its id: the log has no more of it than this. */
const LOGGED_ID_LENGTH = 200;
const LOGGED_MESSAGE_LENGTH = 1000;
/** The largest frame of one who has not shown who it is; Kafka's sasl.server.max.receive.size. */
const MAX_STRANGERS_FRAME_BYTES = 512 * 1024;
/** How long one who was told to go may take to do so. */
const LEAVE_GRACE_MS = 5000;

export interface ConnectionOptions {
  readonly socket: Socket;
  readonly broker: Broker;
  readonly logger: Logger;
  readonly endpoint: Endpoint;
  readonly listeners: RequestContext['listeners'];
  readonly fetchSessions: FetchSessions;
  readonly shareSessions: ShareSessions;
  readonly authentication: AuthenticationSettings;
  readonly limits: ConnectionLimits;
}

const apiOf = (key: number) => HANDLERS.get(key)?.api;

/** Whether the answer to a request may be large: what comes first in a request is its API's key. */
const answersMuch = (frame: Buffer) => frame.length >= 2 && HANDLERS.get(frame.readInt16BE(0))?.answersMuch === true;

/** One client's socket: requests in, answers out in the order of the requests. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #frames: FrameReader;
  readonly #authentication: Authentication;
  readonly #throttle: Throttle;
  readonly #answers: AnswerQueue;
  readonly #waiting: Buffer[] = [];
  readonly #closeListeners = new Set<() => void>();
  /** One for each request that waits for something to happen; called when there is nothing to wait for any more. */
  readonly #parked = new Set<() => void>();
  readonly #resume = () => this.#work();
  readonly #address: string;
  readonly #host: string;
  #participant: Participant | undefined;
  /** Another one when the client has logged in, or says another name. */
  readonly #participantNow = (): Participant => {
    const user = this.user?.name ?? '';
    const client = this.#clientId ?? '';
    const known = this.#participant;
    if (known !== undefined && known.user === user && known.client === client) return known;
    const connection = connectionName(endsOf(this.#options.socket));
    this.#participant = new Participant({ protocol: PROTOCOL, user, connection, client });
    return this.#participant;
  };
  readonly #client: ConnectedClient;
  #paused = false;
  #draining = false;
  #closed = false;
  #clientId: string | null = null;
  /** Fires when the client has used no more than it may: until then nothing more is done for it. */
  #muted: Timer | undefined;

  /** Resolves when the socket is closed. */
  readonly gone = new Promise<void>((resolve) => this.onClose(resolve));

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { socket, limits, broker } = options;
    this.#authentication = new Authentication(broker, options.authentication, socket);
    this.#throttle = new Throttle(broker, this.#authentication);
    this.#answers = new AnswerQueue(socket, () => this.#sent());
    this.#frames = new FrameReader(limits.maxFrameBytes);
    this.#limitStranger();
    this.#host = socket.remoteAddress ?? '';
    this.#address = `${this.#host}:${socket.remotePort}`;
    this.#client = {
      ...{ address: this.#host, port: socket.remotePort ?? 0 },
      ...{ softwareName: UNKNOWN_SOFTWARE, softwareVersion: UNKNOWN_SOFTWARE },
    };
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    socket.on('drain', this.#resume);
    socket.on('error', (error) => options.logger.debug({ err: error.message, ...this.#who() }, 'connection lost'));
    socket.on('timeout', () => this.#silent());
    socket.on('close', () => this.#onClosed());
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.setTimeout(limits.maxIdleMs);
  }

  /**
   * No request is being worked on, but for those that wait for something to happen. When the oldest is one of these, all that
   * came after it waits too: its answer is before theirs.
   */
  get idle(): boolean {
    if (this.#answers.unanswered > this.#parked.size) return false;
    if (this.#muted !== undefined) return true;
    const { oldest } = this.#answers;
    return oldest === undefined ? this.#waiting.length === 0 : oldest.answer === undefined;
  }

  /** The user whom the client has logged in as. */
  get user(): User | undefined {
    return this.#authentication.user;
  }

  /** What the client calls itself; null before its first request. */
  get clientId(): string | null {
    return this.#clientId;
  }

  /** Does nothing more for the client for so long. */
  mute(ms: number): void {
    if (this.#closed) return;
    this.#muted?.cancel();
    this.#muted = this.#options.broker.environment.clock.setTimer(ms, () => {
      this.#muted = undefined;
      this.#work();
    });
  }

  onClose(callback: () => void): () => boolean {
    if (this.#closed) queueMicrotask(callback);
    this.#closeListeners.add(callback);
    return () => this.#closeListeners.delete(callback);
  }

  /** Takes no more requests; the socket is closed when what is under way is answered, or when nothing moves for so long. */
  shutDown(graceMs: number): void {
    const { socket } = this.#options;
    this.#draining = true;
    this.#waiting.length = 0;
    socket.setTimeout(graceMs);
    // What still comes is thrown away: who does not read does not learn that the client has closed its side.
    socket.resume();
    this.#releaseParked();
    this.#endWhenDrained();
  }

  destroy(): void {
    this.#options.socket.destroy();
  }

  #received(chunk: Buffer): void {
    if (this.#draining) return;
    try {
      this.#frames.push(chunk, this.#waiting);
    } catch (error) {
      this.#refuse(error);
      return;
    }
    this.#work();
  }

  /** Starts on the requests that are there, as far as the limits allow; otherwise stops reading. */
  #work(): void {
    const { limits, socket, broker } = this.#options;
    while (this.#waiting.length > 0 && !this.#closed) {
      const [next] = this.#waiting;
      const mayStart =
        next !== undefined &&
        this.#muted === undefined &&
        this.#answers.length < limits.maxPendingRequests &&
        this.#answers.requestBytes < limits.maxPendingBytes &&
        this.#answers.unsentBytes < limits.maxUnsentBytes &&
        !(this.#answers.answeringMuch && answersMuch(next));
      if (!mayStart) break;
      const busy = broker.shards.find((shard) => shard.overloaded);
      if (busy !== undefined) {
        busy.onDrained(this.#resume);
        break;
      }
      this.#waiting.shift();
      this.#start(next);
    }
    const pause = this.#waiting.length > 0;
    if (pause === this.#paused || this.#closed || this.#draining) return;
    this.#paused = pause;
    if (pause) socket.pause();
    else socket.resume();
  }

  #start(frame: Buffer): void {
    if (this.#authentication.expectsBareMessage) {
      this.#takeBareMessage(frame);
      return;
    }
    let header: RequestHeader;
    try {
      header = decodeRequestHeader(frame, apiOf);
    } catch (error) {
      this.#refuse(error);
      return;
    }
    const handler = header.kind === 'known' ? HANDLERS.get(header.api.key) : undefined;
    if (header.kind === 'unsupported-version' && header.api.key === apiVersions.key) {
      // KIP-511: answered in version 0, with what there is, so that the client can choose again.
      const answer = { errorCode: KafkaError.UNSUPPORTED_VERSION, apiKeys: SUPPORTED_APIS };
      const pending = this.#answers.push(frame.length, false);
      this.#answers.answered(pending, encodeResponse(apiVersions, 0, header.correlationId, answer));
      return;
    }
    if (header.kind !== 'known' || handler === undefined) {
      const name = header.kind === 'unknown-api' ? `API ${header.apiKey}` : `${header.api.name} v${header.version}`;
      this.#refuse(new BrokerError('unsupported', `${name} is not supported`));
      return;
    }
    this.#clientId = header.clientId;
    try {
      this.#authentication.check(header.api.key);
    } catch (error) {
      this.#refuse(error, header);
      return;
    }
    this.#run(handler, header, frame.length);
  }

  /** A message of a login after a handshake of version 0: a size and the message, each way, until the login is over. */
  #takeBareMessage(frame: Buffer): void {
    let step: LoginStep;
    try {
      step = this.#authentication.next(frame);
    } catch (error) {
      this.#refuse(error);
      return;
    }
    const { errorCode, answer, reason } = step;
    if (errorCode !== KafkaError.NONE) {
      this.#refuse(new BrokerError('not-authorized', reason ?? 'the login failed'));
      return;
    }
    this.#limitStranger();
    const size = Buffer.alloc(4);
    size.writeInt32BE(answer.length);
    this.#answers.answered(this.#answers.push(frame.length, false), [size, answer]);
  }

  /** Who has not shown who it is may not send much. */
  #limitStranger(): void {
    const { maxFrameBytes } = this.#options.limits;
    this.#frames.maxFrameBytes = this.#authentication.isAdmitted
      ? maxFrameBytes
      : Math.min(maxFrameBytes, MAX_STRANGERS_FRAME_BYTES);
  }

  #run(handler: Handler, header: KnownRequest, bytes: number): void {
    const pending = this.#answers.push(bytes, handler.answersMuch);
    const begun = this.#throttle.now();
    try {
      const request = handler.api.request.decode(header.body as Reader, header.version);
      const answer = audited(handler, request, this.#context(header));
      const busyMs = this.#throttle.now() - begun;
      if (answer instanceof Promise) {
        answer.then(
          (body) => this.#answer(pending, handler.api, header, body, busyMs),
          (error: unknown) => this.#refuse(error, header),
        );
      } else {
        this.#answer(pending, handler.api, header, answer, busyMs);
      }
    } catch (error) {
      this.#refuse(error, header);
    }
    if (header.api.key === saslAuthenticate.key) this.#limitStranger();
  }

  #context({ version, clientId }: KnownRequest): RequestContext {
    const { broker, logger, endpoint, listeners, fetchSessions, shareSessions } = this.#options;
    return {
      broker,
      logger,
      version,
      clientId,
      clientHost: this.#host,
      client: this.#client,
      authentication: this.#authentication,
      access: this.#authentication.access,
      participant: this.#participantNow,
      endpoint,
      listeners,
      fetchSessions,
      shareSessions,
      onClose: (callback) => this.#park(callback),
      onDisconnect: (callback) => this.onClose(callback),
      endSoon: (reason) => {
        logger.warn({ ...this.#who(), err: reason }, 'connection closed');
        this.shutDown(LEAVE_GRACE_MS);
      },
    };
  }

  #park(callback: () => void): () => void {
    // A request that got this far when the connection had ended already would wait for what nobody calls any more.
    if (this.#closed || this.#draining) queueMicrotask(callback);
    // Each is an entry of its own, whatever the function.
    const parked = () => callback();
    this.#parked.add(parked);
    return () => this.#parked.delete(parked);
  }

  #releaseParked(): void {
    for (const callback of [...this.#parked]) callback();
  }

  #answer(pending: Pending, api: Api, header: KnownRequest, body: unknown, workedMs: number): void {
    if (this.#closed) return;
    let answer: readonly Buffer[];
    const begun = this.#throttle.now();
    try {
      const encode = (fields: unknown): readonly Buffer[] =>
        fields === undefined ? [] : encodeResponse(api, header.version, header.correlationId, fields as never);
      answer = encode(body);
      const busyMs = workedMs + this.#throttle.now() - begun;
      const used = this.#throttle.record(header, { requestBytes: pending.bytes, answer, busyMs });
      // An answer may say itself that its client has done too much.
      const throttleMs = Math.max(used, (body as { throttleTimeMs?: number } | undefined)?.throttleTimeMs ?? 0);
      if (throttleMs > 0) {
        // The client is told to wait, and in case it does not, nothing is done for it meanwhile (KIP-219).
        if (body !== undefined) answer = encode({ ...(body as object), throttleTimeMs: throttleMs });
        this.mute(throttleMs);
      }
    } catch (error) {
      this.#failed(error, header);
      return;
    }
    this.#answers.answered(pending, answer);
  }

  #sent(): void {
    if (this.#draining) this.#endWhenDrained();
    else this.#work();
  }

  #endWhenDrained(): void {
    if (this.#draining && this.#answers.length === 0 && !this.#closed) this.#options.socket.end();
  }

  /** Nothing has come or gone for long. */
  #silent(): void {
    // Who waits for an answer has to be silent; who does not take one for so long is gone.
    if ((this.#answers.unanswered > 0 || this.#muted !== undefined) && !this.#draining) return;
    this.#options.logger.debug(this.#who(), 'connection closed: silent for too long');
    this.#end();
  }

  /** Closes the connection for what the client sent, or for what the broker could not do; and says why. */
  #refuse(error: unknown, header?: KnownRequest): void {
    if (!(error instanceof CodecError || error instanceof BrokerError)) {
      this.#failed(error, header);
    } else if (!this.#closed) {
      const err = error.message.slice(0, LOGGED_MESSAGE_LENGTH);
      this.#options.logger.warn({ ...this.#who(header), err }, 'connection closed: bad request');
      this.#end();
    }
  }

  /** Closes the connection for what the broker should have been able to do. */
  #failed(error: unknown, header?: KnownRequest): void {
    if (this.#closed) return;
    const err = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#options.logger.error({ ...this.#who(header), err }, 'connection closed: the broker failed');
    this.#end();
  }

  #who(header?: KnownRequest): object {
    const clientId = this.#clientId?.slice(0, LOGGED_ID_LENGTH) ?? null;
    return { client: this.#address, clientId, ...(header && { api: header.api.name, version: header.version }) };
  }

  #end(): void {
    this.#options.socket.destroy();
    this.#onClosed();
  }

  #onClosed(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#muted?.cancel();
    this.#answers.close();
    this.#waiting.length = 0;
    this.#releaseParked();
    for (const callback of [...this.#closeListeners]) callback();
    this.#closeListeners.clear();
  }
}
