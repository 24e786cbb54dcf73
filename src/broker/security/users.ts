import type { Random } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';
import { type EventLogOptions, jsonCodec, ShardEventLog } from '../event-log.ts';
import { type GivenPassword, newCredentials } from './credentials.ts';
import { LoginError } from './login-error.ts';
import { hashPassword, type PasswordHash, verifyPassword } from './password-hash.ts';
import { Pattern } from './pattern.ts';
import { nobodysCredential, type ScramCredential, type ScramMechanism } from './scram.ts';
import { ScramExchange } from './scram-exchange.ts';
import {
  type PermissionSet,
  type TopicPermissionSet,
  topicPermissionsOf,
  type UserDetails,
  type UserEvent,
  type UserRecord,
  type UsersState,
  usersMachine,
} from './state.ts';
import { User } from './user.ts';

/** The log of users has this id on the first shard of every broker. */
const USERS_LOG_ID = '00000000-0000-4000-8000-000000000002';
const MAX_NAME_BYTES = 255;
const MAX_TAGS = 32;
/** Clients can make users too, with SCRAM credentials: not without end. */
const MAX_USERS = 100_000;
const NONCE_BYTES = 24;

export interface UsersOptions extends Pick<EventLogOptions<UsersState, UserEvent>, 'shard' | 'now' | 'onTrouble'> {
  readonly random: Random;
  /** Made where there was never a user, with all permissions on the virtual host `/`. */
  readonly firstUser?: { readonly name: string; readonly password: string } | undefined;
  /** Names of users that can connect from this machine only. */
  readonly loopbackUsers: readonly string[];
  readonly hasVirtualHost: (name: string) => boolean;
}

export interface PutUser extends GivenPassword {
  readonly name: string;
  readonly tags?: readonly string[] | undefined;
  readonly limits?: Readonly<Record<string, number>> | undefined;
}

export interface ClientOrigin {
  /** The client is on this machine. */
  readonly loopback: boolean;
}

type Decide = (state: Readonly<UsersState>) => readonly UserEvent[] | Promise<readonly UserEvent[]>;

