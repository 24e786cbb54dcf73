import { onTestFinished } from 'vitest';
import { type CreateBrokerOptions, createBroker, type RunningBroker } from '../../src/index.ts';

export interface Answer {
  readonly status: number;
  /** Parsed, when it is JSON. */
  readonly body: unknown;
  readonly headers: Headers;
}

export interface ApiBroker {
  readonly sluice: RunningBroker;
  readonly url: string;
  readonly port: number;
  /** Asks as guest, unless told otherwise: `NAME:PASSWORD`, or an empty text for nobody. */
  ask(method: string, path: string, body?: unknown, how?: AskOptions): Promise<Answer>;
}

export interface AskOptions {
  readonly as?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A broker with an HTTP API; the end of the test closes it. */
export async function startApi(options: CreateBrokerOptions = {}): Promise<ApiBroker> {
  const sluice = await createBroker({ listeners: ['http://127.0.0.1:0', 'amqp://127.0.0.1:0'], ...options });
  onTestFinished(() => sluice.close());
  const [{ url, port } = { url: '', port: 0 }] = sluice.listeners;
  return { sluice, url, port, ask: asking(url) };
}

/** Asks whatever listens there. */
export function asking(url: string): ApiBroker['ask'] {
  return async (method, path, body, { as = 'guest:guest', headers = {} } = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(as !== '' && { authorization: `Basic ${Buffer.from(as).toString('base64')}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    return { status: response.status, body: isJson ? JSON.parse(text) : text, headers: response.headers };
  };
}

/** A user with these tags, who may do everything in these virtual hosts. */
export async function makeUser({ ask }: ApiBroker, name: string, tags: string, hosts: readonly string[] = []) {
  await ask('PUT', `/api/users/${name}`, { password: name, tags });
  for (const host of hosts)
    await ask('PUT', `/api/permissions/${encodeURIComponent(host)}/${name}`, {
      ...{ configure: '.*', write: '.*', read: '.*' },
    });
  return { as: `${name}:${name}` };
}
