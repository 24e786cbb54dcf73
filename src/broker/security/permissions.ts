import { BrokerError } from '../../errors.ts';
import type { Permission } from './user.ts';

export type ResourceKind = 'queue' | 'exchange';

/** What a user may do, as far as it is asked here. */
export interface Permitted {
  readonly name: string;
  readonly tags: readonly string[];
  may(virtualHost: string, permission: Permission, resource: string): boolean;
  mayTopic(virtualHost: string, exchange: string, permission: 'write' | 'read', routingKey: string): boolean;
}

/** What patterns for the default exchange match. */
const DEFAULT_EXCHANGE = 'amq.default';

/** What a client's user may do in its virtual host. Every check throws `access-refused`. */
export class Permissions {
  readonly user: Permitted;
  readonly virtualHost: string;

  constructor(user: Permitted, virtualHost: string) {
    this.user = user;
    this.virtualHost = virtualHost;
  }

  check(permission: Permission, kind: ResourceKind, name: string): void {
    const resource = kind === 'exchange' && name === '' ? DEFAULT_EXCHANGE : name;
    if (!this.user.may(this.virtualHost, permission, resource))
      throw this.#refused(permission, `${kind} '${resource}' in vhost '${this.virtualHost}'`);
  }

  /** For making something. Where its messages go on to another exchange by themselves, that has to be permitted too. */
  checkMaking(kind: ResourceKind, name: string, goesOnTo: string | undefined): void {
    this.check('configure', kind, name);
    if (goesOnTo === undefined) return;
    this.check('read', kind, name);
    this.check('write', 'exchange', goesOnTo);
  }

  /** For asking whether something is there: any permission on it will do. */
  checkAny(kind: ResourceKind, name: string): void {
    const resource = kind === 'exchange' && name === '' ? DEFAULT_EXCHANGE : name;
    if (this.user.may(this.virtualHost, 'read', resource)) return;
    if (this.user.may(this.virtualHost, 'write', resource)) return;
    this.check('configure', kind, name);
  }

  /** Topic permissions apply to topic exchanges alone. */
  checkTopic(permission: 'write' | 'read', exchange: { name: string; type: string }, routingKey: string): void {
    if (exchange.type !== 'topic') return;
    const { user, virtualHost } = this;
    if (!user.mayTopic(virtualHost, exchange.name, permission, routingKey))
      throw this.#refused(
        permission,
        `topic '${routingKey}' in exchange topic '${exchange.name}' in vhost '${virtualHost}'`,
      );
  }

  #refused(permission: Permission, what: string): BrokerError {
    return new BrokerError('access-refused', `${permission} access to ${what} refused for user '${this.user.name}'`);
  }
}
