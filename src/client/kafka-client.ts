import type { Socket } from 'node:net';
import type { Environment } from '../environment/environment.ts';
import { realEnvironment } from '../environment/real.ts';
import { BrokerError, toBrokerError } from '../errors.ts';
import type { Api } from '../protocols/kafka/codec/api.ts';
import { apiVersions } from '../protocols/kafka/codec/apis/api-versions.ts';
import { saslAuthenticate } from '../protocols/kafka/codec/apis/sasl-authenticate.ts';
import { saslHandshake } from '../protocols/kafka/codec/apis/sasl-handshake.ts';
import { CodecError } from '../protocols/kafka/codec/codec-error.ts';
import { KafkaError } from '../protocols/kafka/codec/error-codes.ts';
import { decodeResponse, encodeRequest } from '../protocols/kafka/codec/frames.ts';
import type { Decoded, Fields, Input } from '../protocols/kafka/codec/schema.ts';
import { FrameReader } from '../protocols/kafka/frame-reader.ts';
import { throwOnError } from './kafka-error.ts';
import { type Login, prove } from './sasl.ts';
import { connected, connectionError, type SocketOptions } from './socket.ts';

export interface KafkaClientOptions extends SocketOptions {
  /** Who this client is; nobody unless given. */
  readonly login?: Login | undefined;
  /** How the broker is to know this client. */
  readonly clientId?: string;
  /** How long connecting may take, and how long the broker may be silent while it owes an answer. */
  readonly timeoutMs?: number;
  /** A larger answer closes the connection. */
  readonly maxResponseBytes?: number;
  /** Where time and chance come from; the machine itself unless given. */
  readonly environment?: Pick<Environment, 'clock' | 'random'>;
}

export interface RequestOptions {
  /** Not beyond this version, though both sides have later ones. */
  readonly maxVersion?: number;
}

interface Pending {
  readonly what: string;
  readonly answer: (frame: Buffer) => void;
  readonly fail: (error: BrokerError) => void;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_RESPONSE_BYTES = 256 * 1024 * 1024;
const MAX_INT32 = 0x7fffffff;
/** Of the time that a login counts. */
const RENEW_LOGIN_AT = 0.8;
/** Flexible, and in every broker since Kafka 2.4; an older one says what it has instead. */
const API_VERSIONS_VERSION = 3;

/**
 * One connection to one broker that speaks Kafka's protocol. Requests are sent at once, however many wait for an answer,
 * and the broker serves them in order. Everything rejects with a `BrokerError`: `closed` when the connection is not there
 * or was lost, `unsupported` for an API that the broker lacks.
 */
export class KafkaClient {
  readonly environment: Pick<Environment, 'clock' | 'random'>;
  readonly #socket: Socket;
  readonly #address: string;
  readonly #clientId: string;
  readonly #frames: FrameReader;
  readonly #pending = new Map<number, Pending>();
  /** First and last version that the broker has of each API, by key. */
  readonly #versions = new Map<number, readonly [number, number]>();
  readonly #login: Login | undefined;
  /** When to log in anew, by the monotonic clock: the broker lets a login count for a time only. */
  #loginDue = Number.POSITIVE_INFINITY;
  #loggingIn: Promise<void> | undefined;
  #correlationId = 0;
  #closed: BrokerError | undefined;