/** Who may come in, and what each may do. */
export class Users {
  readonly #options: UsersOptions;
  readonly #log: ShardEventLog<UsersState, UserEvent>;
  readonly #users = new Map<string, User>();
  readonly #removed: ((user: User) => void)[] = [];
  /** What a password is compared to when there is no such user: that must not be quicker. */
  readonly #nobody: PasswordHash;
  /** What the credentials of users who are not there are made of. */
  readonly #secret: Buffer;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(options: UsersOptions, log: ShardEventLog<UsersState, UserEvent>) {
    this.#options = options;
    this.#log = log;
    this.#nobody = hashPassword(options.random.bytes(16).toString('hex'), options.random);
    this.#secret = options.random.bytes(32);
  }

  static async open(options: UsersOptions): Promise<Users> {
    const { shard, now, onTrouble, firstUser } = options;
    const log = await ShardEventLog.open({
      shard,
      now,
      onTrouble,
      logId: USERS_LOG_ID,
      machine: usersMachine,
      codec: jsonCodec<UserEvent>(),
    });
    const users = new Users(options, log);
    for (const name of log.state.users.keys()) users.#follow(name);
    if (firstUser !== undefined && !log.state.founded) await users.#found(firstUser);
    return users;
  }

  get(name: string): User | undefined {
    return this.#users.get(name);
  }

  all(): Iterable<User> {
    return this.#users.values();
  }

  /** Throws `not-authorized`, with the text that the client's refusal ends in. */
  authenticate(name: string, password: string, from: ClientOrigin): User {
    if (password === '')
      throw new LoginError(name, `user '${name}' attempted to log in with a blank password, which is prohibited`);
    const user = this.#users.get(name);
    const expected = user?.record?.credentials.password;
    // Verified in any case: how long it takes does not tell whether there is such a user.
    const right = verifyPassword(expected ?? this.#nobody, password);
    if (user === undefined || expected === undefined || !right) throw invalidCredentials(name);
    return this.#admit(user, from);
  }

  /** For those whose name somebody else vouches for, as who signed their certificate. Throws `not-authorized`. */
  authenticateExternal(name: string, from: ClientOrigin): User {
    const user = this.#users.get(name);
    if (user === undefined) throw invalidCredentials(name);
    return this.#admit(user, from);
  }

  /** For a client that shows that it knows a user's password without sending it; `authenticateExternal` takes the name that comes of it. */
  scramExchange(mechanism: ScramMechanism): ScramExchange {
    return new ScramExchange({
      mechanism,
      serverNonce: this.#options.random.bytes(NONCE_BYTES).toString('base64url'),
      credentialOf: (name) => {
        // Made in any case: how long it takes does not tell whether there is such a user.
        const nobodys = nobodysCredential(mechanism, name, this.#secret);
        return this.#users.get(name)?.record?.credentials.scram?.[mechanism] ?? nobodys;
      },
    });
  }

  /** Gives a user a password for one mechanism, making the user where there is none. Rejects with `invalid-configuration`, `limit-exceeded`. */
  setScram(user: string, mechanism: ScramMechanism, credential: ScramCredential): Promise<void> {
    return this.#change((state) => {
      checkName(user);
      if (state.users.size >= MAX_USERS && !state.users.has(user))
        throw new BrokerError('limit-exceeded', `there are ${MAX_USERS} users: delete some first`);
      return [{ type: 'scram-set', user, mechanism, credential }];
    });
  }

  /** Rejects with `not-found` when there is none. A user who has nothing else goes with it. */
  clearScram(user: string, mechanism: ScramMechanism): Promise<void> {
    return this.#change((state) => {
      const record = state.users.get(user);
      if (record?.credentials.scram?.[mechanism] === undefined)
        throw new BrokerError('not-found', `user '${user}' has no ${mechanism} credential`);
      return isNothingBut(record, mechanism)
        ? [{ type: 'user-deleted', user }]
        : [{ type: 'scram-cleared', user, mechanism }];
    });
  }

  /**
   * Makes a user, or changes it: its permissions stay. With a new password, what clients of SCRAM are known by is new too, as far as the
   * password itself is given: by its hash alone it cannot be. Rejects with `invalid-configuration`.
   */
  put(user: PutUser): Promise<void> {
    return this.#change(async (state) => {
      const details = await this.#details(user, state.users.get(user.name));
      return details === undefined ? [] : [{ type: 'user-put', user: details }];
    });
  }

  /** Rejects with `not-found`. */
  delete(name: string): Promise<void> {
    return this.#change((state) => {
      recordOf(state, name);
      return [{ type: 'user-deleted', user: name }];
    });
  }

  /** Rejects with `not-found` for the user or the virtual host, `invalid-configuration` for a pattern. */
  setPermissions(user: string, virtualHost: string, { configure, write, read }: PermissionSet): Promise<void> {
    const permissions = { configure, write, read };
    return this.#change((state) => {
      const before = recordOf(state, user).permissions.get(virtualHost);
      this.#check(virtualHost, permissions);
      if (sameSet(before, permissions)) return [];
      return [{ type: 'permissions-set', user, virtualHost, permissions }];
    });
  }

  /** No error when there are none. Rejects with `not-found` for the user. */
  clearPermissions(user: string, virtualHost: string): Promise<void> {
    return this.#change((state) => {
      if (!recordOf(state, user).permissions.has(virtualHost)) return [];
      return [{ type: 'permissions-cleared', user, virtualHost }];
    });
  }

  /** Rejects as `setPermissions` does. */
  setTopicPermissions(
    user: string,
    virtualHost: string,
    exchange: string,
    { write, read }: TopicPermissionSet,
  ): Promise<void> {
    const permissions = { write, read };
    return this.#change((state) => {
      const before = recordOf(state, user).topicPermissions.get(virtualHost)?.get(exchange);
      this.#check(virtualHost, permissions);
      if (sameSet(before, permissions)) return [];
      return [{ type: 'topic-permissions-set', user, virtualHost, exchange, permissions }];
    });
  }

  /** Of one exchange, or of all in the virtual host. No error when there are none. Rejects with `not-found` for the user. */
  clearTopicPermissions(user: string, virtualHost: string, exchange?: string): Promise<void> {
    return this.#change((state) =>
      clearTopics(recordOf(state, user), (host, name) => host === virtualHost && (exchange ?? name) === name),
    );
  }

  /** Lets go of permissions on virtual hosts that are gone: what is made anew under the name of one is another one. */
  forgetVirtualHosts(isGone: (name: string) => boolean): Promise<void> {
    return this.#change((state) =>
      [...state.users.values()].flatMap((user): UserEvent[] => [
        ...[...user.permissions.keys()]
          .filter(isGone)
          .map((virtualHost): UserEvent => ({ type: 'permissions-cleared', user: user.name, virtualHost })),
        ...clearTopics(user, isGone),
      ]),
    );
  }

  /** Is told of users that were deleted: their connections are to be closed. */
  onUserRemoved(listener: (user: User) => void): void {
    this.#removed.push(listener);
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#log.close();
  }

  /** Whether the user may connect from there at all. */
  mayComeFrom(user: User, { loopback }: ClientOrigin): boolean {
    return loopback || !this.#options.loopbackUsers.includes(user.name);
  }

  #admit(user: User, from: ClientOrigin): User {
    if (!this.mayComeFrom(user, from))
      throw new LoginError(user.name, `user '${user.name}' can only connect via localhost`);
    return user;
  }

  /** Changes are made one after the other, each deciding upon what the one before left. */
  #change(decide: Decide): Promise<void> {
    const change = this.#last.then(async () => {
      const events = await decide(this.#log.state);
      await this.#log.append(events);
      for (const name of new Set(events.map(userOf))) this.#follow(name);
    });
    this.#last = change.catch(() => {});
    return change;
  }

  /** Makes the user what its record says. */
  #follow(name: string): void {
    const record = this.#log.state.users.get(name);
    const user = this.#users.get(name);
    if (user !== undefined) user.update(record);
    else if (record !== undefined) this.#users.set(name, new User(record));
    if (record !== undefined || user === undefined) return;
    this.#users.delete(name);
    for (const listener of this.#removed) listener(user);
  }

  async #found({ name, password }: { readonly name: string; readonly password: string }): Promise<void> {
    const user = await this.#details({ name, password, tags: ['administrator'] }, undefined);
    if (user === undefined) return;
    const permissions = { configure: '.*', write: '.*', read: '.*' };
    await this.#change(() => [
      { type: 'user-put', user },
      { type: 'permissions-set', user: name, virtualHost: '/', permissions },
    ]);
  }

  /** Undefined when nothing changes. */
  async #details(put: PutUser, before: UserRecord | undefined): Promise<UserDetails | undefined> {
    const { name, tags = [], limits = {} } = put;
    checkName(name);
    if (tags.length > MAX_TAGS)
      throw new BrokerError('invalid-configuration', `user '${name}' has more than ${MAX_TAGS} tags`);
    const credentials = await newCredentials(put, before?.credentials, this.#options.random);
    const details: UserDetails = { name, credentials, tags, limits };
    return before !== undefined && sameDetails(before, details) ? undefined : details;
  }

  #check(virtualHost: string, patterns: PermissionSet | TopicPermissionSet): void {
    for (const pattern of Object.values(patterns)) Pattern.compile(pattern);
    if (!this.#options.hasVirtualHost(virtualHost))
      throw new BrokerError('not-found', `there is no virtual host '${virtualHost}': make it first`);
  }
}

