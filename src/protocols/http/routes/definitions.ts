import { z } from 'zod';
import { DONE, get, post, type Route } from '../route.ts';
import { RABBITMQ_VERSION, type ServerFacts } from '../server-facts.ts';

const ADMIN = 'administrator';
const anything = z.record(z.string(), z.unknown());

/** What belongs to a virtual host. */
const KINDS = ['parameters', 'policies', 'queues', 'exchanges', 'bindings'] as const;

export const definitionRoutes: readonly Route[] = [
  get(
    '/definitions',
    { access: ADMIN, summary: 'Users, virtual hosts and all that is in them but the messages' },
    (call) => ({
      ...versions(call.server),
      ...call.broker.exportDefinitions(),
    }),
  ),
  post(
    '/definitions',
    { access: ADMIN, summary: 'Makes what they say and is not there' },
    anything,
    async (call, json) => {
      await call.broker.importDefinitions(json);
      return DONE;
    },
  ),
  get('/definitions/:vhost', { access: ADMIN, summary: 'What is in one virtual host' }, ({ broker, host, server }) => {
    const all = broker.exportDefinitions();
    const ofHost = KINDS.map((kind) => [
      kind,
      (all[kind] ?? []).filter((item) => vhostOf(item) === host.name).map(withoutHost),
    ]);
    return { rabbit_version: versions(server).rabbit_version, ...Object.fromEntries(ofHost) };
  }),
  post(
    '/definitions/:vhost',
    { access: ADMIN, summary: 'Makes what they say in a virtual host' },
    anything,
    async ({ broker, host }, json) => {
      const placed = KINDS.map((kind) => [kind, inHost(json[kind], host.name)]);
      await broker.importDefinitions(Object.fromEntries(placed.filter(([, items]) => items !== undefined)));
      return DONE;
    },
  ),
];

function versions({ product, version }: ServerFacts) {
  return {
    rabbit_version: RABBITMQ_VERSION,
    rabbitmq_version: RABBITMQ_VERSION,
    product_name: product,
    product_version: version,
  };
}

function vhostOf(item: unknown): unknown {
  return typeof item === 'object' && item !== null && 'vhost' in item ? item.vhost : undefined;
}

function withoutHost(item: unknown): unknown {
  const { vhost: _, ...rest } = item as { readonly vhost?: unknown };
  return rest;
}

/** What is not a list is left as it is: importing says what is wrong with it. */
function inHost(items: unknown, vhost: string): unknown {
  if (!Array.isArray(items)) return items;
  return items.map((item: unknown) => (typeof item === 'object' && item !== null ? { ...item, vhost } : item));
}