  private constructor(socket: Socket, address: string, options: KafkaClientOptions) {
    this.environment = options.environment ?? realEnvironment();
    this.#socket = socket;
    this.#address = address;
    this.#clientId = options.clientId ?? 'sluice';
    this.#login = options.login;
    this.#frames = new FrameReader(options.maxResponseBytes ?? DEFAULT_MAX_RESPONSE_BYTES);
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    socket.setTimeout(timeoutMs);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('timeout', () => {
      if (this.#pending.size > 0)
        this.#fail(new BrokerError('closed', `${address} has not answered for ${timeoutMs} ms`));
    });
    socket.on('error', (error) => this.#fail(connectionError(address, error)));
    socket.on('close', () =>
      this.#fail(
        new BrokerError('closed', `${address} closed the connection: it may want TLS or a login; its log may say why`),
      ),
    );
  }

  static async connect(options: KafkaClientOptions): Promise<KafkaClient> {
    const address = `${options.host}:${options.port}`;
    const socket = await connected(options, options.timeoutMs ?? DEFAULT_TIMEOUT_MS, address);
    const client = new KafkaClient(socket, address, options);
    try {
      await client.#learnVersions();
      if (options.login !== undefined) await client.#logIn(options.login);
      return client;
    } catch (error) {
      client.#socket.destroy();
      throw error;
    }
  }

  /** Whether the broker and this client have a version of the API in common. */
  supports(api: Pick<Api, 'key' | 'versions' | 'lastStable'>, version?: number): boolean {
    const [first, last] = this.#common(api);
    return first <= last && (version === undefined || (version >= first && version <= last));
  }

  /** Shows the broker who this is. Rejects with `not-authorized` when it does not believe it. */
  async #logIn(login: Login): Promise<void> {
    const { mechanism, user } = login;
    const version = this.#choose(saslHandshake, {});
    const { errorCode, mechanisms } = await this.#exchange(
      saslHandshake,
      version,
      { mechanism },
      (frame) => decodeResponse(saslHandshake, version, frame).body,
    );
    if (errorCode === KafkaError.UNSUPPORTED_SASL_MECHANISM) {
      const why = mechanisms.length === 0 ? 'nobody can log in there' : `it has ${mechanisms.join(', ')}`;
      throw new BrokerError('unsupported', `${this.#address} does not do ${mechanism}: ${why}`);
    }
    throwOnError(errorCode, this.#address);
    const proving = this.#choose(saslAuthenticate, {});
    const began = this.environment.clock.monotonic();
    await prove(login, this.environment.random.uuid(), async (message) => {
      const answer = await this.#exchange(
        saslAuthenticate,
        proving,
        { authBytes: message },
        (frame) => decodeResponse(saslAuthenticate, proving, frame).body,
      );
      throwOnError(answer.errorCode, `user '${user}'`, answer.errorMessage);
      if (answer.sessionLifetimeMs > 0) this.#loginDue = began + answer.sessionLifetimeMs * RENEW_LOGIN_AT;
      return answer.authBytes;
    });
  }

