import type { Clock } from '../../../environment/environment.ts';
import { Deadline } from '../deadline.ts';
import type { ConsumerMember } from './membership.ts';

/** What a member is to do in time: give back partitions, or, by the classic protocol, join again or ask for its assignment. */
interface Duty {
  readonly what: 'revoke' | 'join' | 'sync';
  /** The member epoch that it is of. */
  readonly epoch: number;
}

interface Watch {
  /** When it passes without a sign of life, the member has failed. */
  readonly session: Deadline;
  /** When it passes, the member has failed its duty. */
  readonly duty: Deadline;
  /** Grows with every sign of life. */
  beats: number;
  owes: Duty | undefined;
}

/** A member that has failed, as far as its timers know. */
export interface Failure {
  readonly memberId: string;
  /** Whether that is still so, when it is its turn. */
  holds(): boolean;
  /** Says it again when so much time has passed, unless the member is gone by then. */
  again(delayMs: number): void;
}

/** The timers of the members of a consumer group. */
export class Watches {
  readonly #clock: Clock;
  readonly #onFailed: (failure: Failure) => void;
  readonly #watches = new Map<string, Watch>();

  constructor(clock: Clock, onFailed: (failure: Failure) => void) {
    this.#clock = clock;
    this.#onFailed = onFailed;
  }

  /** Watches a member that is new, or has changed. A new one has a whole session from now. */
  keep({ memberId, state, epoch, rebalanceTimeoutMs, classic }: ConsumerMember, sessionTimeoutMs: number): void {
    const watch = this.#watches.get(memberId) ?? this.#begin(memberId, sessionTimeoutMs);
    const revokes = classic === undefined && state === 'revoking';
    if (!revokes) {
      // What it owes by the classic protocol has an end of its own.
      if (classic === undefined || watch.owes?.what === 'revoke') settle(watch);
    } else if (watch.owes?.what !== 'revoke' || watch.owes.epoch !== epoch) {
      owe(watch, { what: 'revoke', epoch }, rebalanceTimeoutMs);
    }
  }

  alive(memberId: string, sessionTimeoutMs: number): void {
    const watch = this.#watches.get(memberId);
    if (watch === undefined) return;
    watch.beats++;
    watch.session.set(sessionTimeoutMs);
  }

  /** It has been told to join again, perhaps more than once: the first time counts. */
  toJoin({ memberId, epoch }: ConsumerMember, timeoutMs: number): void {
    const watch = this.#watches.get(memberId);
    if (watch !== undefined && watch.owes?.what !== 'join') owe(watch, { what: 'join', epoch }, timeoutMs);
  }

  /** It has joined, and is to ask for its assignment. */
  toSync({ memberId, epoch }: ConsumerMember, timeoutMs: number): void {
    const watch = this.#watches.get(memberId);
    if (watch !== undefined) owe(watch, { what: 'sync', epoch }, timeoutMs);
  }

  synced(memberId: string): void {
    const watch = this.#watches.get(memberId);
    if (watch?.owes?.what === 'sync') settle(watch);
  }

  drop(memberId: string): void {
    const watch = this.#watches.get(memberId);
    watch?.session.cancel();
    watch?.duty.cancel();
    this.#watches.delete(memberId);
  }

  clear(): void {
    for (const memberId of [...this.#watches.keys()]) this.drop(memberId);
  }

  #begin(memberId: string, sessionTimeoutMs: number): Watch {
    const watch: Watch = {
      session: new Deadline(this.#clock, () => {
        const { beats } = watch;
        this.#failed(memberId, watch, () => watch.beats === beats);
      }),
      duty: new Deadline(this.#clock, () => {
        const { owes } = watch;
        this.#failed(memberId, watch, () => owes !== undefined && watch.owes === owes);
      }),
      beats: 0,
      owes: undefined,
    };
    watch.session.set(sessionTimeoutMs);
    this.#watches.set(memberId, watch);
    return watch;
  }

  #failed(memberId: string, watch: Watch, holds: () => boolean): void {
    const watched = () => this.#watches.get(memberId) === watch;
    this.#onFailed({
      memberId,
      holds: () => watched() && holds(),
      again: (delayMs) => {
        if (watched()) watch.session.set(delayMs);
      },
    });
  }
}

function owe(watch: Watch, duty: Duty, timeoutMs: number): void {
  watch.owes = duty;
  watch.duty.set(timeoutMs);
}

function settle(watch: Watch): void {
  watch.owes = undefined;
  watch.duty.cancel();
}
