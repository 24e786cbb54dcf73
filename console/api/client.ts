import { noteAnswer, noteSilence } from './connectivity.ts';
import { ApiError, failureOf, isAbort } from './errors.ts';
import { beat } from './pulse.ts';
import { csrfToken, noteSignedOut } from './session.ts';

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface RequestOptions {
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Path with query, below `/api`; parts of the path are quoted by url`…`. */
export function address(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  const text = search.toString();
  return `/api${path}${text && `?${text}`}`;
}

/** The answer as it comes, when it is a good one. Throws `ApiError`, and `AbortError` when `signal` says so. */
export async function request(method: Method, path: string, options: RequestOptions = {}): Promise<Response> {
  const { query, body, headers, signal } = options;
  const token = csrfToken();
  let response: Response;
  try {
    response = await fetch(address(path, query), {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      headers: {
        // Or the browser itself asks for a name and password when there is no session.
        'x-requested-with': 'console',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && method !== 'GET' && { 'x-csrf-token': token }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  } catch (error) {
    if (isAbort(error)) throw error;
    noteSilence();
    throw new ApiError('gone', 0, 'the broker does not answer');
  }
  noteAnswer();
  if (response.ok) {
    if (method !== 'GET') beat();
    return response;
  }
  const { error, reason } = await problemOf(response);
  const failure = failureOf(response.status, error);
  if (failure === 'signed-out') noteSignedOut();
  throw new ApiError(failure, response.status, reason);
}

async function json<Answer>(method: Method, path: string, options?: RequestOptions): Promise<Answer> {
  const response = await request(method, path, options);
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as Answer;
}

async function problemOf(response: Response): Promise<{ error: string; reason: string }> {
  try {
    const { error = '', reason = '' } = (await response.json()) as { error?: string; reason?: unknown };
    return { error, reason: typeof reason === 'string' ? reason : JSON.stringify(reason) };
  } catch {
    return { error: '', reason: `${response.status} ${response.statusText}` };
  }
}

/** Asks the broker; what comes back is of the type that the caller names. */
export const api = {
  get: <Answer>(path: string, options?: RequestOptions) => json<Answer>('GET', path, options),
  put: <Answer = void>(path: string, body: unknown, options?: RequestOptions) =>
    json<Answer>('PUT', path, { ...options, body }),
  post: <Answer = void>(path: string, body: unknown, options?: RequestOptions) =>
    json<Answer>('POST', path, { ...options, body }),
  remove: <Answer = void>(path: string, options?: RequestOptions) => json<Answer>('DELETE', path, options),
};
