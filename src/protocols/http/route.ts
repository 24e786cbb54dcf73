import type { z } from 'zod';
import type { Broker, ClientAccess, Session, User, VirtualHost } from '../../broker/index.ts';
import type { Access } from './access.ts';
import { badRequest, notFound } from './errors.ts';
import type { EventStream } from './event-stream.ts';
import type { Leases } from './leases.ts';
import { type Listed, list } from './listing.ts';
import type { Watch } from './live-answers.ts';
import type { ServerFacts } from './server-facts.ts';
import type { Visitor } from './session-cookie.ts';

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

/** One request, as the route that answers it sees it. */
export interface Call {
  readonly broker: Broker;
  readonly server: ServerFacts;
  /** Who asks. Throws where nobody has to log in. */
  readonly user: User;
  /** Where the request comes from. */
  readonly visitor: Visitor;
  /** Of a browser that logged in. */
  readonly session: Session | undefined;
  /** Not checked yet: the route does that. */
  readonly body: unknown;
  /** Of the query; the first where there are several. */
  query(name: string): string | undefined;
  /** By its name in small letters. */
  header(name: string): string | undefined;
  /** Those whose names, in small letters, begin so; with what follows that in their names. */
  headersAfter(prefix: string): readonly (readonly [name: string, value: string])[];
  /** Of the path, decoded. */
  param(name: string): string;
  /** The virtual host of the path. Throws 404. */
  readonly host: VirtualHost;
  /** What the user may do with what Kafka's clients know: streams, groups, transactions. */
  readonly access: ClientAccess;
  /** Messages of queues that clients of this API have, and have not settled. */
  readonly leases: Leases;
  /** Whether the client still waits for an answer. */
  readonly gone: boolean;
  /** Waits until it is woken, for so many milliseconds at most, and no longer than the client does. */
  wait(ms: number, watch: Watch): Promise<void>;
}

export interface Answer {
  readonly status: number;
  /** As JSON. */
  readonly body?: unknown;
  /** All was as it was asked for already: there is nothing for the audit log. */
  readonly unchanged?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of a body that is sent as JSON. */
  readonly bytes?: Buffer;
  /** In place of a body: says what there is to say, for as long as the client listens. */
  readonly events?: (stream: EventStream) => void;
  /** Called once, when the answer was handed to the connection, or the client was gone before. */
  readonly sent?: (complete: boolean) => void;
}

export interface Route {
  readonly method: Method;
  /** With `:name` for what varies. */
  readonly path: string;
  readonly access: Access;
  /** One line for people. */
  readonly summary: string;
  /** What the body has to be. */
  readonly body: z.ZodType | undefined;
  /** The answer is one page of a list, where that is asked for. */
  readonly lists: boolean;
  /** The body is taken as it is, of whatever type. */
  readonly raw?: boolean;
  /** Something changes by it, though it is a GET: browsers cannot listen to events by any other method. */
  readonly changes?: boolean;
  /** The answer is events, without an end. */
  readonly streams?: boolean;
  answer(call: Call): Promise<Answer>;
}

interface Described {
  readonly access: Access;
  readonly summary: string;
}

type Handler<Body> = (call: Call, body: Body) => Answer | Promise<Answer>;

/** Answers what `handle` returns, as JSON. */
export function get(path: string, described: Described, handle: (call: Call) => unknown): Route {
  return route('GET', path, described, undefined, async (call) => ok(await handle(call)));
}

/** Answers as `handle` says: for what is not always JSON. */
export function getAnswer(path: string, described: Described, handle: Handler<unknown>): Route {
  return route('GET', path, described, undefined, handle);
}

/** Answers a list: sorted, filtered and paged as the query says. */
export function getList<Item>(path: string, described: Described, handle: (call: Call) => Listed<Item>): Route {
  const answer: Handler<unknown> = (call) => ok(list(handle(call), (name) => call.query(name)));
  return { ...route('GET', path, described, undefined, answer), lists: true };
}

/** Answers events for as long as the client listens; `changes` says that it takes something away by that. */
export function getEvents(
  path: string,
  described: Described & { readonly changes?: boolean },
  handle: (call: Call) => Answer | Promise<Answer>,
): Route {
  return { ...route('GET', path, described, undefined, handle), streams: true };
}

/** Takes a body that is any bytes, and is not looked into. */
export function postRaw(
  path: string,
  described: Described,
  handle: (call: Call, body: Buffer) => Answer | Promise<Answer>,
): Route {
  const answer: Handler<unknown> = (call) => handle(call, Buffer.isBuffer(call.body) ? call.body : Buffer.alloc(0));
  return { ...route('POST', path, described, undefined, answer), raw: true };
}

export function put<Body extends z.ZodType>(
  path: string,
  described: Described,
  body: Body,
  handle: Handler<z.output<Body>>,
): Route {
  return route('PUT', path, described, body, handle);
}

export function post<Body extends z.ZodType>(
  path: string,
  described: Described,
  body: Body,
  handle: Handler<z.output<Body>>,
): Route {
  return route('POST', path, described, body, handle);
}

export function remove(path: string, described: Described, handle: Handler<unknown>): Route {
  return route('DELETE', path, described, undefined, handle);
}

export function ok(body: unknown): Answer {
  return { status: 200, body };
}

/** 201 for what was made, 204 for what was there. */
export function made(isNew: boolean): Answer {
  return { status: isNew ? 201 : 204 };
}

export const DONE: Answer = { status: 204 };

/** What is there, or 404. */
export function found<Value>(value: Value | undefined): Value {
  if (value === undefined) throw notFound();
  return value;
}

function route<Body extends z.ZodType>(
  method: Method,
  path: string,
  described: Described,
  body: Body | undefined,
  handle: Handler<z.output<Body>>,
): Route {
  return {
    method,
    path,
    ...described,
    body,
    lists: false,
    async answer(call) {
      const parsed = body === undefined ? (undefined as z.output<Body>) : parse(body, call.body);
      return handle(call, parsed);
    },
  };
}

/** Throws 400; for what is missing in RabbitMQ's words. */
function parse<Body extends z.ZodType>(schema: Body, body: unknown): z.output<Body> {
  const { data, error } = schema.safeParse(body);
  if (error === undefined) return data;
  const given = body as Readonly<Record<string, unknown>>;
  const missing = error.issues
    .filter(({ path }) => path.length === 1 && given[String(path[0])] === undefined)
    .map(({ path }) => `{key_missing,${String(path[0])}}`);
  if (missing.length > 0) throw badRequest(`[${missing.join(',')}]`);
  throw badRequest(error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; '));
}