  /** Logs in anew when it is time to. */
  #stayLoggedIn(): Promise<void> | undefined {
    if (this.#login === undefined || this.environment.clock.monotonic() < this.#loginDue) return this.#loggingIn;
    this.#loggingIn ??= this.#logIn(this.#login).finally(() => {
      this.#loggingIn = undefined;
    });
    return this.#loggingIn;
  }

  /** Sends the request, in the latest version that both sides have, and resolves with the answer. */
  async request<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    body: Input<Request>,
    options: RequestOptions = {},
  ): Promise<Decoded<Response>> {
    const version = this.#choose(api, options);
    const renewing = this.#stayLoggedIn();
    if (renewing !== undefined) await renewing;
    return this.#exchange(api, version, body, (frame) => decodeResponse(api, version, frame).body);
  }

  /** Sends a request that has no answer (a produce with acks=0). Resolves when the system has taken all bytes of it. */
  async send<Request extends Fields, Response extends Fields>(
    api: Api<Request, Response>,
    body: Input<Request>,
    options: RequestOptions = {},
  ): Promise<void> {
    if (this.#closed !== undefined) throw this.#closed;
    const version = this.#choose(api, options);
    const renewing = this.#stayLoggedIn();
    if (renewing !== undefined) await renewing;
    const chunks = encodeRequest(api, version, this.#nextCorrelationId(), this.#clientId, body);
    await new Promise<void>((resolve, reject) => {
      this.#write(chunks, (error) => (error ? reject(connectionError(this.#address, error)) : resolve()));
    });
  }

  /** Ends the connection when all that was sent is out; requests that wait for an answer fail. Resolves when it is closed. */
  async close(): Promise<void> {
    this.#failPending(new BrokerError('closed', 'this client was closed'));
    if (this.#socket.closed) return;
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
    this.#socket.destroySoon();
    await closed;
  }

  async #learnVersions(): Promise<void> {
    const body = { clientSoftwareName: 'sluice', clientSoftwareVersion: '0' };
    const response = await this.#exchange(apiVersions, API_VERSIONS_VERSION, body, (frame) => {
      // A broker that lacks the version answers in version 0, which begins with the error: after the correlation id.
      const lacking = frame.length >= 6 && frame.readInt16BE(4) === KafkaError.UNSUPPORTED_VERSION;
      return decodeResponse(apiVersions, lacking ? 0 : API_VERSIONS_VERSION, frame).body;
    });
    if (response.errorCode !== KafkaError.UNSUPPORTED_VERSION) throwOnError(response.errorCode, this.#address);
    for (const { apiKey, minVersion, maxVersion } of response.apiKeys)
      this.#versions.set(apiKey, [minVersion, maxVersion]);
  }

  #common(api: Pick<Api, 'key' | 'versions' | 'lastStable'>): readonly [number, number] {
    const [first, last] = this.#versions.get(api.key) ?? [0, -1];
    return [Math.max(first, api.versions[0]), Math.min(last, api.lastStable)];
  }

  #choose(api: Pick<Api, 'key' | 'name' | 'versions' | 'lastStable'>, { maxVersion }: RequestOptions): number {
    const [first, last] = this.#common(api);
    const version = Math.min(last, maxVersion ?? last);
    if (version >= first) return version;
    throw new BrokerError(
      'unsupported',
      `${this.#address} does not do ${api.name} in a version that this client knows`,
    );
  }

  #exchange<Request extends Fields, Response extends Fields, Answer>(
    api: Api<Request, Response>,
    version: number,
    body: Input<Request>,
    decode: (frame: Buffer) => Answer,
  ): Promise<Answer> {
    const id = this.#nextCorrelationId();
    const chunks = encodeRequest(api, version, id, this.#clientId, body);
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) return reject(this.#closed);
      this.#pending.set(id, { what: api.name, answer: (frame) => resolve(decode(frame)), fail: reject });
      this.#write(chunks);
    });
  }

  #nextCorrelationId(): number {
    this.#correlationId = this.#correlationId === MAX_INT32 ? 0 : this.#correlationId + 1;
    return this.#correlationId;
  }

  #write(chunks: readonly Buffer[], done?: (error?: Error | null) => void): void {
    this.#socket.cork();
    for (const [index, chunk] of chunks.entries())
      this.#socket.write(chunk, index === chunks.length - 1 ? done : undefined);
    this.#socket.uncork();
  }

  #receive(chunk: Buffer): void {
    const frames: Buffer[] = [];
    try {
      try {
        this.#frames.push(chunk, frames);
      } finally {
        for (const frame of frames) this.#answer(frame);
      }
    } catch (error) {
      this.#fail(error instanceof CodecError ? this.#notKafka(error) : toBrokerError(error));
    }
  }

  #notKafka(cause: CodecError): BrokerError {
    const what = `what answers at ${this.#address} does not speak Kafka's protocol, or answers at more length than is taken`;
    return new BrokerError('corrupt-message', what, { cause });
  }

  #answer(frame: Buffer): void {
    const pending = frame.length < 4 ? undefined : this.#pending.get(frame.readInt32BE(0));
    if (pending === undefined) {
      throw new BrokerError('corrupt-message', `${this.#address} answered what was not asked; is it a Kafka listener?`);
    }
    this.#pending.delete(frame.readInt32BE(0));
    try {
      pending.answer(frame);
    } catch (error) {
      const failure = new BrokerError('corrupt-message', `${pending.what}: ${toBrokerError(error).message}`, {
        cause: error,
      });
      pending.fail(failure);
      throw failure;
    }
  }

  #fail(error: BrokerError): void {
    this.#failPending(error);
    this.#socket.destroy();
  }

  /** Nothing is sent from now on. The first reason counts. */
  #failPending(error: BrokerError): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    for (const { fail } of this.#pending.values()) fail(error);
    this.#pending.clear();
  }
}
