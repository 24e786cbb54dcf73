import type { Act, AuditOutcome, Broker, Principal } from '../../broker/index.ts';
import { HttpError, httpErrorOf } from './errors.ts';
import type { Answer, Call, Route } from './route.ts';

/** What a request is in the audit log. */
interface HttpAct {
  readonly act: string;
  /** Parts of the path that name what it is done to; all but the virtual host unless given. */
  readonly object?: readonly string[];
  /** Fields of the body that are told: never one that can hold a secret. */
  readonly details?: readonly string[];
  /** A request that finds everything as it wants it is no act: it is answered 204 in place of 201. */
  readonly declares?: true;
}

const DECLARED = ['durable', 'auto_delete', 'arguments'];
const ACL = ['resource_type', 'resource_name', 'pattern', 'principal', 'host', 'operation', 'permission'];
const TRANSFER = ['ids', 'count', 'filter', 'rate', 'dry_run'];
const BINDING = ['source', 'dtype', 'destination', 'props'];

/** Those that have a name of their own; the others are called by their path. */
export const ACTS: Readonly<Record<string, HttpAct>> = {
  'PUT /api/vhosts/:vhost': { act: 'vhost.create', declares: true, details: ['default_queue_type'] },
  'DELETE /api/vhosts/:vhost': { act: 'vhost.delete' },
  'POST /api/users/bulk-delete': { act: 'user.delete', details: ['users'] },
  'PUT /api/users/:user': { act: 'user.change', details: ['tags'] },
  'DELETE /api/users/:user': { act: 'user.delete' },
  'PUT /api/permissions/:vhost/:user': { act: 'permissions.change', details: ['configure', 'write', 'read'] },
  'DELETE /api/permissions/:vhost/:user': { act: 'permissions.clear' },
  'PUT /api/topic-permissions/:vhost/:user': {
    act: 'topic-permissions.change',
    details: ['exchange', 'write', 'read'],
  },
  'DELETE /api/topic-permissions/:vhost/:user': { act: 'topic-permissions.clear' },
  'DELETE /api/topic-permissions/:vhost/:user/:exchange': { act: 'topic-permissions.clear' },
  'DELETE /api/connections/username/:username': { act: 'connection.close' },
  'DELETE /api/connections/:connection': { act: 'connection.close' },
  'PUT /api/exchanges/:vhost/:exchange': {
    act: 'exchange.declare',
    declares: true,
    details: ['type', 'internal', ...DECLARED],
  },
  'DELETE /api/exchanges/:vhost/:exchange': { act: 'exchange.delete' },
  'PUT /api/queues/:vhost/:queue': { act: 'queue.declare', declares: true, details: DECLARED },
  'DELETE /api/queues/:vhost/:queue': { act: 'queue.delete' },
  'DELETE /api/queues/:vhost/:queue/contents': { act: 'queue.purge' },
  'POST /api/bindings/:vhost/e/:source/:dtype/:destination': {
    ...{ act: 'binding.make', object: BINDING, details: ['routing_key', 'arguments'] },
  },
  'DELETE /api/bindings/:vhost/e/:source/:dtype/:destination/:props': { act: 'binding.remove', object: BINDING },
  'PUT /api/policies/:vhost/:name': {
    act: 'policy.change',
    details: ['pattern', 'definition', 'priority', 'apply-to'],
  },
  'DELETE /api/policies/:vhost/:name': { act: 'policy.delete' },
  'POST /api/definitions': { act: 'definitions.import' },
  'POST /api/definitions/:vhost': { act: 'definitions.import' },
  'POST /api/queues/:vhost/:queue/move': { act: 'queue.move', details: ['to', ...TRANSFER] },
  'DELETE /api/queues/:vhost/:queue/messages/:id': { act: 'message.delete' },
  'POST /api/dead-letters/:vhost/:queue/redrive': {
    act: 'dead-letters.redrive',
    details: ['to', 'keep_trail', ...TRANSFER],
  },
  'POST /api/delayed/:vhost/:id/deliver': { act: 'message.deliver' },
  'DELETE /api/delayed/:vhost/:id': { act: 'message.delete' },
  'DELETE /api/transfers/:id': { act: 'transfer.cancel' },
  'PUT /api/streams/:stream': { act: 'stream.create', declares: true, details: ['partitions', 'config'] },
  'DELETE /api/streams/:stream': { act: 'stream.delete' },
  'POST /api/streams/:stream/partitions': { act: 'stream.partitions', details: ['count'] },
  'PUT /api/streams/:stream/config': { act: 'stream.config', details: ['config'] },
  'POST /api/streams/:stream/trim': {
    act: 'stream.truncate',
    details: ['partitions', 'before_offset', 'before_timestamp'],
  },
  'DELETE /api/groups/:group': { act: 'group.delete' },
  'POST /api/groups/:group/offsets': { act: 'offsets.set' },
  'POST /api/groups/:group/reset': { act: 'offsets.reset', details: ['streams', 'to', 'dry_run'] },
  'DELETE /api/groups/:group/offsets/:stream': { act: 'offsets.delete' },
  'POST /api/transactions/:transaction/abort': { act: 'transaction.abort' },
  'POST /api/streams/:stream/partitions/:partition/abort-transaction': {
    act: 'transaction.abort',
    details: ['producer_id', 'producer_epoch', 'coordinator_epoch'],
  },
  'POST /api/backups': { act: 'backup.create', details: ['set', 'full'] },
  'DELETE /api/backups/status': { act: 'backup.stop' },
  'POST /api/backups/prune': { act: 'backup.prune', details: ['set', 'keep', 'older_than_ms'] },
  'DELETE /api/backups/:set/:backup': { act: 'backup.delete' },
  'POST /api/backups/:set/:backup/verify': { act: 'backup.verify' },
  'POST /api/acls': { act: 'acl.create', details: ACL },
  'POST /api/acls/delete': { act: 'acl.delete', details: ACL },
  'PUT /api/quotas': { act: 'quota.change', details: ['user', 'client_id', 'ip', 'values'] },
  'DELETE /api/users/:user/scram/:mechanism': { act: 'scram.change' },
  'PUT /api/settings/:name': { act: 'settings.change', details: ['value'] },
  'DELETE /api/settings/:name': { act: 'settings.change' },
  'PUT /api/traces/settings': {
    act: 'traces.settings.change',
    details: [
      ...['mode', 'sample_share', 'virtual_hosts', 'destinations', 'id_header', 'retention_ms', 'retention_bytes'],
    ],
  },
  'PUT /api/log-level': { act: 'log-level.change', details: ['level', 'parts'] },
  'DELETE /api/session': { act: 'logout' },
};

