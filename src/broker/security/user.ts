import { Access, VariableAccess, type Variables } from './access.ts';
import { Pattern } from './pattern.ts';
import type { UserRecord } from './state.ts';

export type Permission = 'configure' | 'write' | 'read';

/** What patterns for the default exchange, which has no name, match. */
const DEFAULT_EXCHANGE = 'amq.default';

type HostAccess = Readonly<Record<Permission, Access>>;
type TopicAccess = Readonly<Record<'write' | 'read', VariableAccess>>;

/**
 * A user, for as long as it exists. What changes of it holds from the next question on; one that was deleted may do nothing, also
 * when another user has its name by now.
 */
export class User {
  readonly name: string;
  #record: UserRecord | undefined;
  /** By virtual host; made when it is first asked for. */
  readonly #access = new Map<string, HostAccess>();
  /** By virtual host and exchange. */
  readonly #topics = new Map<string, Map<string, TopicAccess>>();

  /** Users are made by `Users`. */
  constructor(record: UserRecord) {
    this.name = record.name;
    this.#record = record;
  }

  /** Undefined when it was deleted. Another object after every change. */
  get record(): UserRecord | undefined {
    return this.#record;
  }

  get tags(): readonly string[] {
    return this.#record?.tags ?? [];
  }

  mayAccess(virtualHost: string): boolean {
    return this.#record?.permissions.has(virtualHost) ?? false;
  }

  /** Of a queue or an exchange. */
  may(virtualHost: string, permission: Permission, resource: string): boolean {
    const access = this.#access.get(virtualHost) ?? this.#hostAccess(virtualHost);
    return access?.[permission].allows(resource === '' ? DEFAULT_EXCHANGE : resource) ?? false;
  }

  /** Whether a routing key of a topic exchange may be published to, or bound. `variables` besides `vhost` and `username`: the protocol's own. */
  mayTopic(
    virtualHost: string,
    exchange: string,
    permission: 'write' | 'read',
    routingKey: string,
    variables?: Variables,
  ): boolean {
    if (this.#record === undefined) return false;
    const exchanges = this.#topics.get(virtualHost) ?? this.#topicAccess(virtualHost);
    const pattern = exchanges?.get(exchange)?.[permission];
    if (pattern === undefined) return true;
    const access = pattern.constant ?? pattern.with({ ...variables, vhost: virtualHost, username: this.name });
    return access?.allows(routingKey) ?? false;
  }

  /** For `Users`: what the user is from now on, or that it was deleted. */
  update(record: UserRecord | undefined): void {
    this.#record = record;
    this.#access.clear();
    this.#topics.clear();
  }

  #hostAccess(virtualHost: string): HostAccess | undefined {
    const patterns = this.#record?.permissions.get(virtualHost);
    if (patterns === undefined) return undefined;
    const { configure, write, read } = patterns;
    const access: HostAccess = { configure: accessBy(configure), write: accessBy(write), read: accessBy(read) };
    this.#access.set(virtualHost, access);
    return access;
  }

  #topicAccess(virtualHost: string): ReadonlyMap<string, TopicAccess> | undefined {
    const patterns = this.#record?.topicPermissions.get(virtualHost);
    if (patterns === undefined) return undefined;
    const exchanges = new Map<string, TopicAccess>();
    for (const [exchange, { write, read }] of patterns)
      exchanges.set(exchange, { write: new VariableAccess(write), read: new VariableAccess(read) });
    this.#topics.set(virtualHost, exchanges);
    return exchanges;
  }
}

function accessBy(pattern: string): Access {
  return new Access(Pattern.compile(pattern));
}
