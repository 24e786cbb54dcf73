import type { StateMachine } from '../event-log.ts';
import type { PasswordHash } from './password-hash.ts';
import type { ScramCredential, ScramCredentials, ScramMechanism } from './scram.ts';

/** Regular expressions that the names of what a user touches must match. */
export interface PermissionSet {
  readonly configure: string;
  readonly write: string;
  readonly read: string;
}

/** The same for routing keys of a topic exchange. */
export interface TopicPermissionSet {
  readonly write: string;
  readonly read: string;
}

/** What a user can show to be who it is. */
export interface Credentials {
  /** Without it the user cannot come in by sending its password. */
  readonly password?: PasswordHash;
  /** Without one of a mechanism the user cannot come in by that. */
  readonly scram?: ScramCredentials;
}

/** What a user is, without what it may do. */
export interface UserDetails {
  readonly name: string;
  readonly credentials: Credentials;
  readonly tags: readonly string[];
  /** RabbitMQ's `max-connections`, `max-channels`. */
  readonly limits: Readonly<Record<string, number>>;
}

/** A user as it lasts. */
export interface UserRecord extends UserDetails {
  /** By virtual host. */
  readonly permissions: ReadonlyMap<string, PermissionSet>;
  /** By virtual host and exchange. */
  readonly topicPermissions: ReadonlyMap<string, ReadonlyMap<string, TopicPermissionSet>>;
}

export interface UsersState {
  /** There was a user once. */
  founded: boolean;
  readonly users: Map<string, UserRecord>;
}

interface Of {
  readonly user: string;
  readonly virtualHost: string;
}

export type UserEvent =
  | { readonly type: 'user-put'; readonly user: UserDetails }
  | { readonly type: 'user-deleted'; readonly user: string }
  // Makes the user where there is none.
  | {
      readonly type: 'scram-set';
      readonly user: string;
      readonly mechanism: ScramMechanism;
      readonly credential: ScramCredential;
    }
  | { readonly type: 'scram-cleared'; readonly user: string; readonly mechanism: ScramMechanism }
  | (Of & { readonly type: 'permissions-set'; readonly permissions: PermissionSet })
  | (Of & { readonly type: 'permissions-cleared' })
  | (Of & {
      readonly type: 'topic-permissions-set';
      readonly exchange: string;
      readonly permissions: TopicPermissionSet;
    })
  | (Of & { readonly type: 'topic-permissions-cleared'; readonly exchange: string });

interface Snapshot {
  readonly founded: boolean;
  readonly users: readonly (UserDetails & {
    readonly permissions: readonly (readonly [virtualHost: string, PermissionSet])[];
    readonly topicPermissions: readonly (readonly [virtualHost: string, exchange: string, TopicPermissionSet])[];
  })[];
}

/** A user's record is replaced when the user changes, never changed itself: who holds one sees by identity whether it is the latest. */
export const usersMachine: StateMachine<UsersState, UserEvent> = {
  initial: () => ({ founded: false, users: new Map() }),
  apply(state, event) {
    switch (event.type) {
      case 'user-put': {
        const { permissions, topicPermissions } = state.users.get(event.user.name) ?? NOTHING;
        state.users.set(event.user.name, { ...event.user, permissions, topicPermissions });
        state.founded = true;
        return;
      }
      case 'user-deleted':
        state.users.delete(event.user);
        return;
      case 'scram-set': {
        const user = state.users.get(event.user) ?? { ...NOBODY, name: event.user };
        state.users.set(event.user, user);
        state.founded = true;
        change(state, event.user, ({ credentials }) => ({
          credentials: { ...credentials, scram: { ...credentials.scram, [event.mechanism]: event.credential } },
        }));
        return;
      }
      case 'scram-cleared':
        change(state, event.user, ({ credentials }) => {
          const { [event.mechanism]: _, ...scram } = credentials.scram ?? {};
          return { credentials: { ...credentials, scram } };
        });
        return;
      case 'permissions-set':
        change(state, event.user, (user) => ({
          permissions: new Map(user.permissions).set(event.virtualHost, event.permissions),
        }));
        return;
      case 'permissions-cleared':
        change(state, event.user, (user) => ({ permissions: without(user.permissions, event.virtualHost) }));
        return;
      case 'topic-permissions-set':
        changeTopics(state, event, (exchanges) => new Map(exchanges).set(event.exchange, event.permissions));
        return;
      case 'topic-permissions-cleared':
        changeTopics(state, event, (exchanges) => without(exchanges, event.exchange));
        return;
    }
  },
  toSnapshot: (state): Snapshot => ({
    founded: state.founded,
    users: [...state.users.values()].map((user) => ({
      ...user,
      permissions: [...user.permissions],
      topicPermissions: [...topicPermissionsOf(user)],
    })),
  }),
  fromSnapshot(data) {
    const { founded, users } = data as Snapshot;
    const state: UsersState = { founded, users: new Map() };
    for (const { permissions, topicPermissions, ...details } of users) {
      const topics = new Map<string, Map<string, TopicPermissionSet>>();
      for (const [virtualHost, exchange, set] of topicPermissions)
        topics.set(virtualHost, (topics.get(virtualHost) ?? new Map()).set(exchange, set));
      state.users.set(details.name, { ...details, permissions: new Map(permissions), topicPermissions: topics });
    }
    return state;
  },
};

/** One by one, with virtual host and exchange. */
export function* topicPermissionsOf({
  topicPermissions,
}: UserRecord): Generator<readonly [virtualHost: string, exchange: string, TopicPermissionSet], void, undefined> {
  for (const [virtualHost, exchanges] of topicPermissions)
    for (const [exchange, permissions] of exchanges) yield [virtualHost, exchange, permissions];
}

const NOTHING: Pick<UserRecord, 'permissions' | 'topicPermissions'> = {
  permissions: new Map(),
  topicPermissions: new Map(),
};

/** One who cannot do anything yet. */
const NOBODY: Omit<UserRecord, 'name'> = { ...NOTHING, credentials: {}, tags: [], limits: {} };

function change(state: UsersState, name: string, by: (user: UserRecord) => Partial<UserRecord>): void {
  const user = state.users.get(name);
  if (user !== undefined) state.users.set(name, { ...user, ...by(user) });
}

function changeTopics(
  state: UsersState,
  { user: name, virtualHost }: Of,
  by: (exchanges: ReadonlyMap<string, TopicPermissionSet>) => ReadonlyMap<string, TopicPermissionSet>,
): void {
  change(state, name, ({ topicPermissions }) => {
    const exchanges = by(topicPermissions.get(virtualHost) ?? new Map());
    if (exchanges.size === 0) return { topicPermissions: without(topicPermissions, virtualHost) };
    return { topicPermissions: new Map(topicPermissions).set(virtualHost, exchanges) };
  });
}

function without<Value>(map: ReadonlyMap<string, Value>, key: string): ReadonlyMap<string, Value> {
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}
