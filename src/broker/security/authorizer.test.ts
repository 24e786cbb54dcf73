import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ShardHome } from '../../../test/storage/fixture.ts';
import type { Shard } from '../../storage/index.ts';
import {
  ACL_OPERATIONS,
  ACL_RESOURCE_TYPES,
  type Acl,
  type AclClient,
  type AclOperation,
  type AclResourceType,
} from './acl.ts';
import { Authorizer, type AuthorizerOptions, CLUSTER_NAME } from './authorizer.ts';

let home: ShardHome;
let shard: Shard;
let authorizer: Authorizer;

beforeEach(async () => {
  home = new ShardHome();
  shard = await home.open();
  authorizer = await open();
});
afterEach(() => shard.close());

function open(options: Partial<AuthorizerOptions> = {}): Promise<Authorizer> {
  const onTrouble: AuthorizerOptions['onTrouble'] = (error, what) => home.troubles.push({ error, what });
  return Authorizer.open({
    ...{ shard, onTrouble, now: () => 0 },
    ...{ enabled: true, superUsers: ['User:root'], allowWithoutAcl: false },
    ...options,
  });
}

const acl = (parts: Partial<Acl> = {}): Acl => ({
  resourceType: 'topic',
  resourceName: 'orders',
  pattern: 'literal',
  principal: 'User:anna',
  host: '*',
  operation: 'read',
  permission: 'allow',
  ...parts,
});
const anna: AclClient = { principal: 'User:anna', host: '10.0.0.1' };

// Few names that are prefixes of one another, so that patterns meet.
const name = fc.constantFrom('*', 'a', 'ab', 'abc', 'b', '');
const principal = fc.constantFrom('User:anna', 'User:berta', 'User:*', 'User:root');
const host = fc.constantFrom('*', '10.0.0.1', '10.0.0.2');
const anyAcl: fc.Arbitrary<Acl> = fc.record({
  resourceType: fc.constantFrom<AclResourceType>('topic', 'group'),
  resourceName: name.filter((text) => text !== ''),
  pattern: fc.constantFrom('literal', 'prefixed'),
  principal,
  host,
  operation: fc.constantFrom<AclOperation | 'all'>('all', 'read', 'describe', 'alter-configs', 'describe-configs'),
  permission: fc.constantFrom('allow', 'deny'),
});

/** As the documentation of Kafka says it, without any index. */
function naive(
  acls: readonly Acl[],
  client: AclClient,
  operation: AclOperation,
  type: AclResourceType,
  on: string,
  otherwise: boolean,
) {
  if (client.principal === 'User:root') return true;
  const covering = acls.filter(
    (a) =>
      a.resourceType === type &&
      (a.pattern === 'prefixed' ? on.startsWith(a.resourceName) : a.resourceName === on || a.resourceName === '*'),
  );
  const about = covering.filter(
    (a) => [client.principal, 'User:*'].includes(a.principal) && [client.host, '*'].includes(a.host),
  );
  const implying: readonly string[] =
    operation === 'describe'
      ? ['read', 'write', 'delete', 'alter', 'describe', 'all']
      : operation === 'describe-configs'
        ? ['alter-configs', 'describe-configs', 'all']
        : [operation, 'all'];
  if (about.some((a) => a.permission === 'deny' && [operation, 'all'].includes(a.operation))) return false;
  if (about.some((a) => a.permission === 'allow' && implying.includes(a.operation))) return true;
  return covering.length === 0 && otherwise;
}

