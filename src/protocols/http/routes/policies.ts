import { z } from 'zod';
import type { Policy, VirtualHost } from '../../../broker/index.ts';
import { reachableHosts } from '../access.ts';
import { wholeNumber } from '../body-types.ts';
import { badRequest, notFound } from '../errors.ts';
import type { Listed, Shown } from '../listing.ts';
import { DONE, found, get, getList, made, put, type Route, remove } from '../route.ts';

const given = z.object({
  pattern: z.string(),
  definition: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  priority: wholeNumber().default(0),
  'apply-to': z.enum(['all', 'queues', 'classic_queues', 'quorum_queues', 'streams', 'exchanges']).default('all'),
});

export const policyRoutes: readonly Route[] = [
  getList('/policies', { access: 'user', summary: 'Policies of all virtual hosts' }, ({ broker, user }) =>
    listed(reachableHosts(broker, user)),
  ),
  getList('/policies/:vhost', { access: 'virtual-host', summary: 'Policies of a virtual host' }, ({ host }) =>
    listed([host]),
  ),
  get('/policies/:vhost/:name', { access: 'virtual-host', summary: 'One policy' }, ({ host, param }) =>
    show(host, found(host.policy(param('name')))),
  ),
  put(
    '/policies/:vhost/:name',
    { access: 'policymaker', summary: 'Makes or changes a policy' },
    given,
    async ({ host, param }, { pattern, definition, priority, 'apply-to': applyTo }) => {
      const name = param('name');
      const isNew = host.policy(name) === undefined;
      await host.setPolicy({ name, pattern, definition, priority, applyTo });
      return made(isNew);
    },
  ),
  remove('/policies/:vhost/:name', { access: 'policymaker', summary: 'Deletes a policy' }, async ({ host, param }) => {
    const { name } = found(host.policy(param('name')));
    await host.deletePolicy(name);
    return DONE;
  }),
];

const anything = z.record(z.string(), z.unknown());

/** What RabbitMQ has besides, and this broker has none of: lists are empty, and to set something is refused. */
export const absentRoutes: readonly Route[] = [
  ...absent(
    '/parameters',
    ['/:component', '/:vhost', '/:name'],
    'policymaker',
    'Parameters of components',
    ({ component }) => `component ${component} not found`,
  ),
  ...absent(
    '/global-parameters',
    ['/:name'],
    'global-policymaker',
    'Global parameters',
    () => 'global parameters are not kept',
  ),
  ...absent(
    '/operator-policies',
    ['/:vhost', '/:name'],
    'administrator',
    'Policies of the operator',
    () => 'operator policies are not supported: set a policy',
  ),
  ...absent(
    '/vhost-limits',
    ['/:vhost', '/:name'],
    'administrator',
    'Limits of virtual hosts',
    () => 'limits of virtual hosts are not supported',
  ),
];

/** Every prefix of the path is a list; the whole of it one thing. */
function absent(
  root: string,
  parts: readonly string[],
  access: Route['access'],
  summary: string,
  why: (names: { readonly component: string }) => string,
): Route[] {
  const lists = parts.map((_, count) => root + parts.slice(0, count).join(''));
  const one = root + parts.join('');
  const seenBy = access === 'administrator' ? 'user' : access;
  return [
    ...lists.map((path) => getList(path, { access: seenBy, summary: `${summary}: there are none` }, nothing)),
    get(one, { access: seenBy, summary: `${summary}: there are none` }, () => found(undefined)),
    put(one, { access, summary: 'Is refused' }, anything, ({ param }) => {
      throw badRequest(
        `Validation failed\n\n${why({ component: parts.includes('/:component') ? param('component') : '' })}\n`,
      );
    }),
    remove(one, { access, summary: 'There is nothing to delete' }, () => {
      throw notFound();
    }),
  ];
}

function nothing(): Listed<Shown> {
  const same = (item: Shown) => item;
  return { items: [], basics: same, show: same, order: [], paged: false };
}

function listed(hosts: readonly VirtualHost[]): Listed<Shown> {
  const same = (item: Shown) => item;
  const items = hosts.flatMap((host) => Array.from(host.policies(), (policy) => show(host, policy)));
  return { items, basics: same, show: same, order: ['vhost', 'name'], paged: true };
}

function show(host: VirtualHost, { name, pattern, applyTo, priority, definition }: Policy): Shown {
  return { vhost: host.name, name, pattern, 'apply-to': applyTo, definition, priority };
}
