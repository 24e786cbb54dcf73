import type { Clock } from '../../environment/environment.ts';
import { Deadline } from './deadline.ts';
import type { GroupLoad } from './load.ts';

/** Member ids of a group that were given out and that nobody has joined with yet. */
export class PendingMembers {
  readonly #clock: Clock;
  readonly #load: GroupLoad;
  /** With how long each holds. */
  readonly #deadlines = new Map<string, Deadline>();

  constructor(clock: Clock, load: GroupLoad) {
    this.#clock = clock;
    this.#load = load;
  }

  get size(): number {
    return this.#deadlines.size;
  }

  has(memberId: string): boolean {
    return this.#deadlines.has(memberId);
  }

  add(memberId: string, timeoutMs: number, onExpired: () => void): void {
    const deadline = new Deadline(this.#clock, () => {
      this.remove(memberId);
      onExpired();
    });
    deadline.set(timeoutMs);
    this.#deadlines.set(memberId, deadline);
    this.#load.members++;
  }

  /** Says whether it was there. */
  remove(memberId: string): boolean {
    this.#deadlines.get(memberId)?.cancel();
    if (!this.#deadlines.delete(memberId)) return false;
    this.#load.members--;
    return true;
  }

  clear(): void {
    for (const memberId of [...this.#deadlines.keys()]) this.remove(memberId);
  }
}
