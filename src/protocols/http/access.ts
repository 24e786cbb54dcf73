import type { Broker, User, VirtualHost } from '../../broker/index.ts';
import { type HttpError, notAuthorised } from './errors.ts';

/**
 * Who may ask: everybody, whoever is let in at all, who has access to the virtual host in the path, or who has a tag. What is done
 * in a virtual host needs the user's permissions there besides.
 */
export type Access =
  | 'open'
  /** As `monitor`, unless a setting lets others in (`metrics.access`). */
  | 'scrape'
  | 'user'
  | 'monitor'
  | 'administrator'
  | 'policymaker'
  | 'global-policymaker'
  | 'virtual-host';

const TAGS = ['management', 'policymaker', 'monitoring', 'administrator'];

type Tagged = Pick<User, 'tags'>;

export function isAdministrator({ tags }: Tagged): boolean {
  return tags.includes('administrator');
}

export function isMonitor(user: Tagged): boolean {
  return isAdministrator(user) || user.tags.includes('monitoring');
}

function isPolicymaker(user: Tagged): boolean {
  return isAdministrator(user) || user.tags.includes('policymaker');
}

/** Why the user may not ask for this; undefined when it may. `virtualHost` is the one in the path. */
export function refusal(access: Access, user: User, virtualHost: VirtualHost | undefined): HttpError | undefined {
  if (!user.tags.some((tag) => TAGS.includes(tag))) return notAuthorised('Not management user');
  const reaches = virtualHost === undefined || isAdministrator(user) || user.mayAccess(virtualHost.name);
  switch (access) {
    case 'open':
    case 'user':
      return undefined;
    case 'monitor':
    case 'scrape':
      return isMonitor(user) ? undefined : notAuthorised('Not monitor user');
    case 'administrator':
      return isAdministrator(user) ? undefined : notAuthorised('Not administrator user');
    case 'virtual-host':
      return reaches ? undefined : notAuthorised('User not authorised to access virtual host');
    case 'policymaker':
      return isPolicymaker(user) && reaches ? undefined : notAuthorised('User not authorised to access object');
    case 'global-policymaker':
      return isPolicymaker(user) ? undefined : notAuthorised('User not authorised to access object');
  }
}

/** The virtual hosts whose objects the user sees in lists of all. */
export function reachableHosts({ virtualHosts }: Broker, user: User): VirtualHost[] {
  return [...virtualHosts.all()].filter(({ name }) => isAdministrator(user) || user.mayAccess(name));
}

/** Those that the user sees themselves. */
export function visibleHosts({ virtualHosts }: Broker, user: User): VirtualHost[] {
  return [...virtualHosts.all()].filter(({ name }) => isMonitor(user) || user.mayAccess(name));
}
