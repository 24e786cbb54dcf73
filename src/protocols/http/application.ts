import { createServer, type OutgoingHttpHeaders, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { type Broker, isLoopback, plainAddress } from '../../broker/index.ts';
import type { Logger } from '../../environment/logger.ts';
import { BrokerError } from '../../errors.ts';
import { refusal } from './access.ts';
import { type Asked, recordAnswer, recordFailure } from './audit.ts';
import { authenticate, CHALLENGE, isForged, type Login, wantsChallenge } from './authentication.ts';
import { isPage, sendPage, serveConsole } from './console.ts';
import { HttpError, httpErrorOf, notFound, TooManyRequests } from './errors.ts';
import { parseJsonBody } from './json-body.ts';
import { Leases } from './leases.ts';
import { LiveAnswers } from './live-answers.ts';
import type { Answer, Call, Route } from './route.ts';
import { ROUTES } from './routes/index.ts';
import type { ServerFacts } from './server-facts.ts';
import { textOf, type Visitor } from './session-cookie.ts';

export interface ApplicationOptions {
  readonly broker: Broker;
  readonly logger: Logger;
  readonly server: ServerFacts;
  readonly maxBodyBytes: number;
  /** The web console is served, too. */
  readonly console: boolean;
}

/** Who asks, known before the body is read. */
type Logins = WeakMap<FastifyRequest, Login>;

/** Characters of one part of a path: a name of 255 bytes with each of them quoted, twice for what is in a binding's key. */
const MAX_PARAMETER = 4096;
const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS'];

/** The routes, behind a server that is given the sockets that it serves. */
export interface Application {
  readonly server: Server;
  /** Ends the answers that wait for something, or have no end. */
  endWaiting(): void;
  close(): Promise<void>;
}

/** What requests of one listener share. */
interface Shared extends ApplicationOptions {
  readonly live: LiveAnswers;
  readonly leases: Leases;
}

export async function openApplication(options: ApplicationOptions): Promise<Application> {
  let server: Server | undefined;
  const app = fastify({
    bodyLimit: options.maxBodyBytes,
    routerOptions: { maxParamLength: MAX_PARAMETER, ignoreTrailingSlash: true },
    serverFactory: (handler) => {
      // Whoever accepts the sockets sees to it that they do not wait for ever.
      server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 }, (request, response) => {
        // Requests that came in one piece are told of one after the other, also when the connection was ended at one of them.
        if (!request.socket.destroyed) handler(request, response);
      });
      return server;
    },
    frameworkErrors: (error, _request, reply) => answerError(reply, error, options.logger),
  });
  const logins: Logins = new WeakMap();
  const { clock, random } = options.broker.environment;
  const shared = { ...options, live: new LiveAnswers(clock), leases: new Leases({ clock, random }) };
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
    try {
      const bytes = typeof body === 'string' ? Buffer.from(body) : body;
      done(null, isRaw(request) ? bytes : parseJsonBody(bytes));
    } catch (error) {
      done(error as Error);
    }
  });
  app.setErrorHandler((error, _request, reply) => answerError(reply, error, options.logger));
  app.setNotFoundHandler((request, reply) =>
    options.console && isPage(request) ? sendPage(request, reply) : answerError(reply, notFound(), options.logger),
  );
  if (options.console) serveConsole(app);
  for (const [path, routes] of byPath(ROUTES)) addPath(app, path, routes, shared, logins);
  await app.ready();
  if (server === undefined) throw new BrokerError('internal', 'fastify made no server');
  return {
    server,
    endWaiting: () => shared.live.close(),
    close: async () => {
      shared.leases.close();
      await app.close();
    },
  };
}

function isRaw({ routeOptions: { config } }: FastifyRequest): boolean {
  return 'raw' in config && config.raw === true;
}

function byPath(routes: readonly Route[]): Map<string, Route[]> {
  const paths = new Map<string, Route[]>();
  for (const route of routes) paths.set(route.path, [...(paths.get(route.path) ?? []), route]);
  return paths;
}

function addPath(app: FastifyInstance, path: string, routes: readonly Route[], options: Shared, logins: Logins): void {
  for (const route of routes)
    app.route({
      method: route.method,
      url: path,
      config: { raw: route.raw === true },
      onRequest: async (request, reply) => {
        const login = identify(request, route, options);
        if (login === undefined) return;
        logins.set(request, login);
        const refused = refusalOf(request, route, options, login);
        if (refused === undefined) return;
        recordFailure(route, askedBy(login, callOf(request, reply, options, login)), refused);
        throw refused;
      },
      handler: async (request, reply) => {
        const login = logins.get(request);
        const call = callOf(request, reply, options, login);
        try {
          const answer = await route.answer(call);
          if (login !== undefined) recordAnswer(route, askedBy(login, call), answer);
          return send(
            request,
            reply,
            answer,
            (refused) => listening(request, route, options, login, refused),
            options.live,
          );
        } catch (error) {
          if (login !== undefined) recordFailure(route, askedBy(login, call), error);
          throw error;
        }
      },
    });
  const known = routes.flatMap(({ method }) => (method === 'GET' ? ['HEAD', 'GET'] : [method]));
  const allow = [...known, 'OPTIONS'].join(', ');
  app.route({
    method: METHODS.filter((method) => !known.includes(method)),
    url: path,
    handler: async ({ method }, reply) =>
      reply
        .status(method === 'OPTIONS' ? 200 : 405)
        .header('allow', allow)
        .send(),
  });
}

