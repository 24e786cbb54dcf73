import type { Clock, Timer } from '../../environment/environment.ts';
import { type BrokerError, toBrokerError } from '../../errors.ts';
import type { EventLog } from '../event-log.ts';
import type { ClassicGroups } from './classic-groups.ts';
import type { ConsumerGroups } from './consumer/index.ts';
import { expiredOffsets } from './expiry.ts';
import type { GroupSettings } from './settings.ts';
import type { GroupEvent, GroupsState, StoredGroup } from './state.ts';

/** Events that are appended at a time. */
const EXPIRED_AT_ONCE = 1_000;

export interface RetentionOptions {
  readonly clock: Clock;
  readonly log: EventLog<GroupsState, GroupEvent>;
  readonly settings: GroupSettings;
  readonly classic: ClassicGroups;
  readonly consumers: ConsumerGroups;
  readonly onWarn: (message: string, error: BrokerError) => void;
}

/** Deletes from time to time the offsets that have been kept for long enough, and groups of which nothing is left; share groups stay until they are deleted. */
export class Retention {
  readonly #options: RetentionOptions;
  #timer: Timer | undefined;
  #ended = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#schedule();
  }

  end(): void {
    this.#ended = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    const { clock, settings, onWarn } = this.#options;
    this.#timer = clock.setTimer(settings.offsetsRetentionCheckMs, () => {
      this.#expire()
        .catch((error: unknown) => onWarn('expired offsets were not deleted', toBrokerError(error)))
        .finally(() => {
          if (!this.#ended) this.#schedule();
        });
    });
  }

  async #expire(): Promise<void> {
    const { clock, log, settings, classic, consumers } = this.#options;
    for (const group of classic) group.saveAgain();
    const events: GroupEvent[] = [];
    const now = clock.now();
    for (const [groupId, stored] of log.state.groups) {
      if (stored.share !== null) continue;
      const group = classic.get(groupId);
      const topics = expiredOffsets(stored, group, consumers.get(groupId), now, settings.offsetsRetentionMs);
      if (topics.length > 0) events.push({ type: 'offsets-expired', groupId, topics });
      if (group === undefined && count(topics) === count(offsetsOf(stored))) {
        events.push({ type: 'group-expired', groupId });
      }
    }
    for (let i = 0; i < events.length; i += EXPIRED_AT_ONCE) {
      await log.append(events.slice(i, i + EXPIRED_AT_ONCE));
    }
  }
}

function offsetsOf({ offsets }: StoredGroup) {
  return [...offsets.values()].map(({ partitions }) => ({ partitions: [...partitions.keys()] }));
}

function count(topics: readonly { readonly partitions: readonly unknown[] }[]): number {
  return topics.reduce((sum, { partitions }) => sum + partitions.length, 0);
}
