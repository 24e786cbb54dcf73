import { type Acl, type AclResourceType, aclKey, WILDCARD } from './acl.ts';

type ByKey = Map<string, Acl>;

/** The entries about one type of resource. */
class TypeIndex {
  readonly #literal = new Map<string, ByKey>();
  readonly #prefixed = new Map<string, ByKey>();
  /** How many patterns have a prefix of so many characters. */
  readonly #lengths = new Map<number, number>();

  add(acl: Acl): void {
    const patterns = this.#patterns(acl);
    const known = patterns.get(acl.resourceName);
    if (known !== undefined) {
      known.set(aclKey(acl), acl);
      return;
    }
    patterns.set(acl.resourceName, new Map([[aclKey(acl), acl]]));
    if (acl.pattern === 'prefixed') this.#count(acl.resourceName.length, 1);
  }

  delete(acl: Acl): void {
    const patterns = this.#patterns(acl);
    const known = patterns.get(acl.resourceName);
    if (known === undefined || !known.delete(aclKey(acl)) || known.size > 0) return;
    patterns.delete(acl.resourceName);
    if (acl.pattern === 'prefixed') this.#count(acl.resourceName.length, -1);
  }

  *about(name: string): Generator<Acl, void, undefined> {
    yield* this.#literal.get(name)?.values() ?? [];
    if (name !== WILDCARD) yield* this.#literal.get(WILDCARD)?.values() ?? [];
    for (const length of this.#lengths.keys())
      if (length <= name.length) yield* this.#prefixed.get(name.slice(0, length))?.values() ?? [];
  }

  #patterns({ pattern }: Acl): Map<string, ByKey> {
    return pattern === 'prefixed' ? this.#prefixed : this.#literal;
  }

  #count(length: number, by: number): void {
    const count = (this.#lengths.get(length) ?? 0) + by;
    if (count === 0) this.#lengths.delete(length);
    else this.#lengths.set(length, count);
  }
}

/** Entries by what they are about: those of one name are found without looking at the others. */
export class AclIndex {
  readonly #all = new Map<string, Acl>();
  readonly #types = new Map<AclResourceType, TypeIndex>();

  get size(): number {
    return this.#all.size;
  }

  has(acl: Acl): boolean {
    return this.#all.has(aclKey(acl));
  }

  all(): Iterable<Acl> {
    return this.#all.values();
  }

  add(acl: Acl): void {
    this.#all.set(aclKey(acl), acl);
    const type = this.#types.get(acl.resourceType) ?? new TypeIndex();
    this.#types.set(acl.resourceType, type);
    type.add(acl);
  }

  delete(acl: Acl): void {
    this.#all.delete(aclKey(acl));
    this.#types.get(acl.resourceType)?.delete(acl);
  }

  /** Those that a resource is subject to. */
  about(type: AclResourceType, name: string): Iterable<Acl> {
    return this.#types.get(type)?.about(name) ?? [];
  }
}
