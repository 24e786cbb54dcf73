import { z } from 'zod';
import {
  AttributesOfBytes,
  encodeProperties,
  jsonOfTable,
  MessageBytes,
  Permissions,
  type Properties,
  tableOf,
} from '../../../broker/index.ts';
import { fields } from '../body-types.ts';
import { badRequest } from '../errors.ts';
import { boundedNumber } from '../readable-queue.ts';
import { type Call, found, get, ok, post, type Route } from '../route.ts';
import { routingGraph } from '../routing-graph.ts';
import type { Graph, ReachedQueue, RouteAnswer } from '../shapes/routing.ts';
import { exchangeOf } from './exchanges.ts';

const IN_HOST = 'virtual-host';
const NODES = { default: 200, most: 1000 };
const DEPTH = { default: 2, most: 10 };

const question = z.object({
  routing_key: z.string().default(''),
  headers: fields().optional(),
  /** Those that a consistent-hash exchange may go by. */
  properties: z
    .object({
      correlation_id: z.string().optional(),
      message_id: z.string().optional(),
      timestamp: z.int().min(0).optional(),
    })
    .optional(),
});

export const routingRoutes: readonly Route[] = [
  post(
    '/exchanges/:vhost/:exchange/route',
    {
      access: IN_HOST,
      summary: 'Where a message would go, by which bindings, and why not by others; nothing is published',
    },
    question,
    (call, asked) => ok(explain(call, asked)),
  ),
  get(
    '/graph/:vhost',
    { access: IN_HOST, summary: 'Exchanges, queues, and what leads from one to another' },
    (call): Graph => graph(call),
  ),
];

function explain(call: Call, { routing_key: key, headers, properties = {} }: z.output<typeof question>): RouteAnswer {
  const { host } = call;
  const exchange = exchangeOf(call);
  new Permissions(call.user, host.name).checkAny('exchange', exchange.name);
  const message = messageOf(exchange.name, key, { headers, properties });
  const keys = [key, ...extraKeys(headers)];
  const delay = exchange.type === 'x-delayed-message' ? host.plan(exchange.name, message).delayMs : 0;
  const common = { vhost: host.name, exchange: exchange.name, routing_keys: keys, delay, internal: exchange.internal };
  if (exchange.name === '') return { ...common, ...byDefault(call, keys) };
  const { exchanges, reached, isCut } = found(host.explain(exchange.name, keys, new AttributesOfBytes().of(message)));
  return {
    ...common,
    routed: reached.length > 0,
    queues: reached.map(({ target, paths }) => ({
      ...{ name: target.name, type: host.queue(target.name)?.type ?? 'classic' },
      paths: paths.map((steps) =>
        steps.map(({ from, via, key: by, to }) => ({ from, via, routing_key: by ?? null, to })),
      ),
    })),
    exchanges: exchanges.map(({ name, bindings, unmatchedCount, alternate, alternateUse, isDeadEnd }) => ({
      ...{ name, type: host.exchange(name)?.type ?? 'direct', unmatched: unmatchedCount },
      ...{ alternate: alternate ?? null, alternate_use: alternateUse, dead_end: isDeadEnd },
      bindings: bindings.map(({ binding, matches, reason, header }) => ({
        destination: binding.destinationName,
        destination_type: binding.endpoint.exchange === undefined ? 'queue' : 'exchange',
        routing_key: binding.key,
        arguments: jsonOfTable(binding.args),
        ...{ matches, reason, header: header ?? null },
      })),
    })),
    cut: isCut,
  };
}

/** By the default exchange a key is the name of a queue. */
function byDefault({ host }: Call, keys: readonly string[]) {
  const queues: ReachedQueue[] = [];
  for (const key of new Set(keys)) {
    const entry = host.queue(key);
    if (entry === undefined) continue;
    const { name, type } = entry;
    queues.push({ name, type, paths: [[{ from: '', via: 'default', routing_key: key, to: name }]] });
  }
  return { routed: queues.length > 0, queues, exchanges: [], cut: false };
}

function messageOf(
  exchange: string,
  key: string,
  { headers, properties }: Pick<z.output<typeof question>, 'headers' | 'properties'>,
): MessageBytes {
  const { correlation_id: correlationId, message_id: messageId, timestamp } = properties ?? {};
  const given: Properties = {
    ...(headers !== undefined && { headers: tableOf(headers) }),
    ...(correlationId !== undefined && { correlationId }),
    ...(messageId !== undefined && { messageId }),
    ...(timestamp !== undefined && { timestamp }),
  };
  return MessageBytes.of(exchange, key, encodeProperties(given), Buffer.alloc(0));
}

/** The further routing keys of a message. Throws 400, as publishing would. */
function extraKeys(headers: Readonly<Record<string, unknown>> = {}): string[] {
  return ['CC', 'BCC'].flatMap((name) => {
    const keys = headers[name];
    if (keys === undefined) return [];
    if (!Array.isArray(keys)) throw badRequest(`the header ${name} is a list of routing keys`);
    return keys.filter((key) => typeof key === 'string');
  });
}

function graph(call: Call): Graph {
  const { host, user } = call;
  const may = (name: string) =>
    user.may(host.name, 'read', name) || user.may(host.name, 'write', name) || user.may(host.name, 'configure', name);
  return routingGraph(host, {
    name: call.query('name'),
    around: call.query('around'),
    depth: boundedNumber(call, 'depth', DEPTH),
    maxNodes: boundedNumber(call, 'max_nodes', NODES),
    sees: may,
  });
}
