import type { Clock } from '../../environment/environment.ts';
import type { BrokerError } from '../../errors.ts';
import type { EmbeddedProtocol } from './embedded-protocol.ts';
import type { ClassicGroup } from './group.ts';
import type { GroupLoad } from './load.ts';
import type { GroupSettings } from './settings.ts';
import type { Membership } from './state.ts';

/** What a group of the classic protocol needs of its surroundings. */
export interface GroupSurroundings {
  readonly clock: Clock;
  readonly settings: GroupSettings;
  /** Of all groups, this one among them. */
  readonly load: GroupLoad;
  /** A member id that nobody has had. */
  readonly newMemberId: (prefix: string) => string;
  /** Makes a generation durable. */
  readonly store: (groupId: string, membership: Membership) => Promise<void>;
  /** What members say of themselves who are consumers. */
  readonly embedded: EmbeddedProtocol;
  /** The group has come to rest: see `ClassicGroup.atRest`. */
  readonly onRest: (group: ClassicGroup) => void;
  readonly onWarn: (message: string, error: BrokerError) => void;
}
