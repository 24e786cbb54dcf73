import { BrokerError } from '../../errors.ts';
import type { GroupSettings } from './settings.ts';

/** What all groups of a coordinator have together, for limits that no number of groups gets around. */
export class GroupLoad {
  readonly #settings: GroupSettings;
  /** Members, and ids given out that nobody has joined with yet. */
  members = 0;
  /** Of the members' protocols and assignments. */
  metadataBytes = 0;

  constructor(settings: GroupSettings) {
    this.#settings = settings;
  }

  /** Throws `group-max-size` when there is no room for one more member. */
  checkMember(): void {
    const { maxTotalMembers } = this.#settings;
    if (this.members >= maxTotalMembers)
      throw new BrokerError('group-max-size', `all groups together have ${this.members} members already`);
  }

  /** Throws `limit-exceeded` when there is no room for so many bytes more. */
  checkMetadata(bytes: number): void {
    const { maxTotalMetadataBytes } = this.#settings;
    if (bytes > 0 && this.metadataBytes + bytes > maxTotalMetadataBytes)
      throw new BrokerError(
        'limit-exceeded',
        `all groups together have ${this.metadataBytes} bytes of metadata already`,
      );
  }
}