describe('authorization', () => {
  it('is what going through all entries one by one makes it, while they come and go', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyAcl, { maxLength: 20 }),
        fc.array(anyAcl, { maxLength: 5 }),
        fc.boolean(),
        async (created, removed, allowWithoutAcl) => {
          const shardOfRun = await new ShardHome().open();
          const run = await open({ shard: shardOfRun, allowWithoutAcl });
          const clients = ['User:anna', 'User:berta', 'User:root'].flatMap((who) =>
            ['10.0.0.1', '10.0.0.2'].map((from) => run.accessOf({ principal: who, host: from })),
          );
          const compare = (acls: readonly Acl[]) => {
            for (const access of clients)
              for (const operation of ['read', 'describe', 'describe-configs'] as const)
                for (const on of ['a', 'ab', 'abcd', 'b', 'c', '*'])
                  expect(access.may(operation, 'topic', on)).toBe(
                    naive(acls, access.client, operation, 'topic', on, allowWithoutAcl),
                  );
          };
          await run.create(created);
          compare(created);
          await run.delete([...removed, ...created.slice(0, 3)]);
          const gone = new Set(
            [...removed, ...created.slice(0, 3)].map((a) => JSON.stringify(Object.entries(a).sort())),
          );
          compare(created.filter((a) => !gone.has(JSON.stringify(Object.entries(a).sort()))));
          await shardOfRun.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('refuses nobody when it is off', async () => {
    const off = await open({ enabled: false });
    expect(off.accessOf(anna).may('delete', 'topic', 'orders')).toBe(true);
    expect(off.mayAny(anna, 'write', 'topic')).toBe(true);
  });

  it('knows whether there can be a resource that one may write to', async () => {
    const mayWrite = () => authorizer.mayAny(anna, 'write', 'topic');
    expect(mayWrite()).toBe(false);
    expect(authorizer.mayAny({ principal: 'User:root', host: '' }, 'write', 'topic')).toBe(true);
    await authorizer.create([acl({ operation: 'write', pattern: 'prefixed', resourceName: 'or' })]);
    expect(mayWrite()).toBe(true);
    await authorizer.create([acl({ operation: 'all', permission: 'deny', pattern: 'prefixed', resourceName: 'o' })]);
    expect(mayWrite()).toBe(false);
    await authorizer.create([acl({ operation: 'write', resourceName: '*' })]);
    expect(mayWrite()).toBe(true);
    await authorizer.create([acl({ operation: 'write', permission: 'deny', resourceName: '*' })]);
    expect(mayWrite()).toBe(false);
  });
});

describe('entries', () => {
  it('last, and are there once', async () => {
    await authorizer.create([acl(), acl(), acl({ operation: 'write' })]);
    await authorizer.create([acl()]);
    await authorizer.delete([{ operation: 'write' }]);
    await authorizer.close();
    await shard.close();
    shard = await home.open();
    authorizer = await open();
    expect(authorizer.list({})).toEqual([acl()]);
    expect(authorizer.may(anna, 'read', 'topic', 'orders')).toBe(true);
  });

  it('are found by pattern: as it is, or by the resources that it is about', async () => {
    const literal = acl({ resourceName: 'abc' });
    const prefixed = acl({ resourceName: 'ab', pattern: 'prefixed' });
    const all = acl({ resourceName: '*' });
    await authorizer.create([literal, prefixed, all]);
    expect(authorizer.list({ resourceName: 'abc', pattern: 'match' })).toEqual([literal, prefixed, all]);
    expect(authorizer.list({ resourceName: 'abd', pattern: 'match' })).toEqual([prefixed, all]);
    expect(authorizer.list({ resourceName: 'ab', pattern: 'literal' })).toEqual([]);
    expect(authorizer.list({ pattern: 'prefixed' })).toEqual([prefixed]);
    expect(authorizer.list({ resourceName: 'abc' })).toEqual([literal]);
  });

  it('are refused when they cannot mean anything', () => {
    expect(() => authorizer.create([acl({ resourceName: '' })])).toThrow('empty');
    expect(() => authorizer.create([acl({ resourceType: 'cluster' })])).toThrow(CLUSTER_NAME);
    expect(() => authorizer.create([acl({ principal: 'anna' })])).toThrow('colon');
    expect(() => authorizer.create([acl({ resourceName: 'x'.repeat(5000) })])).toThrow('4096');
  });

  it('have names for what there is', () => {
    expect(ACL_OPERATIONS).toHaveLength(12);
    expect(ACL_RESOURCE_TYPES).toHaveLength(6);
  });
});
