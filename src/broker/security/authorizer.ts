import { BrokerError } from '../../errors.ts';
import { type EventLogOptions, jsonCodec, ShardEventLog, type StateMachine } from '../event-log.ts';
import {
  type Acl,
  type AclClient,
  type AclFilter,
  type AclOperation,
  type AclResourceType,
  aclKey,
  concerns,
  matchesFilter,
  WILDCARD,
} from './acl.ts';
import { AclIndex } from './acl-index.ts';
import { ClientAccess } from './client-access.ts';

/** The log of access-control lists has this id on the first shard of every broker. */
const ACLS_LOG_ID = '00000000-0000-4000-8000-000000000003';
const MAX_ACLS = 100_000;
/** Of a name, a principal or a host. */
const MAX_TEXT_LENGTH = 4096;

export interface AuthorizerOptions extends Pick<EventLogOptions<AclIndex, AclEvent>, 'shard' | 'now' | 'onTrouble'> {
  /** Whether clients are asked what they may do. */
  readonly enabled: boolean;
  /** Principals that may do everything. */
  readonly superUsers: readonly string[];
  /** Whether a resource that no entry is about is everybody's. */
  readonly allowWithoutAcl: boolean;
}

export type AclEvent =
  | { readonly type: 'acl-created'; readonly acl: Acl }
  | { readonly type: 'acl-deleted'; readonly acl: Acl };

const aclsMachine: StateMachine<AclIndex, AclEvent> = {
  initial: () => new AclIndex(),
  apply(state, { type, acl }) {
    if (type === 'acl-created') state.add(acl);
    else state.delete(acl);
  },
  toSnapshot: (state) => [...state.all()],
  fromSnapshot(data) {
    const index = new AclIndex();
    for (const acl of data as readonly Acl[]) index.add(acl);
    return index;
  },
};

/** Who may do what to which resource. */
export class Authorizer {
  readonly enabled: boolean;
  /** Grows with every change of what anybody may do. */
  version = 0;
  readonly #options: AuthorizerOptions;
  readonly #log: ShardEventLog<AclIndex, AclEvent>;
  readonly #superUsers: ReadonlySet<string>;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(options: AuthorizerOptions, log: ShardEventLog<AclIndex, AclEvent>) {
    this.enabled = options.enabled;
    this.#options = options;
    this.#log = log;
    this.#superUsers = new Set(options.superUsers);
  }

  static async open(options: AuthorizerOptions): Promise<Authorizer> {
    const { shard, now, onTrouble } = options;
    const codec = jsonCodec<AclEvent>();
    const log = await ShardEventLog.open({ shard, now, onTrouble, logId: ACLS_LOG_ID, machine: aclsMachine, codec });
    return new Authorizer(options, log);
  }

  /** For one client, which remembers the answers. */
  accessOf(client: AclClient): ClientAccess {
    return new ClientAccess(this, client);
  }

  may(client: AclClient, operation: AclOperation, type: AclResourceType, name: string): boolean {
    if (!this.enabled || this.#superUsers.has(client.principal)) return true;
    let isAllowed = false;
    let isSubject = false;
    for (const acl of this.#log.state.about(type, name)) {
      isSubject = true;
      if (!concerns(acl, client, operation)) continue;
      if (acl.permission === 'deny') return false;
      isAllowed = true;
    }
    return isAllowed || (!isSubject && this.#options.allowWithoutAcl);
  }

  /** Whether there can be a resource of the type that the client may do this to; as Kafka, without what operations imply. */
  mayAny(client: AclClient, operation: AclOperation, type: AclResourceType): boolean {
    if (!this.enabled || this.#superUsers.has(client.principal)) return true;
    const allowed: Acl[] = [];
    const denied: Acl[] = [];
    for (const acl of this.#log.state.all()) {
      if (acl.resourceType !== type || !concerns(acl, client, operation)) continue;
      if (acl.operation !== operation && acl.operation !== 'all') continue;
      (acl.permission === 'deny' ? denied : allowed).push(acl);
    }
    if (denied.some((acl) => acl.pattern === 'literal' && acl.resourceName === WILDCARD)) return false;
    if (this.#options.allowWithoutAcl) return true;
    return allowed.some((acl) => !denied.some((denial) => dominates(denial, acl)));
  }

  /** Throws `invalid-argument` before anything is done; rejects with `limit-exceeded`. What is there already is no error. */
  create(acls: readonly Acl[]): Promise<void> {
    for (const acl of acls) check(acl);
    return this.#change((state) => {
      const missing = new Map(acls.filter((acl) => !state.has(acl)).map((acl) => [aclKey(acl), acl]));
      if (state.size + missing.size > MAX_ACLS)
        throw new BrokerError('limit-exceeded', `there can be ${MAX_ACLS} access-control entries: delete some first`);
      return [...missing.values()].map((acl) => ({ type: 'acl-created', acl }));
    });
  }

  list(filter: AclFilter): Acl[] {
    return [...this.#log.state.all()].filter((acl) => matchesFilter(acl, filter));
  }

  /** Deletes all that match any of the filters. Answers what each matched. */
  async delete(filters: readonly AclFilter[]): Promise<Acl[][]> {
    let matches: Acl[][] = [];
    await this.#change((state) => {
      const all = [...state.all()];
      matches = filters.map((filter) => all.filter((acl) => matchesFilter(acl, filter)));
      return [...new Set(matches.flat())].map((acl) => ({ type: 'acl-deleted', acl }));
    });
    return matches;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#log.close();
  }

  /** Changes are made one after the other, each deciding upon what the one before left. */
  #change(decide: (state: AclIndex) => readonly AclEvent[]): Promise<void> {
    const change = this.#last.then(async () => {
      await this.#log.append(decide(this.#log.state));
      this.version++;
    });
    this.#last = change.catch(() => {});
    return change;
  }
}

/** Whether all that one entry is about, the other is about too. */
function dominates(denial: Acl, { pattern, resourceName }: Acl): boolean {
  if (denial.pattern === 'prefixed')
    return resourceName.startsWith(denial.resourceName) && !(pattern === 'literal' && resourceName === WILDCARD);
  return pattern === 'literal' && denial.resourceName === resourceName;
}

function check({ resourceType, resourceName, principal, host }: Acl): void {
  const refuse = (why: string) => {
    throw new BrokerError('invalid-argument', why);
  };
  if (resourceName === '') refuse('Resource name should not be empty');
  if (resourceType === 'cluster' && resourceName !== CLUSTER_NAME)
    refuse(`The only valid name for the CLUSTER resource is ${CLUSTER_NAME}`);
  if (!/^[^:]+:./.test(principal))
    refuse(
      `Could not parse principal from \`${principal}\` (no colon is present separating the principal type from the principal name)`,
    );
  if (host === '') refuse('The host should not be empty');
  if ([resourceName, principal, host].some(({ length }) => length > MAX_TEXT_LENGTH))
    refuse(`names, principals and hosts have at most ${MAX_TEXT_LENGTH} characters`);
}

/** The one resource of its type. */
export const CLUSTER_NAME = 'kafka-cluster';