function checkName(name: string): void {
  if (name === '' || Buffer.byteLength(name) > MAX_NAME_BYTES)
    throw new BrokerError('invalid-configuration', `a user's name has from 1 to ${MAX_NAME_BYTES} bytes`);
}

/** Whether somebody made the user for this mechanism, and for nothing else. */
function isNothingBut({ credentials, tags, permissions }: UserRecord, mechanism: ScramMechanism): boolean {
  const mechanisms = Object.keys(credentials.scram ?? {});
  const others = mechanisms.some((each) => each !== mechanism) || credentials.password !== undefined;
  return !others && tags.length === 0 && permissions.size === 0;
}

function userOf(event: UserEvent): string {
  return event.type === 'user-put' ? event.user.name : event.user;
}

function recordOf({ users }: Readonly<UsersState>, name: string): UserRecord {
  const user = users.get(name);
  if (user === undefined) throw new BrokerError('not-found', `there is no user '${name}'`);
  return user;
}

function clearTopics(user: UserRecord, which: (virtualHost: string, exchange: string) => boolean): UserEvent[] {
  return [...topicPermissionsOf(user)]
    .filter(([virtualHost, exchange]) => which(virtualHost, exchange))
    .map(([virtualHost, exchange]) => ({ type: 'topic-permissions-cleared', user: user.name, virtualHost, exchange }));
}

function sameSet(
  one: PermissionSet | TopicPermissionSet | undefined,
  other: PermissionSet | TopicPermissionSet,
): boolean {
  if (one === undefined) return false;
  const values: Readonly<Record<string, string>> = { ...one };
  return Object.entries(other).every(([name, value]) => values[name] === value);
}

function sameDetails(one: UserDetails, other: UserDetails): boolean {
  const text = ({ credentials: { password }, tags, limits }: UserDetails) =>
    JSON.stringify([password?.algorithm, password?.hash, tags, Object.entries(limits).sort()]);
  return text(one) === text(other);
}

function invalidCredentials(name: string): LoginError {
  return new LoginError(name, `user '${name}' - invalid credentials`);
}
