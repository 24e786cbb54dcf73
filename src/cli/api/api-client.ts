import { Agent, type ClientRequest, type IncomingMessage, request as requestPlain } from 'node:http';
import { Agent as AgentTls, request as requestTls } from 'node:https';
import { isIP } from 'node:net';
import { connectionError, type TlsOptions } from '../../client/socket.ts';
import { BrokerError } from '../../errors.ts';
import { ApiError, apiError } from './api-error.ts';
import { eventsIn, type StreamEvent } from './event-stream.ts';

export interface ApiClientOptions {
  /** Where the API is; its path, if any, comes before `/api`. */
  readonly url: URL;
  readonly user: string;
  readonly password: string;
  /** Whether somebody said who is to log in; else it is the user that every new broker has. */
  readonly userGiven: boolean;
  /** Talks TLS when it is there. */
  readonly tls?: TlsOptions | undefined;
  /** How long the broker may be silent while it owes something. */
  readonly timeoutMs?: number;
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface AskOptions {
  readonly query?: Query;
  /** What it is about, for the error when that is not there: `queue 'orders'`. */
  readonly subject?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Breaks it off. */
  readonly signal?: AbortSignal | undefined;
  /** For answers that take long; 0 for no limit. */
  readonly timeoutMs?: number;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Parsed, when it is JSON; undefined when there is none. */
  readonly body: unknown;
}

/** Of a list. */
interface Page {
  readonly items: readonly unknown[];
  readonly page: number;
  readonly page_count: number;
  readonly filtered_count: number;
}

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

const DEFAULT_TIMEOUT_MS = 60_000;
/** The largest that the broker has. */
const PAGE_SIZE = 500;
const MAX_SOCKETS = 8;
/** Of an answer that is taken as a whole. */
const MAX_ANSWER_BYTES = 512 * 1024 * 1024;

/**
 * Asks the HTTP API of a running broker. Paths begin with `/` and are those below `/api`. Everything rejects with a `BrokerError`: an
 * `ApiError` with what the broker said, or `closed` when it cannot be reached.
 */
export class ApiClient {
  readonly #options: ApiClientOptions;
  readonly #agent: Agent;
  readonly #authorization: string;

  constructor(options: ApiClientOptions) {
    this.#options = options;
    const { tls, user, password } = options;
    const keeping = { keepAlive: true, maxSockets: MAX_SOCKETS };
    this.#agent = tls === undefined ? new Agent(keeping) : new AgentTls(keeping);
    this.#authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  }

  /** `HOST:PORT`. */
  get address(): string {
    return this.#options.url.host;
  }

  /** Who asks. */
  get user(): string {
    return this.#options.user;
  }

  async get<Body>(path: string, options: AskOptions = {}): Promise<Body> {
    return (await this.#ask('GET', path, undefined, options)).body as Body;
  }

  /** As `get`; undefined when it is not there. */
  async find<Body>(path: string, options: AskOptions = {}): Promise<Body | undefined> {
    return this.get<Body>(path, options).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    });
  }

  put(path: string, body: unknown, options: AskOptions = {}): Promise<ApiAnswer> {
    return this.#ask('PUT', path, body, options);
  }

  post(path: string, body: unknown, options: AskOptions = {}): Promise<ApiAnswer> {
    return this.#ask('POST', path, body, options);
  }

  delete(path: string, options: AskOptions = {}): Promise<ApiAnswer> {
    return this.#ask('DELETE', path, undefined, options);
  }

  /** A probe outside of `/api` (`/readyz`): its answer, whether good or bad. */
  async probe(path: string, options: AskOptions = {}): Promise<ApiAnswer> {
    return this.#read(await this.#send('GET', path, undefined, options));
  }

  /** The items of a list, page by page; a list that has no pages comes as one. */
  async *pages<Item>(path: string, options: AskOptions = {}): AsyncGenerator<readonly Item[], void, undefined> {
    for (let page = 1; ; page++) {
      const query = { ...options.query, page, page_size: PAGE_SIZE };
      const body = await this.get<readonly Item[] | Page>(path, { ...options, query }).catch((error: unknown) => {
        // The list has become shorter since the last page.
        if (page > 1 && error instanceof ApiError && error.status === 400) return [];
        throw error;
      });
      if (isWhole(body)) return yield body;
      yield body.items as readonly Item[];
      if (page >= body.page_count) return;
    }
  }

  /** All items of a list. */
  async all<Item>(path: string, options: AskOptions = {}): Promise<Item[]> {
    const items: Item[] = [];
    for await (const page of this.pages<Item>(path, options)) for (const item of page) items.push(item);
    return items;
  }

