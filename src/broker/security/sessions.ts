import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock, Random } from '../../environment/environment.ts';
import type { User } from './user.ts';
import type { ClientOrigin, Users } from './users.ts';

export interface SessionSettings {
  /** Of all users together. */
  readonly max: number;
  /** How long a session lasts that nobody uses. */
  readonly idleMs: number;
  /** How long it lasts in any case. */
  readonly lifetimeMs: number;
}

export const DEFAULT_SESSION_SETTINGS: SessionSettings = {
  max: 10_000,
  idleMs: 30 * 60_000,
  lifetimeMs: 12 * 60 * 60_000,
};

/** Sessions of one user: a program that logs in for each request ends its own sessions, and nobody else's. */
const MAX_PER_USER = 100;
const TOKEN_BYTES = 32;

/** Somebody who logged in. */
export interface Session {
  readonly user: User;
  /** What requests that change something have to show besides: other sites have the browser send the cookie, but do not know this. */
  readonly csrfToken: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

interface KeptSession extends Session {
  /** Another password ends the session. */
  readonly passwordHash: string | undefined;
  /** By the clock's `monotonic`. */
  readonly endsAt: number;
  usedAt: number;
  /** Called once it is over, as far as that is noticed. */
  readonly onEnd: Set<() => void>;
}

export interface SessionsOptions {
  readonly users: Users;
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: SessionSettings;
}

/**
 * Who has shown a password and need not show it again: in memory only, so that a restart ends all sessions. The longest unused ones
 * end when there are too many.
 */
export class Sessions {
  readonly #options: SessionsOptions;
  /** By a hash of the token, those used last at the end. How long a look-up takes tells nothing of the tokens. */
  readonly #sessions = new Map<string, KeptSession>();

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** The token is told to the client, and not kept. */
  begin(user: User): { readonly token: string; readonly session: Session } {
    const { clock, random, settings } = this.#options;
    this.#makeRoom(user);
    const token = random.bytes(TOKEN_BYTES).toString('base64url');
    const now = clock.monotonic();
    const session: KeptSession = {
      user,
      csrfToken: random.bytes(TOKEN_BYTES).toString('base64url'),
      expiresAt: clock.now() + settings.lifetimeMs,
      passwordHash: hashOf(user),
      endsAt: now + settings.lifetimeMs,
      usedAt: now,
      onEnd: new Set(),
    };
    this.#sessions.set(keyOf(token), session);
    return { token, session };
  }

  /** Undefined when there is none any more, or none for a client from there. */
  use(token: string, from: ClientOrigin): Session | undefined {
    const key = keyOf(token);
    const session = this.#sessions.get(key);
    if (session === undefined) return undefined;
    if (this.#isOver(session)) {
      this.#end(key);
      return undefined;
    }
    this.#used(key, session);
    return this.#options.users.mayComeFrom(session.user, from) ? session : undefined;
  }

  end(token: string): void {
    this.#end(keyOf(token));
  }

  /**
   * For a request that goes on: `ended` is called when somebody logs out, or the session gives way to others. `use` says whether it may go on, and
   * counts as a use of the session. Answers what ends the watching.
   */
  watch(session: Session, ended: () => void): { readonly use: () => boolean; readonly stop: () => void } {
    const [key, kept] = [...this.#sessions].find(([, each]) => each === session) ?? [];
    kept?.onEnd.add(ended);
    return {
      use: () => {
        if (key === undefined || kept === undefined || this.#sessions.get(key) !== kept || this.#isOver(kept))
          return false;
        this.#used(key, kept);
        return true;
      },
      stop: () => kept?.onEnd.delete(ended),
    };
  }

  #isOver({ user, passwordHash, endsAt, usedAt }: KeptSession): boolean {
    const now = this.#options.clock.monotonic();
    if (now >= endsAt || now - usedAt >= this.#options.settings.idleMs) return true;
    return user.record === undefined || hashOf(user) !== passwordHash;
  }

  #makeRoom(user: User): void {
    for (const [key, session] of this.#sessions) if (this.#isOver(session)) this.#end(key);
    const own = [...this.#sessions].filter(([, session]) => session.user === user);
    const [ownOldest] = own;
    if (ownOldest !== undefined && own.length >= MAX_PER_USER) this.#end(ownOldest[0]);
    const [oldest] = this.#sessions.keys();
    if (oldest !== undefined && this.#sessions.size >= this.#options.settings.max) this.#end(oldest);
  }

  #used(key: string, session: KeptSession): void {
    session.usedAt = this.#options.clock.monotonic();
    this.#sessions.delete(key);
    this.#sessions.set(key, session);
  }

  #end(key: string): void {
    const session = this.#sessions.get(key);
    this.#sessions.delete(key);
    for (const ended of session?.onEnd ?? []) ended();
    session?.onEnd.clear();
  }
}

/** Whether it is the session's; takes the same time for any two of one length. */
export function isCsrfToken({ csrfToken }: Session, given: string | undefined): boolean {
  const [expected, actual] = [Buffer.from(csrfToken), Buffer.from(given ?? '')];
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

function keyOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}

function hashOf({ record }: User): string | undefined {
  return record?.credentials.password?.hash;
}