function askedBy({ user: { name } }: Login, { broker, param, visitor, body }: Call): Asked {
  return { broker, param, visitor, body, user: name };
}

/** Who asks, where that counts. Throws what the client is answered that cannot say. */
function identify(request: FastifyRequest, route: Route, { broker, server }: ApplicationOptions): Login | undefined {
  if (isForged(route.changes === true ? 'POST' : request.method, request.headers))
    throw new HttpError(403, 'forbidden', 'a browser sent this request on behalf of another site');
  if (route.access === 'open') return undefined;
  if (route.access === 'scrape' && mayScrape(request, server)) return undefined;
  const { method, headers, socket } = request;
  return authenticate(broker, { method, headers, visitor: visitorBy(socket) });
}

/** Without a login. */
function mayScrape({ socket }: FastifyRequest, { metrics: { access } }: ServerFacts): boolean {
  return access === 'open' || (access === 'loopback' && isLoopback(socket.remoteAddress));
}

/** Why the user may not ask for this. */
function refusalOf(
  request: FastifyRequest,
  { access }: Route,
  { broker }: ApplicationOptions,
  { user }: Login,
): HttpError | undefined {
  const { vhost } = request.params as { readonly vhost?: string };
  return refusal(access, user, vhost === undefined ? undefined : broker.virtualHosts.get(vhost));
}

function visitorBy(socket: Socket): Visitor {
  return { address: socket.remoteAddress, port: socket.localPort ?? 0, tls: 'encrypted' in socket };
}

/** Whether whoever listens to events may go on. The end of a session is told at once, anything else when it is asked for. */
function listening(
  request: FastifyRequest,
  route: Route,
  options: Shared,
  login: Login | undefined,
  refused: () => void,
): Listening {
  if (login === undefined) return { mayGoOn: () => true, stop: () => {} };
  const { session, user } = login;
  const watched = session && options.broker.sessions.watch(session, refused);
  return {
    mayGoOn: () =>
      user.record !== undefined && watched?.use() !== false && refusalOf(request, route, options, login) === undefined,
    stop: () => watched?.stop(),
  };
}

interface Listening {
  readonly mayGoOn: () => boolean;
  readonly stop: () => void;
}

function send(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: Answer,
  listen: (refused: () => void) => Listening,
  live: LiveAnswers,
): FastifyReply {
  const { status, body, bytes, events, sent, headers } = answer;
  if (events !== undefined && request.method !== 'HEAD') live.checkRoom();
  reply.status(status).headers({ 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff', ...headers });
  if (sent !== undefined) {
    // Who is gone already is not told of any more.
    if (reply.raw.destroyed) sent(false);
    else reply.raw.once('close', () => sent(reply.raw.writableFinished));
  }
  if (events !== undefined) {
    reply.header('content-type', 'text/event-stream; charset=utf-8');
    if (request.method === 'HEAD') return reply.send();
    reply.hijack();
    // It has no body, and that was read: nobody waits for the client any more.
    request.raw.resume();
    reply.raw.writeHead(status, reply.getHeaders() as OutgoingHttpHeaders);
    const listener = listen(() => stream.refuse());
    const stream = live.open(reply.raw, listener.mayGoOn);
    stream.onClose(listener.stop);
    events(stream);
    return reply;
  }
  if (bytes !== undefined) return reply.send(bytes);
  return body === undefined ? reply.send() : sendJson(reply, body);
}

function callOf(request: FastifyRequest, reply: FastifyReply, shared: Shared, login: Login | undefined): Call {
  const { broker, server, live, leases } = shared;
  const query = request.query as Readonly<Record<string, string | readonly string[] | undefined>>;
  const params = request.params as Readonly<Record<string, string | undefined>>;
  const param = (name: string) => params[name] ?? '';
  return {
    broker,
    server,
    body: request.body ?? {},
    param,
    visitor: visitorBy(request.socket),
    session: login?.session,
    header: (name) => textOf(request.headers[name]),
    headersAfter: (prefix) =>
      Object.entries(request.headers).flatMap(([name, value]) =>
        name.startsWith(prefix) && name.length > prefix.length
          ? [[name.slice(prefix.length), textOf(value) ?? '']]
          : [],
      ),
    query: (name) => {
      const value = query[name];
      return typeof value === 'string' ? value : value?.[0];
    },
    get user() {
      if (login === undefined) throw new BrokerError('internal', `${request.url} asks for a user without a login`);
      return login.user;
    },
    get access() {
      return broker.authorizer.accessOf({
        principal: `User:${this.user.name}`,
        host: plainAddress(request.socket.remoteAddress ?? ''),
      });
    },
    leases,
    get gone() {
      return reply.raw.destroyed;
    },
    wait: (ms, watch) => live.wait(ms, reply.raw, watch),
    get host() {
      const host = broker.virtualHosts.get(param('vhost'));
      if (host === undefined) throw notFound();
      return host;
    },
  };
}

function answerError(reply: FastifyReply, error: unknown, logger: Logger): FastifyReply {
  const { status, error: name, message } = httpErrorOf(error);
  if (status === 500) logger.error({ err: error }, 'a request to the HTTP API failed');
  if (name === 'not_authorized' && wantsChallenge(reply.request.headers)) reply.header('www-authenticate', CHALLENGE);
  if (error instanceof TooManyRequests) reply.header('retry-after', error.retryAfterSeconds);
  return sendJson(reply.status(status), { error: name, reason: message });
}

function sendJson(reply: FastifyReply, body: unknown): FastifyReply {
  return reply.header('content-type', 'application/json').send(JSON.stringify(body));
}