  /** How many items a list has, without fetching them. */
  async count(path: string, options: AskOptions = {}): Promise<number> {
    const query = { ...options.query, page: 1, page_size: 1 };
    const body = await this.get<readonly unknown[] | Page>(path, { ...options, query });
    return isWhole(body) ? body.length : body.filtered_count;
  }

  /** Server-sent events, until the broker ends them or the signal breaks them off. */
  async *events(path: string, options: AskOptions = {}): AsyncGenerator<StreamEvent, void, undefined> {
    const headers = { accept: 'text/event-stream', ...options.headers };
    const body = await this.download(path, { timeoutMs: 0, ...options, headers });
    try {
      yield* eventsIn(body);
    } catch (error) {
      if (!options.signal?.aborted) throw this.#failure(error);
    }
  }

  /** What is answered, as it comes: files, or records one after the other. */
  async download(path: string, options: AskOptions = {}): Promise<IncomingMessage> {
    const response = await this.#send('GET', `/api${path}`, undefined, options);
    const { statusCode: status = 0 } = response;
    if (status >= 200 && status < 300) return response;
    throw this.#refusal(await this.#read(response), options);
  }

  /** Closes connections that are idle. */
  close(): void {
    this.#agent.destroy();
  }

  async #ask(method: Method, path: string, body: unknown, options: AskOptions): Promise<ApiAnswer> {
    const answer = await this.#read(await this.#send(method, `/api${path}`, body, options));
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw this.#refusal(answer, options);
  }

  #refusal({ status, body }: ApiAnswer, { subject }: AskOptions): ApiError {
    const { user, userGiven } = this.#options;
    return apiError({ status, body, address: this.address, user, userGiven, subject });
  }

  #send(method: Method, path: string, body: unknown, options: AskOptions): Promise<IncomingMessage> {
    const { url, tls, timeoutMs: usual = DEFAULT_TIMEOUT_MS } = this.#options;
    const { timeoutMs = usual, signal } = options;
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const target = {
      method,
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port || (tls === undefined ? 80 : 443),
      path: `${url.pathname.replace(/\/$/, '')}${path}${queryText(options.query)}`,
      agent: this.#agent,
      ...(signal && { signal }),
      headers: {
        host: url.host,
        authorization: this.#authorization,
        accept: 'application/json',
        'user-agent': 'sluice-cli',
        ...(bytes && { 'content-type': 'application/json', 'content-length': bytes.length }),
        ...options.headers,
      },
    };
    return new Promise((resolve, reject) => {
      const request: ClientRequest =
        tls === undefined ? requestPlain(target) : requestTls({ ...target, ...tlsTarget(tls, target.host) });
      request.setTimeout(timeoutMs, () =>
        request.destroy(new BrokerError('closed', `${this.address} has not answered for ${timeoutMs} ms`)),
      );
      request.on('error', (error) => reject(this.#failure(error)));
      request.on('response', resolve);
      request.end(bytes);
    });
  }

  async #read(response: IncomingMessage): Promise<ApiAnswer> {
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES)
          throw new BrokerError(
            'message-too-large',
            `${this.address} answers with more than ${MAX_ANSWER_BYTES} bytes`,
          );
        chunks.push(chunk);
      }
    } catch (error) {
      response.destroy();
      throw this.#failure(error);
    }
    const { statusCode: status = 0, headers } = response;
    return { status, headers, body: this.#parsed(Buffer.concat(chunks), headers['content-type'] ?? '', status) };
  }

  #parsed(bytes: Buffer, type: string, status: number): unknown {
    if (bytes.length === 0) return undefined;
    if (!/^application\/json\b/.test(type)) {
      if (status >= 400) return undefined;
      throw this.#notTheApi();
    }
    try {
      return JSON.parse(bytes.toString()) as unknown;
    } catch {
      throw this.#notTheApi();
    }
  }

  #notTheApi(): BrokerError {
    return new BrokerError(
      'corrupt-message',
      `what answers at ${this.address} is not the HTTP API of a broker; --url wants its http listener, port 15672 unless set otherwise`,
    );
  }

  #failure(error: unknown): BrokerError {
    if (error instanceof BrokerError) return error;
    const { code = '' } = error as NodeJS.ErrnoException;
    // Node's parser of HTTP: whatever answers speaks something else.
    if (code.startsWith('HPE_')) return this.#notTheApi();
    return connectionError(this.address, error as NodeJS.ErrnoException);
  }
}

/** Whether an answer is a list that has no pages. */
function isWhole<Item>(body: readonly Item[] | Page): body is readonly Item[] {
  return Array.isArray(body);
}

function tlsTarget({ ca, cert, key }: TlsOptions, host: string) {
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(isIP(host) === 0 && { servername: host }),
  };
}

function queryText(query: Query = {}): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.append(name, String(value));
  return given.size === 0 ? '' : `?${given}`;
}
