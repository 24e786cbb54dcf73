import type { GroupLoad } from './load.ts';
import { protocolBytes } from './member.ts';
import type { MemberProtocol } from './membership.ts';

/** Which protocols the members of a group have in common, and which of those they like best. */
export class ProtocolVotes {
  /** How many members can do a protocol, by its name. */
  readonly #able = new Map<string, number>();
  readonly #load: GroupLoad;
  #members = 0;
  #bytes = 0;

  constructor(load: GroupLoad) {
    this.#load = load;
  }

  /** Bytes of names and metadata of all protocols of all members. */
  get bytes(): number {
    return this.#bytes;
  }

  add(protocols: readonly MemberProtocol[]): void {
    this.#count(protocols, 1);
  }

  remove(protocols: readonly MemberProtocol[]): void {
    this.#count(protocols, -1);
  }

  /** Whether one of these is a protocol of all members. */
  supports(protocols: readonly MemberProtocol[]): boolean {
    if (this.#members === 0) return protocols.length > 0;
    return protocols.some(({ name }) => this.#able.get(name) === this.#members);
  }

  /** Each member votes for the first of its protocols that all can do; null when there is none. */
  elect(members: Iterable<{ readonly protocols: readonly MemberProtocol[] }>): string | null {
    const votes = new Map<string, number>();
    for (const { protocols } of members) {
      const choice = protocols.find(({ name }) => this.#able.get(name) === this.#members)?.name;
      if (choice !== undefined) votes.set(choice, (votes.get(choice) ?? 0) + 1);
    }
    let elected: string | null = null;
    for (const [name, count] of votes) {
      if (elected === null || count > (votes.get(elected) ?? 0)) elected = name;
    }
    return elected;
  }

  #count(protocols: readonly MemberProtocol[], by: 1 | -1): void {
    const bytes = by * protocolBytes(protocols);
    this.#members += by;
    this.#bytes += bytes;
    this.#load.members += by;
    this.#load.metadataBytes += bytes;
    for (const name of new Set(protocols.map((protocol) => protocol.name))) {
      const able = (this.#able.get(name) ?? 0) + by;
      if (able === 0) this.#able.delete(name);
      else this.#able.set(name, able);
    }
  }
}
