import type { Clock } from '../../environment/environment.ts';
import { BrokerError } from '../../errors.ts';
import { type EventLogOptions, jsonCodec, ShardEventLog, type StateMachine } from '../event-log.ts';
import { plainAddress } from './connection-limits.ts';
import { RateMeter } from './rate-meter.ts';

/** The log of quotas has this id on the first shard of every broker. */
const QUOTAS_LOG_ID = '00000000-0000-4000-8000-000000000004';
const MAX_ENTITIES = 100_000;
/** Of a user, a client id or an address. */
const MAX_NAME_LENGTH = 1024;
/** Clients whose rates are remembered; a client can call itself anything. */
const MAX_METERS = 20_000;
/** A timer is set to no more. */
const MAX_THROTTLE_MS = 0x7fff_ffff;

/** Whom a quota is for: all parts that are there together. Null is each one that has no quota of its own. */
export interface QuotaEntity {
  readonly user?: string | null | undefined;
  readonly 'client-id'?: string | null | undefined;
  readonly ip?: string | null | undefined;
}

/** By Kafka's names (KIP-13, KIP-124, KIP-599, KIP-612). */
export type ClientQuotaKey =
  | 'producer_byte_rate'
  | 'consumer_byte_rate'
  | 'request_percentage'
  | 'controller_mutation_rate';

const CLIENT_KEYS: readonly string[] = [
  'producer_byte_rate',
  'consumer_byte_rate',
  'request_percentage',
  'controller_mutation_rate',
] satisfies ClientQuotaKey[];
const IP_KEYS: readonly string[] = ['connection_creation_rate'];
const WHOLE_NUMBERS: readonly string[] = ['producer_byte_rate', 'consumer_byte_rate', 'connection_creation_rate'];

export interface Quota {
  readonly entity: QuotaEntity;
  readonly values: Readonly<Record<string, number>>;
}

/** What becomes of one entity's quotas; null removes one. */
export interface QuotaChange {
  readonly entity: QuotaEntity;
  readonly values: Readonly<Record<string, number | null>>;
}

export interface ClientQuotasOptions extends Pick<EventLogOptions<State, QuotaEvent>, 'shard' | 'now' | 'onTrouble'> {
  readonly clock: Clock;
}

type State = Map<string, Quota>;

/** What an entity has from then on; none when empty. */
interface QuotaEvent extends Quota {
  readonly type: 'quota-set';
}

const machine: StateMachine<State, QuotaEvent> = {
  initial: () => new Map(),
  apply(state, { entity, values }) {
    if (Object.keys(values).length === 0) state.delete(keyOf(entity));
    else state.set(keyOf(entity), { entity, values });
  },
  toSnapshot: (state) => [...state.values()],
  fromSnapshot: (data) => new Map((data as readonly Quota[]).map((quota) => [keyOf(quota.entity), quota])),
};

/** How much clients may use of the broker, and how much they do. */
export class ClientQuotas {
  readonly #options: ClientQuotasOptions;
  readonly #log: ShardEventLog<State, QuotaEvent>;
  readonly #meters = new Map<string, RateMeter>();
  #last: Promise<unknown> = Promise.resolve();

  private constructor(options: ClientQuotasOptions, log: ShardEventLog<State, QuotaEvent>) {
    this.#options = options;
    this.#log = log;
  }

  static async open(options: ClientQuotasOptions): Promise<ClientQuotas> {
    const { shard, now, onTrouble } = options;
    const codec = jsonCodec<QuotaEvent>();
    const log = await ShardEventLog.open({ shard, now, onTrouble, logId: QUOTAS_LOG_ID, machine, codec });
    return new ClientQuotas(options, log);
  }

  /** Nobody is limited. */
  get isEmpty(): boolean {
    return this.#log.state.size === 0;
  }

  all(): Iterable<Quota> {
    return this.#log.state.values();
  }

  /** Throws `invalid-argument` for what cannot be. */
  check({ entity, values }: QuotaChange): void {
    const refuse = (why: string): never => {
      throw new BrokerError('invalid-argument', why);
    };
    const names = [entity.user, entity['client-id'], entity.ip].filter((name) => name !== undefined);
    if (names.length === 0) refuse('Invalid empty client quota entity');
    if (names.some((name) => name !== null && (name === '' || name.length > MAX_NAME_LENGTH)))
      refuse(`names of a quota's entity have from 1 to ${MAX_NAME_LENGTH} characters`);
    if (entity.ip !== undefined && names.length > 1)
      refuse('Invalid quota entity combination, IP entity should not be combined with User or ClientId');
    for (const [key, value] of Object.entries(values)) {
      if (!(entity.ip === undefined ? CLIENT_KEYS : IP_KEYS).includes(key)) refuse(`Invalid configuration key ${key}`);
      if (value === null) continue;
      if (!(value > 0) || !Number.isFinite(value)) refuse(`Quota ${key} must be greater than 0`);
      if (WHOLE_NUMBERS.includes(key) && !Number.isInteger(value)) refuse(`${key} cannot be a fractional value.`);
    }
  }

