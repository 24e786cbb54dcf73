import { SeededRandom } from '../../environment/seeded-random.ts';
import { VirtualClock } from '../../environment/virtual-clock.ts';
import { BrokerError, type ErrorCode } from '../../errors.ts';
import type { EventLog } from '../event-log.ts';
import type { TopicInfo, Topics } from './consumer/topics.ts';
import { GroupCoordinator } from './coordinator.ts';
import type { EmbeddedProtocol, NamedPartitions } from './embedded-protocol.ts';
import { decodeEvent, encodeEvent } from './event-codec.ts';
import type { JoinRequest } from './membership.ts';
import type { GroupSettings } from './settings.ts';
import { type GroupEvent, type GroupsState, groupsStateMachine } from './state.ts';

// What the tests of this folder share.

/** An event log without storage: an event is applied, from its bytes, some microtasks after it was appended. */
export class MemoryEventLog implements EventLog<GroupsState, GroupEvent> {
  readonly #events: Buffer[] = [];
  #state = groupsStateMachine.initial();
  #last: Promise<void> = Promise.resolve();
  /** Appends wait while it is held. */
  #held: PromiseWithResolvers<void> | undefined;
  failing = false;

  get state(): GroupsState {
    return this.#state;
  }

  append(events: readonly GroupEvent[]): Promise<void> {
    const failing = this.failing;
    const bytes = events.map(encodeEvent);
    const held = this.#held?.promise;
    const appended = this.#last.then(async () => {
      await held;
      if (failing) throw new BrokerError('storage-failed', 'as the test wants it');
      for (const event of bytes) groupsStateMachine.apply(this.#state, decodeEvent(event));
      this.#events.push(...bytes);
    });
    this.#last = appended.catch(() => {});
    return appended;
  }

  async close(): Promise<void> {}

  hold(): void {
    this.#held ??= Promise.withResolvers();
  }

  release(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }

  /** Makes the state again as a start does: from a snapshot, or from all events. */
  replay(from: 'snapshot' | 'events'): void {
    if (from === 'snapshot') {
      const json = JSON.stringify(groupsStateMachine.toSnapshot(this.#state));
      this.#state = groupsStateMachine.fromSnapshot(JSON.parse(json));
      return;
    }
    this.#state = groupsStateMachine.initial();
    for (const event of this.#events) groupsStateMachine.apply(this.#state, decodeEvent(event));
  }
}

export const SESSION = 10_000;
export const REBALANCE = 60_000;
export const TOPIC_ID = '0b6d7a5e-0c1f-4a51-9d0e-3f2a5b6c7d8e';

export class Fixture {
  readonly clock = new VirtualClock();
  readonly log = new MemoryEventLog();
  readonly warnings: string[] = [];
  readonly #random = new SeededRandom(1);
  readonly #settings: Partial<GroupSettings>;
  readonly topics = new TestTopics();
  groups: GroupCoordinator;

  constructor(settings: Partial<GroupSettings> = {}) {
    this.#settings = settings;
    this.groups = this.#open();
  }

  /** The broker stops without a word and starts again. */
  restart(from: 'snapshot' | 'events'): void {
    this.groups.close();
    this.log.replay(from);
    this.groups = this.#open();
  }

  /** Lets promises run, and timers that are due now. */
  settle(): Promise<void> {
    return this.clock.advance(0);
  }

  #open(): GroupCoordinator {
    return new GroupCoordinator({
      clock: this.clock,
      random: this.#random,
      log: this.log,
      settings: this.#settings,
      embedded: embeddedProtocol,
      topics: this.topics,
      onWarn: (message) => this.warnings.push(message),
    });
  }
}

/** Topics that come and go as a test likes. */
export class TestTopics implements Topics {
  version = 0;
  readonly #byName = new Map<string, TopicInfo>();

  /** Makes it, or gives it another number of partitions; 0 deletes it. */
  set(name: string, partitions: number): void {
    this.version++;
    const topicId = this.#byName.get(name)?.topicId ?? `00000000-0000-0000-0000-${`${this.version}`.padStart(12, '0')}`;
    if (partitions === 0) this.#byName.delete(name);
    else this.#byName.set(name, { topicId, name, partitions });
  }

  byName(name: string): TopicInfo | undefined {
    return this.#byName.get(name);
  }

  byId(topicId: string): TopicInfo | undefined {
    return [...this.#byName.values()].find((topic) => topic.topicId === topicId);
  }

  names(): Iterable<string> {
    return this.#byName.keys();
  }
}

/**
 * In these tests, metadata is topics with commas between them, perhaps what the member has after a semicolon, and `?` is not to
 * be understood; partitions are `t/0 t/1 u/0`.
 */
const embeddedProtocol: EmbeddedProtocol = {
  subscription(metadata) {
    const text = metadata.toString();
    if (text === '?') return null;
    const [topics = '', owned = ''] = text.split(';');
    return { version: 1, topics: topics.split(','), owned: partitionsIn(owned), rackId: null };
  },
  assignment(bytes) {
    const text = bytes.toString();
    return text === '?' ? null : partitionsIn(text);
  },
  encodeAssignment: (assignment) => Buffer.from(partitionsAsText(assignment)),
};

export function partitionsIn(text: string): { topic: string; partitions: number[] }[] {
  const names = text.split(' ').filter((name) => name !== '');
  return names.map((name) => {
    const [topic = '', partition = ''] = name.split('/');
    return { topic, partitions: [Number(partition)] };
  });
}

function partitionsAsText(assignment: readonly NamedPartitions[]): string {
  return assignment.flatMap(({ topic, partitions }) => partitions.map((each) => `${topic}/${each}`)).join(' ');
}

export function joinRequest(request: Partial<JoinRequest> = {}): JoinRequest {
  return {
    groupId: 'g',
    memberId: '',
    groupInstanceId: null,
    clientId: 'client',
    clientHost: '/127.0.0.1',
    sessionTimeoutMs: SESSION,
    rebalanceTimeoutMs: REBALANCE,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.from('orders') }],
    requireKnownMemberId: false,
    canSkipAssignment: true,
    ...request,
  };
}

/** The code that it is refused with; undefined when it is not. */
export function refusal(answer: Promise<unknown>): Promise<ErrorCode | 'no broker error' | undefined> {
  return answer.then(
    () => undefined,
    (error: unknown) => (error instanceof BrokerError ? error.code : 'no broker error'),
  );
}

/** What has become of an answer by now. */
export function watch<T>(answer: Promise<T>): { value?: T; refused?: ErrorCode; settled: boolean } {
  const watched: { value?: T; refused?: ErrorCode; settled: boolean } = { settled: false };
  answer.then(
    (value) => Object.assign(watched, { value, settled: true }),
    (error: unknown) => Object.assign(watched, { refused: (error as BrokerError).code, settled: true }),
  );
  return watched;
}
