/** Who has which partitions of a topic, as the members of a group see it: no partition may ever have two owners. */
export class Owners<Member> {
  /** How often a member was given something else than it had. */
  changes = 0;
  readonly #ownerOf: (Member | undefined)[];
  readonly #partitionsOf = new Map<Member, readonly number[]>();
  #waiting: { readonly members: number; readonly resolve: () => void } | undefined;

  constructor(partitions: number) {
    this.#ownerOf = Array.from({ length: partitions });
  }

  partitionsOf(member: Member): readonly number[] {
    return this.#partitionsOf.get(member) ?? [];
  }

  /** The member has these partitions and no others. */
  set(member: Member, partitions: readonly number[]): void {
    for (const partition of this.partitionsOf(member)) this.#ownerOf[partition] = undefined;
    for (const partition of partitions) {
      if (partition < 0 || partition >= this.#ownerOf.length) throw new Error(`there is no partition ${partition}`);
      if (this.#ownerOf[partition] !== undefined) throw new Error(`partition ${partition} has two owners`);
      this.#ownerOf[partition] = member;
    }
    if (partitions.length > 0) this.#partitionsOf.set(member, partitions);
    else this.#partitionsOf.delete(member);
    this.changes++;
    if (this.#waiting !== undefined && this.#isShared(this.#waiting.members)) this.#waiting.resolve();
  }

  /** Resolves when every partition is one of so many members', and none of them has two more than another. */
  async shared(members: number): Promise<void> {
    if (this.#isShared(members)) return;
    await new Promise<void>((resolve) => {
      this.#waiting = { members, resolve };
    });
    this.#waiting = undefined;
  }

  #isShared(members: number): boolean {
    if (this.#partitionsOf.size !== members || this.#ownerOf.includes(undefined)) return false;
    const counts = [...this.#partitionsOf.values()].map(({ length }) => length);
    return Math.max(...counts) - Math.min(...counts) <= 1;
  }
}
