import { z } from 'zod';
import {
  Destinations,
  Permissions,
  QueueTransfer,
  StreamRedrive,
  type Transfer,
  type TransferDescription,
  type TransferDestination,
  type VirtualHost,
} from '../../broker/index.ts';
import { badRequest } from './errors.ts';
import { filterBy, parseMessageId } from './message-shape.ts';
import { participantOf } from './participant.ts';
import { readable } from './readable-queue.ts';
import type { Call } from './route.ts';
import { exchangeName } from './routes/exchanges.ts';
import { notForStreams, type QueueAt } from './routes/queues.ts';
import type { ShownTransfer } from './shapes/queue-messages.ts';

/** Ids in one request. */
const MAX_IDS = 10_000;
const MAX_RATE = 1_000_000;
/** How long an answer waits for the end of a transfer, unless the request says otherwise. */
const WAIT_MS = 1000;
const MAX_WAIT_MS = 30_000;

const text = z.string().min(1).optional();
const time = z.int().min(0).optional();

const common = {
  ids: z.array(z.string()).min(1).max(MAX_IDS).optional(),
  count: z.int().min(1).optional(),
  filter: z
    .object({
      text,
      exchange: z.string().optional(),
      routing_key: z.string().optional(),
      header: z.object({ name: z.string().min(1), value: z.string().optional() }).optional(),
      message_id: text,
      correlation_id: text,
      after: time,
      before: time,
      reason: text,
      source: text,
    })
    .optional(),
  rate: z.number().min(0.1).max(MAX_RATE).optional(),
  dry_run: z.boolean().default(false),
  wait_ms: z.int().min(0).max(MAX_WAIT_MS).default(WAIT_MS),
};

const toQueue = z.object({ queue: z.string().min(1) });
const toExchange = z.object({ exchange: z.string(), routing_key: z.string().optional() });

export const transferRequest = z.object({ to: z.union([toQueue, toExchange]), ...common });

export const redriveRequest = z.object({
  to: z.union([z.enum(['source', 'first-source', 'publication']), toQueue, toExchange]).default('source'),
  /** The letters keep the headers that say how they died. */
  keep_trail: z.boolean().default(true),
  ...common,
});

type Request = z.output<typeof redriveRequest>;

/** Begins to move messages of the queue in the path, and waits a while for the end. */
export async function startMove(call: Call, request: z.output<typeof transferRequest>): Promise<ShownTransfer> {
  const at = readable(call);
  if (at.entry.kind === 'stream') throw notForStreams('moving messages is', at.host, at.entry.name);
  return await start(call, at, 'move', { ...request, keep_trail: true });
}

/** The same for dead letters. */
export async function startRedrive(call: Call, request: Request): Promise<ShownTransfer> {
  return await start(call, readable(call), 'redrive', request);
}

async function start(
  call: Call,
  { host, entry }: QueueAt,
  kind: TransferDescription['kind'],
  request: Request,
): Promise<ShownTransfer> {
  const { broker, user } = call;
  const destination = destinationOf(request.to);
  checkDestination(call, host, entry.name, destination);
  const ids = request.ids?.map(parseMessageId);
  const { filter: given, count, rate } = request;
  const filter = given && filterBy(criteriaOf(given));
  const destinations = destinationsFor(call, host, destination, !request.keep_trail);
  const by = participantOf(call);
  const common = {
    turns: broker.turns,
    ...{ ids, filter, limit: count ?? Number.POSITIVE_INFINITY },
    destine: destinations.of.bind(destinations),
    publish: (...[turn, plan, origin]: Parameters<VirtualHost['publishMoved']>) =>
      host.publishMoved(turn, plan, { by, ...origin }),
  };
  const work = async (transfer: Transfer) => {
    if (entry.kind === 'queue') await new QueueTransfer(transfer, { queue: entry.queue, ...common }).run();
    else
      await new StreamRedrive(transfer, {
        ...common,
        name: entry.name,
        stream: entry.stream.stream,
        partitions: entry.stream.partitions,
        positions: broker.redrivePositions,
        now: () => broker.environment.clock.now(),
        origin: ({ topic, partition }) => {
          const stream = broker.streams.get(topic);
          return {
            name: topic,
            config: (stream ?? entry.stream.stream).config,
            partition: stream?.partitions[partition],
          };
        },
        mayPublishTo: (topic) => mayPublish(new Permissions(user, host.name), host, '', [topic]),
      }).run();
  };
  const transfer = broker.transfers.start(
    {
      ...{ kind, virtualHost: host.name, source: entry.name, destination: describe(destination), user: user.name },
      ...{ dryRun: request.dry_run, rate },
      total:
        ids?.length ?? (entry.kind === 'queue' ? entry.queue.readyCount + entry.queue.unacknowledgedCount : undefined),
    },
    work,
  );
  await broker.transfers.wait(transfer, request.wait_ms);
  return showTransfer(transfer);
}

