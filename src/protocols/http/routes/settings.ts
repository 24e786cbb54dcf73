import { z } from 'zod';
import { nothing } from '../body-types.ts';
import { DONE, found, get, getList, ok, post, put, type Route, remove } from '../route.ts';
import type { SettingShape } from '../shapes/settings.ts';

const ADMIN = 'administrator';
const change = z.strictObject({
  value: z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]).transform(String),
});

export const settingRoutes: readonly Route[] = [
  getList<SettingShape>(
    '/settings',
    { access: ADMIN, summary: 'Settings: what counts, where from, and what can be changed' },
    (call) => ({
      items: call.server.settings.all(),
      basics: ({ name, source, dynamic }) => ({ name, source, dynamic }),
      show: (setting) => ({ ...setting }),
      order: ['name'],
      paged: true,
    }),
  ),
  post(
    '/settings/reload',
    { access: ADMIN, summary: 'Reads the configuration file again, for what can be changed while the broker runs' },
    nothing,
    async ({ server }) => ok(await server.settings.reload()),
  ),
  get('/settings/:name', { access: ADMIN, summary: 'One setting' }, ({ server, param }) =>
    found(server.settings.all().find(({ name }) => name === param('name'))),
  ),
  put(
    '/settings/:name',
    { access: ADMIN, summary: 'Changes it while the broker runs' },
    change,
    async (call, { value }) => {
      await call.server.settings.set(call.param('name'), value);
      return DONE;
    },
  ),
  remove(
    '/settings/:name',
    { access: ADMIN, summary: 'Takes back what was set while the broker runs' },
    async (call) => {
      await call.server.settings.set(call.param('name'), undefined);
      return DONE;
    },
  ),
];
