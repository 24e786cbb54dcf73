import type { Clock } from '../../../environment/environment.ts';
import { BrokerError } from '../../../errors.ts';
import type { TopicSize } from './membership.ts';
import { TopicPattern } from './topic-pattern.ts';
import type { Topics } from './topics.ts';

export interface Subscription {
  readonly memberId: string;
  readonly topicNames: readonly string[];
  /** Empty for none. */
  readonly topicRegex: string;
}

/** The topics that a group's members consume. */
export interface Subscribed {
  /** By member id, topic ids; members that subscribed to the same have the same set. */
  readonly members: ReadonlyMap<string, ReadonlySet<string>>;
  /** Sorted by id. */
  readonly topics: readonly TopicSize[];
  /** False when an expression was tried not long ago, and topics have changed since. */
  readonly complete: boolean;
  /** About, in memory. */
  readonly bytes: number;
}

interface Tried {
  readonly pattern: TopicPattern;
  names: readonly string[];
  version: number;
  /** By the monotonic clock. */
  at: number;
}

/** Expressions whose matches are remembered, and topics that they matched, together. */
const MAX_REMEMBERED = 1_000;
const MAX_REMEMBERED_NAMES = 1_000_000;
/** About, of a topic in what a member consumes. */
const TOPIC_BYTES = 32;
/** Steps that one expression may take over all topics: a fraction of a second. */
const MAX_STEPS = 20_000_000;
/** UTF-16 units. */
const MAX_EXPRESSION_LENGTH = 4_096;

/** Finds the topics that members subscribe to, by name and by expression. Expressions are tried anew at most every so often. */
export class Subscriptions {
  readonly #topics: Topics;
  readonly #clock: Clock;
  readonly #retryMs: number;
  /** By expression, the one that was used longest ago first. */
  readonly #tried = new Map<string, Tried>();
  #names = 0;

  constructor(topics: Topics, clock: Clock, retryMs: number) {
    this.#topics = topics;
    this.#clock = clock;
    this.#retryMs = retryMs;
  }

  get topics(): Topics {
    return this.#topics;
  }

  /** Throws `invalid-regular-expression` for an expression that nobody can subscribe to. */
  check(expression: string): void {
    if (expression !== '') this.#matches(expression);
  }

  resolve(subscriptions: Iterable<Subscription>): Subscribed {
    const sets = new Map<string, ReadonlySet<string>>();
    const members = new Map<string, ReadonlySet<string>>();
    const sizes = new Map<string, number>();
    let complete = true;
    let bytes = 0;
    for (const { memberId, topicNames, topicRegex } of subscriptions) {
      const key = JSON.stringify([topicRegex, topicNames]);
      let set = sets.get(key);
      if (set === undefined) {
        const found = new Set<string>();
        const matched = topicRegex === '' ? undefined : this.#matches(topicRegex);
        if (matched !== undefined && matched.version !== this.#topics.version) complete = false;
        for (const names of [topicNames, matched?.names ?? []]) {
          for (const name of names) {
            const topic = this.#topics.byName(name);
            if (topic === undefined) continue;
            found.add(topic.topicId);
            sizes.set(topic.topicId, topic.partitions);
          }
        }
        set = found;
        bytes += found.size * TOPIC_BYTES;
        sets.set(key, set);
      }
      members.set(memberId, set);
    }
    const topics = [...sizes].sort(([a], [b]) => (a < b ? -1 : 1));
    return { members, topics, complete, bytes };
  }

  #matches(expression: string): Tried {
    const known = this.#tried.get(expression);
    const now = this.#clock.monotonic();
    const fresh = known !== undefined && (known.version === this.#topics.version || now - known.at < this.#retryMs);
    const tried = fresh ? known : this.#try(expression, known, now);
    this.#forget(expression);
    this.#tried.set(expression, tried);
    this.#names += tried.names.length;
    for (const oldest of this.#tried.keys()) {
      if (this.#tried.size <= MAX_REMEMBERED && this.#names <= MAX_REMEMBERED_NAMES) break;
      this.#forget(oldest);
    }
    return tried;
  }

  #forget(expression: string): void {
    this.#names -= this.#tried.get(expression)?.names.length ?? 0;
    this.#tried.delete(expression);
  }

  #try(expression: string, known: Tried | undefined, at: number): Tried {
    if (expression.length > MAX_EXPRESSION_LENGTH) {
      throw new BrokerError(
        'invalid-regular-expression',
        `an expression has up to ${MAX_EXPRESSION_LENGTH} characters, not ${expression.length}`,
      );
    }
    const pattern = known?.pattern ?? new TopicPattern(expression);
    const budget = { steps: MAX_STEPS };
    const names: string[] = [];
    const { version } = this.#topics;
    try {
      for (const name of this.#topics.names()) if (pattern.matches(name, budget)) names.push(name);
    } catch (error) {
      // With so many topics as there are by now it has become too costly: who has subscribed keeps what it has.
      if (known === undefined) throw error;
      return { pattern, names: known.names, version, at };
    }
    return { pattern, names, version, at };
  }
}