/** Throws 400 or 404 for what cannot be, 401 for what the user may not do. */
function checkDestination(call: Call, host: VirtualHost, source: string, destination: TransferDestination): void {
  const permissions = new Permissions(call.user, host.name);
  if (destination.to === 'queue') {
    permissions.check('write', 'exchange', '');
    const { name } = host.checkQueue(destination.queue);
    if (name === source) throw badRequest('messages are not moved to where they are');
  }
  if (destination.to !== 'exchange') return;
  permissions.check('write', 'exchange', destination.exchange);
  if (destination.exchange === '') return;
  const { internal, name } = host.checkExchange(destination.exchange);
  if (internal) throw badRequest(`clients do not publish to exchange '${name}': it is internal`);
}

function destinationsFor(
  { user }: Call,
  host: VirtualHost,
  destination: TransferDestination,
  dropsTrail: boolean,
): Destinations {
  const permissions = new Permissions(user, host.name);
  return new Destinations({
    ...{ host, destination, dropsTrail },
    mayPublish: (exchange, keys) => mayPublish(permissions, host, exchange, keys),
    hasExchange: (name) => host.exchange(name)?.internal === false,
  });
}

function mayPublish(permissions: Permissions, host: VirtualHost, exchange: string, keys: readonly string[]): boolean {
  const { user, virtualHost } = permissions;
  if (!user.may(virtualHost, 'write', exchange === '' ? 'amq.default' : exchange)) return false;
  if (host.exchange(exchange)?.type !== 'topic') return true;
  return keys.every((key) => user.mayTopic(virtualHost, exchange, 'write', key));
}

function destinationOf(to: Request['to']): TransferDestination {
  if (typeof to === 'string') return { to };
  if ('queue' in to) return { to: 'queue', queue: to.queue };
  return { to: 'exchange', exchange: exchangeName(to.exchange), routingKey: to.routing_key };
}

function describe(destination: TransferDestination): string {
  switch (destination.to) {
    case 'queue':
      return `queue ${destination.queue}`;
    case 'exchange':
      return `exchange ${destination.exchange === '' ? 'amq.default' : destination.exchange}`;
    default:
      return destination.to;
  }
}

function criteriaOf({ text, exchange, header, after, before, reason, ...named }: NonNullable<Request['filter']>) {
  const { routing_key: routingKey, message_id: messageId, correlation_id: correlationId, source: deathQueue } = named;
  return { text, exchange, header, after, before, reason, routingKey, messageId, correlationId, deathQueue };
}

export function showTransfer(transfer: Transfer): ShownTransfer {
  const { description, id, state, looked, matched, moved, copied, skipped, targets, otherTargets, error } = transfer;
  const { kind, virtualHost, source, destination, user, dryRun, rate, total } = description;
  return {
    ...{ id, kind, vhost: virtualHost, source, destination, user, state, dry_run: dryRun },
    rate: rate ?? null,
    total: total ?? null,
    ...{ looked_at: looked, matched, moved, copied },
    skipped: Object.fromEntries(skipped),
    targets: Object.fromEntries(targets),
    other_targets: otherTargets,
    error: error?.message ?? null,
    started_at: transfer.startedAt,
    finished_at: transfer.finishedAt ?? null,
  };
}