  /** Changes all of them or none. Throws as `check`; rejects with `limit-exceeded`. */
  alter(changes: readonly QuotaChange[]): Promise<void> {
    for (const change of changes) this.check(change);
    const done = this.#last.then(async () => {
      const { state } = this.#log;
      const events = changes.map(({ entity, values }): QuotaEvent => {
        const merged = { ...state.get(keyOf(entity))?.values, ...values };
        const left = Object.entries(merged).filter((entry): entry is [string, number] => entry[1] !== null);
        return { type: 'quota-set', entity, values: Object.fromEntries(left) };
      });
      const added = events.filter(({ entity, values }) => !state.has(keyOf(entity)) && Object.keys(values).length > 0);
      if (state.size + added.length > MAX_ENTITIES)
        throw new BrokerError('limit-exceeded', `there can be quotas of ${MAX_ENTITIES} entities: remove some first`);
      await this.#log.append(events);
    });
    this.#last = done.catch(() => {});
    return done;
  }

  /**
   * Counts what a client used. Answers for how many milliseconds it is to use nothing more; 0 for none. The most special quota that there is for
   * the client counts, and clients who have one together share it: all connections of a user, of a client id, or of both.
   */
  record(key: ClientQuotaKey, user: string, clientId: string, amount: number): number {
    const found = this.#quotaFor(key, user, clientId);
    if (found === undefined) return 0;
    const now = this.#options.clock.monotonic();
    const meter = this.#meter(`${key} ${found.sharedBy}`, now);
    return Math.min(meter.record(amount, found.limit, now), MAX_THROTTLE_MS);
  }

  /** Counts a connection from an address; answers as `record`. */
  recordConnection(address: string): number {
    const { state } = this.#log;
    if (state.size === 0) return 0;
    const ip = plainAddress(address);
    const own = state.get(keyOf({ ip })) ?? state.get(keyOf({ ip: null }));
    const limit = own?.values['connection_creation_rate'];
    if (limit === undefined) return 0;
    const now = this.#options.clock.monotonic();
    return Math.min(this.#meter(`connections ${ip}`, now).record(1, limit, now), MAX_THROTTLE_MS);
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#log.close();
  }

  /** In Kafka's order of precedence. */
  #quotaFor(key: ClientQuotaKey, user: string, clientId: string): { limit: number; sharedBy: string } | undefined {
    const { state } = this.#log;
    if (state.size === 0) return undefined;
    for (const asked of [user, null]) {
      for (const id of [clientId, null, undefined]) {
        const limit = state.get(keyOf({ user: asked, 'client-id': id }))?.values[key];
        const sharing = id === undefined ? { user } : { user, 'client-id': clientId };
        if (limit !== undefined) return { limit, sharedBy: keyOf(sharing) };
      }
    }
    for (const id of [clientId, null]) {
      const limit = state.get(keyOf({ 'client-id': id }))?.values[key];
      if (limit !== undefined) return { limit, sharedBy: keyOf({ 'client-id': clientId }) };
    }
    return undefined;
  }

  #meter(name: string, now: number): RateMeter {
    const known = this.#meters.get(name);
    if (known !== undefined) return known;
    if (this.#meters.size >= MAX_METERS) {
      for (const [other, meter] of this.#meters) if (meter.isIdle(now)) this.#meters.delete(other);
      // So many at once are made up: they begin anew together.
      if (this.#meters.size >= MAX_METERS) this.#meters.clear();
    }
    const meter = new RateMeter();
    this.#meters.set(name, meter);
    return meter;
  }
}

function keyOf({ user, 'client-id': clientId, ip }: QuotaEntity): string {
  const part = (type: string, name: string | null | undefined) =>
    name === undefined ? '' : name === null ? `${type}` : `${type}=${encodeURIComponent(name.toWellFormed())}`;
  return `${part('user', user)}/${part('client-id', clientId)}/${part('ip', ip)}`;
}
