import { z } from 'zod';
import type { User } from '../../../broker/index.ts';
import { BrokerError } from '../../../errors.ts';
import { badRequest } from '../errors.ts';
import type { Listed, Shown } from '../listing.ts';
import { DONE, found, get, getList, made, post, put, type Route, remove } from '../route.ts';

const ADMIN = 'administrator';
const MAX_BULK = 10_000;
/**
 * Told in place of what a password is checked by, which only definitions have: who gets at it can guess passwords. Whoever sends it back, as tools do
 * that change something else of a user, keeps the password.
 */
const KEPT_HASH = 'not shown';

const given = z.object({
  password: z.string().optional(),
  password_hash: z.string().optional(),
  hashing_algorithm: z.string().default('rabbit_password_hashing_sha256'),
  tags: z.union([z.string(), z.array(z.string())]).optional(),
});

export const userRoutes: readonly Route[] = [
  getList('/users', { access: ADMIN, summary: 'Users' }, ({ broker }) => listed([...broker.users.all()])),
  getList('/users/without-permissions', { access: ADMIN, summary: 'Users without any permission' }, ({ broker }) =>
    listed([...broker.users.all()].filter(({ record }) => record?.permissions.size === 0)),
  ),
  post(
    '/users/bulk-delete',
    { access: ADMIN, summary: 'Deletes several users; those that are not there are no error' },
    z.object({ users: z.array(z.string()).max(MAX_BULK) }),
    async ({ broker }, { users }) => {
      for (const name of users)
        await broker.users.delete(name).catch((error: unknown) => {
          if (!(error instanceof BrokerError && error.code === 'not-found')) throw error;
        });
      return DONE;
    },
  ),
  get('/users/:user', { access: ADMIN, summary: 'One user' }, (call) =>
    showUser(found(call.broker.users.get(call.param('user')))),
  ),
  put('/users/:user', { access: ADMIN, summary: 'Makes or changes a user' }, given, async (call, user) => {
    const { users } = call.broker;
    const name = call.param('user');
    const { password, password_hash: hash, hashing_algorithm: algorithm, tags } = user;
    if (tags === undefined) throw badRequest('tags_not_present');
    if (password !== undefined && hash !== undefined) throw badRequest('both_password_and_password_hash_are_provided');
    const before = users.get(name);
    await users.put({
      name,
      password,
      ...(hash === KEPT_HASH ? { keepsPassword: true } : hash && { passwordHash: { algorithm, hash } }),
      tags: (typeof tags === 'string' ? tags.split(',') : tags).map((tag) => tag.trim()).filter((tag) => tag !== ''),
      limits: before?.record?.limits,
    });
    return made(before === undefined);
  }),
  remove('/users/:user', { access: ADMIN, summary: 'Deletes a user, and closes its connections' }, async (call) => {
    const { name } = found(call.broker.users.get(call.param('user')));
    await call.broker.users.delete(name);
    return DONE;
  }),
];

function listed(items: readonly User[]): Listed<User> {
  return { items, basics: ({ name }) => ({ name }), show: showUser, order: ['name'], paged: true };
}

function showUser({ name, record }: User): Shown {
  const password = record?.credentials.password;
  return {
    name,
    password_hash: password === undefined ? '' : KEPT_HASH,
    hashing_algorithm: password?.algorithm ?? 'rabbit_password_hashing_sha256',
    tags: record?.tags ?? [],
    limits: record?.limits ?? {},
  };
}
