import { z } from 'zod';
import {
  ACL_OPERATIONS,
  ACL_RESOURCE_TYPES,
  type Acl,
  isScramMechanism,
  type Quota,
  type QuotaEntity,
} from '../../../broker/index.ts';
import { badRequest } from '../errors.ts';
import { DONE, found, get, getList, post, put, type Route, remove } from '../route.ts';
import type { AclInfoShape, AclShape, QuotaShape, ScramShape } from '../shapes/access.ts';

const ADMIN = 'administrator';
const OPERATIONS = [...ACL_OPERATIONS, 'all'] as const;

const entry = z.strictObject({
  resource_type: z.enum(ACL_RESOURCE_TYPES),
  resource_name: z.string(),
  pattern: z.enum(['literal', 'prefixed']).default('literal'),
  principal: z.string(),
  host: z.string().default('*'),
  operation: z.enum(OPERATIONS),
  permission: z.enum(['allow', 'deny']).default('allow'),
});

const quota = z.strictObject({
  user: z.string().nullable().optional(),
  client_id: z.string().nullable().optional(),
  ip: z.string().nullable().optional(),
  values: z.record(z.string(), z.number().nullable()),
});

/** What clients of Kafka may do and use, which is in no virtual host. */
export const kafkaAccessRoutes: readonly Route[] = [
  getList<Acl>('/acls', { access: ADMIN, summary: "Entries of Kafka's access-control lists" }, ({ broker }) => ({
    items: broker.authorizer.list({}),
    basics: (acl) => ({ ...showAcl(acl), name: `${acl.principal} ${acl.resourceName}` }),
    show: (acl) => ({ ...showAcl(acl) }),
    order: ['principal', 'resource_type', 'resource_name', 'operation'],
    paged: true,
  })),
  get(
    '/acls/info',
    { access: ADMIN, summary: 'What there can be entries about, and whether they count' },
    ({ broker }): AclInfoShape => ({
      ...{ enabled: broker.authorizer.enabled, resource_types: ACL_RESOURCE_TYPES, operations: OPERATIONS },
    }),
  ),
  post('/acls', { access: ADMIN, summary: 'Makes an entry' }, entry, async ({ broker }, given) => {
    await broker.authorizer.create([aclOf(given)]);
    return DONE;
  }),
  post('/acls/delete', { access: ADMIN, summary: 'Deletes one entry' }, entry, async ({ broker }, given) => {
    const [deleted] = await broker.authorizer.delete([aclOf(given)]);
    found(deleted?.[0]);
    return DONE;
  }),
  getList<Quota>('/quotas', { access: ADMIN, summary: 'How much clients of Kafka may use' }, ({ broker }) => ({
    items: [...broker.quotas.all()],
    basics: ({ entity }) => ({ name: nameOf(entity) }),
    show: ({ entity, values }) => ({ ...showQuota(entity, values) }),
    order: ['name'],
    paged: true,
  })),
  put(
    '/quotas',
    { access: ADMIN, summary: 'Sets quotas of one; null removes one' },
    quota,
    async ({ broker }, given) => {
      const { user, client_id: clientId, ip, values } = given;
      await broker.quotas.alter([{ entity: { user, 'client-id': clientId, ip }, values }]);
      return DONE;
    },
  ),
  get('/users/:user/scram', { access: ADMIN, summary: 'How a user can log in by SCRAM' }, ({ broker, param }) => {
    const { record } = found(broker.users.get(param('user')));
    return Object.entries(record?.credentials.scram ?? {}).map(
      ([mechanism, { iterations }]): ScramShape => ({ mechanism, iterations }),
    );
  }),
  remove('/users/:user/scram/:mechanism', { access: ADMIN, summary: 'Takes that away' }, async ({ broker, param }) => {
    const mechanism = param('mechanism');
    if (!isScramMechanism(mechanism)) throw badRequest(`there is no mechanism ${mechanism}`);
    await broker.users.clearScram(param('user'), mechanism);
    return DONE;
  }),
];

function aclOf({ resource_type, resource_name, ...others }: z.output<typeof entry>): Acl {
  return { ...others, resourceType: resource_type, resourceName: resource_name };
}

function showAcl({ resourceType, resourceName, ...others }: Acl): AclShape {
  return { ...others, resource_type: resourceType, resource_name: resourceName };
}

function nameOf({ user, 'client-id': clientId, ip }: QuotaEntity): string {
  const parts = [['user', user] as const, ['client-id', clientId] as const, ['ip', ip] as const];
  return parts.flatMap(([type, name]) => (name === undefined ? [] : [`${type}=${name ?? '*'}`])).join(' ');
}

function showQuota(entity: QuotaEntity, values: Readonly<Record<string, number>>): QuotaShape {
  const { user, 'client-id': clientId, ip } = entity;
  return {
    name: nameOf(entity),
    ...(user !== undefined && { user }),
    ...(clientId !== undefined && { client_id: clientId }),
    ...(ip !== undefined && { ip }),
    values,
  };
}