/** What changes nothing of the broker: messages that come and go, and logins, which are recorded where passwords are looked at. */
export const NO_ACTS: ReadonlySet<string> = new Set([
  'POST /api/session',
  'POST /api/exchanges/:vhost/:exchange/publish',
  'POST /api/queues/:vhost/:queue/get',
  'POST /api/queues/:vhost/:queue/produce',
  'POST /api/queues/:vhost/:queue/consume',
  'POST /api/queues/:vhost/:queue/settle',
  'POST /api/exchanges/:vhost/:exchange/produce',
  'POST /api/exchanges/:vhost/:exchange/route',
  'POST /api/streams/:stream/produce',
  'POST /api/streams/:stream/consume',
]);

/** Undefined for a request that is no administrative act. */
export function actOf({ method, path, raw }: Pick<Route, 'method' | 'path' | 'raw'>): HttpAct | undefined {
  const key = `${method} ${path}`;
  if (method === 'GET' || raw === true || NO_ACTS.has(key)) return undefined;
  return ACTS[key] ?? { act: derivedAct(method, path) };
}

const VERBS: Readonly<Record<string, string>> = { PUT: 'change', POST: 'make', DELETE: 'delete' };

/** `POST /api/queues/:vhost/:queue/move` is `queues.move`, `PUT /api/settings/:name` is `settings.change`. */
function derivedAct(method: string, path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== 'api');
  const words = parts.filter((part) => !part.startsWith(':'));
  const endsInVerb = method === 'POST' && words.length > 1 && parts.at(-1) === words.at(-1);
  return endsInVerb ? words.join('.') : [...words, VERBS[method] ?? method.toLowerCase()].join('.');
}

/** What was asked for, as far as it is known when a request is refused before its body is read. */
export type Asked = Pick<Call, 'broker' | 'param' | 'visitor'> & { readonly user: string; readonly body?: unknown };

/** Records what a request has done. */
export function recordAnswer(route: Route, asked: Asked, { status, unchanged }: Answer): void {
  const act = actOf(route);
  if (act === undefined || unchanged === true || (act.declares && status === 204)) return;
  record(act, route, asked, 'done');
}

/** Records that a request was refused, or failed; what is no request is not recorded. */
export function recordFailure(route: Route, asked: Asked, error: unknown): void {
  const act = actOf(route);
  if (act === undefined) return;
  const { status, message } = error instanceof HttpError ? error : httpErrorOf(error);
  if (status === 404 || status === 413) return;
  record(act, route, asked, status === 401 || status === 403 ? 'refused' : 'failed', message);
}

function record(act: HttpAct, { path }: Route, asked: Asked, outcome: AuditOutcome, reason?: string): void {
  const named = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name).filter((name) => name !== 'vhost');
  const vhost = path.includes('/:vhost') ? asked.param('vhost') : '';
  const object = (act.object ?? named).map((name) => asked.param(name)).join(' ');
  const details = detailsOf(act, asked.body);
  const told: Act = {
    act: act.act,
    object: object === '' && vhost !== '' && act.act.startsWith('vhost.') ? vhost : object,
    ...(vhost !== '' && { virtualHost: vhost }),
    outcome,
    ...(reason !== undefined && { reason }),
    ...(details !== undefined && { details }),
  };
  asked.broker.audit.record(principal(asked), told);
}

function detailsOf({ details = [] }: HttpAct, body: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const given = Object.entries(body).filter(([name]) => details.includes(name));
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

function principal({ user, visitor: { address } }: Asked): Principal {
  return { protocol: 'http', user, address };
}

/** Records what a request does that is no change, and worth knowing all the same. */
export function recordAct({ broker, visitor, user }: Pick<Call, 'broker' | 'visitor' | 'user'>, act: Act): void {
  broker.audit.record({ protocol: 'http', user: user.name, address: visitor.address }, act);
}

/** Records that somebody has shown a password, or has not. */
export function recordLogin(broker: Broker, name: string, address: string | undefined, outcome: AuditOutcome): void {
  broker.audit.record({ protocol: 'http', user: name, address }, { act: 'login', object: '', outcome });
}
