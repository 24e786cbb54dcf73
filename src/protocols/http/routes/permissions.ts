import { z } from 'zod';
import { topicPermissionsOf, type User } from '../../../broker/index.ts';
import { badRequest } from '../errors.ts';
import type { Listed, Shown } from '../listing.ts';
import { type Call, DONE, found, get, getList, made, put, type Route, remove } from '../route.ts';

const ADMIN = 'administrator';

const permissions = z.object({ configure: z.string(), write: z.string(), read: z.string() });
const topicPermissions = z.object({ exchange: z.string(), write: z.string(), read: z.string() });

export const permissionRoutes: readonly Route[] = [
  getList('/permissions', { access: ADMIN, summary: 'Permissions of all users' }, ({ broker }) =>
    listed([...broker.users.all()].flatMap(permissionsOf)),
  ),
  getList('/users/:user/permissions', { access: ADMIN, summary: 'Permissions of a user' }, (call) =>
    listed(permissionsOf(userOf(call))),
  ),
  getList('/vhosts/:vhost/permissions', { access: ADMIN, summary: 'Permissions on a virtual host' }, (call) =>
    listed(inHost(call, [...call.broker.users.all()].flatMap(permissionsOf))),
  ),
  get('/permissions/:vhost/:user', { access: ADMIN, summary: "A user's permissions on a virtual host" }, (call) =>
    found(inHost(call, permissionsOf(userOf(call)))[0]),
  ),
  put('/permissions/:vhost/:user', { access: ADMIN, summary: 'Sets them' }, permissions, async (call, given) => {
    const { user, vhost } = named(call);
    const isNew = !user.mayAccess(vhost);
    await call.broker.users.setPermissions(user.name, vhost, given);
    return made(isNew);
  }),
  remove('/permissions/:vhost/:user', { access: ADMIN, summary: 'Takes them away' }, async (call) => {
    const user = userOf(call);
    found(inHost(call, permissionsOf(user))[0]);
    await call.broker.users.clearPermissions(user.name, call.host.name);
    return DONE;
  }),

  getList('/topic-permissions', { access: ADMIN, summary: 'Topic permissions of all users' }, ({ broker }) =>
    listed([...broker.users.all()].flatMap(topicsOf)),
  ),
  getList('/users/:user/topic-permissions', { access: ADMIN, summary: 'Topic permissions of a user' }, (call) =>
    listed(topicsOf(userOf(call))),
  ),
  getList(
    '/vhosts/:vhost/topic-permissions',
    { access: ADMIN, summary: 'Topic permissions on a virtual host' },
    (call) => listed(inHost(call, [...call.broker.users.all()].flatMap(topicsOf))),
  ),
  getList(
    '/topic-permissions/:vhost/:user',
    { access: ADMIN, summary: "A user's topic permissions on a virtual host" },
    (call) => listed(some(inHost(call, topicsOf(userOf(call))))),
  ),
  get(
    '/topic-permissions/:vhost/:user/:exchange',
    { access: ADMIN, summary: "A user's topic permissions on an exchange" },
    (call) => found(inHost(call, topicsOf(userOf(call))).find(({ exchange }) => exchange === call.param('exchange'))),
  ),
  put(
    '/topic-permissions/:vhost/:user',
    { access: ADMIN, summary: 'Sets those on an exchange' },
    topicPermissions,
    async (call, { exchange, ...given }) => {
      const { user, vhost } = named(call);
      const isNew = user.record?.topicPermissions.get(vhost)?.has(exchange) !== true;
      await call.broker.users.setTopicPermissions(user.name, vhost, exchange, given);
      return made(isNew);
    },
  ),
  remove('/topic-permissions/:vhost/:user', { access: ADMIN, summary: 'Takes all of them away' }, async (call) => {
    const user = userOf(call);
    some(inHost(call, topicsOf(user)));
    await call.broker.users.clearTopicPermissions(user.name, call.host.name);
    return DONE;
  }),
  remove(
    '/topic-permissions/:vhost/:user/:exchange',
    { access: ADMIN, summary: 'Takes those on an exchange away' },
    async (call) => {
      await call.broker.users.clearTopicPermissions(userOf(call).name, call.host.name, call.param('exchange'));
      return DONE;
    },
  ),
];

function userOf(call: Call): User {
  return found(call.broker.users.get(call.param('user')));
}

/** Of what is to be set: RabbitMQ says what is wrong in its own way. */
function named({ broker, param }: Call): { user: User; vhost: string } {
  const user = broker.users.get(param('user'));
  const vhost = param('vhost');
  if (user === undefined || broker.virtualHosts.get(vhost) === undefined) throw badRequest('vhost_or_user_not_found');
  return { user, vhost };
}

function permissionsOf({ name, record }: User): Shown[] {
  return Array.from(record?.permissions ?? [], ([vhost, { configure, write, read }]) => ({
    ...{ user: name, vhost, configure, write, read },
  }));
}

function topicsOf({ name, record }: User): Shown[] {
  if (record === undefined) return [];
  return Array.from(topicPermissionsOf(record), ([vhost, exchange, { write, read }]) => ({
    ...{ user: name, vhost, exchange, write, read },
  }));
}

function inHost({ host }: Call, all: readonly Shown[]): readonly Shown[] {
  return all.filter(({ vhost }) => vhost === host.name);
}

function some(items: readonly Shown[]): readonly Shown[] {
  found(items[0]);
  return items;
}

function listed(items: readonly Shown[]): Listed<Shown> {
  // Filtered by the name of the user.
  const basics = (item: Shown) => ({ ...item, name: item['user'] });
  return { items, basics, show: (item) => item, order: ['vhost', 'user', 'exchange'], paged: true };
}
