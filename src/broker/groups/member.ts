import type { Clock } from '../../environment/environment.ts';
import { Deadline } from './deadline.ts';
import type { MemberDescription, MemberProtocol } from './membership.ts';
import type { StoredMember } from './state.ts';

export const NOTHING = Buffer.alloc(0);

export type MemberFields = Omit<StoredMember, 'assignment'>;

/** A member of a classic group: who it is, what it can do and what it was given. */
export class Member {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  /** When it passes without a sign of life, the member has failed. */
  readonly session: Deadline;
  sessionTimeoutMs: number;
  rebalanceTimeoutMs: number;
  protocols: readonly MemberProtocol[];
  assignment: Buffer = NOTHING;
  /** It has not been in any generation, so it may not know its own id and cannot be expected to give signs of life. */
  isNew = false;

  constructor(fields: MemberFields, clock: Clock, onSessionPassed: (member: Member) => void) {
    this.memberId = fields.memberId;
    this.groupInstanceId = fields.groupInstanceId;
    this.clientId = fields.clientId;
    this.clientHost = fields.clientHost;
    this.sessionTimeoutMs = fields.sessionTimeoutMs;
    this.rebalanceTimeoutMs = fields.rebalanceTimeoutMs;
    this.protocols = fields.protocols;
    this.session = new Deadline(clock, () => onSessionPassed(this));
  }

  /** Bytes of the names and metadata of its protocols. */
  get metadataBytes(): number {
    return protocolBytes(this.protocols);
  }

  /** It is alive, as far as that can be told. */
  alive(): void {
    this.session.set(this.sessionTimeoutMs);
  }

  /** The metadata of a protocol; nothing when it does not have that protocol. */
  metadata(protocolName: string | null): Buffer {
    return this.protocols.find(({ name }) => name === protocolName)?.metadata ?? NOTHING;
  }

  /** Whether these are its protocols, in the same order and with the same metadata. */
  hasProtocols(protocols: readonly MemberProtocol[]): boolean {
    return (
      protocols.length === this.protocols.length &&
      protocols.every(({ name, metadata }, i) => {
        const own = this.protocols[i];
        return own?.name === name && own.metadata.equals(metadata);
      })
    );
  }

  stored(assignment = this.assignment): StoredMember {
    const { memberId, groupInstanceId, clientId, clientHost, sessionTimeoutMs, rebalanceTimeoutMs, protocols } = this;
    return {
      memberId,
      groupInstanceId,
      clientId,
      clientHost,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      protocols,
      assignment,
    };
  }

  describe(metadata: Buffer): MemberDescription {
    const { memberId, groupInstanceId, clientId, clientHost, assignment } = this;
    return { memberId, groupInstanceId, clientId, clientHost, metadata, assignment };
  }
}

export function protocolBytes(protocols: readonly MemberProtocol[]): number {
  return protocols.reduce((bytes, { name, metadata }) => bytes + Buffer.byteLength(name) + metadata.length, 0);
}
